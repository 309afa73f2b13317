// Unfold: every element of every window, (plane, tap, place) from (plane, pixel); and its gradient,
// fold, which adds up what overlaps. Memory is the bound of both. A thread makes one number of the
// result: fold asks each tap whether it met the pixel somewhere, so no two threads add to one.
#include "kernels/common.h"
#include "kernels/windows.h"

inline int met(int at, int tap, int d, constant PoolShape& s) {
  return at * s.stride[d] + tap * s.dilation[d] - s.pad[d];
}

template <class T>
[[kernel]] void unfold(device const T* planes [[buffer(0)]], device T* out [[buffer(1)]],
                       constant PoolShape& s [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  PlaceInPlane at = place_of(i, s.out);  // in "planes" of places: one for each tap of each plane
  PlaceInPlane tap = place_of(uint(at.plane), s.window);
  int z = met(at.z, tap.z, 0, s), y = met(at.y, tap.y, 1, s), x = met(at.x, tap.x, 2, s);
  bool inside = z >= 0 && z < s.in[0] && y >= 0 && y < s.in[1] && x >= 0 && x < s.in[2];
  long from = tap.plane * size_of(s.in) + (long(z) * s.in[1] + y) * s.in[2] + x;
  out[i] = inside ? planes[from] : T(0);
}

// The place where tap `tap` met the pixel, along dimension d, or -1.
inline int place_met(int pixel, int tap, int d, constant PoolShape& s) {
  int steps = pixel + s.pad[d] - tap * s.dilation[d], at = steps / s.stride[d];
  return steps >= 0 && at * s.stride[d] == steps && at < s.out[d] ? at : -1;
}

template <class T>
[[kernel]] void fold(device const T* columns [[buffer(0)]], device T* out [[buffer(1)]],
                     constant PoolShape& s [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  PlaceInPlane pixel = place_of(i, s.in);
  long places = size_of(s.out);
  columns += pixel.plane * size_of(s.window) * places;
  float sum = 0;
  for (int tz = 0; tz < s.window[0]; ++tz) {
    int z = place_met(pixel.z, tz, 0, s);
    if (z < 0) continue;
    for (int ty = 0; ty < s.window[1]; ++ty) {
      int y = place_met(pixel.y, ty, 1, s);
      if (y < 0) continue;
      for (int tx = 0; tx < s.window[2]; ++tx) {
        int x = place_met(pixel.x, tx, 2, s);
        long tap = (long(tz) * s.window[1] + ty) * s.window[2] + tx;
        if (x >= 0) sum += float(columns[tap * places + (long(z) * s.out[1] + y) * s.out[2] + x]);
      }
    }
  }
  out[i] = T(sum);
}

#define VEEM_UNFOLD(T)                 \
  VEEM_KERNEL("unfold_" #T, unfold<T>) \
  VEEM_KERNEL("fold_" #T, fold<T>)
VEEM_UNFOLD(float)
VEEM_UNFOLD(half)
VEEM_UNFOLD(bfloat)
VEEM_KERNEL("unfold_bool", unfold<bool>)
VEEM_KERNEL("unfold_uchar", unfold<uchar>)
VEEM_KERNEL("unfold_char", unfold<char>)
VEEM_KERNEL("unfold_short", unfold<short>)
VEEM_KERNEL("unfold_int", unfold<int>)
VEEM_KERNEL("unfold_long", unfold<long>)
