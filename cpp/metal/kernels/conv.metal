// Convolution and both of its gradients: one product of matrices, neither of which is in memory.
//
//   forward    out (filters, places)    = weight (filters, taps) @ pixels (taps, places)
//   of input   dx (channels, pixels)    = weight^T (channels, taps) @ g (taps, pixels)
//   of weight  dw (filters, taps)       = g (filters, places) @ pixels^T (places, taps)
//
// A tap is a (channel, h, i, j) of the window (a (filter, h, i, j) for the gradient of the input),
// a place an (image, z, y, x) of the output. What a tap meets at a place lies in plane (image,
// channel) at (z stride - pad + h dilation, y stride - pad + i dilation, x ...): a part that
// depends on the place plus a part that depends on the tap. This holds for all three products;
// where the sum is outside of the plane, the number is 0. So the host describes by a Walk (args.h)
// how an index of k or n becomes its part, and the kernel fills its tiles by adding two parts. An
// index takes two divisions, or three where planes have a depth; each thread keeps the part of one
// index, and a table in threadgroup memory has the parts of the others, made once for all threads.
//
// For a stride s the gradient of the input is s * s such products (s * s * s), one for each
// remainder of the pixels' places by s, since pixels of one remainder meet the same taps.
//
// Arithmetic is the bound, as of matmul, whose tiles these are. The gradient of the weight is
// small and its k is long: parts of k go to different groups, and their sums are added up in
// order afterwards. No atomics, so the same bits in every run.
#include "kernels/common.h"
#include "kernels/sum_of.h"
#include "kernels/tiles.h"

// Do neighbours of the right operand in memory differ in k (the gradient of the weight) or in n?
constant int k_inner [[function_constant(0)]];
// Do planes have a depth? In 1 and 2 dimensions nothing is spent on it.
constant int deep [[function_constant(1)]];

struct Part {
  long plane;
  int z, y, x;
};

inline Part walk(constant Walk& w, int index) {
  uint line = uint(index) / uint(w.columns), x = uint(index) - line * uint(w.columns);
  uint outer = line / uint(w.rows), y = line - outer * uint(w.rows), z = 0;
  if (deep) {
    uint slice = outer;
    outer = slice / uint(w.slices);
    z = slice - outer * uint(w.slices);
  }
  Part part = {long(outer) * w.step, w.z0 + int(z) * w.dz, w.y0 + int(y) * w.dy,
               w.x0 + int(x) * w.dx};
  return part;
}

// Indices past the end are far outside of every plane, so that zeros fill their tiles.
inline Part walk_before(constant Walk& w, int index, int end) {
  if (index < end) return walk(w, index);
  Part outside = {0, 0, -(1 << 30), 0};
  return outside;
}

inline long place_in(Part part, int height, int width) {
  long line = deep ? long(part.z) * height + part.y : long(part.y);
  return part.plane + line * width + part.x;
}

// The number at the sum of two parts, as an S.
template <class S, class T>
inline S meet(device const T* planes, constant ConvProduct& s, Part a, Part b) {
  Part at = {a.plane + b.plane, a.z + b.z, a.y + b.y, a.x + b.x};
  bool inside = at.y >= 0 && at.y < s.height && at.x >= 0 && at.x < s.width;
  if (deep) inside = inside && at.z >= 0 && at.z < s.depth;
  return inside ? S(planes[place_in(at, s.height, s.width)]) : S(0);
}

// ---- in tiles -------------------------------------------------------------------------------

template <class T, class U>
struct ConvOut {  // U is float for a part's sums, else T
  constant ConvProduct* s;
  device U* out;
  device const T* bias;
  int top, left;  // the tile's first row and column
  long column(int c) const {
    return left + c < s->n ? place_in(walk(s->out, left + c), s->out_height, s->out_width) : -1;
  }
  void put(int r, int, long at, float sum) const {
    if (at < 0 || top + r >= s->m) return;
    if (s->has_bias) sum += float(bias[top + r]);
    out[(top + r) * s->out_row + at] = U(sum);
  }
};

