// Counts how often each of the numbers 0 to 7 occurs. Every threadgroup counts its 64 numbers in
// its own memory, where that is cheap, and then adds what it has to the result.
#include <metal_stdlib>
using namespace metal;

kernel void histogram(device const int* x [[buffer(0)]], device int* out [[buffer(1)]],
                      uint i [[thread_position_in_grid]],
                      uint t [[thread_position_in_threadgroup]]) {
  threadgroup atomic_int count[8];
  if (t < 8) atomic_store_explicit(&count[t], 0, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  atomic_fetch_add_explicit(&count[x[i] % 8], 1, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (t < 8) out[t] += atomic_load_explicit(&count[t], memory_order_relaxed);
}
