// Matrix products, out[b] = activation(a[b] @ w[b] + bias), as a ladder of four kernels, and two
// for vectors.
//
// A product of (m, k) and (k, n) takes m n k multiply-adds and has m k + k n + m n numbers: for
// large matrices arithmetic should be the bound. What keeps a kernel from it is that every
// multiply-add wants two numbers. The rungs differ in where they come from:
//
//   1 naive    both from device memory: a load of each for every multiply-add
//   2 tiled    from threadgroup memory, to which each was copied once for 16 uses
//   3 blocked  from registers: a thread has 4 x 4 sums, so 8 loads are 16 multiply-adds
//   4 simd     from the registers of a SIMD-group, 8 x 8 matrices at a time
//
// An operand's rows and columns have any steps, so a transposed matrix is read where it lies; its
// tile is filled along the dimension of step 1, as memory is read best. Matrices times
// vectors read every number for one multiply-add: memory is the bound, and all that counts is
// that neighbouring threads read neighbouring numbers and that there are enough of them.
#include "kernels/common.h"
#include "kernels/sum_of.h"
#include "kernels/tiles.h"

// Where a matrix of the batch begins.
inline long batch_at(constant MatmulShape& s, constant const long* strides, uint b) {
  long at = 0;
  for (int d = s.batch_dims - 1; d >= 0; --d) {
    uint size = uint(s.batch_shape[d]);
    at += long(b % size) * strides[d];
    b /= size;
  }
  return at;
}

// What sums of floats go through last: the host names it, and the pipeline has no switch left.
constant int activation [[function_constant(2)]];

inline float activate(float x) {
  switch (activation) {
    case kActivationRelu: return math::relu(x);
    case kActivationGelu: return math::gelu(x);
    case kActivationGeluTanh: return math::gelu_tanh(x);
    case kActivationSilu: return math::silu(x);
    case kActivationSigmoid: return math::sigmoid(x);
    case kActivationTanh: return math::tanh(x);
    default: return x;
  }
}
template <class S>
inline S activate(S x) {  // integers go through none
  return x;
}

// A sum becomes a result.
template <class T, class S>
inline void write(constant MatmulShape& s, device T* to, device const T* bias, long column, S sum) {
  if (s.has_bias) sum += S(bias[column * s.bias_step]);
  if (s.accumulate) sum += S(*to);
  *to = T(activate(sum));
}

// ---- 1: a thread per result -----------------------------------------------------------------

template <class T>
[[kernel]] void matmul_naive(device const T* a [[buffer(0)]], device const T* w [[buffer(1)]],
                             device const T* bias [[buffer(2)]], device T* out [[buffer(3)]],
                             constant MatmulShape& s [[buffer(4)]],
                             uint3 at [[thread_position_in_grid]]) {
  using S = typename SumOf<T>::type;
  long column = at.x, row = at.y;
  if (column >= s.n || row >= s.m) return;
  a += batch_at(s, s.a_batch, at.z) + row * s.a_row;
  w += batch_at(s, s.w_batch, at.z) + column * s.w_col;
  S sum = 0;
  for (long p = 0; p < s.k; ++p) sum += S(a[p * s.a_col]) * S(w[p * s.w_row]);
  write(s, out + (at.z * s.m + row) * s.n + column, bias, column, sum);
}

// ---- 2: tiles of 16 x 16 in threadgroup memory ----------------------------------------------

constant constexpr int kSide = 16;

template <class T>
[[kernel]] void matmul_tiled(device const T* a [[buffer(0)]], device const T* w [[buffer(1)]],
                             device const T* bias [[buffer(2)]], device T* out [[buffer(3)]],
                             constant MatmulShape& s [[buffer(4)]],
                             uint3 group [[threadgroup_position_in_grid]],
                             uint3 thread_at [[thread_position_in_threadgroup]]) {
  using S = typename SumOf<T>::type;
  threadgroup S a_tile[kSide][kSide + 1];  // one more: no two rows begin in the same bank
  threadgroup S w_tile[kSide][kSide + 1];
  int x = thread_at.x, y = thread_at.y;
  long top = long(group.y) * kSide, left = long(group.x) * kSide;
  a += batch_at(s, s.a_batch, group.z);
  w += batch_at(s, s.w_batch, group.z);
  // Neighbours in x load neighbours in memory: along k, or else along the other dimension.
  bool a_along = s.a_col == 1, w_along = s.w_row == 1;
  int a_i = a_along ? y : x, a_p = a_along ? x : y;
  int w_j = w_along ? y : x, w_p = w_along ? x : y;
  S sum = 0;
  for (long p = 0; p < s.k; p += kSide) {
    long i = top + a_i, ap = p + a_p, j = left + w_j, wp = p + w_p;
    a_tile[a_i][a_p] = i < s.m && ap < s.k ? S(a[i * s.a_row + ap * s.a_col]) : S(0);
    w_tile[w_p][w_j] = j < s.n && wp < s.k ? S(w[wp * s.w_row + j * s.w_col]) : S(0);
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there
    for (int q = 0; q < kSide; ++q) sum += a_tile[y][q] * w_tile[q][x];
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and used: the next may come
  }
  long row = top + y, column = left + x;
  if (row < s.m && column < s.n)
    write(s, out + (group.z * s.m + row) * s.n + column, bias, column, sum);
}

