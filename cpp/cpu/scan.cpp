// Running results along the middle dimension of (outer, n, inner): sums, products, extremes with
// their indices, log(sum(exp)).
//
// Each element is read and written once, but waits for the one before: latency is the bound. So
// columns (inner > 1) go side by side in vectors; rows are cut into pieces of a fixed size that
// know nothing of each other until their totals are added up, and sums within a piece go by
// fours, for one addition in the chain. Floats are added in double. The order of all additions
// follows from the shape alone: the same bits for any number of threads.
#include "core/scratch.h"
#include "cpu/fold.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kTile = 256;         // columns at a time
constexpr int64_t kGrain = 16 * 1024;  // elements that are worth a thread

template <class T> struct Wider {
  using type = T;
};
template <> struct Wider<float> {
  using type = double;
};

// What is known of the elements so far. `join` puts what came later behind what came before; a
// state that goes on from piece to piece gives the same without it.
template <class T>
struct SumOf {
  using W = typename Wider<T>::type;
  static constexpr bool kFours = sizeof(W) > sizeof(T);  // whose sums cannot overflow
  static constexpr bool kGoesOn = false;
  W total = 0;
  inline void add(T x, int64_t) { total = math::add(total, W(x)); }
  inline SumOf join(const SumOf& later) const { return {math::add(total, later.total)}; }
  inline T value() const { return T(total); }
  int64_t index() const { return 0; }
};

template <class T>
struct ProductOf {
  using W = typename Wider<T>::type;
  static constexpr bool kFours = false, kGoesOn = false;
  W total = 1;
  inline void add(T x, int64_t) { total = math::mul(total, W(x)); }
  inline ProductOf join(const ProductOf& later) const { return {math::mul(total, later.total)}; }
  inline T value() const { return T(total); }
  int64_t index() const { return 0; }
};

// The last of equal elements wins, and NaN over all. A new one is rare along most rows: a branch,
// which the processor foresees, does not wait for the one before.
template <class R, class T>
struct ExtremeOf {
  static constexpr bool kFours = false, kGoesOn = true;
  T best = R::template identity<T>();
  int64_t at = 0;
  static inline bool wins(T later, T before) {
    return (later != later) | ((before == before) & !R::better(before, later));
  }
  inline void add(T x, int64_t i) {
    bool won = wins(x, best);
    best = won ? x : best;
    at = won ? i : at;
  }
  inline void add_next(T x, int64_t i) {
    if (__builtin_expect(R::better(best, x), 1)) return;
    if (wins(x, best)) best = x, at = i;
  }
  inline ExtremeOf join(const ExtremeOf& later) const {
    return wins(later.best, best) ? later : *this;
  }
  inline T value() const { return best; }
  int64_t index() const { return at; }
};
template <class T> using LargestOf = ExtremeOf<Max, T>;
template <class T> using SmallestOf = ExtremeOf<Min, T>;

// log(exp(peak) + rest * exp(peak)): `rest` leaves out the peak's own 1, whose digits would cover
// those of a small rest.
template <class T>
struct LogSumOf {
  using W = typename Wider<T>::type;
  static constexpr bool kFours = false, kGoesOn = false;
  W peak = -W(__builtin_inf()), rest = 0;
  inline void add(T x, int64_t) { *this = join({W(x), 0}); }
  inline LogSumOf join(const LogSumOf& later) const {
    if (later.peak == -W(__builtin_inf())) return *this;
    if (peak == -W(__builtin_inf())) return later;
    if (peak == W(__builtin_inf()) || later.peak == peak)
      return {math::maximum(later.peak, peak), rest + later.rest + W(1)};
    W e = math::exp(-math::abs(later.peak - peak));
    if (later.peak > peak) return {later.peak, later.rest + (rest + W(1)) * e};
    return {math::maximum(later.peak, peak), rest + (later.rest + W(1)) * e};
  }
  inline T value() const { return T(peak - peak == 0 ? peak + math::log1p(rest) : peak); }
  int64_t index() const { return 0; }
};

template <class State, class T>
struct Scanner {
  const ScanArgs& a;
  const T* in = reinterpret_cast<const T*>(a.in.data);
  T* out = reinterpret_cast<T*>(a.out.data);
  int64_t* index = reinterpret_cast<int64_t*>(a.index.data);

  // Element i, in the order of the scan, of the line that starts at `line`.
  int64_t place(int64_t line, int64_t i) const {
    return line + (a.reverse ? a.n - 1 - i : i) * a.inner;
  }
  void write(int64_t at, const State& s) const {
    out[at] = s.value();
    if (index) index[at] = s.index();
  }

