// Softmax and log softmax along the middle dimension of (outer, n, inner), and their gradients.
//
//   softmax      y = e / sum(e), where e = exp(x - max(x))     dx = (g - sum(g y)) y
//   log softmax  y = (x - max(x)) - log(sum(e))                dx = g - exp(y) sum(g)
//
// The bound is memory, and exp where all lies in cache. So a row is finished while it is in the
// L1 cache, and short rows are taken together, for exp to run over full vectors. Where the
// dimension is not the last, a tile of columns takes the place of a row.
#include "cpu/fold.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kWork = 16 * 1024;  // elements that are worth a thread
constexpr int64_t kTile = 256;        // columns at a time

// ---- rows: groups of several that are kBlock elements together, or one longer row -------------

template <bool log, class T>
void forward_group(const T* x, T* y, int64_t rows, int64_t n) {
  T d[kBlock], e[kBlock];
  for (int64_t r = 0; r < rows; ++r) {
    T peak = fold<Max>(x + r * n, n);
    for (int64_t i = r * n; i < (r + 1) * n; ++i) d[i] = x[i] - peak;
  }
  for (int64_t i = 0; i < rows * n; ++i) e[i] = math::exp(d[i]);
  for (int64_t r = 0; r < rows; ++r) {
    T sum = fold<Sum>(e + r * n, n);
    T by = log ? math::log(sum) : T(1) / sum;
    for (int64_t i = r * n; i < (r + 1) * n; ++i) y[i] = log ? d[i] - by : e[i] * by;
  }
}

template <bool log, class T>
void forward_row(const T* x, T* y, int64_t n) {
  T e[kBlock], peak = fold<Max>(x, n), sum = 0;
  for (int64_t at = 0; at < n; at += kBlock) {
    int64_t m = smaller(kBlock, n - at);
    T* to = log ? e : y + at;
    for (int64_t i = 0; i < m; ++i) to[i] = math::exp(x[at + i] - peak);
    sum += fold<Sum>(to, m);
  }
  T by = log ? math::log(sum) : T(1) / sum;
  for (int64_t i = 0; i < n; ++i) y[i] = log ? (x[i] - peak) - by : y[i] * by;
}

template <bool log, class T>
void backward_group(const T* g, const T* y, T* dx, int64_t rows, int64_t n) {
  T e[kBlock];
  for (int64_t i = 0; i < rows * n; ++i) e[i] = log ? math::exp(y[i]) : g[i] * y[i];
  for (int64_t r = 0; r < rows; ++r) {
    T sum = fold<Sum>((log ? g : e) + r * n, n);
    for (int64_t i = r * n; i < (r + 1) * n; ++i)
      dx[i] = log ? g[i] - e[i] * sum : (g[i] - sum) * y[i];
  }
}

template <bool log, class T>
void backward_row(const T* g, const T* y, T* dx, int64_t n) {
  T products[kBlock], sum = 0;
  for (int64_t at = 0; at < n; at += kBlock) {
    int64_t m = smaller(kBlock, n - at);
    for (int64_t i = 0; i < m && !log; ++i) products[i] = g[at + i] * y[at + i];
    sum += fold<Sum>(log ? g + at : products, m);
  }
  for (int64_t i = 0; i < n; ++i) dx[i] = log ? g[i] - math::exp(y[i]) * sum : (g[i] - sum) * y[i];
}

// Calls group(first element, rows) or row(first element).
template <class Group, class Row>
void for_groups(int64_t rows, int64_t n, const Group& group, const Row& row) {
  int64_t together = larger(1, kBlock / n);
  parallel_for(parts(rows, together), larger(1, kWork / (together * n)),
               [&](int64_t begin, int64_t end) {
                 for (; begin < end; ++begin) {
                   if (n <= kBlock)
                     group(begin * together * n, smaller(together, rows - begin * together));
                   else row(begin * n);
                 }
               });
}

// ---- columns: element i of column c lies at x[i * inner + c] ----------------------------------

