// Cross entropy of rows of logits x with classes t, softmax included:
//   loss = log(sum(exp(x))) - (1 - s) * x[t] - s * mean(x)         s: label smoothing
//   dx   = (exp(x - lse) - (1 - s) * [i == t] - s / C) * g
// Each row is read once from memory, then from cache: for its maximum (so that exp does not
// overflow), for the sum of exponentials, and nothing but the loss and lse, the log of that sum,
// is written. Backward reads the row once more and writes dx: no softmax is kept in between.
#include "core/threads.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {

#include "cpu/primitives.h"
#include "kernels/math.h"

namespace {

constexpr int kLanes = 16;
constexpr int64_t kGrain = 8 * 1024;  // elements that are worth a thread

// Calls f(block) for every 16 elements of a row, the last filled up with -inf.
template <class T, class F>
inline void for_blocks(const T* x, int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(x + i);
  if (i == n) return;
  T last[kLanes];
  for (int l = 0; l < kLanes; ++l) last[l] = i + l < n ? x[i + l] : -T(__builtin_inf());
  f(last);
}

// log(sum(exp(x))) in two parts, the largest x and the rest: added up they would lose the digits
// of the rest where x is large.
template <class T> struct LogSum {
  T peak, rest;
};

template <class T>
LogSum<T> log_sum_exp(const T* x, int64_t n) {
  T top[kLanes];
  for (int l = 0; l < kLanes; ++l) top[l] = -T(__builtin_inf());
  for_blocks(x, n, [&](const T* b) {
    for (int l = 0; l < kLanes; ++l) top[l] = math::maximum(top[l], b[l]);
  });
  T peak = top[0];
  for (int l = 1; l < kLanes; ++l) peak = math::maximum(peak, top[l]);
  T total[kLanes] = {};
  for_blocks(x, n, [&](const T* b) {
    for (int l = 0; l < kLanes; ++l) total[l] += math::exp(b[l] - peak);
  });
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) total[l] += total[l + width];
  return {peak, math::log(total[0])};
}

template <class T>
T mean_apart(const T* x, int64_t n, T peak) {
  T sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i] - peak;
  return sum / T(n);
}

// How many rows count.
int64_t kept(const CrossEntropyArgs& a) {
  const int64_t* target = reinterpret_cast<const int64_t*>(a.target.data);
  int64_t n = 0;
  for (int64_t r = 0; r < a.rows; ++r) n += target[r] != a.ignore;
  return n;
}

template <class T>
T row_loss(const CrossEntropyArgs& a, int64_t r) {
  int64_t t = reinterpret_cast<const int64_t*>(a.target.data)[r];
  if (t == a.ignore) return 0;
  const T* x = reinterpret_cast<const T*>(a.logits.data) + r * a.classes;
  const LogSum<T>& sum = reinterpret_cast<const LogSum<T>*>(a.lse.data)[r];
  T s = T(a.smoothing), loss = sum.rest - (x[t] - sum.peak);
  if (s == 0) return loss;
  return (T(1) - s) * loss + s * (sum.rest - mean_apart(x, a.classes, sum.peak));
}

template <class T>
void forward(const CrossEntropyArgs& a) {
  auto* lse = reinterpret_cast<LogSum<T>*>(a.lse.data);
  T* loss = reinterpret_cast<T*>(a.loss.data);
  parallel_for(a.rows, kGrain / (a.classes + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      lse[r] = log_sum_exp(reinterpret_cast<const T*>(a.logits.data) + r * a.classes, a.classes);
  });
  double total = 0;
  for (int64_t r = 0; r < a.rows; ++r) {
    T one = row_loss<T>(a, r);
    if (a.reduction == Reduction::None) loss[r] = one;
    total += one;
  }
  if (a.reduction == Reduction::Sum) *loss = T(total);
  if (a.reduction == Reduction::Mean) *loss = T(total / double(kept(a)));  // of none: NaN
}

template <class T>
void backward(const CrossEntropyArgs& a) {
  const int64_t* target = reinterpret_cast<const int64_t*>(a.target.data);
  const auto* lse = reinterpret_cast<const LogSum<T>*>(a.lse.data);
  const T* g = reinterpret_cast<const T*>(a.g.data);
  bool each = a.reduction == Reduction::None;
  T scale = a.reduction == Reduction::Mean ? T(1) / T(kept(a)) : T(1);
  T even = T(a.smoothing) / T(a.classes), hit = T(1) - T(a.smoothing);
  parallel_for(a.rows, kGrain / (a.classes + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* x = reinterpret_cast<const T*>(a.logits.data) + r * a.classes;
      T* dx = reinterpret_cast<T*>(a.dlogits.data) + r * a.classes;
      if (target[r] == a.ignore) {
        for (int64_t i = 0; i < a.classes; ++i) dx[i] = 0;
        continue;
      }
      T gr = g[each ? r : 0] * scale, peak = lse[r].peak, rest = lse[r].rest;
      for (int64_t i = 0; i < a.classes; ++i) dx[i] = (math::exp(x[i] - peak - rest) - even) * gr;
      dx[target[r]] -= hit * gr;
    }
  });
}

}  // namespace

void cross_entropy(const CrossEntropyArgs& args) {
  if (args.dtype == DType::Float32) return forward<float>(args);
  forward<double>(args);
}

void cross_entropy_backward(const CrossEntropyArgs& args) {
  if (args.dtype == DType::Float32) return backward<float>(args);
  backward<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
