// Places in planes of (depth, height, width), and the lines of a plane that windows meet.
#pragma once

#include "core/args.h"

namespace veem {
namespace VEEM_ISA {
namespace {

inline int64_t product3(const int64_t* size) { return size[0] * size[1] * size[2]; }

struct Place {
  int64_t z, y, x;
};
inline Place place_of(int64_t i, const int64_t* size) {
  return {i / size[2] / size[1], i / size[2] % size[1], i % size[2]};
}
// To the beginning of the next line; after the last, to the first line of the next plane.
inline bool next_line(Place* p, const int64_t* size) {
  p->x = 0;
  if (++p->y < size[1]) return false;
  p->y = 0;
  if (++p->z < size[0]) return false;
  p->z = 0;
  return true;
}
// To the next place; true if that is in the next plane.
inline bool next_place(Place* p, const int64_t* size) {
  return ++p->x == size[2] && next_line(p, size);
}

// Which element of a plane, or of a line along dimension d, element `tap` of window `at` is.
inline int64_t meets(const WindowArgs& a, int d, int64_t at, int64_t tap) {
  return at * a.stride[d] + tap * a.dilation[d] - a.pad[d];
}
// The line of a plane that element `tap` of the windows of a row meets, or -1 for the padding.
inline int64_t met_line(const WindowArgs& a, const Place& at, const Place& tap) {
  int64_t z = meets(a, 0, at.z, tap.z), y = meets(a, 1, at.y, tap.y);
  bool inside = z >= 0 && z < a.in[0] && y >= 0 && y < a.in[1];
  return inside ? z * a.in[1] + y : -1;
}

// The x in [0, n) for which 0 <= x * stride + offset < size, as [first, last).
inline void inside(int64_t n, int64_t stride, int64_t offset, int64_t size, int64_t* first,
                   int64_t* last) {
  *first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  int64_t room = size - 1 - offset;
  *last = room < 0 ? 0 : room / stride + 1;
  if (*last > n) *last = n;
}

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