// ---- 3 and 4: tiles of 64 columns, sums in registers ----------------------------------------

// Along which dimension the operands lie: 1 for k.
constant int a_k_inner [[function_constant(0)]];
constant int w_k_inner [[function_constant(1)]];

// Copies a tile to threadgroup memory, with zeros outside of the matrix. Neighbouring threads
// take neighbouring numbers of the inner dimension, each thread always the same of them.
template <int Outer, int Inner, int Threads, class T>
inline void load_tile(threadgroup float* tile, device const T* from, long outer_step,
                      long inner_step, int outer_left, int inner_left, int me) {
  static_assert(Threads % Inner == 0, "a thread keeps its place in the inner dimension");
  constexpr int lines = Threads / Inner;
  int inner = me % Inner, line = me / Inner;
  device const T* at = from + line * outer_step + inner * inner_step;
  for (int i = line; i < Outer; i += lines, at += lines * outer_step)
    tile[i * (Inner + kPad) + inner] = i < outer_left && inner < inner_left ? float(*at) : 0.0f;
}

// Where the sums of a threadgroup go: out is the matrix from the tile's first row and column on.
template <class T>
struct MatmulOut {
  constant MatmulShape* s;
  device T* out;
  device const T* bias;
  long left;          // the tile's first column
  int rows, columns;  // of the tile that are in the matrix
  long column(int c) const { return c; }
  void put(int r, int c, long, float sum) const {
    if (r < rows && c < columns) write(*s, out + r * s->n + c, bias, left + c, sum);
  }
};

template <class T, class Tile>
[[kernel]] void matmul_product(device const T* a [[buffer(0)]], device const T* w [[buffer(1)]],
                               device const T* bias [[buffer(2)]], device T* out [[buffer(3)]],
                               constant MatmulShape& s [[buffer(4)]],
                               uint3 group [[threadgroup_position_in_grid]],
                               uint thread_at [[thread_index_in_threadgroup]],
                               uint simdgroup_at [[simdgroup_index_in_threadgroup]],
                               uint lane_at [[thread_index_in_simdgroup]]) {
  threadgroup float a_tile[kTileFloats];
  threadgroup float w_tile[kTileFloats];
  Me me = {int(thread_at), int(simdgroup_at), int(lane_at)};
  constexpr int R = Tile::rows, C = Tile::columns, N = Tile::threads;
  long top = long(group.y) * R, left = long(group.x) * C;
  int rows = int(min(s.m - top, long(R))), columns = int(min(s.n - left, long(C)));
  a += batch_at(s, s.a_batch, group.z) + top * s.a_row;
  w += batch_at(s, s.w_batch, group.z) + left * s.w_col;

  Tile tile;
  tile.clear();
  for (long p = 0; p < s.k; p += kDepth) {
    int depth = int(min(s.k - p, long(kDepth)));
    if (a_k_inner) load_tile<R, kDepth, N>(a_tile, a, s.a_row, s.a_col, rows, depth, me.index);
    else load_tile<kDepth, R, N>(a_tile, a, s.a_col, s.a_row, depth, rows, me.index);
    if (w_k_inner) load_tile<C, kDepth, N>(w_tile, w, s.w_col, s.w_row, columns, depth, me.index);
    else load_tile<kDepth, C, N>(w_tile, w, s.w_row, s.w_col, depth, columns, me.index);
    a += kDepth * s.a_col;
    w += kDepth * s.w_row;
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there
    tile.multiply(a_tile, a_k_inner, w_tile, w_k_inner, me);
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and used: the next may come
  }
  MatmulOut<T> to = {&s, out + (group.z * s.m + top) * s.n + left, bias, left, rows, columns};
  tile.finish(to, a_tile, me);
}