template <bool log, class T>
void forward_columns(const T* x, T* y, int64_t n, int64_t inner, int64_t width) {
  T peak[kTile], sum[kTile];
  for (int64_t c = 0; c < width; ++c) peak[c] = x[c], sum[c] = 0;
  for (int64_t i = 1; i < n; ++i)
    for (int64_t c = 0; c < width; ++c) peak[c] = Max::apply(x[i * inner + c], peak[c]);
  for (int64_t i = 0; i < n; ++i) {
    T e[kTile];
    T* to = log ? e : y + i * inner;
    for (int64_t c = 0; c < width; ++c) to[c] = math::exp(x[i * inner + c] - peak[c]);
    for (int64_t c = 0; c < width; ++c) sum[c] += to[c];
  }
  for (int64_t c = 0; c < width; ++c) sum[c] = log ? math::log(sum[c]) : T(1) / sum[c];
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < width; ++c)
      y[i * inner + c] = log ? (x[i * inner + c] - peak[c]) - sum[c] : y[i * inner + c] * sum[c];
}

template <bool log, class T>
void backward_columns(const T* g, const T* y, T* dx, int64_t n, int64_t inner, int64_t width) {
  T sum[kTile];
  for (int64_t c = 0; c < width; ++c) sum[c] = 0;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < width; ++c)
      sum[c] += log ? g[i * inner + c] : g[i * inner + c] * y[i * inner + c];
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < width; ++c) {
      int64_t k = i * inner + c;
      dx[k] = log ? g[k] - math::exp(y[k]) * sum[c] : (g[k] - sum[c]) * y[k];
    }
}

// Calls tile(first element, number of columns).
template <class Tile>
void for_tiles(int64_t outer, int64_t n, int64_t inner, const Tile& tile) {
  int64_t tiles = parts(inner, kTile);
  parallel_for(outer * tiles, larger(1, kWork / (n * smaller(inner, kTile))),
               [&](int64_t begin, int64_t end) {
                 for (; begin < end; ++begin) {
                   int64_t column = begin % tiles * kTile;
                   tile(begin / tiles * n * inner + column, smaller(kTile, inner - column));
                 }
               });
}

template <bool log, class T>
void forward(const SoftmaxArgs& a) {
  const T* x = reinterpret_cast<const T*>(a.in.data);
  T* y = reinterpret_cast<T*>(a.out.data);
  if (a.inner > 1)
    return for_tiles(a.outer, a.n, a.inner, [&](int64_t at, int64_t width) {
      forward_columns<log>(x + at, y + at, a.n, a.inner, width);
    });
  for_groups(
      a.outer, a.n,
      [&](int64_t at, int64_t rows) { forward_group<log>(x + at, y + at, rows, a.n); },
      [&](int64_t at) { forward_row<log>(x + at, y + at, a.n); });
}

template <bool log, class T>
void backward(const SoftmaxArgs& a) {
  const T* g = reinterpret_cast<const T*>(a.in.data);
  const T* y = reinterpret_cast<const T*>(a.y.data);
  T* dx = reinterpret_cast<T*>(a.out.data);
  if (a.inner > 1)
    return for_tiles(a.outer, a.n, a.inner, [&](int64_t at, int64_t width) {
      backward_columns<log>(g + at, y + at, dx + at, a.n, a.inner, width);
    });
  for_groups(
      a.outer, a.n,
      [&](int64_t at, int64_t rows) { backward_group<log>(g + at, y + at, dx + at, rows, a.n); },
      [&](int64_t at) { backward_row<log>(g + at, y + at, dx + at, a.n); });
}

template <class T>
void run(const SoftmaxArgs& a) {
  if (a.y.data) a.log ? backward<true, T>(a) : backward<false, T>(a);
  else a.log ? forward<true, T>(a) : forward<false, T>(a);
}

}  // namespace

void softmax(const SoftmaxArgs& a) {
  if (a.dtype == DType::Float32) run<float>(a);
  else run<double>(a);
}

}  // namespace VEEM_ISA
}  // namespace veem
