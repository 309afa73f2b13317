// Sorts 128 numbers where they are, the largest first, with 64 threads: each compares two
// neighbours and exchanges them if need be, in even and odd places by turns. After 128 rounds
// all are sorted.
#include <metal_stdlib>
using namespace metal;

kernel void sort(device float* x [[buffer(0)]], uint t [[thread_position_in_threadgroup]]) {
  for (uint round = 0; round < 128; ++round) {
    uint i = 2 * t + round % 2;
    if (i + 1 < 128 && x[i] < x[i + 1]) {
      float lower = x[i];
      x[i] = x[i + 1];
      x[i + 1] = lower;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
}
