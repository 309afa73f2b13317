// simdgroup_matrix: 8 x 8 elements held by the 32 lanes of a SIMD-group, two in each. Which two
// is Apple's business; this is the layout seen on its GPUs.
#pragma once
#include "threads.h"

namespace veem_msl {
VEEM_INLINE constexpr uint matrix_row(uint lane) { return (lane / 4 & 4) + (lane / 2) % 4; }
VEEM_INLINE constexpr uint matrix_col(uint lane) { return (lane / 4 & 2) * 2 + lane % 2 * 2; }
constexpr uint matrix_lane(uint row, uint col) {
  for (uint lane = 0; lane < 32; ++lane)
    if (matrix_row(lane) == row && matrix_col(lane) == (col & ~1u)) return lane;
  return 32;
}

// The lane of this thread, when all 32 are there.
template <class T>
VEEM_RUNTIME Given give_matrix(const T& value, const void* pc) {
  Given given = give(value, pc);
  if (given.lanes.active != 0xffffffff)
    veem_msl::library.hooks.fault("a simdgroup_matrix used by only some lanes", pc);
  return given;
}
VEEM_RUNTIME inline uint matrix_lane() { return give_matrix(0u, VEEM_HERE).lanes.lane; }

template <class A, class B> struct MatrixPair {
  A a[2];
  B b[2];
};
}  // namespace veem_msl

namespace metal {

template <class T, int Rows = 8, int Cols = 8> struct simdgroup_matrix {
  static_assert(Rows == 8 && Cols == 8, "a simdgroup_matrix has 8 rows and 8 columns");
  vec<T, 2> pair;
  simdgroup_matrix() = default;
  explicit simdgroup_matrix(T diagonal);
  VEEM_INLINE thread vec<T, 2>& thread_elements() { return pair; }
  VEEM_INLINE thread const vec<T, 2>& thread_elements() const { return pair; }
};
using simdgroup_float8x8 = simdgroup_matrix<float, 8, 8>;
using simdgroup_half8x8 = simdgroup_matrix<half, 8, 8>;
using simdgroup_bfloat8x8 = simdgroup_matrix<bfloat, 8, 8>;

template <class T, int R, int C>
VEEM_INLINE simdgroup_matrix<T, R, C>::simdgroup_matrix(T diagonal) {
  uint lane = veem_msl::matrix_lane(), row = veem_msl::matrix_row(lane), col = veem_msl::matrix_col(lane);
  for (uint i = 0; i < 2; ++i) pair[int(i)] = row == col + i ? diagonal : T(0);
}
template <class T, int R = 8, int C = 8>
VEEM_INLINE simdgroup_matrix<T, R, C> make_filled_simdgroup_matrix(T value) {
  simdgroup_matrix<T, R, C> m;
  m.pair[0] = m.pair[1] = value;
  return m;
}

#define VEEM_MATRIX_LOAD(space)                                                            \
  template <class T>                                                                       \
  VEEM_INLINE void simdgroup_load(thread simdgroup_matrix<T, 8, 8>& m, const space T* from, \
                                  ulong row_stride = 8, ulong2 origin = ulong2(0),         \
                                  bool transpose = false) {                                \
    uint lane = veem_msl::matrix_lane(), row = veem_msl::matrix_row(lane), col = veem_msl::matrix_col(lane);             \
    const space T* p = from + origin.y * row_stride + origin.x;                            \
    for (uint i = 0; i < 2; ++i)                                                           \
      m.pair[int(i)] =                                                                     \
          transpose ? p[(col + i) * row_stride + row] : p[row * row_stride + col + i];     \
  }
#define VEEM_MATRIX_STORE(space)                                                           \
  template <class T>                                                                       \
  VEEM_INLINE void simdgroup_store(simdgroup_matrix<T, 8, 8> m, space T* to,               \
                                   ulong row_stride = 8, ulong2 origin = ulong2(0),        \
                                   bool transpose = false) {                               \
    uint lane = veem_msl::matrix_lane(), row = veem_msl::matrix_row(lane), col = veem_msl::matrix_col(lane);             \
    space T* p = to + origin.y * row_stride + origin.x;                                    \
    for (uint i = 0; i < 2; ++i)                                                           \
      (transpose ? p[(col + i) * row_stride + row] : p[row * row_stride + col + i]) =      \
          m.pair[int(i)];                                                                  \
  }
VEEM_SPACES(VEEM_MATRIX_LOAD)
VEEM_SPACES(VEEM_MATRIX_STORE)
#undef VEEM_MATRIX_LOAD
#undef VEEM_MATRIX_STORE

// d = a b + c, summed in float.
template <class D, class A, class B, class C>
VEEM_RUNTIME void simdgroup_multiply_accumulate(
    thread simdgroup_matrix<D, 8, 8>& d, thread const simdgroup_matrix<A, 8, 8>& a,
    thread const simdgroup_matrix<B, 8, 8>& b, thread const simdgroup_matrix<C, 8, 8>& c) {
  using Pair = veem_msl::MatrixPair<A, B>;
  Pair mine = {{a.pair[0], a.pair[1]}, {b.pair[0], b.pair[1]}};
  veem_msl::Given given = veem_msl::give_matrix(mine, VEEM_HERE);
  uint row = veem_msl::matrix_row(given.lanes.lane), col = veem_msl::matrix_col(given.lanes.lane);
  float sum[2] = {float(c.pair[0]), float(c.pair[1])};
  for (uint k = 0; k < 8; ++k) {
    const void* left = given.lanes.value[veem_msl::matrix_lane(row, k)];
    const void* right = given.lanes.value[veem_msl::matrix_lane(k, col)];
    float x = float(static_cast<const Pair*>(left)->a[k % 2]);
    for (int i = 0; i < 2; ++i) sum[i] += x * float(static_cast<const Pair*>(right)->b[i]);
  }
  d.pair[0] = D(sum[0]);
  d.pair[1] = D(sum[1]);
}
template <class D, class A, class B>
VEEM_RUNTIME void simdgroup_multiply(thread simdgroup_matrix<D, 8, 8>& d,
                                     thread const simdgroup_matrix<A, 8, 8>& a,
                                     thread const simdgroup_matrix<B, 8, 8>& b) {
  simdgroup_multiply_accumulate(d, a, b, make_filled_simdgroup_matrix<float, 8, 8>(0));
}

}  // namespace metal
