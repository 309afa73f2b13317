// What the reductions share: the operations, the folding of a contiguous run, and the walks over
// rows and columns, which hand over their elements contiguous and converted.
#pragma once

#include "core/scratch.h"
#include "core/threads.h"
#include "cpu/gather.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {

void arg_reduce(const ReduceArgs& args);  // argmax and argmin

#include "cpu/primitives.h"
#include "kernels/math.h"

namespace {

constexpr int64_t kBlock = 1024;           // elements converted at a time
constexpr int64_t kPiece = 64 * 1024;      // elements that are worth a thread
constexpr int64_t kConvertTile = 256;      // columns converted at a time
constexpr int kRows = 8;                   // rows that columns take at a time

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

inline int64_t product(const int64_t* shape, int n) {
  int64_t out = 1;
  for (int d = 0; d < n; ++d) out *= shape[d];
  return out;
}

// ---- what is done to two elements -------------------------------------------------------------

template <class T>
constexpr T highest() {
  if constexpr (math::is_float<T>()) return T(__builtin_inf());
  else if constexpr (T(-1) > T(0)) return T(-1);
  else return T((1ull << (8 * sizeof(T) - 1)) - 1);
}
template <class T>
constexpr T lowest() {
  if constexpr (math::is_float<T>()) return -highest<T>();
  else return T(static_cast<uint64_t>(highest<T>()) + 1);
}

struct Sum {
  template <class T> static constexpr T identity() { return 0; }
  template <class T> static inline T apply(T a, T b) { return math::add(a, b); }
};
struct Prod {
  template <class T> static constexpr T identity() { return 1; }
  template <class T> static inline T apply(T a, T b) { return math::mul(a, b); }
};
struct Max {
  template <class T> static constexpr T identity() { return lowest<T>(); }
  template <class T> static inline T apply(T a, T b) { return math::maximum(a, b); }
  template <class T> static inline bool better(T x, T best) {
    return (x > best) | ((x != x) & (best == best));
  }
};
struct Min {
  template <class T> static constexpr T identity() { return highest<T>(); }
  template <class T> static inline T apply(T a, T b) { return math::minimum(a, b); }
  template <class T> static inline bool better(T x, T best) {
    return (x < best) | ((x != x) & (best == best));
  }
};
// Bools are computed as bytes of 0 and 1: compilers make vectors of those.
template <class C> struct Stored { using type = C; };
template <> struct Stored<bool> { using type = uint8_t; };

// ---- rows -------------------------------------------------------------------------------------

// Asks for the 256 bytes that come a page later: the processor's own prefetcher stops at pages.
inline void fetch_ahead(const void* x) {
  for (int line = 0; line < 4; ++line)
    __builtin_prefetch(static_cast<const char*>(x) + 4096 + 64 * line);
}

template <class R, int lanes, class T>
inline T fold_lanes(T* x) {
  if constexpr (lanes > 1) {
    for (int l = 0; l < lanes / 2; ++l) x[l] = R::apply(x[l], x[l + lanes / 2]);
    return fold_lanes<R, lanes / 2>(x);
  }
  return x[0];
}

// x[0] + ... + x[n - 1]: four vectors of lanes, then one, then what is left.
template <class R, class T>
inline T fold(const T* x, int64_t n) {
  constexpr int kLanes = 64 / sizeof(T);
  if (n < kLanes) {
    T total = R::template identity<T>();
    for (int64_t i = 0; i < n; ++i) total = R::apply(x[i], total);
    return total;
  }
  T lanes[kLanes];
  int64_t i = kLanes;
  if (n >= 4 * kLanes) {
    T wide[4 * kLanes];
    for (int l = 0; l < 4 * kLanes; ++l) wide[l] = x[l];
    for (i = 4 * kLanes; i + 4 * kLanes <= n; i += 4 * kLanes) {
      fetch_ahead(x + i);
      for (int l = 0; l < 4 * kLanes; ++l) wide[l] = R::apply(x[i + l], wide[l]);
    }
    for (int l = 0; l < kLanes; ++l)
      lanes[l] = R::apply(R::apply(wide[l], wide[l + kLanes]),
                          R::apply(wide[l + 2 * kLanes], wide[l + 3 * kLanes]));
  } else {
    for (int l = 0; l < kLanes; ++l) lanes[l] = x[l];
  }
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) lanes[l] = R::apply(x[i + l], lanes[l]);
  T total = fold_lanes<R, kLanes>(lanes);
  for (; i < n; ++i) total = R::apply(x[i], total);
  return total;
}

// Is a row read where it lies? Short runs are cheaper copied together first.
template <class C>
bool in_place(const ReduceArgs& a) {
  int last = a.reduced - 1;
  return converter<C>(a.in.dtype) == convert<C, C> &&
         (last < 0 || (a.in_reduced_strides[last] == 1 &&
                       (last == 0 || a.reduced_shape[last] >= kBlock / 4)));
}

