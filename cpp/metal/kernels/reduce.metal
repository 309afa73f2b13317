// Reductions: out[kept] = in[kept, 0] + in[kept, 1] + ... for sum, product, largest and smallest
// (any is the largest and all the smallest of bools), and where the largest or smallest lies.
//
// Memory is the bound: one operation per element read. A threadgroup is a tile of kept elements
// ("rows") times lanes that share the reduced ones (fold.h); threads that are neighbours run along
// the dimension that lies innermost in memory, a reduced one or (columns) a kept one. Where
// there are few kept elements the reduced ones are cut into pieces, a second grid dimension,
// whose results a second launch reduces: no atomics, so the same bits in every run.
//
// Elements of any dtype are read as float or as long, which holds all integers and in which
// sums wrap around as they should. Float sums keep their rounding errors beside the total, so that
// the error does not grow with the length; arithmetic is free here.
#include "kernels/common.h"
#include "kernels/convert.h"
#include "kernels/fold.h"

// 0, 1 in fold.h
constant int op [[function_constant(2)]];        // a ReduceKind
constant int in_type [[function_constant(3)]];   // a DType
constant int out_type [[function_constant(4)]];  // likewise
constant int truth [[function_constant(5)]];     // elements count as x != 0
constant int wide [[function_constant(6)]];      // indices pass 2^32
constant int kept_dims [[function_constant(7)]];
constant int reduced_dims [[function_constant(8)]];

// Where element i of a nest of loops lies.
template <class I>
inline long offset_as(I i, int dims, constant const long* shape, constant const long* strides) {
  if (dims == 0) return 0;
  long at = 0;
  for (int d = dims - 1; d > 0; --d) {
    I size = I(shape[d]), rest = i / size;
    at += long(i - rest * size) * strides[d];
    i = rest;
  }
  return at + long(i) * strides[0];
}
inline long offset(long i, int dims, constant const long* shape, constant const long* strides) {
  return wide ? offset_as<ulong>(ulong(i), dims, shape, strides)
              : offset_as<uint>(uint(i), dims, shape, strides);
}

template <class T>
inline T element(device const char* in, long at) {
  T x = load<T>(in, at, in_type);
  return truth ? T(x != T(0)) : x;
}

struct Chosen {  // by the function constant
  template <class T> static T identity() {
    switch (op) {
      case kReduceSum: return Sum::identity<T>();
      case kReduceProduct: return Product::identity<T>();
      case kReduceMax: return truth ? T(0) : Largest::identity<T>();
      default: return truth ? T(1) : Smallest::identity<T>();
    }
  }
  template <class T> static T apply(T a, T b) {
    switch (op) {
      case kReduceSum: return Sum::apply(a, b);
      case kReduceProduct: return Product::apply(a, b);
      case kReduceMax: return Largest::apply(a, b);
      default: return Smallest::apply(a, b);
    }
  }
};

inline void accumulate(thread long& total, thread long&, long x) {
  total = Chosen::apply(x, total);
}
inline void accumulate(thread float& total, thread float& error, float x) {
  if (op == kReduceSum) add_exactly(total, error, x);
  else total = Chosen::apply(x, total);
}
inline long with_error(long total, long) { return total; }
inline float divided(float total, float divisor) {
  return divisor == 1.0f ? total : total / divisor;
}
inline long divided(long total, float) { return total; }

template <class T>
[[kernel]] void reduce(device const char* in [[buffer(0)]],
                       device char* out [[buffer(1)]],
                       constant ReduceShape& shape [[buffer(2)]],
                       uint thread_index [[thread_index_in_threadgroup]],
                       uint2 group [[threadgroup_position_in_grid]]) {
  threadgroup T shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  long kept = long(group.x) * tile.rows + tile.row;
  T total = Chosen::identity<T>(), error = T(0);
  if (kept < shape.count) {
    long row = offset(kept, kept_dims, shape.kept_shape, shape.in_strides);
    long begin = long(group.y) * shape.piece, end = smaller(begin + shape.piece, shape.length);
    for (long i = begin + tile.lane; i < end; i += tile.lanes) {
      long at = row + offset(i, reduced_dims, shape.reduced_shape, shape.reduced_strides);
      accumulate(total, error, element<T>(in, at));
    }
  }
  total = fold<Chosen>(with_error(total, error), tile, shared);
  if (tile.lane > 0 || kept >= shape.count) return;
  long at = offset(kept, kept_dims, shape.kept_shape, shape.out_strides);
  store(out, at + long(group.y) * shape.out_piece, out_type, divided(total, shape.divisor));
}

// ---- argmax and argmin ------------------------------------------------------------------------

constant int with_values [[function_constant(9)]];
constant int resumed [[function_constant(10)]];  // reduces pieces: an index lies at each value

// Is x before `best`? The first of equals wins, the first NaN before all.
template <class T>
inline bool better(T x, T best) {
  return (op == kReduceMax ? x > best : x < best) || (x != x && best == best);
}
template <class T>
inline bool same(T a, T b) {
  return a == b || (a != a && b != b);
}

// The lanes fold their best values, then the smallest index of those that have the best.
template <class T>
[[kernel]] void arg_reduce(device const char* in [[buffer(0)]],
                           device const long* indices [[buffer(1)]],
                           device long* out [[buffer(2)]],
                           device char* values [[buffer(3)]],
                           constant ReduceShape& shape [[buffer(4)]],
                           uint thread_index [[thread_index_in_threadgroup]],
                           uint2 group [[threadgroup_position_in_grid]]) {
  threadgroup T shared[kGroup];
  threadgroup long shared_index[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  long kept = long(group.x) * tile.rows + tile.row;
  long none = highest<long>(), index = none;
  T best = Chosen::identity<T>();
  if (kept < shape.count) {
    long row = offset(kept, kept_dims, shape.kept_shape, shape.in_strides);
    long begin = long(group.y) * shape.piece, end = smaller(begin + shape.piece, shape.length);
    for (long i = begin + tile.lane; i < end; i += tile.lanes) {
      long at = row + offset(i, reduced_dims, shape.reduced_shape, shape.reduced_strides);
      T x = element<T>(in, at);
      if (index != none && !better(x, best)) continue;
      best = x;
      index = resumed ? indices[at] : i;
    }
  }
  T value = fold<Chosen>(best, tile, shared);
  index = fold<Smallest>(same(best, value) ? index : none, tile, shared_index);
  if (tile.lane > 0 || kept >= shape.count) return;
  long at = offset(kept, kept_dims, shape.kept_shape, shape.out_strides);
  at += long(group.y) * shape.out_piece;
  out[at] = index;
  if (with_values) store(values, at, out_type, value);
}

VEEM_KERNEL("reduce_float", reduce<float>)
VEEM_KERNEL("reduce_long", reduce<long>)
VEEM_KERNEL("arg_reduce_float", arg_reduce<float>)
VEEM_KERNEL("arg_reduce_long", arg_reduce<long>)