  // Calls each(place, running result) for a piece of a line; returns the last result.
  template <class Each>
  inline State walk(int64_t line, int64_t begin, int64_t end, const Each& each) const {
    State s;
    int64_t i = begin;
    if constexpr (State::kFours) {
      for (; i + 4 <= end; i += 4) {
        State x[4];
        for (int j = 0; j < 4; ++j) x[j].add(in[place(line, i + j)], i + j);
        State two = x[0].join(x[1]), four = two.join(x[2].join(x[3]));
        each(place(line, i), s.join(x[0]));
        each(place(line, i + 1), s.join(two));
        each(place(line, i + 2), s.join(two.join(x[2])));
        s = s.join(four);
        each(place(line, i + 3), s);
      }
    }
    for (; i < end; ++i) {
      int64_t at = place(line, i);
      s.add(in[at], i);
      each(at, s);
    }
    return s;
  }
  State total(int64_t line, int64_t begin, int64_t end) const {
    return walk(line, begin, end, [](int64_t, const State&) {});
  }
  // Writes a piece's running results joined to `before`, and returns the last.
  State piece(int64_t line, int64_t begin, int64_t end, const State& before) const {
    if constexpr (State::kGoesOn) {
      State s = before;
      int64_t at = place(line, begin), step = a.reverse ? -a.inner : a.inner;
      const T* __restrict from = in + at;
      T* __restrict to = out + at;
      int64_t* __restrict where = index + at;
      for (int64_t i = begin; i < end; ++i, from += step, to += step, where += step) {
        s.add_next(*from, i);
        *to = s.best, *where = s.at;
      }
      return s;
    }
    auto put = [&](int64_t at, const State& s) { write(at, before.join(s)); };
    return before.join(walk(line, begin, end, put));
  }

  void row(int64_t line) const {
    State before;
    for (int64_t at = 0; at < a.n; at += kScanPiece)
      before = piece(line, at, smaller(at + kScanPiece, a.n), before);
  }
  // The same, with all threads: the totals of pieces first.
  void long_row(int64_t line) const {
    int64_t pieces = parts(a.n, kScanPiece);
    State* before = scratch<State>(pieces);
    parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        before[p] = total(line, p * kScanPiece, smaller((p + 1) * kScanPiece, a.n));
    });
    State so_far;
    for (int64_t p = 0; p < pieces; ++p) {
      State next = so_far.join(before[p]);
      before[p] = so_far;
      so_far = next;
    }
    parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        piece(line, p * kScanPiece, smaller((p + 1) * kScanPiece, a.n), before[p]);
    });
  }
  void rows() const {
    if (a.n > kScanPiece && a.outer < 2 * num_threads() && num_threads() > 1) {
      for (int64_t r = 0; r < a.outer; ++r) long_row(r * a.n);
      return;
    }
    parallel_for(a.outer, larger(1, kGrain / a.n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) row(r * a.n);
    });
  }

  // Columns [first, first + width) of one outer index.
  void tile(int64_t outer, int64_t first, int64_t width) const {
    State before[kTile], s[kTile];
    int64_t line = outer * a.n * a.inner + first;
    for (int64_t i = 0; i < a.n; ++i) {
      int64_t at = place(line, i);
      if (i % kScanPiece == 0 && i > 0)
        for (int64_t c = 0; c < width; ++c) before[c] = before[c].join(s[c]), s[c] = State();
      VEEM_VECTORIZE
      for (int64_t c = 0; c < width; ++c) {
        s[c].add(in[at + c], i);
        write(at + c, before[c].join(s[c]));
      }
    }
  }
  void columns() const {
    int64_t tiles = parts(a.inner, kTile);
    parallel_for(a.outer * tiles, larger(1, kGrain / (a.n * smaller(a.inner, kTile))),
                 [&](int64_t begin, int64_t end) {
                   for (; begin < end; ++begin) {
                     int64_t first = begin % tiles * kTile;
                     tile(begin / tiles, first, smaller(kTile, a.inner - first));
                   }
                 });
  }
};

template <template <class> class State, class T>
void run(const ScanArgs& a) {
  Scanner<State<T>, T> scanner{a};
  if (a.inner == 1) scanner.rows();
  else scanner.columns();
}

template <class T>
void run_kind(const ScanArgs& a) {
  switch (a.scan) {
    case Scan::Sum: return run<SumOf, T>(a);
    case Scan::Prod: return run<ProductOf, T>(a);
    case Scan::Max: return run<LargestOf, T>(a);
    case Scan::Min: return run<SmallestOf, T>(a);
    default:
      if constexpr (math::is_float<T>()) run<LogSumOf, T>(a);
  }
}

// Bools as bytes: they have extremes alone, their sums are of int64.
template <>
void run_kind<bool>(const ScanArgs& a) {
  a.scan == Scan::Max ? run<LargestOf, uint8_t>(a) : run<SmallestOf, uint8_t>(a);
}

}  // namespace

void scan(const ScanArgs& a) {
  switch (a.dtype) {
#define VEEM_TYPE(T, D) \
  case DType::D: return run_kind<T>(a);
    VEEM_COMPUTE_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return;
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
