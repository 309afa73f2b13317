// Reductions: out[kept] = in[kept, 0] + in[kept, 1] + ... for sum, prod, amax and amin. (any is
// amax and all is amin of bools.)
//
// Memory is the bound: one flop per element read. Each element is read once, in the order in
// which it lies in memory:
//   rows     a reduced dimension lies innermost: lanes run along it and are folded at the end;
//   columns  a kept dimension lies innermost: every kept element is a lane, 8 rows are added to
//            them at a time.
// Float sums are plain over a few thousand elements only; such sums are added with their rounding
// errors kept, so the error does not grow with the length. Long reductions are cut into pieces of
// fixed size, whose results are reduced in turn: the same bits for any number of threads.
#include "cpu/reduce.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kPlain = 4096;  // elements of a row added without care for rounding errors
constexpr int64_t kTile = 2048;   // columns at a time: their totals stay in the L1 cache
constexpr int64_t kNarrow = 256;  // lanes for fewer columns than that

struct All : Min {  // of bools, as bytes of 0 and 1
  template <class T> static constexpr T identity() { return 1; }
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

// ---- rows -------------------------------------------------------------------------------------

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
             for_blocks<C>(a, row, begin, end,
                           [&](const T* x, int64_t n, int64_t) { total.add(x, n); });
             if (partial) partial[item] = total.result(1);
             else out[at] = total.result(a.divisor);
           });
  if (partial) reduce_rows<R, C>(over_pieces(a, partial, pieces, false), rows, pieces, pieces);
}

// ---- columns ----------------------------------------------------------------------------------

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
                for (int64_t i = 0; i < width; ++i)
                  total[i] = finish<R>(total[i], error[i], divisor);
                int64_t step = partial ? 1 : out_step;
                for (int64_t i = 0; i < width; ++i) out[i * step] = total[i];
              });
  if (partial) reduce_columns<R, C>(over_pieces(a, partial, pieces, true), pieces, pieces);
}

// ---- the choice -------------------------------------------------------------------------------

template <class R, class C>
void run(const ReduceArgs& a) {
  int64_t length = product(a.reduced_shape, a.reduced);
  if (a.columns) reduce_columns<R, C>(a, length, kPiece / smaller(a.kept_shape[a.kept - 1], kTile));
  else reduce_rows<R, C>(a, product(a.kept_shape, a.kept), length, kPiece);
}

template <class C>
void run_op(const ReduceArgs& a) {
  switch (a.op) {
    case Op::sum: return run<Sum, C>(a);
    case Op::prod: return run<Prod, C>(a);
    case Op::amax: return run<Max, C>(a);
    case Op::amin: return run<Min, C>(a);
    default: return;
  }
}

// Of bools, a sum or a maximum is any, a product or a minimum is all.
template <>
void run_op<bool>(const ReduceArgs& a) {
  switch (a.op) {
    case Op::sum:
    case Op::amax:
    case Op::any: return run<Max, bool>(a);
    case Op::prod:
    case Op::amin:
    case Op::all: return run<All, bool>(a);
    default: return;
  }
}

}  // namespace

void reduce(const ReduceArgs& a) {
  if (a.op == Op::argmax || a.op == Op::argmin) return arg_reduce(a);
  switch (a.compute) {
#define VEEM_TYPE(T, D) \
  case DType::D: return run_op<T>(a);
    VEEM_COMPUTE_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return;
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
