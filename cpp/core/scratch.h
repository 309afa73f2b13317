// Working memory for kernels. Names no std:: type, so that code compiled for several instruction
// sets can call it.
#pragma once

#include <cstdint>

namespace veem {

// The calling thread's own buffer, 64-byte aligned, kept from call to call and grown when it must
// be: what an earlier call returned is gone. A thread has three: for kernels, for the matrix
// product that some of them use, and for weights that are prepared for many products. Raises
// MemoryError.
enum class ScratchFor { Kernel, Product, Weights };
void* scratch_bytes(int64_t bytes, ScratchFor user);

template <class T>
static inline T* scratch(int64_t n, ScratchFor user = ScratchFor::Kernel) {
  return static_cast<T*>(scratch_bytes(n * static_cast<int64_t>(sizeof(T)), user));
}

}  // namespace veem
