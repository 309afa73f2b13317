// How much each number is more than the one before: out[i] = x[i] - x[i - 1], with 0 before the
// first. A tile saves every second read: it holds the group's 64 numbers, and the one before them.
#include <metal_stdlib>
using namespace metal;

kernel void rises(device const float* x [[buffer(0)]], device float* out [[buffer(1)]],
                  uint i [[thread_position_in_grid]],
                  uint t [[thread_position_in_threadgroup]]) {
  threadgroup float tile[65];
  tile[t + 1] = x[i];
  if (t == 0 && i > 0) tile[0] = x[i - 1];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = tile[t + 1] - tile[t];
}
