// Turns each stretch of 64 numbers around. The last stretch may be shorter.
#include <metal_stdlib>
using namespace metal;

kernel void reverse(device const float* x [[buffer(0)]], device float* out [[buffer(1)]],
                    constant int& n [[buffer(2)]], uint at [[thread_position_in_grid]],
                    uint thread_at [[thread_position_in_threadgroup]]) {
  threadgroup float tile[64];
  int i = at, t = thread_at, first = i - t, last = min(n - first, 64) - 1;
  if (i >= n) return;
  tile[t] = x[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = tile[last - t];
}
