// Rung 2: tiles in threadgroup memory.
//
// The 16 x 16 threads of a group make 16 x 16 results, for which they need 16 rows of a and 16
// columns of w. They fetch them together, 16 numbers of k at a time: each thread copies one
// number of each into threadgroup memory, which is near, and everybody uses it. A number from
// device memory now serves 16 multiply-adds.
//
// Look at: the two barriers. After the first, what the others copied is there. After the
// second, everybody has used it, and the next tiles may overwrite it. Remove one and run it on the
// simulator: the report names both threads. All threads must reach a barrier, also those
// outside of the matrix: so no early return, and zeros beyond the edges.
//
//   grid: n and m, each rounded up to 16, groups of 16 x 16
#include <metal_stdlib>
using namespace metal;

constant constexpr int kSide = 16;

kernel void matmul(device const float* a [[buffer(0)]], device const float* w [[buffer(1)]],
                   device float* out [[buffer(2)]], constant int& m [[buffer(3)]],
                   constant int& n [[buffer(4)]], constant int& k [[buffer(5)]],
                   uint2 at [[thread_position_in_grid]],
                   uint2 here [[thread_position_in_threadgroup]]) {
  threadgroup float a_tile[kSide][kSide];
  threadgroup float w_tile[kSide][kSide];
  int row = at.y, column = at.x, y = here.y, x = here.x;
  float sum = 0;
  for (int p = 0; p < k; p += kSide) {
    a_tile[y][x] = row < m && p + x < k ? a[row * k + p + x] : 0.0f;
    w_tile[y][x] = column < n && p + y < k ? w[(p + y) * n + column] : 0.0f;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (int q = 0; q < kSide; ++q) sum += a_tile[y][q] * w_tile[q][x];
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
  if (row < m && column < n) out[row * n + column] = sum;
}
