// What files with code of Metal's own share: the device, and pools for its temporary objects.
#pragma once

#include <math.h>  // metal-cpp wants it first

#include <Metal/Metal.hpp>

namespace veem::metal {

MTL::Device* device();  // the one that veem uses; raises when there is none

// Each function that calls Metal opens one: what Metal makes and does not give away ends with it.
struct Pool {
  Pool() : pool(NS::AutoreleasePool::alloc()->init()) {}
  Pool(const Pool&) = delete;
  ~Pool() { pool->release(); }
  NS::AutoreleasePool* pool;
};

}  // namespace veem::metal
