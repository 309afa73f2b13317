// Max pooling: the largest element of every window of every plane, and where it lies.
//
// Memory is the bound where windows do not overlap. A thread makes one result, and neighbouring
// threads have neighbouring windows. Backward, a thread makes the gradient of one pixel: it
// looks into each window that the pixel lies in whether it was chosen there, in the order of the
// windows. That reads a few indices more than adding each window's gradient to its pixel would,
// but two windows never add to the same pixel at once: no atomics, the same bits in every run.
#include "kernels/common.h"

struct PlaceInPlane {
  long plane;
  int y, x;
};

inline PlaceInPlane place_of(uint i, constant const int* size) {
  uint line = i / uint(size[1]), plane = line / uint(size[0]);
  PlaceInPlane p = {long(plane), int(line - plane * uint(size[0])), int(i - line * uint(size[1]))};
  return p;
}

template <class T>
[[kernel]] void max_pool2d(device const T* in [[buffer(0)]], device T* out [[buffer(1)]],
                           device long* index [[buffer(2)]], constant PoolShape& s [[buffer(3)]],
                           uint i [[thread_position_in_grid]]) {
  PlaceInPlane to = place_of(i, s.out);
  in += to.plane * s.in[0] * s.in[1];
  int top = to.y * s.stride[0] - s.pad[0], left = to.x * s.stride[1] - s.pad[1];
  T best = T(-INFINITY);
  int where = -1;  // stays so for a window in the padding alone
  for (int y = 0; y < s.window[0]; ++y) {
    int row = top + y * s.dilation[0];
    if (row < 0 || row >= s.in[0]) continue;
    for (int x = 0; x < s.window[1]; ++x) {
      int column = left + x * s.dilation[1];
      if (column < 0 || column >= s.in[1]) continue;
      int at = row * s.in[1] + column;
      T value = in[at];
      // The first place counts where all are -inf; a NaN wins over all.
      if (value > best || isnan(value) || where < 0) {
        best = value;
        where = at;
      }
    }
  }
  out[i] = best;
  index[i] = where;
}

// The windows along one dimension that reach over a pixel, as [first, last]; those whose steps
// (dilation) miss it are among them, and have not chosen it.
inline int2 windows_over(int pixel, int d, constant PoolShape& s) {
  int end = pixel + s.pad[d], begin = end - (s.window[d] - 1) * s.dilation[d];
  int first = begin > 0 ? (begin + s.stride[d] - 1) / s.stride[d] : 0;
  return int2(first, min(end / s.stride[d], s.out[d] - 1));
}

template <class T>
[[kernel]] void max_pool2d_backward(device const T* g [[buffer(0)]],
                                    device const long* index [[buffer(1)]],
                                    device T* dx [[buffer(2)]], constant PoolShape& s [[buffer(3)]],
                                    uint i [[thread_position_in_grid]]) {
  PlaceInPlane pixel = place_of(i, s.in);
  long first = pixel.plane * s.out[0] * s.out[1];
  int at = pixel.y * s.in[1] + pixel.x;
  int2 rows = windows_over(pixel.y, 0, s), columns = windows_over(pixel.x, 1, s);
  float sum = 0;
  for (int y = rows.x; y <= rows.y; ++y)
    for (int x = columns.x; x <= columns.y; ++x) {
      long window = first + y * s.out[1] + x;
      if (index[window] == at) sum += float(g[window]);
    }
  dx[i] = T(sum);
}

#define VEEM_POOL(T)                           \
  VEEM_KERNEL("max_pool2d_" #T, max_pool2d<T>) \
  VEEM_KERNEL("max_pool2d_backward_" #T, max_pool2d_backward<T>)
VEEM_POOL(float)
VEEM_POOL(half)
VEEM_POOL(bfloat)
