// Metal as a backend of veem.
#pragma once

namespace veem {

class Backend;

Backend* metal_backend();  // null where there is no GPU that Metal runs on

}  // namespace veem
