// Rung 3: sums in registers.
//
// In rung 2 every multiply-add still reads two numbers from threadgroup memory. Here a thread
// makes 4 x 4 results: it reads 4 numbers of a and 4 of w into registers and multiplies each with
// each, so 8 reads serve 16 multiply-adds. The tile of a group grows to 64 x 64, and a number from
// device memory now serves 64.
//
// Look at: which 4 columns a thread has. They lie 16 apart, so that in each read neighbouring
// threads take neighbouring numbers; 4 columns side by side would make the threads of a SIMD-group
// queue for the same banks of threadgroup memory. The number after the sizes (kSide + 1) is there
// for the same reason, for the threads' two rows.
//
//   grid: 16 x 16 threads for each 64 x 64 results, groups of 16 x 16
#include <metal_stdlib>
using namespace metal;

constant constexpr int kSide = 16;  // threads of a group in x and y, and the depth of tiles
constant constexpr int kEach = 4;   // results of a thread in x and y
constant constexpr int kTile = 64;  // kSide * kEach

kernel void matmul(device const float* a [[buffer(0)]], device const float* w [[buffer(1)]],
                   device float* out [[buffer(2)]], constant int& m [[buffer(3)]],
                   constant int& n [[buffer(4)]], constant int& k [[buffer(5)]],
                   uint2 group [[threadgroup_position_in_grid]],
                   uint2 here [[thread_position_in_threadgroup]]) {
  threadgroup float a_tile[kTile][kSide + 1];
  threadgroup float w_tile[kSide][kTile];
  int top = group.y * kTile, left = group.x * kTile, y = here.y, x = here.x;
  float sums[kEach][kEach] = {};
  for (int p = 0; p < k; p += kSide) {
    for (int i = 0; i < kEach; ++i) {  // 4 numbers of each tile for a thread to copy
      int row = top + y + i * kSide, column = left + x + i * kSide;
      a_tile[y + i * kSide][x] = row < m && p + x < k ? a[row * k + p + x] : 0.0f;
      w_tile[y][x + i * kSide] = column < n && p + y < k ? w[(p + y) * n + column] : 0.0f;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (int q = 0; q < kSide; ++q) {
      float from_a[kEach], from_w[kEach];
      for (int i = 0; i < kEach; ++i) from_a[i] = a_tile[y + i * kSide][q];
      for (int j = 0; j < kEach; ++j) from_w[j] = w_tile[q][x + j * kSide];
      for (int i = 0; i < kEach; ++i)
        for (int j = 0; j < kEach; ++j) sums[i][j] += from_a[i] * from_w[j];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
  for (int i = 0; i < kEach; ++i)
    for (int j = 0; j < kEach; ++j) {
      int row = top + y + i * kSide, column = left + x + j * kSide;
      if (row < m && column < n) out[row * n + column] = sums[i][j];
    }
}
