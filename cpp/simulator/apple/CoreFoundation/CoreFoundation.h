// Stands in for Apple's header: what metal-cpp takes from it.
#pragma once
#include <math.h>
#include <stdint.h>

#include <dispatch/dispatch.h>

typedef double CFTimeInterval;
