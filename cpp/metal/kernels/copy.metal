// Strided copies of one dtype: elements are moved, never looked at, so a size in bytes is all that
// matters. Memory is the bound: each byte is read once and written once.
//
// flat     both sides are one run: every thread moves 16 bytes.
// strided  a thread moves one unit, and neighbouring threads have neighbours of the result, so
//          writes are whole lines. Where both sides walk along rows the host makes units of up to
//          16 bytes out of several elements.
// tiles    a transpose: whichever way neighbouring threads go, one side would touch a line of
//          memory for every element. So a group reads a square tile along the one side, turns it
//          round in threadgroup memory, and writes it along the other. A line of the tile has one
//          element too many: its columns then spread over the banks of that memory.
#include "kernels/common.h"

constant int wide [[function_constant(0)]];  // indices pass 2^31
constant int dims [[function_constant(1)]];

struct CopyPlace {
  long to, from;
};

// Where element i of the first `n` dimensions lies.
template <class I>
inline CopyPlace copy_place_as(I i, int n, constant CopyShape& s) {
  CopyPlace p = {0, 0};
  for (int d = n - 1; d >= 0; --d) {
    I rest = d > 0 ? i / I(s.shape[d]) : 0;
    long at = long(i - rest * I(s.shape[d]));
    p.to += at * s.to[d];
    p.from += at * s.from[d];
    i = rest;
  }
  return p;
}
inline CopyPlace copy_place(long i, int n, constant CopyShape& s) {
  return wide ? copy_place_as(ulong(i), n, s) : copy_place_as(uint(i), n, s);
}

[[kernel]] void copy_flat(device const uchar* from [[buffer(0)]], device uchar* to [[buffer(1)]],
                          constant CopyShape& s [[buffer(2)]],
                          uint2 thread_at [[thread_position_in_grid]]) {
  long i = (long(thread_at.y) * kThreadLine + thread_at.x) * 16;
  if (i + 16 <= s.count) {
    *reinterpret_cast<device uint4*>(to + i) = *reinterpret_cast<device const uint4*>(from + i);
  } else {
    for (; i < s.count; ++i) to[i] = from[i];
  }
}

template <class T>
[[kernel]] void copy_strided(device const T* from [[buffer(0)]], device T* to [[buffer(1)]],
                             constant CopyShape& s [[buffer(2)]],
                             uint2 thread_at [[thread_position_in_grid]]) {
  long i = long(thread_at.y) * kThreadLine + thread_at.x;
  if (i >= s.count) return;
  CopyPlace p = copy_place(i, dims, s);
  to[p.to] = from[p.from];
}

// `from` walks the rows of a plane fastest, `to` the columns; 32 x 8 threads.
template <class T, int side>
[[kernel]] void copy_tiles(device const T* from [[buffer(0)]], device T* to [[buffer(1)]],
                           constant CopyShape& s [[buffer(2)]],
                           uint3 thread_at [[thread_position_in_threadgroup]],
                           uint3 group [[threadgroup_position_in_grid]]) {
  threadgroup T tile[side][side + 1];
  CopyPlace plane = copy_place(long(group.z), dims - 2, s);
  long row = long(group.x) * side, column = long(group.y) * side;
  long rows = s.shape[dims - 2] - row, columns = s.shape[dims - 1] - column;  // from here on
  from += plane.from + row * s.from[dims - 2] + column * s.from[dims - 1];
  to += plane.to + row * s.to[dims - 2] + column * s.to[dims - 1];
  for (int c = int(thread_at.y); c < side; c += 8)
    for (int r = int(thread_at.x); r < side; r += 32)
      if (r < rows && c < columns) tile[c][r] = from[r * s.from[dims - 2] + c * s.from[dims - 1]];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (int r = int(thread_at.y); r < side; r += 8)
    for (int c = int(thread_at.x); c < side; c += 32)
      if (r < rows && c < columns) to[r * s.to[dims - 2] + c * s.to[dims - 1]] = tile[c][r];
}

VEEM_KERNEL("copy_strided_uchar", copy_strided<uchar>)
VEEM_KERNEL("copy_strided_short", copy_strided<short>)
VEEM_KERNEL("copy_strided_int", copy_strided<int>)
VEEM_KERNEL("copy_strided_long", copy_strided<long>)
VEEM_KERNEL("copy_strided_uint4", copy_strided<uint4>)
// Tiles are at least 64 bytes wide, but for single bytes' sake no wider than 64.
VEEM_KERNEL("copy_tiles_uchar", copy_tiles<uchar, 64>)
VEEM_KERNEL("copy_tiles_short", copy_tiles<short, 64>)
VEEM_KERNEL("copy_tiles_int", copy_tiles<int, 32>)
VEEM_KERNEL("copy_tiles_long", copy_tiles<long, 32>)
