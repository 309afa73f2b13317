// Binary search of many values in sorted rows: how many elements lie before each. Latency is the
// bound: each step waits for the element before it, so several searches go side by side, in as many
// steps, without a branch to guess.
#include "core/threads.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kGrain = 1024;  // values that are worth a thread
constexpr int kTogether = 8;

// As PyTorch has it, a comparison with NaN moves on: NaN belongs at the end.
template <bool right, class T>
inline bool goes_on(T x, T value) {
  return right ? !(x > value) : !(x >= value);
}

// The places of `count` values, at most kTogether, in the n elements that at(i) gives.
template <bool right, class T, class At>
inline void search_together(int64_t n, const T* values, int count, int64_t* place, const At& at) {
  for (int j = 0; j < count; ++j) place[j] = 0;
  if (n == 0) return;
  for (; n > 1; n -= n / 2)
    for (int j = 0; j < count; ++j)
      place[j] += goes_on<right>(at(place[j] + n / 2 - 1), values[j]) ? n / 2 : 0;
  for (int j = 0; j < count; ++j) place[j] += goes_on<right>(at(place[j]), values[j]);
}

template <bool right, class T>
void run(const SearchArgs& a) {
  const T* values = reinterpret_cast<const T*>(a.values.data);
  int64_t* wide = reinterpret_cast<int64_t*>(a.out.data);
  int32_t* narrow = reinterpret_cast<int32_t*>(a.out.data);
  parallel_for(a.rows * a.m, kGrain, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      int64_t row = begin / a.m, left = (row + 1) * a.m - begin, start = a.shared ? 0 : row * a.n;
      const T* x = reinterpret_cast<const T*>(a.sequence.data) + start;
      const int64_t* sorter = reinterpret_cast<const int64_t*>(a.sorter.data) + start;
      int64_t most = end - begin < left ? end - begin : left, place[kTogether];
      int count = most < kTogether ? static_cast<int>(most) : kTogether;
      if (a.sorter.data)
        search_together<right>(a.n, values + begin, count, place,
                               [&](int64_t i) { return x[sorter[i]]; });
      else if (count == kTogether)  // a number that the compiler knows
        search_together<right>(a.n, values + begin, kTogether, place,
                               [&](int64_t i) { return x[i]; });
      else
        search_together<right>(a.n, values + begin, count, place, [&](int64_t i) { return x[i]; });
      for (int j = 0; j < count; ++j) {
        if (a.out.dtype == DType::Int64) wide[begin + j] = place[j];
        else narrow[begin + j] = static_cast<int32_t>(place[j]);
      }
      begin += count;
    }
  });
}

}  // namespace

void search(const SearchArgs& a) {
  switch (a.dtype) {
#define VEEM_TYPE(T, D) \
  case DType::D: return a.right ? run<true, T>(a) : run<false, T>(a);
    VEEM_COMPUTE_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return;
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
