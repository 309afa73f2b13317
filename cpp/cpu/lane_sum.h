// What the kernels of normalisation share: sums over a row, and operands as pointers.
#pragma once

#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int kSumLanes = 32;  // sums run in as many lanes, to be vectorised

// f(0) + f(1) + ... + f(n - 1), lane by lane.
template <class T, class F>
inline T lane_sum(int64_t n, const F& f) {
  T lanes[kSumLanes] = {};
  int64_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes)
    for (int l = 0; l < kSumLanes; ++l) lanes[l] += f(i + l);
  for (int l = 0; i + l < n; ++l) lanes[l] += f(i + l);
  for (int width = kSumLanes / 2; width > 0; width /= 2)
    for (int l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  return lanes[0];
}

template <class T> const T* read(const Operand& x) { return reinterpret_cast<const T*>(x.data); }
template <class T> T* write(const Operand& x) { return reinterpret_cast<T*>(x.data); }

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
