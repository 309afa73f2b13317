// Folding a contiguous run of elements into one: x[0] + x[1] + ..., the largest, ... Included
// before anything else of an instruction set's namespace; brings math:: with it.
#pragma once

#include "core/threads.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {

#include "cpu/primitives.h"
#include "kernels/math.h"

namespace {

constexpr int64_t kBlock = 1024;  // elements of a buffer that shares the L1 cache with others

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

template <class T>
constexpr T highest() {
  if constexpr (math::is_float<T>()) return T(__builtin_inf());
  else if constexpr (T(-1) > T(0)) return T(-1);
  else return T((1ull << (8 * sizeof(T) - 1)) - 1);
}
template <class T>
constexpr T lowest() {
  if constexpr (math::is_float<T>()) return -highest<T>();
  else return T(static_cast<uint64_t>(highest<T>()) + 1);
}

struct Sum {
  template <class T> static constexpr T identity() { return 0; }
  template <class T> static inline T apply(T a, T b) { return math::add(a, b); }
};
struct Prod {
  template <class T> static constexpr T identity() { return 1; }
  template <class T> static inline T apply(T a, T b) { return math::mul(a, b); }
};
struct Max {
  template <class T> static constexpr T identity() { return lowest<T>(); }
  template <class T> static inline T apply(T a, T b) { return math::maximum(a, b); }
  template <class T> static inline bool better(T x, T best) {
    return (x > best) | ((x != x) & (best == best));
  }
};
struct Min {
  template <class T> static constexpr T identity() { return highest<T>(); }
  template <class T> static inline T apply(T a, T b) { return math::minimum(a, b); }
  template <class T> static inline bool better(T x, T best) {
    return (x < best) | ((x != x) & (best == best));
  }
};
// Asks for the 256 bytes that come a page later: the processor's own prefetcher stops at pages.
inline void fetch_ahead(const void* x) {
  for (int line = 0; line < 4; ++line)
    __builtin_prefetch(static_cast<const char*>(x) + 4096 + 64 * line);
}

template <class R, int lanes, class T>
inline T fold_lanes(T* x) {
  if constexpr (lanes > 1) {
    for (int l = 0; l < lanes / 2; ++l) x[l] = R::apply(x[l], x[l + lanes / 2]);
    return fold_lanes<R, lanes / 2>(x);
  }
  return x[0];
}

// x[0] + ... + x[n - 1]: four vectors of lanes, then one, then what is left.
template <class R, class T>
inline T fold(const T* x, int64_t n) {
  constexpr int kLanes = 64 / sizeof(T);
  if (n < kLanes) {
    T total = R::template identity<T>();
    for (int64_t i = 0; i < n; ++i) total = R::apply(x[i], total);
    return total;
  }
  T lanes[kLanes];
  int64_t i = kLanes;
  if (n >= 4 * kLanes) {
    T wide[4 * kLanes];
    for (int l = 0; l < 4 * kLanes; ++l) wide[l] = x[l];
    for (i = 4 * kLanes; i + 4 * kLanes <= n; i += 4 * kLanes) {
      fetch_ahead(x + i);
      for (int l = 0; l < 4 * kLanes; ++l) wide[l] = R::apply(x[i + l], wide[l]);
    }
    for (int l = 0; l < kLanes; ++l)
      lanes[l] = R::apply(R::apply(wide[l], wide[l + kLanes]),
                          R::apply(wide[l + 2 * kLanes], wide[l + 3 * kLanes]));
  } else {
    for (int l = 0; l < kLanes; ++l) lanes[l] = x[l];
  }
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) lanes[l] = R::apply(x[i + l], lanes[l]);
  T total = fold_lanes<R, kLanes>(lanes);
  for (; i < n; ++i) total = R::apply(x[i], total);
  return total;
}

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
