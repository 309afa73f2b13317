// The index of the largest or smallest element along a dimension, and the element itself. The
// first of equals wins, the first NaN before all.
//
// Memory is the bound. Rows are searched in two steps: the block with the largest element, by the
// vector code of amax, then the place in that block. Columns keep an index beside each lane.
#include "cpu/reduce.h"

namespace veem {
namespace VEEM_ISA {
namespace {

// The first i with x[i] == value, or with both NaN; there is one.
template <class T>
inline int64_t find(const T* x, int64_t n, T value) {
  constexpr int kLanes = 64;
  auto same = [&](T v) { return (v == value) | ((v != v) & (value != value)); };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    int hits = 0;
    for (int l = 0; l < kLanes; ++l) hits |= same(x[i + l]);
    if (hits) break;
  }
  while (!same(x[i])) ++i;
  return i;
}

template <class T>
struct Found {
  T value;
  int64_t index;
};

// Indices and values have one layout: both are new arrays of one shape.
template <class T>
inline void write(const ReduceArgs& a, int64_t at, const Found<T>& found) {
  reinterpret_cast<int64_t*>(a.out.data)[at] = found.index;
  if (a.values.data) reinterpret_cast<T*>(a.values.data)[at] = found.value;
}

template <class R, class T>
inline Found<T> find_best(const T* x, int64_t n) {
  if (n < 16) {
    Found<T> best{x[0], 0};
    for (int64_t i = 1; i < n; ++i) {
      bool better = R::better(x[i], best.value);
      best.value = better ? x[i] : best.value;
      best.index = better ? i : best.index;
    }
    return best;
  }
  T value = fold<R>(x, n);
  return {value, find(x, n, value)};
}

// The best of the elements [begin, end) of a row: its block first, then its place in the block.
template <class R, class C, class T>
inline Found<T> find_best(const ReduceArgs& a, const char* row, int64_t begin, int64_t end) {
  Found<T> best{R::template identity<T>(), begin};
  bool first = true;
  auto visit = [&](const T* x, int64_t n, int64_t position) {
    for (; n > 0; n -= kBlock, x += kBlock, position += kBlock) {
      T value = fold<R>(x, smaller(n, kBlock));
      if (!first && !R::better(value, best.value)) continue;
      best = Found<T>{value, position};
      first = false;
    }
  };
  for_blocks<C>(a, row, begin, end, visit);
  first = true;
  for_blocks<C>(a, row, best.index, smaller(best.index + kBlock, end),
                [&](const T* x, int64_t n, int64_t) {
                  if (first) best.index += find(x, n, best.value);
                  first = false;
                });
  return best;
}

template <class R, class C>
void arg_rows(const ReduceArgs& a, int64_t rows, int64_t length) {
  using T = typename Stored<C>::type;
  int64_t pieces = parts(length, kPiece);
  Found<T>* partial = pieces > 1 ? scratch<Found<T>>(rows * pieces) : nullptr;
  bool short_rows = in_place<C>(a) && a.reduced <= 1 && length <= kBlock;
  for_rows(a, rows, length, kPiece,
           [&](const char* row, int64_t at, int64_t item, int64_t begin, int64_t end) {
             Found<T> found = short_rows ? find_best<R>(reinterpret_cast<const T*>(row), end)
                                         : find_best<R, C, T>(a, row, begin, end);
             if (partial) partial[item] = found;
             else write(a, at, found);
           });
  if (!partial) return;
  Walk out(a.kept, a.kept_shape, a.out.strides, 0);
  for (int64_t row = 0; row < rows; ++row, out.advance(1)) {
    Found<T> best = partial[row * pieces];
    for (int64_t i = 1; i < pieces; ++i)
      if (R::better(partial[row * pieces + i].value, best.value)) best = partial[row * pieces + i];
    write(a, out.at, best);
  }
}

// Index is as wide as T where that is enough: the compiler then makes vectors of both alike.
template <class R, class C, class Index>
void arg_columns(const ReduceArgs& a, int64_t length) {
  using T = typename Stored<C>::type;
  int64_t step = a.out.strides[a.kept - 1];
  for_columns(
      a, kConvertTile, length, length, [&](int64_t outer, int64_t, int64_t column, int64_t width) {
        T best[kConvertTile];
        Index index[kConvertTile];
        for (int64_t i = 0; i < width; ++i) best[i] = R::template identity<T>(), index[i] = 0;
        with_rows<C>(a, address(a, a.in, outer, column), width, 0, [&](const auto& next) {
          for (Index r = 0; r < length; ++r) {
            const T* x = next(0);
            VEEM_VECTORIZE
            for (int64_t i = 0; i < width; ++i) {
              bool better = R::better(x[i], best[i]);
              best[i] = better ? x[i] : best[i];
              index[i] = better ? r : index[i];
            }
          }
        });
        int64_t at = Walk(a.kept - 1, a.kept_shape, a.out.strides, outer).at + column * step;
        for (int64_t i = 0; i < width; ++i) write(a, at + i * step, Found<T>{best[i], index[i]});
      });
}

template <class R, class C>
void run(const ReduceArgs& a) {
  int64_t length = product(a.reduced_shape, a.reduced);
  if (!a.columns) arg_rows<R, C>(a, product(a.kept_shape, a.kept), length);
  else if (sizeof(C) < 8 && length < INT32_MAX) arg_columns<R, C, int32_t>(a, length);
  else arg_columns<R, C, int64_t>(a, length);
}

}  // namespace

void arg_reduce(const ReduceArgs& a) {
  switch (a.compute) {
#define VEEM_TYPE(T, D) \
  case DType::D: return a.op == Op::argmax ? run<Max, T>(a) : run<Min, T>(a);
    VEEM_COMPUTE_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return;
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
