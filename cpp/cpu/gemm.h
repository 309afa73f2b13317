// Matrix multiplication in blocks, out = left @ right, for whatever can hand out its blocks.
//
// The micro-kernel (gemm_kernel.h) runs at the speed of arithmetic only while its operands come
// from near: so k is cut to a depth at which a panel of the left (kTileRows rows) stays in the
// L1 cache and a block of such panels in L2, while a panel of the right (two vectors wide) is
// used for all of them. Both are copied to be so: packed, each panel contiguous, in the order of
// use. The copy costs a few percent of a large product; where a matrix lies well and is used
// too few times to pay for it, it is read in place.
//
// left and right are not matrices but sources of panels: a matrix is one, and so is the
// im2col matrix of a convolution, which exists only in the packed panels.
//
//   struct Left {
//     bool in_place;                                    // view() will do; else pack()
//     View<T> view(int64_t i, int64_t p) const;         // the panel that starts at (i, p)
//     void pack(int64_t i, int64_t rows, int64_t p, int64_t depth, T* to) const;
//     View<T> packed(const T* at, int64_t rows, int64_t depth) const;  // what pack() wrote
//   };
//   struct Right {
//     bool in_place;                                    // for panels of full width
//     View<T> view(int64_t p, int64_t j) const;
//     void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const;
//         // depth rows of kTileColumns numbers, zeros behind the last column
//   };
//
// An element's sum is cut at the same places and taken in the same order whatever tile and
// thread it falls to: results do not depend on the number of threads.
#pragma once

#include "core/scratch.h"
#include "core/threads.h"
#include "cpu/gemm_kernel.h"

