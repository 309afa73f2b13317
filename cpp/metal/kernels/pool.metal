// Pooling: of every window of every plane the largest element and where it lies, or the mean.
//
// Memory is the bound where windows do not overlap. A thread makes one result, and neighbouring
// threads have neighbouring windows. Backward, a thread makes the gradient of one element: it
// looks at each window that the element lies in (for the largest: was it chosen there?), in the
// order of the windows. That reads a few numbers more than adding each window's gradient to its
// elements would, but two windows never add to the same element at once: no atomics, the same
// bits in every run.
#include "kernels/common.h"
#include "kernels/sum_of.h"
#include "kernels/windows.h"

// ---- the largest ------------------------------------------------------------------------------

// What a window in the padding alone has.
template <class T> inline T least() { return T(-INFINITY); }
template <> inline uchar least<uchar>() { return 0; }
template <> inline char least<char>() { return char(-128); }
template <> inline short least<short>() { return short(-32768); }
template <> inline int least<int>() { return int(1u << 31); }
template <> inline long least<long>() { return long(1ul << 63); }

template <class T>
[[kernel]] void max_pool(device const T* in [[buffer(0)]], device T* out [[buffer(1)]],
                         device long* index [[buffer(2)]], constant PoolShape& s [[buffer(3)]],
                         uint i [[thread_position_in_grid]]) {
  PlaceInPlane to = place_of(i, s.out);
  in += to.plane * size_of(s.in);
  Span deep = window_inside(to.z, 0, s), high = window_inside(to.y, 1, s);
  Span wide = window_inside(to.x, 2, s);
  T best = least<T>();
  int where = -1;  // stays so for a window in the padding alone
  for (int z = deep.begin; z < deep.end; z += deep.step)
    for (int y = high.begin; y < high.end; y += high.step)
      for (int x = wide.begin; x < wide.end; x += wide.step) {
        int at = (z * s.in[1] + y) * s.in[2] + x;
        T value = in[at];
        // The first place counts where all are -inf; a NaN wins over all.
        if (value > best || math::isnan(value) || where < 0) {
          best = value;
          where = at;
        }
      }
  out[i] = best;
  index[i] = where;
}

template <class T>
[[kernel]] void max_pool_backward(device const T* g [[buffer(0)]],
                                  device const long* index [[buffer(1)]],
                                  device T* dx [[buffer(2)]], constant PoolShape& s [[buffer(3)]],
                                  uint i [[thread_position_in_grid]]) {
  PlaceInPlane pixel = place_of(i, s.in);
  long first = pixel.plane * size_of(s.out);
  int at = (pixel.z * s.in[1] + pixel.y) * s.in[2] + pixel.x;
  int2 slices = windows_over(pixel.z, 0, s), rows = windows_over(pixel.y, 1, s);
  int2 columns = windows_over(pixel.x, 2, s);
  float sum = 0;
  for (int z = slices.x; z <= slices.y; ++z)
    for (int y = rows.x; y <= rows.y; ++y)
      for (int x = columns.x; x <= columns.y; ++x) {
        long window = first + (long(z) * s.out[1] + y) * s.out[2] + x;
        if (index[window] == at) sum += float(g[window]);
      }
  dx[i] = T(sum);
}

// ---- the mean ---------------------------------------------------------------------------------

// By how much the sum of a window is divided is a product of three of these.
inline int counted(int i, int d, constant PoolShape& s) {
  Span w = window_inside(i, d, s);
  if (s.count_pad) w = window(i, d, s);
  return min(w.end, s.in[d] + s.pad[d]) - w.begin;
}
inline long divisor(int z, int y, int x, constant PoolShape& s) {
  if (s.divisor != 0) return s.divisor;
  return long(counted(z, 0, s)) * counted(y, 1, s) * counted(x, 2, s);
}
inline float mean_of(float sum, long count) { return sum / float(count); }
inline long mean_of(ulong sum, long count) { return math::trunc_divide(long(sum), count); }

template <class T>
[[kernel]] void avg_pool(device const T* in [[buffer(0)]], device T* out [[buffer(1)]],
                         constant PoolShape& s [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  PlaceInPlane to = place_of(i, s.out);
  in += to.plane * size_of(s.in);
  Span deep = window_inside(to.z, 0, s), high = window_inside(to.y, 1, s);
  Span wide = window_inside(to.x, 2, s);
  using S = typename SumOf<T>::type;
  S sum = 0;
  for (int z = deep.begin; z < deep.end; ++z)
    for (int y = high.begin; y < high.end; ++y)
      for (int x = wide.begin; x < wide.end; ++x) sum += S(in[(z * s.in[1] + y) * s.in[2] + x]);
  out[i] = T(mean_of(sum, divisor(to.z, to.y, to.x, s)));
}

template <class T>
[[kernel]] void avg_pool_backward(device const T* g [[buffer(0)]], device T* dx [[buffer(1)]],
                                  constant PoolShape& s [[buffer(2)]],
                                  uint i [[thread_position_in_grid]]) {
  PlaceInPlane pixel = place_of(i, s.in);
  long first = pixel.plane * size_of(s.out);
  int2 slices = windows_over(pixel.z, 0, s), rows = windows_over(pixel.y, 1, s);
  int2 columns = windows_over(pixel.x, 2, s);
  float sum = 0;
  for (int z = slices.x; z <= slices.y; ++z)
    for (int y = rows.x; y <= rows.y; ++y)
      for (int x = columns.x; x <= columns.y; ++x)
        sum +=
            mean_of(float(g[first + (long(z) * s.out[1] + y) * s.out[2] + x]), divisor(z, y, x, s));
  dx[i] = T(sum);
}

#define VEEM_POOL(T)                                         \
  VEEM_KERNEL("max_pool_" #T, max_pool<T>)                   \
  VEEM_KERNEL("max_pool_backward_" #T, max_pool_backward<T>) \
  VEEM_KERNEL("avg_pool_" #T, avg_pool<T>)                   \
  VEEM_KERNEL("avg_pool_backward_" #T, avg_pool_backward<T>)
VEEM_POOL(float)
VEEM_POOL(half)
VEEM_POOL(bfloat)
VEEM_KERNEL("max_pool_uchar", max_pool<uchar>)
VEEM_KERNEL("max_pool_char", max_pool<char>)
VEEM_KERNEL("max_pool_short", max_pool<short>)
VEEM_KERNEL("max_pool_int", max_pool<int>)
VEEM_KERNEL("max_pool_long", max_pool<long>)
VEEM_KERNEL("avg_pool_long", avg_pool<long>)
