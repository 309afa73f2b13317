// Reductions: out[kept] = in[kept, 0] + in[kept, 1] + ... for sum, prod, amax, amin and the index
// of the largest or smallest element. (any is amax and all is amin of bools.)
//
// Memory is the bound: one flop per element read. Each element is read once, in the order in
// which it lies in memory:
//   rows     the reduced dimension lies innermost: 64 lanes run along it and are folded at the end;
//   columns  a kept dimension lies innermost: every kept element is a lane, 8 rows are added to
//            them at a time.
// Float sums are plain only over blocks of 1024 elements; blocks are added with their rounding
// errors kept, so the error does not grow with the length. Long reductions are cut into pieces
// of fixed size, whose partial results are reduced in turn: the same bits for any number of threads.
#include "core/scratch.h"
#include "core/threads.h"
#include "cpu/gather.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {

#include "cpu/primitives.h"
#include "kernels/math.h"

namespace {

constexpr int64_t kPlain = 4096;           // elements added without care for rounding errors
constexpr int64_t kBlock = 1024;           // elements converted at a time
constexpr int64_t kPiece = 64 * 1024;      // elements that are worth a thread
constexpr int64_t kTile = 2048;            // columns at a time: their totals stay in L1
constexpr int64_t kConvertTile = 256;      // the same where rows are converted or indices kept
constexpr int64_t kNarrow = 256;           // lanes for fewer columns than that
constexpr int kRows = 8;                   // rows added to the totals of columns at a time

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

// ---- what is done to two elements ---------------------------------------------------------

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

template <class R, class T> constexpr bool kExact = true;
template <> constexpr bool kExact<Sum, float> = false;
template <> constexpr bool kExact<Sum, double> = false;

// Adds to a total, and the rounding error to `error`. (A new element comes first in apply, so
// that a test for NaN is not in the chain of totals.)
template <class R, class T>
inline void accumulate(T& total, T& error, T x) {
  T sum = R::apply(x, total);
  if constexpr (!kExact<R, T>) {
    T added = sum - total;
    error += (total - (sum - added)) + (x - added);
  }
  total = sum;
}
template <class R, class T>
inline T finish(T total, T error, double divisor) {
  if constexpr (kExact<R, T>) return total;
  T sum = error == error ? total + error : total;  // the error of an infinite sum is NaN
  return divisor == 1 ? sum : sum / T(divisor);
}

// Bools are computed as bytes of 0 and 1: compilers make vectors of those.
template <class C> struct Stored { using type = C; };
template <> struct Stored<bool> { using type = uint8_t; };
template <bool condition, class A, class B> struct If { using type = A; };
template <class A, class B> struct If<false, A, B> { using type = B; };

// ---- rows -----------------------------------------------------------------------------------

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

// x[0] + ... + x[n - 1], n <= kBlock: four vectors of lanes, then one, then what is left.
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

// The total of a row that comes in blocks. Whole blocks of kBlock are folded into lanes with
// plain additions, the lanes added to their totals.
template <class R, class T>
struct Total {
  static constexpr int kLanes = 256 / sizeof(T);
  T total[kLanes], error[kLanes];