namespace veem {
namespace VEEM_ISA {
namespace {

// Numbers of k in a panel. A panel of the left, 14 x 800 floats, is 44 KiB and stays in L1; a
// block of the left, 112 rows, stays in L2 beside a panel of the right.
template <class T> constexpr int64_t kDepth = 3200 / static_cast<int64_t>(sizeof(T));
constexpr int64_t kBlockPanels = 112 / kTileRows;
constexpr int64_t kTall = 2048, kWide = 2048;  // rows and columns packed at a time: in L3
constexpr int64_t kGrainOps = 1 << 20;         // multiply-adds that are worth a thread: about 10 us

inline int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t parts_of(int64_t n, int64_t size) { return (n + size - 1) / size; }
// The size of equal parts of n, each at most `size`.
inline int64_t even_part(int64_t n, int64_t size) {
  return n <= size ? n : parts_of(n, parts_of(n, size));
}

// ---- short copies ---------------------------------------------------------------------------

// Copies n < 2 * Step numbers, in pieces of known size.
template <int Step, class T>
inline void copy_short(T* to, const T* from, int64_t n) {
  if (n & Step) {
    __builtin_memcpy(to, from, Step * sizeof(T));
    to += Step, from += Step;
  }
  if constexpr (Step > 1) copy_short<Step / 2>(to, from, n);
}

// to[j, i] = from[i, j] for 4 x 4 numbers.
template <class T>
inline void transpose4(T* to, int64_t to_row, const T* from, int64_t from_row) {
  typedef T Four __attribute__((vector_size(4 * sizeof(T)), aligned(alignof(T)), may_alias));
#if defined(__clang__)
#define VEEM_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
  typedef decltype(Four{} == Four{}) Index;
#define VEEM_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, Index{i, j, k, l})
#endif
  Four r0 = *reinterpret_cast<const Four*>(from);
  Four r1 = *reinterpret_cast<const Four*>(from + from_row);
  Four r2 = *reinterpret_cast<const Four*>(from + 2 * from_row);
  Four r3 = *reinterpret_cast<const Four*>(from + 3 * from_row);
  Four low01 = VEEM_SHUFFLE(r0, r1, 0, 1, 4, 5), high01 = VEEM_SHUFFLE(r0, r1, 2, 3, 6, 7);
  Four low23 = VEEM_SHUFFLE(r2, r3, 0, 1, 4, 5), high23 = VEEM_SHUFFLE(r2, r3, 2, 3, 6, 7);
  *reinterpret_cast<Four*>(to) = VEEM_SHUFFLE(low01, low23, 0, 2, 4, 6);
  *reinterpret_cast<Four*>(to + to_row) = VEEM_SHUFFLE(low01, low23, 1, 3, 5, 7);
  *reinterpret_cast<Four*>(to + 2 * to_row) = VEEM_SHUFFLE(high01, high23, 0, 2, 4, 6);
  *reinterpret_cast<Four*>(to + 3 * to_row) = VEEM_SHUFFLE(high01, high23, 1, 3, 5, 7);
#undef VEEM_SHUFFLE
}

// ---- matrices as operands -------------------------------------------------------------------

template <class T> struct LeftMatrix {
  View<T> from;
  bool in_place;
  View<T> view(int64_t i, int64_t p) const { return {from.at(i, p), from.row, from.column}; }

  // Keeps the order of the matrix: rows stay rows, since the kernel reads either.
  View<T> packed(const T* at, int64_t rows, int64_t depth) const {
    return from.column == 1 ? View<T>{at, depth, 1} : View<T>{at, 1, rows};
  }
  void pack(int64_t i, int64_t rows, int64_t p, int64_t depth, T* to) const {
    const T* a = from.at(i, p);
    if (from.column == 1) {
      for (int64_t r = 0; r < rows; ++r)
        __builtin_memcpy(to + r * depth, a + r * from.row, depth * sizeof(T));
      return;
    }
    for (int64_t q = 0; q < depth; ++q, a += from.column) {
      if (from.row == 1) copy_short<8>(to + q * rows, a, rows);
      else
        for (int64_t r = 0; r < rows; ++r) to[q * rows + r] = a[r * from.row];
    }
  }
};

template <class T> struct RightMatrix {
  View<T> from;
  bool in_place;  // only where from.column is 1
  View<T> view(int64_t p, int64_t j) const { return {from.at(p, j), from.row, 1}; }

  void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const {
    constexpr int64_t N = kTileColumns<T>;
    const T* w = from.at(p, j);
    if (columns < N) __builtin_memset(to, 0, depth * N * sizeof(T));
    if (from.column == 1) {
      for (int64_t q = 0; q < depth; ++q, w += from.row, to += N) copy_short<N>(to, w, columns);
      return;
    }
    int64_t c = 0, q = 0;
    if (from.row == 1) {
      // Sixteen k at a time: whole cache lines are read, and few are written.
      constexpr int64_t Run = 16;
      for (; q + Run <= depth; q += Run)
        for (c = 0; c + 4 <= columns; c += 4)
          for (int64_t r = q; r < q + Run; r += 4)
            transpose4(to + r * N + c, N, w + r + c * from.column, from.column);
    }
    if (q == 0) c = 0;
    for (int64_t r = 0; r < depth; ++r)
      for (int64_t j = r < q ? c : 0; j < columns; ++j)
        to[r * N + j] = *(w + r * from.row + j * from.column);
  }
};

// ---- the result -----------------------------------------------------------------------------

// Where the product goes, and what is done to it once it is complete.
template <class T> struct Result {
  T* data;
  int64_t row;                     // distance of rows; columns are contiguous
  bool add = false;                // to what is there
  const T* column_bias = nullptr;  // one number a column
  const T* row_bias = nullptr;     // one number a row
  void (*activate)(T* sums, int64_t n) = nullptr;
  bool finishes() const { return column_bias || row_bias || activate; }
};

// Moves a finished tile of sums (rows of two vectors) to where it belongs.
template <class T>
void finish_tile(const Result<T>& out, int64_t i, int64_t rows, int64_t j, int64_t columns, T* tile,
                 bool add, bool last) {
  constexpr int64_t N = kTileColumns<T>;
  for (int64_t r = 0; r < rows; ++r) {
    T *from = tile + r * N, *to = out.data + (i + r) * out.row + j;
    if (add)
      for (int64_t c = 0; c < columns; ++c) from[c] += to[c];
    if (last && out.column_bias)
      for (int64_t c = 0; c < columns; ++c) from[c] += out.column_bias[j + c];
    if (last && out.row_bias)
      for (int64_t c = 0; c < N; ++c) from[c] += out.row_bias[i + r];
    if (!(last && out.activate)) copy_short<N>(to, from, columns);
  }
  if (!(last && out.activate)) return;
  out.activate(tile, rows * N);  // in whole vectors: what lies past the edge is not used
  for (int64_t r = 0; r < rows; ++r)
    copy_short<N>(out.data + (i + r) * out.row + j, tile + r * N, columns);
}

// ---- the loops ------------------------------------------------------------------------------

// One part of the product: out[i0:i0+m, j0:j0+n] (+)= left[:, p:p+depth] @ right[p:p+depth, :].
template <class T, class Left, class Right>
class GemmPart {
 public:
  GemmPart(const Left& left, const Right& right, const Result<T>& out, int64_t i0, int64_t m,
           int64_t j0, int64_t n, int64_t p, int64_t depth, T* scratch)
      : left_(left),
        right_(right),
        out_(out),
        i0_(i0),
        m_(m),
        j0_(j0),
        n_(n),
        p_(p),
        depth_(depth),
        height_(even_part(m, kTileRows)),
        left_panels_(parts_of(m, height_)),
        right_panels_(parts_of(n, N)),
        block_(even_part(left_panels_, kBlockPanels)),
        first_packed_(!right.in_place ? 0
                      : n % N         ? right_panels_ - 1
                                      : right_panels_),
        packed_right_(scratch),
        packed_left_(scratch + (right_panels_ - first_packed_) * N * depth) {
    int64_t rest = m - (left_panels_ - 1) * height_;
    kernels_[0][0] = tile_kernel_for<T, 1>(height_);
    kernels_[0][1] = tile_kernel_for<T, 1>(rest);
    kernels_[1][0] = tile_kernel_for<T, 2>(height_);
    kernels_[1][1] = tile_kernel_for<T, 2>(rest);
  }

