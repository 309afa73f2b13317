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

// The places of `count` values in the n elements that at(i) gives.
template <bool right, int count, class T, class At>
inline void search_together(int64_t n, const T* values, int64_t* places, const At& at) {
  T value[count];  // copies: the compiler then keeps them apart from what is searched
  int64_t place[count];
  for (int j = 0; j < count; ++j) value[j] = values[j], place[j] = 0;
  for (; n > 1; n -= n / 2)
    for (int j = 0; j < count; ++j) {
      int64_t on = goes_on<right>(at(place[j] + n / 2 - 1), value[j]);
      __asm__("" : "+r"(on));  // or compilers make a branch of it, which is guessed wrong
      place[j] += n / 2 & -on;
    }
  for (int j = 0; j < count; ++j)
    places[j] = n == 0 ? 0 : place[j] + goes_on<right>(at(place[j]), value[j]);
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
      int64_t place[kTogether];
      bool many = end - begin >= kTogether && left >= kTogether;
      int count = many ? kTogether : 1;
      auto search = [&](const auto& at) {
        if (many) search_together<right, kTogether>(a.n, values + begin, place, at);
        else search_together<right, 1>(a.n, values + begin, place, at);
      };
      if (a.sorter.data) search([&](int64_t i) { return x[sorter[i]]; });
      else search([&](int64_t i) { return x[i]; });
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