// The elements [begin, end) of a row as contiguous blocks: visit(x, n, position).
template <class C, class Visit>
inline void for_blocks(const ReduceArgs& a, const char* row, int64_t begin, int64_t end,
                       const Visit& visit) {
  using T = typename Stored<C>::type;
  Walk walk(a.reduced, a.reduced_shape, a.in_reduced_strides, begin);
  if (in_place<C>(a)) {
    for (int64_t n; begin < end; begin += n) {
      n = smaller(walk.run(), end - begin);
      visit(reinterpret_cast<const T*>(row) + walk.at, n, begin);
      walk.advance(n);
    }
    return;
  }
  alignas(64) T block[kBlock];
  ConvertFn read = converter<C>(a.in.dtype);
  int64_t size = item_size(a.in.dtype);
  for (int64_t filled; begin < end; begin += filled) {
    int64_t wanted = smaller(kBlock, end - begin);
    for (filled = 0; filled < wanted;) {
      int64_t n = smaller(walk.run(), wanted - filled);
      read(row + walk.at * size, walk.stride(), n, block + filled);
      walk.advance(n);
      filled += n;
    }
    visit(block, filled, begin);
  }
}

// Cuts rows in pieces and calls visit(row, out element, item, begin, end) for each, in parallel.
template <class Visit>
void for_rows(const ReduceArgs& a, int64_t rows, int64_t length, int64_t piece,
              const Visit& visit) {
  int64_t pieces = larger(1, parts(length, piece));
  int64_t grain = larger(1, kPiece / larger(1, smaller(length, piece)));
  int64_t size = item_size(a.in.dtype);
  parallel_for(rows * pieces, grain, [&](int64_t begin, int64_t end) {
    Walk in(a.kept, a.kept_shape, a.in.strides, begin / pieces);
    Walk out(a.kept, a.kept_shape, a.out.strides, begin / pieces);
    int64_t from = begin % pieces * piece;
    for (; begin < end; ++begin) {
      visit(a.in.data + in.at * size, out.at, begin, from, smaller(from + piece, length));
      from += piece;
      if (from < length) continue;
      from = 0;
      in.advance(1);
      out.advance(1);
    }
  });
}

// ---- columns ----------------------------------------------------------------------------------

template <class C>
bool converts_columns(const ReduceArgs& a) {
  return a.in.strides[a.kept - 1] != 1 || converter<C>(a.in.dtype) != convert<C, C>;
}

// Cuts the columns in tiles and their length in pieces and calls visit(outer index, piece number,
// first column, number of columns) for each, in parallel.
template <class Visit>
void for_columns(const ReduceArgs& a, int64_t tile, int64_t length, int64_t piece,
                 const Visit& visit) {
  int64_t width = a.kept_shape[a.kept - 1], outer = 1;
  for (int d = 0; d < a.kept - 1; ++d) outer *= a.kept_shape[d];
  int64_t tiles = parts(width, tile), pieces = larger(1, parts(length, piece));
  int64_t work = larger(1, smaller(tile, width) * smaller(length, piece));
  parallel_for(outer * pieces * tiles, larger(1, kPiece / work), [&](int64_t begin, int64_t end) {
    for (; begin < end; ++begin) {
      int64_t column = begin % tiles * tile, rest = begin / tiles;
      visit(rest / pieces, rest % pieces, column, smaller(tile, width - column));
    }
  });
}

// Addresses of the operands' elements at an outer index and a column.
char* address(const ReduceArgs& a, const Operand& x, int64_t outer, int64_t column) {
  int64_t at = Walk(a.kept - 1, a.kept_shape, x.strides, outer).at;
  return x.data + (at + column * x.strides[a.kept - 1]) * item_size(x.dtype);
}

// Calls use(next) with what fetches the rows of a tile from `begin` on, one by one.
template <class C, class Use>
inline void with_rows(const ReduceArgs& a, const char* x, int64_t width, int64_t begin,
                      const Use& use) {
  using T = typename Stored<C>::type;
  Walk walk(a.reduced, a.reduced_shape, a.in_reduced_strides, begin);
  if (!converts_columns<C>(a)) {
    int64_t run = 0, left = 0, step = walk.stride();
    const T* row = nullptr;
    use([&](int) {
      if (left == 0) {
        walk.advance(run);
        left = run = walk.run();
        row = reinterpret_cast<const T*>(x) + walk.at;
      }
      --left;
      return (row += step) - step;
    });
    return;
  }
  T buffer[kRows][kConvertTile];
  ConvertFn read = converter<C>(a.in.dtype);
  int64_t size = item_size(a.in.dtype), stride = a.in.strides[a.kept - 1];
  use([&](int j) -> const T* {
    read(x + walk.at * size, stride, width, buffer[j]);
    walk.advance(1);
    return buffer[j];
  });
}

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
