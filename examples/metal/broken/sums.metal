// Adds up each line of 64 numbers: half of the threads add what the other half has, then half of
// those, until one has it all.
#include <metal_stdlib>
using namespace metal;

kernel void sums(device const float* x [[buffer(0)]], device float* out [[buffer(1)]],
                 uint i [[thread_position_in_grid]], uint t [[thread_position_in_threadgroup]],
                 uint line [[threadgroup_position_in_grid]]) {
  threadgroup float tile[64];
  tile[t] = x[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint width = 32; width > 0; width /= 2) {
    if (t < width) tile[t] += tile[t + width];
  }
  if (t == 0) out[line] = tile[0];
}
