// Binary search of many values in sorted rows: how many elements lie before each. Latency is the
// bound: a step waits for the element before it; there is no branch to guess.
#include "core/threads.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kGrain = 1024;  // values that are worth a thread

// As PyTorch has it, a comparison with NaN moves on: NaN belongs at the end.
template <bool right, class T>
inline int64_t search_row(const T* x, const int64_t* sorter, int64_t n, T value) {
  int64_t low = 0;
  while (n > 0) {
    int64_t half = n / 2, at = low + half;
    T y = x[sorter ? sorter[at] : at];
    bool on = right ? !(y > value) : !(y >= value);
    low = on ? at + 1 : low;
    n = on ? n - half - 1 : half;
  }
  return low;
}

template <bool right, class T>
void run(const SearchArgs& a) {
  const T* values = reinterpret_cast<const T*>(a.values.data);
  parallel_for(a.rows * a.m, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t row = a.shared ? 0 : i / a.m * a.n;
      const T* x = reinterpret_cast<const T*>(a.sequence.data) + row;
      const int64_t* sorter = reinterpret_cast<const int64_t*>(a.sorter.data);
      int64_t at = search_row<right>(x, sorter ? sorter + row : nullptr, a.n, values[i]);
      if (a.out.dtype == DType::Int64) reinterpret_cast<int64_t*>(a.out.data)[i] = at;
      else reinterpret_cast<int32_t*>(a.out.data)[i] = static_cast<int32_t>(at);
    }
  });
}

}  // namespace

void search(const SearchArgs& a) {
  switch (a.dtype) {
#define VEEM_TYPE(T, D) \
  case DType::D: return a.right ? run<true, T>(a) : run<false, T>(a);
    VEEM_ALL_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return;
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
