// What the device can do, for bench/limits.py: fused multiply-adds out of registers, and reads
// and copies of buffers of any size. Bound: by construction, the machine itself.
//
// A result that could be left out would be: so the numbers come from the arguments, and a sum is
// written if it has a value that it never has.
#include "kernels/common.h"

constant constexpr int kChains = 8;  // independent, to hide the latency of an addition

[[kernel]] void multiply_add(device float* sink [[buffer(0)]],
                             constant ProbeShape& shape [[buffer(1)]],
                             uint i [[thread_position_in_grid]]) {
  float chain[kChains];
  for (int c = 0; c < kChains; ++c) chain[c] = float(i) * 1e-6f + float(c);
  for (long r = 0; r < shape.rounds; ++r)
    for (int c = 0; c < kChains; ++c) chain[c] = fma(chain[c], shape.factor, shape.term);
  float sum = 0.0f;
  for (int c = 0; c < kChains; ++c) sum += chain[c];
  if (sum == -1.0f) sink[0] = sum;  // all terms are positive
}

// Threads walk over n vectors together, each by the number of threads.
[[kernel]] void read(device const float4* from [[buffer(0)]],
                     device float* sink [[buffer(1)]],
                     constant ProbeShape& shape [[buffer(2)]],
                     uint i [[thread_position_in_grid]]) {
  float4 sum = float4(0.0f);
  for (long at = i; at < shape.n; at += shape.threads) sum += from[at];
  if (sum.x + sum.y + sum.z + sum.w == -1.0f) sink[0] = sum.x;  // the buffer holds zeros
}

[[kernel]] void copy(device const float4* from [[buffer(0)]],
                     device float4* to [[buffer(1)]],
                     constant ProbeShape& shape [[buffer(2)]],
                     uint i [[thread_position_in_grid]]) {
  for (long at = i; at < shape.n; at += shape.threads) to[at] = from[at];
}
