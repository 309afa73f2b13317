// The micro-kernel of matrix multiplication: a tile of the result, as many rows and columns as
// fit the vector registers, held there while k runs.
//
// For each k the tile's kTileRows x 2 vectors take two vectors of the right operand and one
// broadcast number of the left for every row: with 14 rows 16 loads feed 28 multiply-adds, so
// that arithmetic is the bound, at two multiply-adds a cycle, and not memory. 28 accumulators,
// 2 vectors of the right and 1 broadcast are 31 of the 32 registers of AVX-512 and NEON;
// 6 x 2 are 15 of AVX2's 16; SSE needs one more for the product and has 5 x 2.
// At least 8 accumulators are needed to hide the latency of a multiply-add (4 cycles, two a
// cycle), so a tile of 4 rows is still near the bound: shorter tiles at the edge cost little.
//
// The left operand may lie anyhow: the numbers of one k are `row` apart and the next k's lie
// `column` further, so that transposed matrices are read in place. The right operand needs
// its columns side by side.
#pragma once

#include <cstdint>

#include "cpu/vector.h"

namespace veem {
namespace VEEM_ISA {
namespace {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kTileRows = 14;
#elif defined(__AVX__)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 5;
#endif
template <class T> constexpr int kTileColumns = 2 * kLanes<T>;

// Where a kernel reads numbers: (i, j) lies at data[i * row + j * column].
template <class T> struct View {
  const T* data;
  int64_t row, column;
  const T* at(int64_t i, int64_t j) const { return data + i * row + j * column; }
};

// c[0:R, 0:V vectors] = left[0:R, 0:k] @ right[0:k, 0:V vectors]; c's rows are c_row apart.
// Every element is one chain of multiply-adds in the order of k, whatever the tile.
template <class T, int R, int V>
void tile_kernel(int64_t k, const View<T>& left, const View<T>& right, T* c, int64_t c_row) {
  using Vec = typename Simd<T>::Vec;
  constexpr int L = kLanes<T>;
  const T *a = left.data, *w = right.data;
  const int64_t row = left.row, a_step = left.column, w_step = right.row;
  Vec sum[R][V] = {};
  for (; k > 0; --k, a += a_step, w += w_step) {
    Vec wide[V];
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) wide[v] = *reinterpret_cast<const Vec*>(w + v * L);
#pragma GCC unroll 14
    for (int i = 0; i < R; ++i) {
      Vec x = a[i * row] - Vec{};  // a broadcast; x - 0 is x for every x, which x + 0 is not
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) sum[i][v] += x * wide[v];
    }
  }
#pragma GCC unroll 14
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) *reinterpret_cast<Vec*>(c + i * c_row + v * L) = sum[i][v];
}

template <class T>
using TileKernel = void (*)(int64_t, const View<T>&, const View<T>&, T*, int64_t);

template <class T, int V, int R = kTileRows>
TileKernel<T> tile_kernel_for(int64_t rows) {
  if constexpr (R == 1) return tile_kernel<T, 1, V>;
  else return rows == R ? tile_kernel<T, R, V> : tile_kernel_for<T, V, R - 1>(rows);
}

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
