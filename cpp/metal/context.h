// What files with code of Metal's own share: the device, its memory, the commands on their way,
// and pools for Metal's temporary objects.
#pragma once

#include <math.h>  // metal-cpp wants it first

#include <Metal/Metal.hpp>
#include <cstdint>

#ifndef VEEM_SIMULATED
#define VEEM_SIMULATED 0
#endif

namespace veem::metal {

MTL::Device* find_device();  // null when there is none
MTL::Device* device();       // the one that veem uses; raises when there is none

// Each function that calls Metal opens one: what Metal makes and does not give away ends with it.
struct Pool {
  Pool() : pool(NS::AutoreleasePool::alloc()->init()) {}
  Pool(const Pool&) = delete;
  ~Pool() { pool->release(); }
  NS::AutoreleasePool* pool;
};

// A storage's block: a buffer, and the number of the command buffer that last used it.
struct Block {
  MTL::Buffer* buffer;
  uint64_t last_use = 0;
};

// Wait until the GPU is done with a block, or with everything. They raise what went wrong there:
// errors of command buffers, and indices out of range.
void wait_for(Block* block);
void synchronize();

}  // namespace veem::metal
