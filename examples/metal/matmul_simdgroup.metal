// Rung 4: matrices of 8 x 8 in the registers of a SIMD-group.
//
// The 32 threads of a SIMD-group run in step, and Apple's GPUs (from the M1 on) let them hold 8 x 8
// matrices together, two numbers each, and multiply two of them as one instruction: 512
// multiply-adds for 128 numbers read. A group is 4 SIMD-groups here, with 16 x 16 results each, as
// 2 x 2 of these matrices; the tiles are 32 x 32.
//
// Look at: the end. Only whole matrices can be stored, and nobody says which thread holds which
// number, so at the edges of out a detour is needed: the sums go to threadgroup memory, and from
// there each thread copies what lies inside of out.
//
//   grid: 128 x 1 threads for each 32 x 32 results, groups of 128
#include <metal_stdlib>
using namespace metal;

constant constexpr int kTile = 32;
constant constexpr int kThreads = 128;

kernel void matmul(device const float* a [[buffer(0)]], device const float* w [[buffer(1)]],
                   device float* out [[buffer(2)]], constant int& m [[buffer(3)]],
                   constant int& n [[buffer(4)]], constant int& k [[buffer(5)]],
                   uint2 group [[threadgroup_position_in_grid]],
                   uint thread_at [[thread_index_in_threadgroup]],
                   uint simdgroup [[simdgroup_index_in_threadgroup]]) {
  threadgroup float a_tile[kTile * kTile];
  threadgroup float w_tile[kTile * kTile];
  int top = group.y * kTile, left = group.x * kTile, me = thread_at;
  int y = simdgroup / 2 * 16, x = simdgroup % 2 * 16;  // this SIMD-group's corner of the tile
  simdgroup_float8x8 sums[2][2];
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j) sums[i][j] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);

  for (int p = 0; p < k; p += kTile) {
    for (int e = me; e < kTile * kTile; e += kThreads) {
      int line = e / kTile, place = e % kTile;
      a_tile[e] = top + line < m && p + place < k ? a[(top + line) * k + p + place] : 0.0f;
      w_tile[e] = p + line < k && left + place < n ? w[(p + line) * n + left + place] : 0.0f;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (int q = 0; q < kTile; q += 8) {
      simdgroup_float8x8 from_a[2], from_w[2];
      for (int i = 0; i < 2; ++i) {
        simdgroup_load(from_a[i], a_tile + (y + 8 * i) * kTile + q, kTile);
        simdgroup_load(from_w[i], w_tile + q * kTile + x + 8 * i, kTile);
      }
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j)
          simdgroup_multiply_accumulate(sums[i][j], from_a[i], from_w[j], sums[i][j]);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }

  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j)
      simdgroup_store(sums[i][j], a_tile + (y + 8 * i) * kTile + x + 8 * j, kTile);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (int e = me; e < kTile * kTile; e += kThreads) {
    int row = top + e / kTile, column = left + e % kTile;
    if (row < m && column < n) out[row * n + column] = a_tile[e];
  }
}