template <class T, class U, class Tile>
[[kernel]] void conv_product(device const T* left [[buffer(0)]],
                             device const T* right [[buffer(1)]],
                             device const T* bias [[buffer(2)]], device U* out [[buffer(3)]],
                             constant ConvProduct& s [[buffer(4)]],
                             uint3 group [[threadgroup_position_in_grid]],
                             uint thread_at [[thread_index_in_threadgroup]],
                             uint simdgroup_at [[simdgroup_index_in_threadgroup]],
                             uint lane_at [[thread_index_in_simdgroup]]) {
  constexpr int R = Tile::rows, C = Tile::columns, N = Tile::threads;
  threadgroup float left_tile[kTileFloats];
  threadgroup float right_tile[kTileFloats];
  threadgroup long plane_of[C];  // the table: of the n of this tile if k_inner, else of the k
  threadgroup int z_of[C];
  threadgroup int y_of[C];
  threadgroup int x_of[C];
  Me me = {int(thread_at), int(simdgroup_at), int(lane_at)};
  int g = int(group.z) / s.parts, part = int(group.z) % s.parts;
  int top = group.y * R, first = group.x * C;
  int begin = part * s.part, end = min(begin + s.part, s.k);
  left += g * s.left_group + top * s.left_row;
  right += g * s.right_group;

  int inner_k = me.index % kDepth, line = me.index / kDepth, inner_n = me.index % C;
  Part mine = walk_before(s.right_n, first + inner_n, s.n);
  int table = k_inner ? C : kDepth;
  if (me.index < table) {
    Part entry = k_inner ? mine : walk_before(s.right_k, begin + me.index, end);
    plane_of[me.index] = entry.plane;
    z_of[me.index] = entry.z;
    y_of[me.index] = entry.y;
    x_of[me.index] = entry.x;
  }
  Tile tile;
  tile.clear();
  for (int p = begin; p < end; p += kDepth) {
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the table is there, the tiles are free
    int k = p + inner_k;
    long from = place_in(walk(s.left, k), s.left_height, s.left_width);
    for (int i = line; i < R; i += N / kDepth)
      left_tile[tile_at(i, inner_k, true, R)] =
          top + i < s.m && k < end ? float(left[i * s.left_row + from]) : 0.0f;
    if (k_inner) {
      mine = walk_before(s.right_k, k, end);
      for (int i = line; i < C; i += N / kDepth)
        right_tile[tile_at(i, inner_k, true, C)] =
            meet<float>(right, s, mine, Part{plane_of[i], z_of[i], y_of[i], x_of[i]});
    } else {
      for (int i = me.index / C; i < kDepth; i += N / C)
        right_tile[tile_at(inner_n, i, false, C)] =
            meet<float>(right, s, mine, Part{plane_of[i], z_of[i], y_of[i], x_of[i]});
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there, the table is free
    if (!k_inner && me.index < kDepth) {
      Part entry = walk_before(s.right_k, p + kDepth + me.index, end);
      plane_of[me.index] = entry.plane;
      z_of[me.index] = entry.z;
      y_of[me.index] = entry.y;
      x_of[me.index] = entry.x;
    }
    tile.multiply(left_tile, true, right_tile, k_inner, me);
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the left tile becomes scratch
  device U* to = out + part * s.out_part + g * s.out_group;
  ConvOut<T, U> sink = {&s, to, bias + g * s.m, top, first};
  tile.finish(sink, left_tile, me);
}

// Adds up the parts.
template <class T>
[[kernel]] void conv_sum(device const float* parts [[buffer(0)]], device T* out [[buffer(1)]],
                         constant ConvSum& s [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  float sum = 0;
  for (int p = 0; p < s.parts; ++p) sum += parts[p * s.n + i];
  out[i] = T(sum);
}

// ---- a few rows ------------------------------------------------------------------------------
// With one filter or channel a group (depthwise), a tile would be empty but for a row.

inline Part step(constant Walk& w, int outer, int z, int y, int x) {
  Part part = {outer * w.step, w.z0 + z * w.dz, w.y0 + y * w.dy, w.x0 + x * w.dx};
  return part;
}

// A thread per result, which walks over k as it counts, without divisions. All integers take it.
template <class T>
[[kernel]] void conv_direct(device const T* left [[buffer(0)]], device const T* right [[buffer(1)]],
                            device const T* bias [[buffer(2)]], device T* out [[buffer(3)]],
                            constant ConvProduct& s [[buffer(4)]],
                            uint3 at [[thread_position_in_grid]]) {
  using S = typename SumOf<T>::type;
  long m = at.y, g = at.z;
  left += g * s.left_group + m * s.left_row;
  right += g * s.right_group;
  Part mine = walk(s.right_n, int(at.x));
  int outer = s.k / (s.right_k.slices * s.right_k.rows * s.right_k.columns);
  S sum = 0;
  for (int o = 0; o < outer; ++o)
    for (int z = 0; z < s.right_k.slices; ++z)
      for (int y = 0; y < s.right_k.rows; ++y)
        for (int x = 0; x < s.right_k.columns; ++x)
          sum += S(left[place_in(step(s.left, o, z, y, x), s.left_height, s.left_width)]) *
                 meet<S>(right, s, mine, step(s.right_k, o, z, y, x));
  if (s.has_bias) sum += S(bias[g * s.m + m]);
  long to = place_in(walk(s.out, int(at.x)), s.out_height, s.out_width);
  out[g * s.out_group + m * s.out_row + to] = T(sum);
}

// A threadgroup per result, for a long k: each thread takes every kDots-th number, and what they
// found is added up as a tree.
constant constexpr int kDots = 256;

template <class T>
[[kernel]] void conv_dots(device const T* left [[buffer(0)]], device const T* right [[buffer(1)]],
                          device const T* bias [[buffer(2)]], device T* out [[buffer(3)]],
                          constant ConvProduct& s [[buffer(4)]],
                          uint3 group [[threadgroup_position_in_grid]],
                          uint me [[thread_index_in_threadgroup]]) {
  threadgroup float found[kDots];
  long m = group.y, g = group.z;
  left += g * s.left_group + m * s.left_row;
  right += g * s.right_group;
  Part mine = walk(s.right_n, int(group.x));
  float sum = 0;
  for (int k = me; k < s.k; k += kDots) {
    sum += float(left[place_in(walk(s.left, k), s.left_height, s.left_width)]) *
           meet<float>(right, s, mine, walk(s.right_k, k));
  }
  found[me] = sum;
  for (uint rest = kDots / 2; rest > 0; rest /= 2) {
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (me < rest) found[me] += found[me + rest];
  }
  if (me != 0) return;
  if (s.has_bias) found[0] += float(bias[g * s.m + m]);
  long to = place_in(walk(s.out, int(group.x)), s.out_height, s.out_width);
  out[g * s.out_group + m * s.out_row + to] = T(found[0]);
}

// ---- the types -------------------------------------------------------------------------------

#define VEEM_TILES(name, T, U)                                           \
  VEEM_KERNEL("conv_blocked_" name, conv_product<T, U, RegisterTile<2>>) \
  VEEM_KERNEL("conv_simd_" name, conv_product<T, U, SimdTile<4>>)        \
  VEEM_KERNEL("conv_simd_low_" name, conv_product<T, U, SimdTile<2>>)
#define VEEM_CONV(T)                             \
  VEEM_TILES(#T, T, T)                           \
  VEEM_KERNEL("conv_sum_" #T, conv_sum<T>)       \
  VEEM_KERNEL("conv_direct_" #T, conv_direct<T>) \
  VEEM_KERNEL("conv_dots_" #T, conv_dots<T>)
VEEM_CONV(float)
VEEM_CONV(half)
VEEM_CONV(bfloat)
VEEM_TILES("parts_half", half, float)
VEEM_TILES("parts_bfloat", bfloat, float)
VEEM_KERNEL("conv_direct_uchar", conv_direct<uchar>)
VEEM_KERNEL("conv_direct_char", conv_direct<char>)
VEEM_KERNEL("conv_direct_short", conv_direct<short>)
VEEM_KERNEL("conv_direct_int", conv_direct<int>)
VEEM_KERNEL("conv_direct_long", conv_direct<long>)