  Total() {
    for (int l = 0; l < kLanes; ++l) total[l] = R::template identity<T>(), error[l] = 0;
  }
  void add(const T* x, int64_t n) {
    for (; n >= kBlock; n -= kBlock, x += kBlock) {
      T lanes[kLanes];
      for (int l = 0; l < kLanes; ++l) lanes[l] = x[l];
      for (int64_t i = kLanes; i < kBlock; i += kLanes) {
        fetch_ahead(x + i);
        for (int l = 0; l < kLanes; ++l) lanes[l] = R::apply(x[i + l], lanes[l]);
      }
      for (int l = 0; l < kLanes; ++l) accumulate<R>(total[l], error[l], lanes[l]);
    }
    if (n > 0) accumulate<R>(total[0], error[0], fold<R>(x, n));
  }
  T result(double divisor) {
    halve<kLanes / 2>();
    return finish<R>(total[0], error[0], divisor);
  }
  template <int width>
  void halve() {
    for (int l = 0; l < width; ++l) {
      error[l] += error[l + width];
      accumulate<R>(total[l], error[l], total[l + width]);
    }
    if constexpr (width > 1) halve<width / 2>();
  }
};

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

// The reduction of the partial results of pieces, which lie as (kept but inner, pieces, inner).
ReduceArgs over_pieces(const ReduceArgs& a, void* partial, int64_t pieces, bool columns) {
  ReduceArgs rest = a;
  rest.in.data = static_cast<char*>(partial);
  rest.in.dtype = a.compute;
  int64_t stride = columns ? a.kept_shape[a.kept - 1] : 1;
  rest.reduced = 1;
  rest.reduced_shape[0] = pieces;
  rest.in_reduced_strides[0] = stride;
  stride *= pieces;
  for (int d = a.kept - 1 - columns; d >= 0; --d) {
    rest.in.strides[d] = stride;
    stride *= a.kept_shape[d];
  }
  if (columns) rest.in.strides[a.kept - 1] = 1;
  return rest;
}

// Rows of one block each, evenly spaced: the loop around them must cost nothing.
template <class R, class T>
void reduce_short_rows(const ReduceArgs& a, int64_t rows, int64_t length) {
  const T* x = reinterpret_cast<const T*>(a.in.data);
  T* out = reinterpret_cast<T*>(a.out.data);
  int64_t in_step = a.kept ? a.in.strides[0] : 0, out_step = a.kept ? a.out.strides[0] : 0;
  parallel_for(rows, larger(1, kPiece / larger(1, length)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      out[r * out_step] = finish<R>(fold<R>(x + r * in_step, length), T(0), a.divisor);
  });
}

template <class R, class C>
void reduce_rows(const ReduceArgs& a, int64_t rows, int64_t length, int64_t piece) {
  using T = typename Stored<C>::type;
  if (in_place<C>(a) && a.kept <= 1 && a.reduced <= 1 && length <= kPlain)
    return reduce_short_rows<R, T>(a, rows, length);
  T* out = reinterpret_cast<T*>(a.out.data);
  int64_t pieces = parts(length, piece);
  T* partial = pieces > 1 ? scratch<T>(rows * pieces) : nullptr;
  for_rows(a, rows, length, piece,
           [&](const char* row, int64_t at, int64_t item, int64_t begin, int64_t end) {
    Total<R, T> total;
    for_blocks<C>(a, row, begin, end, [&](const T* x, int64_t n, int64_t) { total.add(x, n); });
    if (partial) partial[item] = total.result(1);
    else out[at] = total.result(a.divisor);
  });
  if (partial) reduce_rows<R, C>(over_pieces(a, partial, pieces, false), rows, pieces, pieces);
}

// ---- columns --------------------------------------------------------------------------------

// Adds rows, which next(j) fetches one by one (it may use j < kRows to number a buffer), to the
// totals of their columns.
template <class R, class T, class Next>
inline void fold_columns(T* total, T* error, int64_t width, int64_t rows, const Next& next) {
  for (; rows >= kRows; rows -= kRows) {
    const T* x[kRows];
    for (int j = 0; j < kRows; ++j) x[j] = next(j);
    const T *a = x[0], *b = x[1], *c = x[2], *d = x[3], *e = x[4], *f = x[5], *g = x[6], *h = x[7];
    VEEM_VECTORIZE
    for (int64_t i = 0; i < width; ++i)
      accumulate<R>(total[i], error[i],
                    R::apply(R::apply(R::apply(a[i], b[i]), R::apply(c[i], d[i])),
                             R::apply(R::apply(e[i], f[i]), R::apply(g[i], h[i]))));
  }
  for (; rows > 0; --rows) {
    const T* x = next(0);
    VEEM_VECTORIZE
    for (int64_t i = 0; i < width; ++i) accumulate<R>(total[i], error[i], x[i]);
  }
}

// A few columns that lie without gaps: several rows are taken for one, as wide as it is good for
// vectors, whose totals are folded at the end.
template <class R, class T>
inline void fold_narrow(T* total, T* error, int64_t width, int64_t rows, const T* x) {
  int64_t together = smaller(kNarrow / width, rows), lanes = together * width;
  fold_columns<R>(total, error, lanes, rows / together, [&](int) { return (x += lanes) - lanes; });
  fold_columns<R>(total, error, width, rows % together, [&](int) { return (x += width) - width; });
  for (int64_t l = width; l < lanes; ++l) {
    accumulate<R>(total[l % width], error[l % width], total[l]);
    error[l % width] += error[l];
  }
}

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

template <class R, class C>
void reduce_columns(const ReduceArgs& a, int64_t length, int64_t piece) {
  using T = typename Stored<C>::type;
  int64_t all = a.kept_shape[a.kept - 1], out_step = a.out.strides[a.kept - 1];
  bool converts = converts_columns<C>(a);
  bool narrow = !converts && all < kNarrow && a.reduced == 1 && a.in_reduced_strides[0] == all;
  int64_t pieces = parts(length, piece), outer = 1;
  for (int d = 0; d < a.kept - 1; ++d) outer *= a.kept_shape[d];
  T* partial = pieces > 1 ? scratch<T>(outer * pieces * all) : nullptr;
  for_columns(a, converts ? kConvertTile : kTile, length, piece,
              [&](int64_t o, int64_t p, int64_t column, int64_t width) {
    int64_t begin = p * piece, end = smaller(begin + piece, length);
    const char* x = address(a, a.in, o, column);
    T total[kTile], error[kTile];
    for (int64_t i = 0; i < (narrow ? kNarrow : width); ++i)
      total[i] = R::template identity<T>(), error[i] = 0;
    if (narrow)
      fold_narrow<R>(total, error, width, end - begin,
                     reinterpret_cast<const T*>(x) + begin * width);
    else
      with_rows<C>(a, x, width, begin, [&](const auto& next) {
        fold_columns<R>(total, error, width, end - begin, next);
      });
    T* out = partial ? partial + (o * pieces + p) * all + column
                     : reinterpret_cast<T*>(address(a, a.out, o, column));
    double divisor = partial ? 1 : a.divisor;
    for (int64_t i = 0; i < width; ++i) total[i] = finish<R>(total[i], error[i], divisor);
    int64_t step = partial ? 1 : out_step;
    for (int64_t i = 0; i < width; ++i) out[i * step] = total[i];
  });
  if (partial) reduce_columns<R, C>(over_pieces(a, partial, pieces, true), pieces, pieces);
}

// ---- the index of the largest or smallest element ---------------------------------------------

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
  for_columns(a, kConvertTile, length, length,
              [&](int64_t outer, int64_t, int64_t column, int64_t width) {
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

// ---- the choice -------------------------------------------------------------------------------

int64_t product(const int64_t* shape, int n) {
  int64_t out = 1;
  for (int d = 0; d < n; ++d) out *= shape[d];
  return out;
}

template <class R, class C>
void run(const ReduceArgs& a) {
  int64_t length = product(a.reduced_shape, a.reduced);
  if (a.columns)
    reduce_columns<R, C>(a, length, kPiece / smaller(a.kept_shape[a.kept - 1], kTile));
  else
    reduce_rows<R, C>(a, product(a.kept_shape, a.kept), length, kPiece);
}

template <class R, class C>
void run_arg(const ReduceArgs& a) {
  int64_t length = product(a.reduced_shape, a.reduced);
  if (a.columns && sizeof(C) < 8 && length < INT32_MAX)
    arg_columns<R, C, int32_t>(a, length);
  else if (a.columns)
    arg_columns<R, C, int64_t>(a, length);
  else arg_rows<R, C>(a, product(a.kept_shape, a.kept), length);
}

template <class C>
void run_op(const ReduceArgs& a) {
  constexpr bool boolean = math::is_bool<C>();
  switch (a.op) {
    case Op::sum: return run<typename If<boolean, Max, Sum>::type, C>(a);
    case Op::prod: return run<typename If<boolean, Min, Prod>::type, C>(a);
    case Op::amax: case Op::any: return run<Max, C>(a);
    case Op::amin: case Op::all: return run<Min, C>(a);
    case Op::argmax: return run_arg<Max, C>(a);
    case Op::argmin: return run_arg<Min, C>(a);
    default: return;
  }
}

}  // namespace

void reduce(const ReduceArgs& a) {
  switch (a.compute) {
#define VEEM_TYPE(T, D) case DType::D: return run_op<T>(a);
    VEEM_ALL_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return;
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
