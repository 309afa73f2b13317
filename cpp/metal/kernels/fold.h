// Threadgroups as tiles, and folds of one value per thread into one per row.
//
// A group is a tile of `rows` times `lanes` threads, both powers of two: the lanes of a row share
// its elements and then fold what they found. Where a row lies together in memory its lanes are
// neighbours; in `columns`, neighbours are threads of different rows at the same lane. Either
// way neighbouring threads read neighbouring elements, which the GPU fetches as one.
//
// Folds have a fixed order, so results are the same in every run. Neighbours fold by exchanging
// registers within a SIMD-group (5 steps for 32 lanes, no barrier), others in a tree through
// threadgroup memory. simd_sum and simd_max are not used: the order of the one is not known, the
// other drops NaN, and neither takes 64 bits.
//
// The first two function constants of every library that includes this are these.
#pragma once

constant int exchanges [[function_constant(0)]];  // the GPU can exchange registers
constant int columns [[function_constant(1)]];

constant constexpr uint kExchange = 32;  // threads of a SIMD-group

struct Tile {
  uint id, rows, lanes;
  uint row, lane;
};

inline Tile tile_of(uint id, int rows, int lanes) {
  Tile t;
  t.id = id;
  t.rows = uint(rows);
  t.lanes = uint(lanes);
  t.row = columns ? id % t.rows : id / t.lanes;
  t.lane = columns ? id / t.rows : id % t.lanes;
  return t;
}

inline long smaller(long a, long b) { return a < b ? a : b; }

struct Sum {
  template <class T> static T identity() { return T(0); }
  template <class T> static T apply(T a, T b) { return math::add(a, b); }
};
struct Product {
  template <class T> static T identity() { return T(1); }
  template <class T> static T apply(T a, T b) { return math::mul(a, b); }
};

template <class T> inline T lowest();
template <> inline float lowest<float>() { return -INFINITY; }
template <> inline long lowest<long>() { return long(1ul << 63); }
template <class T> inline T highest();
template <> inline float highest<float>() { return INFINITY; }
template <> inline long highest<long>() { return long(~0ul >> 1); }

struct Largest {  // NaN if any is
  template <class T> static T identity() { return lowest<T>(); }
  template <class T> static T apply(T a, T b) { return math::maximum(a, b); }
};
struct Smallest {
  template <class T> static T identity() { return highest<T>(); }
  template <class T> static T apply(T a, T b) { return math::minimum(a, b); }
};

// The value of the thread whose number in its SIMD-group differs in the bits of `mask`.
inline float exchange(float x, ushort mask) { return simd_shuffle_xor(x, mask); }
inline long exchange(long x, ushort mask) {
  return as_type<long>(simd_shuffle_xor(as_type<uint2>(x), mask));
}

// The fold of x over the lanes of a row; all of them get it. `shared` has an element for each
// thread of the group, and may be used again at once. Called by all threads together.
template <class R, class T>
inline T fold(T x, Tile tile, threadgroup T* shared) {
  if (exchanges && !columns) {
    for (uint step = 1; step < min(tile.lanes, kExchange); step *= 2)
      x = R::apply(x, exchange(x, ushort(step)));
    if (tile.lanes <= kExchange) return x;
    if (tile.lane % kExchange == 0) shared[tile.id / kExchange] = x;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    uint groups = tile.lanes / kExchange, first = tile.row * groups;
    x = shared[first];
    for (uint i = 1; i < groups; ++i) x = R::apply(x, shared[first + i]);
  } else {
    if (tile.lanes == 1) return x;
    uint step = columns ? tile.rows : 1;  // between lanes
    shared[tile.id] = x;
    for (uint width = tile.lanes / 2; width > 0; width /= 2) {
      threadgroup_barrier(mem_flags::mem_threadgroup);
      if (tile.lane < width)
        shared[tile.id] = R::apply(shared[tile.id], shared[tile.id + width * step]);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    x = shared[tile.id - tile.lane * step];
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  return x;
}

// Adds x to a total, and the rounding error to `error`.
inline void add_exactly(thread float& total, thread float& error, float x) {
  float sum = x + total, added = sum - total;
  error += (total - (sum - added)) + (x - added);
  total = sum;
}
inline float with_error(float total, float error) {
  return error == error ? total + error : total;  // the error of an infinite sum is NaN
}

// One more element for sum(exp(x - peak)), whose peak may rise.
inline void add_online(thread float& peak, thread float& sum, float x) {
  if (x == -INFINITY) return;  // adds nothing, and -inf - -inf is NaN
  float e = prim::exp(-prim::abs(x - peak));
  sum = x > peak ? sum * e + 1.0f : sum + e;
  peak = x > peak ? x : peak;
}