// ---- a matrix times a vector ----------------------------------------------------------------
// out[i] = row i of a . w, for m rows; the host has called the matrix a, whichever it was.

constant constexpr int kLinesEach = 4;  // rows of a SIMD-group: it reads the vector once for them

// Rows that lie along k: a SIMD-group reads 32 numbers of each at a time.
template <class T>
[[kernel]] void matmul_rows(device const T* a [[buffer(0)]], device const T* w [[buffer(1)]],
                            device const T* bias [[buffer(2)]], device T* out [[buffer(3)]],
                            constant MatmulShape& s [[buffer(4)]],
                            uint3 group [[threadgroup_position_in_grid]],
                            uint simdgroup_at [[simdgroup_index_in_threadgroup]],
                            uint simdgroups [[simdgroups_per_threadgroup]],
                            uint lane [[thread_index_in_simdgroup]]) {
  long first = (long(group.x) * simdgroups + simdgroup_at) * kLinesEach;
  a += batch_at(s, s.a_batch, group.z);
  w += batch_at(s, s.w_batch, group.z);
  float sums[kLinesEach] = {0, 0, 0, 0};
  for (long p = lane; p < s.k; p += 32) {
    float x = float(w[p * s.w_row]);
    for (int i = 0; i < kLinesEach; ++i)  // the last row again, where there are no more
      sums[i] += x * float(a[min(first + i, s.m - 1) * s.a_row + p * s.a_col]);
  }
  for (int i = 0; i < kLinesEach; ++i) {
    float sum = simd_sum(sums[i]);
    if (lane == 0 && first + i < s.m)
      write(s, out + group.z * s.m + first + i, bias, first + i, sum);
  }
}

// Rows that lie across: neighbouring threads have neighbouring rows. 8 lines of threads share k,
// and the first adds up what they found.
constant constexpr int kWide = 32, kShare = 8;

template <class T>
[[kernel]] void matmul_columns(device const T* a [[buffer(0)]], device const T* w [[buffer(1)]],
                               device const T* bias [[buffer(2)]], device T* out [[buffer(3)]],
                               constant MatmulShape& s [[buffer(4)]],
                               uint3 group [[threadgroup_position_in_grid]],
                               uint3 thread_at [[thread_position_in_threadgroup]]) {
  threadgroup float found[kShare][kWide];
  long row = long(group.x) * kWide + thread_at.x;
  a += batch_at(s, s.a_batch, group.z) + row * s.a_row;
  w += batch_at(s, s.w_batch, group.z);
  float sum = 0;
  if (row < s.m)
    for (long p = thread_at.y; p < s.k; p += kShare)
      sum += float(a[p * s.a_col]) * float(w[p * s.w_row]);
  found[thread_at.y][thread_at.x] = sum;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (thread_at.y != 0 || row >= s.m) return;
  for (int i = 1; i < kShare; ++i) sum += found[i][thread_at.x];
  write(s, out + group.z * s.m + row, bias, row, sum);
}

// ---- the types ------------------------------------------------------------------------------

#define VEEM_ANY(T)                                \
  VEEM_KERNEL("matmul_naive_" #T, matmul_naive<T>) \
  VEEM_KERNEL("matmul_tiled_" #T, matmul_tiled<T>)
#define VEEM_FLOAT(T)                                                   \
  VEEM_ANY(T)                                                           \
  VEEM_KERNEL("matmul_blocked_" #T, matmul_product<T, RegisterTile<4>>) \
  VEEM_KERNEL("matmul_simd_" #T, matmul_product<T, SimdTile<4>>)        \
  VEEM_KERNEL("matmul_simd_low_" #T, matmul_product<T, SimdTile<2>>)    \
  VEEM_KERNEL("matmul_rows_" #T, matmul_rows<T>)                        \
  VEEM_KERNEL("matmul_columns_" #T, matmul_columns<T>)
VEEM_FLOAT(float)
VEEM_FLOAT(half)
VEEM_FLOAT(bfloat)
VEEM_ANY(uchar)
VEEM_ANY(char)
VEEM_ANY(short)
VEEM_ANY(int)
VEEM_ANY(long)