  void pack(bool right_too) {
    int64_t rights = right_too ? right_panels_ - first_packed_ : 0;
    int64_t lefts = left_.in_place ? 0 : left_panels_;
    parallel_for(
        rights + lefts, parts_of(kGrainOps / 16, N * depth_ + 1), [&](int64_t begin, int64_t end) {
          for (int64_t u = begin; u < end; ++u)
            if (u < rights) {
              int64_t q = first_packed_ + u;
              right_.pack(p_, depth_, j0_ + q * N, columns_of(q), packed_right_ + u * N * depth_);
            } else {
              int64_t r = u - rights;
              left_.pack(i0_ + r * height_, rows_of(r), p_, depth_, packed_left(r));
            }
        });
  }

  // A unit of work is a block of the left times a panel of the right.
  void multiply(bool first, bool last) {
    parallel_for(
        parts_of(left_panels_, block_) * right_panels_,
        parts_of(kGrainOps, block_ * height_ * N * depth_ + 1), [&](int64_t begin, int64_t end) {
          for (int64_t u = begin; u < end; ++u) {
            int64_t q = u % right_panels_, r = u / right_panels_ * block_;
            View<T> w = q < first_packed_
                            ? right_.view(p_, j0_ + q * N)
                            : View<T>{packed_right_ + (q - first_packed_) * N * depth_, N, 1};
            for (int64_t r_end = at_most(r + block_, left_panels_); r < r_end; ++r)
              tile(r, q, w, first, last);
          }
        });
  }

 private:
  static constexpr int64_t N = kTileColumns<T>;
  int64_t rows_of(int64_t r) const { return at_most(height_, m_ - r * height_); }
  int64_t columns_of(int64_t q) const { return at_most(N, n_ - q * N); }
  T* packed_left(int64_t r) const { return packed_left_ + r * height_ * depth_; }

  void tile(int64_t r, int64_t q, const View<T>& w, bool first, bool last) const {
    int64_t i = i0_ + r * height_, rows = rows_of(r), j = j0_ + q * N, columns = columns_of(q);
    View<T> a = left_.in_place ? left_.view(i, p_) : left_.packed(packed_left(r), rows, depth_);
    TileKernel<T> kernel = kernels_[columns > N / 2][r == left_panels_ - 1];
    bool add = out_.add || !first;
    for (int64_t x = 0; x < rows; ++x) {  // fetched while the kernel runs
      const T* to = out_.data + (i + x) * out_.row + j;
      __builtin_prefetch(to, 1);
      __builtin_prefetch(to + columns - 1, 1);
    }
    if (columns == N && !add && !(last && out_.finishes())) {
      kernel(depth_, a, w, out_.data + i * out_.row + j, out_.row);
    } else {
      alignas(64) T sums[kTileRows * N];
      kernel(depth_, a, w, sums, N);
      finish_tile(out_, i, rows, j, columns, sums, add, last);
    }
  }

  const Left& left_;
  const Right& right_;
  const Result<T>& out_;
  const int64_t i0_, m_, j0_, n_, p_, depth_;
  const int64_t height_, left_panels_, right_panels_, block_;
  const int64_t first_packed_;  // panels of the right from here on are packed
  T *packed_right_, *packed_left_;
  TileKernel<T> kernels_[2][2];  // [two vectors?][the last panel of the left?]
};

template <class T, class Left, class Right>
void gemm(int64_t m, int64_t n, int64_t k, const Left& left, const Right& right,
          const Result<T>& out) {
  if (m == 0 || n == 0) return;
  int64_t depth = k > 0 ? even_part(k, kDepth<T>) : 1;
  int64_t tall = even_part(m, kTall), wide = even_part(n, kWide);
  wide = parts_of(wide, kTileColumns<T>) * kTileColumns<T>;
  int64_t numbers =
      depth * ((left.in_place ? 0 : tall) + (right.in_place ? kTileColumns<T> : wide));
  T* packed = scratch<T>(numbers, ScratchFor::Product);
  for (int64_t j = 0; j < n; j += wide)
    for (int64_t p = 0; p == 0 || p < k; p += depth)  // once even for k = 0: zeros
      for (int64_t i = 0; i < m; i += tall) {
        GemmPart<T, Left, Right> part(left, right, out, i, at_most(tall, m - i), j,
                                      at_most(wide, n - j), p, at_most(depth, k - p), packed);
        part.pack(i == 0);
        part.multiply(p == 0, p + depth >= k);
      }
}

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
