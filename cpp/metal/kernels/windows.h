// Places in planes of (depth, height, width), and windows over them.
#pragma once

struct PlaceInPlane {
  long plane;
  int z, y, x;
};

inline PlaceInPlane place_of(uint i, constant const int* size) {
  uint line = i / uint(size[2]), slice = line / uint(size[1]), plane = slice / uint(size[0]);
  PlaceInPlane p = {long(plane), int(slice - plane * uint(size[0])),
                    int(line - slice * uint(size[1])), int(i - line * uint(size[2]))};
  return p;
}

inline long size_of(constant const int* size) { return long(size[0]) * size[1] * size[2]; }

// Window i along dimension d: elements begin, begin + step ... before end, inside of the plane or
// in its padding.
struct Span {
  int begin, end, step;
};

inline Span window(int i, int d, constant PoolShape& s) {
  Span w;
  if (s.adaptive) {
    w.begin = int(long(i) * s.in[d] / s.out[d]);
    w.end = int((long(i + 1) * s.in[d] + s.out[d] - 1) / s.out[d]);
    w.step = 1;
  } else {
    w.begin = i * s.stride[d] - s.pad[d];
    w.end = w.begin + s.window[d] * s.dilation[d];
    w.step = s.dilation[d];
  }
  return w;
}

// The same without the padding.
inline Span window_inside(int i, int d, constant PoolShape& s) {
  Span w = window(i, d, s);
  if (w.begin < 0) w.begin += (w.step - 1 - w.begin) / w.step * w.step;
  w.end = min(w.end, s.in[d]);
  return w;
}

// The windows along one dimension that reach over a pixel, as [first, last]; those whose steps
// (dilation) miss it are among them.
inline int2 windows_over(int pixel, int d, constant PoolShape& s) {
  if (s.adaptive)
    return int2(int(long(pixel) * s.out[d] / s.in[d]),
                int((long(pixel + 1) * s.out[d] + s.in[d] - 1) / s.in[d]) - 1);
  int end = pixel + s.pad[d], begin = end - (s.window[d] - 1) * s.dilation[d];
  int first = begin > 0 ? (begin + s.stride[d] - 1) / s.stride[d] : 0;
  return int2(first, min(end / s.stride[d], s.out[d] - 1));
}
