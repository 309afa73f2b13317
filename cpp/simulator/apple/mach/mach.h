// Stands in for Apple's header: what metal-cpp takes from it.
#pragma once
typedef int kern_return_t;
typedef unsigned task_id_token_t;
