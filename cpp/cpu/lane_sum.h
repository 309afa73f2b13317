// What the kernels of normalisation share: sums over a row, and operands as pointers.
#pragma once

#include "cpu/kernels.h"
#include "cpu/vector.h"

namespace veem {
namespace VEEM_ISA {
namespace {

// What is read of an array: a vector of elements from i on, or one.
template <class T> struct Several {
  int64_t i;
  typename Simd<T>::Vec operator()(const T* x) const {
    return *reinterpret_cast<const typename Simd<T>::Vec*>(x + i);
  }
};
template <class T> struct One {
  int64_t i;
  T operator()(const T* x) const { return x[i]; }
};

// The sum of f over the elements from `first` on, n of them; f takes how to read its arrays:
//   lane_sum<T>(n, [&](auto at) { return at(x) * at(y); })
// Compilers do not make vectors of such sums by themselves, whose order they would have to change.
template <class T, class F>
inline T lane_sum(int64_t n, const F& f, int64_t first = 0) {
  using Vec = typename Simd<T>::Vec;
  constexpr int L = kLanes<T>;
  Vec a = {}, b = {}, c = {}, d = {};  // one addition need not wait for the last
  int64_t i = first, end = first + n;
  for (; i + 4 * L <= end; i += 4 * L) {
    a += f(Several<T>{i});
    b += f(Several<T>{i + L});
    c += f(Several<T>{i + 2 * L});
    d += f(Several<T>{i + 3 * L});
  }
  for (; i + L <= end; i += L) a += f(Several<T>{i});
  a += b, c += d, a += c;
  T lanes[L], rest = 0;
  __builtin_memcpy(lanes, &a, sizeof(lanes));
  for (int width = L / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  for (; i < end; ++i) rest += f(One<T>{i});
  return lanes[0] + rest;
}

template <class T> const T* read(const Operand& x) { return reinterpret_cast<const T*>(x.data); }
template <class T> T* write(const Operand& x) { return reinterpret_cast<T*>(x.data); }

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
