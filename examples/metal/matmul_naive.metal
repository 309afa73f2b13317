// Rung 1: a thread per result.
//
// out (m, n) = a (m, k) @ w (k, n), all in rows. A thread reads a row of a and a column of w: two
// numbers from device memory for every multiply-add. A GPU can do some thirty multiply-adds in
// the time in which it reads a number, so it mostly waits.
//
// Look at: neighbouring threads differ in x, so they read neighbouring numbers of w, which the
// GPU fetches as one, and the same number of a, which it fetches once. Exchange at.x and at.y
// and the results stay right, but every fetch brings one number of use.
//
//   grid: (n, m) threads
#include <metal_stdlib>
using namespace metal;

kernel void matmul(device const float* a [[buffer(0)]], device const float* w [[buffer(1)]],
                   device float* out [[buffer(2)]], constant int& m [[buffer(3)]],
                   constant int& n [[buffer(4)]], constant int& k [[buffer(5)]],
                   uint2 at [[thread_position_in_grid]]) {
  int row = at.y, column = at.x;
  if (row >= m || column >= n) return;
  float sum = 0;
  for (int p = 0; p < k; ++p) sum += a[row * k + p] * w[p * n + column];
  out[row * n + column] = sum;
}
