// What a threadgroup does with two tiles in its memory: multiply them, and keep the sums in
// registers. Rungs 3 and 4 of the ladder in matmul.metal, and all convolutions, are made of it.
//
// A product of tiles takes `kDepth` numbers of k at a time. Of each number that is read from
// device memory a tile 64 wide makes 64 multiply-adds, and each that a thread reads from
// threadgroup memory serves a row or a column of its own sums: that is how arithmetic becomes the
// bound.
//
// A tile lies in threadgroup memory as its matrix lies in device memory, so that neighbouring
// threads read and write neighbouring numbers: with `k_inner` the numbers of one row (or column of
// the right operand) and successive k are together, else those of one k. Every line has a few
// numbers more than it needs, by which columns of a tile spread over the banks of the memory.
//
// Sums are float for every type. Both kinds of tile have the same functions:
//   multiply(a, a_k_inner, w, w_k_inner, me)   sums += the left tile @ the right tile
//   finish(out, scratch, me)                   hands every sum to out.put(row, out.column(c), sum)

constant constexpr int kDepth = 16;
constant constexpr int kColumns = 64;                       // of a tile of sums
constant constexpr int kPad = 4;                            // 16 bytes: lines stay aligned
constant constexpr int kTileFloats = 64 * (kDepth + kPad);  // more than kDepth * (64 + kPad)

struct Me {  // a thread of the group
  int index, simdgroup, lane;
};

// Where number p of row (or column) i of a tile of `size` of them lies.
inline int tile_at(int i, int p, bool k_inner, int size) {
  return k_inner ? i * (kDepth + kPad) + p : p * (size + kPad) + i;
}

// 16 x 16 threads with R x 4 sums each, of rows and columns 16 apart: neighbouring threads read
// neighbouring numbers of the right tile, and all the same of the left.
template <int R>
struct RegisterTile {
  enum { rows = 16 * R, columns = kColumns, threads = 256 };
  float sums[R][4];

  void clear() {
    for (int i = 0; i < R; ++i)
      for (int j = 0; j < 4; ++j) sums[i][j] = 0;
  }

  void multiply(threadgroup const float* a, bool a_k_inner, threadgroup const float* w,
                bool w_k_inner, Me me) {
    int row = me.index / 16, column = me.index % 16;
    for (int p = 0; p < kDepth; ++p) {
      float x[R], y[4];
      for (int i = 0; i < R; ++i) x[i] = a[tile_at(row + 16 * i, p, a_k_inner, rows)];
      for (int j = 0; j < 4; ++j) y[j] = w[tile_at(column + 16 * j, p, w_k_inner, columns)];
      for (int i = 0; i < R; ++i)
        for (int j = 0; j < 4; ++j) sums[i][j] += x[i] * y[j];
    }
  }

  template <class Out>
  void finish(Out out, threadgroup float*, Me me) {
    for (int j = 0; j < 4; ++j) {
      int column = me.index % 16 + 16 * j;
      long at = out.column(column);
      for (int i = 0; i < R; ++i) out.put(me.index / 16 + 16 * i, column, at, sums[i][j]);
    }
  }
};

// 2 x 2 SIMD-groups with 8 R x 32 sums each, in R x 4 matrices of 8 x 8 that the SIMD-group
// multiplies as one instruction: R + 4 matrices are read for R * 4 products of 512 multiply-adds.
template <int R>
struct SimdTile {
  enum { rows = 16 * R, columns = kColumns, threads = 128 };
  simdgroup_float8x8 sums[R][4];

  void clear() {
    for (int i = 0; i < R; ++i)
      for (int j = 0; j < 4; ++j) sums[i][j] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
  }

  void multiply(threadgroup const float* a, bool a_k_inner, threadgroup const float* w,
                bool w_k_inner, Me me) {
    int top = me.simdgroup / 2 * 8 * R, left = me.simdgroup % 2 * 32;
    // A matrix whose rows do not lie together is read transposed.
    ulong a_line = a_k_inner ? kDepth + kPad : rows + kPad;
    ulong w_line = w_k_inner ? kDepth + kPad : columns + kPad;
    for (int p = 0; p < kDepth; p += 8) {
      simdgroup_float8x8 x[R], y[4];
      for (int i = 0; i < R; ++i)
        simdgroup_load(x[i], a + tile_at(top + 8 * i, p, a_k_inner, rows), a_line, ulong2(0, 0),
                       !a_k_inner);
      for (int j = 0; j < 4; ++j)
        simdgroup_load(y[j], w + tile_at(left + 8 * j, p, w_k_inner, columns), w_line, ulong2(0, 0),
                       w_k_inner);
      for (int i = 0; i < R; ++i)
        for (int j = 0; j < 4; ++j)
          simdgroup_multiply_accumulate(sums[i][j], x[i], y[j], sums[i][j]);
    }
  }

  // Which lane holds which sum is Apple's secret: they go through threadgroup memory, 8 rows at
  // a time, where each lane takes a column.
  template <class Out>
  void finish(Out out, threadgroup float* scratch, Me me) {
    threadgroup float* mine = scratch + me.simdgroup * 8 * 32;
    int top = me.simdgroup / 2 * 8 * R, column = me.simdgroup % 2 * 32 + me.lane;
    long at = out.column(column);
    for (int i = 0; i < R; ++i) {
      for (int j = 0; j < 4; ++j) simdgroup_store(sums[i][j], mine + 8 * j, 32);
      simdgroup_barrier(mem_flags::mem_threadgroup);
      for (int r = 0; r < 8; ++r) out.put(top + 8 * i + r, column, at, mine[r * 32 + me.lane]);
      simdgroup_barrier(mem_flags::mem_threadgroup);
    }
  }
};
