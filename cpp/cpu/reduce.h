// What the reductions share: walks over rows and columns, which hand over their elements
// contiguous and converted.
#pragma once

#include "core/scratch.h"
#include "cpu/fold.h"
#include "cpu/gather.h"

namespace veem {
namespace VEEM_ISA {

void arg_reduce(const ReduceArgs& args);  // argmax and argmin

namespace {

constexpr int64_t kPiece = 64 * 1024;  // elements that are worth a thread
constexpr int64_t kConvertTile = 256;  // columns converted at a time
constexpr int kRows = 8;               // rows that columns take at a time

inline int64_t product(const int64_t* shape, int n) {
  int64_t out = 1;
  for (int d = 0; d < n; ++d) out *= shape[d];
  return out;
}

// Bools are computed as bytes of 0 and 1: compilers make vectors of those.
template <class C> struct Stored {
  using type = C;
};
template <> struct Stored<bool> {
  using type = uint8_t;
};

// ---- rows -------------------------------------------------------------------------------------

// Is a row read where it lies? Short runs are cheaper copied together first.
template <class C>
bool in_place(const ReduceArgs& a) {
  int last = a.reduced - 1;
  return converter<C>(a.in.dtype) == convert<C, C> &&
         (last < 0 ||
          (a.in_reduced_strides[last] == 1 && (last == 0 || a.reduced_shape[last] >= kBlock / 4)));
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
