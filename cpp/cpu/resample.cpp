// Resampling along one dimension: each element of the result is a sum of a few weighted elements
// (one for nearest, two for linear, four for cubic). Backward it is the same with the weights
// transposed. Memory is the bound. Where elements along the dimension lie apart, whole lines are
// added; where they are neighbours, each result is gathered.
#include "core/threads.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kGrain = 16 * 1024;  // elements that are worth a thread
constexpr int64_t kShortLine = 8;      // so short, lines are gathered element by element

// K weights for each result, or any number where K is 0.
template <int K, class T>
void gather_row(const ResampleArgs& a, const int64_t* first, const int64_t* index, const T* weight,
                const T* x, T* out) {
  for (int64_t i = 0; i < a.out_n; ++i) {
    int64_t begin = K ? i * K : first[i], end = K ? begin + K : first[i + 1];
    for (int64_t b = 0; b < a.inner; ++b) {
      T sum = 0;
      for (int64_t t = begin; t < end; ++t) sum += weight[t] * x[index[t] * a.inner + b];
      out[i * a.inner + b] = sum;
    }
  }
}

// How many weights every result has, or 0 if they differ.
int64_t weights_each(const ResampleArgs& a, const int64_t* first) {
  int64_t each = a.taps / a.out_n;
  for (int64_t i = 0; i <= a.out_n; ++i)
    if (first[i] != i * each) return 0;
  return each;
}

template <class T>
void add_lines(const ResampleArgs& a, int64_t begin, int64_t end, const int64_t* index,
               const T* weight, const T* x, T* out) {
  if (begin == end)
    for (int64_t b = 0; b < a.inner; ++b) out[b] = 0;
  for (int64_t t = begin; t < end; ++t) {
    const T* line = x + index[t] * a.inner;
    T by = weight[t];
    if (t == begin)
      for (int64_t b = 0; b < a.inner; ++b) out[b] = by * line[b];
    else
      for (int64_t b = 0; b < a.inner; ++b) out[b] += by * line[b];
  }
}

template <class T>
void run(const ResampleArgs& a) {
  const T* x = reinterpret_cast<const T*>(a.x.data);
  T* out = reinterpret_cast<T*>(a.out.data);
  const int64_t* first = reinterpret_cast<const int64_t*>(a.first.data);
  const int64_t* index = reinterpret_cast<const int64_t*>(a.index.data);
  const T* weight = reinterpret_cast<const T*>(a.weight.data);
  int64_t taps = a.taps / a.out_n + 1, in = a.n * a.inner, made = a.out_n * a.inner;
  if (a.inner <= kShortLine) {
    int64_t each = weights_each(a, first);
    auto* row = each == 1   ? gather_row<1, T>
                : each == 2 ? gather_row<2, T>
                : each == 4 ? gather_row<4, T>
                            : gather_row<0, T>;
    parallel_for(a.outer, kGrain / (made * taps) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o)
        row(a, first, index, weight, x + o * in, out + o * made);
    });
    return;
  }
  parallel_for(a.outer * a.out_n, kGrain / (a.inner * taps) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t o = r / a.out_n, i = r % a.out_n;
      add_lines(a, first[i], first[i + 1], index, weight, x + o * in, out + r * a.inner);
    }
  });
}

}  // namespace

void resample(const ResampleArgs& args) {
  if (args.dtype == DType::Float32) return run<float>(args);
  run<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
