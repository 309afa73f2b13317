// Strided copies of one dtype: elements are moved, never looked at, so a size in bytes is all
// that matters. Memory is the bound.
//
// rows     both operands walk the innermost dimension in steps of 1: memcpy of runs.
// tiles    the operands walk along different dimensions (a transpose). Read along one, write
//          along the other, and each element costs a cache line. So blocks of 64 x 64 are
//          transposed, in vector registers into a buffer in the L1 cache, and both sides of
//          memory see whole lines.
// strided  what is left: a plain loop along one dimension.
//
// Results larger than the caches are written with non-temporal stores, which do not read the
// lines that they replace.
#include "core/threads.h"
#include "cpu/kernels.h"
#include "cpu/memory.h"

namespace veem {
namespace VEEM_ISA {
namespace {

// A block of tiles has at most side^2 elements: rows of a few cache lines, 4 to 32 KiB.
template <class T>
struct Buffer {
  static constexpr int64_t side = sizeof(T) <= 2 ? 128 : 64;
  alignas(64) T data[side * side];
};
constexpr int64_t kGrainRows = 512 << 10;   // bytes that are worth a thread, ...
constexpr int64_t kGrainItems = 128 << 10;  // ... moved one by one or in tiles
constexpr int64_t kStreamRows = 16 << 20;   // bytes from which streaming pays, ...
constexpr int64_t kStreamTiles = 4 << 20;   // ... sooner where stores hop from row to row

// ---- the dimensions outside of the inner loops ----------------------------------------------

// Walks dimensions [0, n) in order, keeping both operands' offsets.
struct Walk {
  const CopyArgs& args;
  int n;
  int64_t index[kMaxDims];
  int64_t to = 0, from = 0;  // in elements

  Walk(const CopyArgs& args, int n, int64_t at) : args(args), n(n) {
    for (int d = n - 1; d >= 0; --d) {
      index[d] = at % args.shape[d];
      at /= args.shape[d];
      to += index[d] * args.to.strides[d];
      from += index[d] * args.from.strides[d];
    }
  }
  void next() {
    for (int d = n - 1; d >= 0; --d) {
      to += args.to.strides[d];
      from += args.from.strides[d];
      if (++index[d] < args.shape[d]) return;
      to -= index[d] * args.to.strides[d];
      from -= index[d] * args.from.strides[d];
      index[d] = 0;
    }
  }
};

// ---- rows ------------------------------------------------------------------------------------

void copy_flat(char* to, const char* from, int64_t bytes) {
  bool stream = bytes >= kStreamRows;
  parallel_for(bytes, kGrainRows, [=](int64_t begin, int64_t end) {
    if (stream) stream_copy(to + begin, from + begin, end - begin);
    else __builtin_memcpy(to + begin, from + begin, end - begin);
    stream_fence();
  });
}

void copy_rows(const CopyArgs& args, int64_t item) {
  int outer = args.ndim - 1;
  int64_t rows = product(args.shape, outer), bytes = args.shape[outer] * item;
  bool stream = rows * bytes >= kStreamRows && bytes >= 4 * kLine;
  parallel_for(rows, at_least_one(kGrainRows / (bytes + kLine)), [&](int64_t begin, int64_t end) {
    Walk walk(args, outer, begin);
    for (int64_t i = begin; i < end; ++i, walk.next()) {
      char* to = args.to.data + walk.to * item;
      const char* from = args.from.data + walk.from * item;
      if (stream) stream_copy(to, from, bytes);
      else copy_row(to, from, bytes);
    }
    stream_fence();
  });
}

// ---- strided ---------------------------------------------------------------------------------

template <class T>
inline void copy_line(T* to, const T* from, int64_t n, int64_t to_step, int64_t from_step) {
  if (from_step == 0 && to_step == 1) {
    fill_row(to, *from, n);
  } else if (to_step == 1) {
    for (int64_t j = 0; j < n; ++j) to[j] = from[j * from_step];
  } else {
    for (int64_t j = 0; j < n; ++j) to[j * to_step] = from[j * from_step];
  }
}

template <class T>
void copy_strided(const CopyArgs& args) {
  int outer = args.ndim - 1;
  int64_t rows = product(args.shape, outer), n = args.shape[outer];
  int64_t to_step = args.to.strides[outer], from_step = args.from.strides[outer];
  int64_t grain = at_least_one(kGrainItems / (n * static_cast<int64_t>(sizeof(T))));
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    Walk walk(args, outer, begin);
    for (int64_t i = begin; i < end; ++i, walk.next()) {
      copy_line(reinterpret_cast<T*>(args.to.data) + walk.to,
                reinterpret_cast<const T*>(args.from.data) + walk.from, n, to_step, from_step);
    }
  });
}

// ---- tiles -----------------------------------------------------------------------------------

template <int... I> struct Lanes {};
template <int N, int... I> struct LanesTo : LanesTo<N - 1, N - 1, I...> {};
template <int... I> struct LanesTo<0, I...> {
  using type = Lanes<I...>;
};

template <class T, int N>
struct Vec {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
  typedef T unaligned __attribute__((vector_size(N * sizeof(T)), aligned(sizeof(T)), may_alias));
};

// Lanes of a half of a (half 0 or 1) between the same lanes of b.
template <class T, int N, int half, class V, int... I>
inline V zip(const V& a, const V& b, Lanes<I...>) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, (I % 2 * N + I / 2 + half * N / 2)...);
#else
  return __builtin_shuffle(a, b, V{T(I % 2 * N + I / 2 + half * N / 2)...});
#endif
}

// Transposes N x N elements in registers: interleaving the rows of the upper half with those of
// the lower, log2(N) times over, rotates the bits of (row, column) until they have changed places.
template <class T, int N>
inline void tile(T* to, int64_t to_row, const T* from, int64_t from_row) {
  using V = typename Vec<T, N>::type;
  using Unaligned = typename Vec<T, N>::unaligned;
  typename LanesTo<N>::type lanes;
  V a[N], b[N];
#pragma GCC unroll 16
  for (int i = 0; i < N; ++i) a[i] = *reinterpret_cast<const Unaligned*>(from + i * from_row);
#pragma GCC unroll 4
  for (int step = 1; step < N; step *= 2) {
#pragma GCC unroll 16
    for (int i = 0; i < N / 2; ++i) {
      b[2 * i] = zip<T, N, 0>(a[i], a[i + N / 2], lanes);
      b[2 * i + 1] = zip<T, N, 1>(a[i], a[i + N / 2], lanes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) a[i] = b[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < N; ++i) *reinterpret_cast<Unaligned*>(to + i * to_row) = a[i];
}

// A block of height x width elements (r, c), on its way through a buffer of that shape.
struct Block {
  int64_t height, width;
  int64_t from_row, from_col, to_row, to_col;
};

// A few channels, woven together or apart: the compiler knows shuffles for a constant number.
template <class T, int n>
void weave(T* __restrict to, const T* __restrict from, int64_t count, int64_t step) {
  for (int64_t i = 0; i < count; ++i)
    for (int j = 0; j < n; ++j) to[i * n + j] = from[i + j * step];
}
template <class T, int n>
void unweave(T* __restrict to, const T* __restrict from, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    for (int j = 0; j < n; ++j) to[i + j * count] = from[i * n + j];
}

template <class T>
void load_block(T* buffer, const T* from, const Block& b) {
  if (b.from_row == 1) {
    if (b.width == 2) return weave<T, 2>(buffer, from, b.height, b.from_col);
    if (b.width == 3) return weave<T, 3>(buffer, from, b.height, b.from_col);
    if (b.width == 4) return weave<T, 4>(buffer, from, b.height, b.from_col);
    if (b.height == 2 && b.from_col == 2) return unweave<T, 2>(buffer, from, b.width);
    if (b.height == 3 && b.from_col == 3) return unweave<T, 3>(buffer, from, b.width);
    if (b.height == 4 && b.from_col == 4) return unweave<T, 4>(buffer, from, b.width);
  }
  constexpr int N = kVectorBytes / sizeof(T) < 16 ? kVectorBytes / sizeof(T) : 16;
  int64_t tiled_rows = 0, tiled_cols = 0;
  if (b.from_row == 1) {
    tiled_rows = b.height / N * N;
    tiled_cols = b.width / N * N;
    for (int64_t c = 0; c < tiled_cols; c += N)
      for (int64_t r = 0; r < tiled_rows; r += N)
        tile<T, N>(buffer + r * b.width + c, b.width, from + r + c * b.from_col, b.from_col);
  }
  auto move = [&](int64_t r, int64_t c) {
    buffer[r * b.width + c] = from[r * b.from_row + c * b.from_col];
  };
  if (tiled_rows > 0)  // what the tiles leave below
    for (int64_t r = tiled_rows; r < b.height; ++r)
      for (int64_t c = 0; c < tiled_cols; ++c) move(r, c);
  if (tiled_rows == 0) tiled_cols = 0;
  if (b.height >= b.width)  // and beside them
    for (int64_t c = tiled_cols; c < b.width; ++c)
      for (int64_t r = 0; r < b.height; ++r) move(r, c);
  else
    for (int64_t r = 0; r < b.height; ++r)
      for (int64_t c = tiled_cols; c < b.width; ++c) move(r, c);
}

template <class T>
void store_block(T* to, const T* buffer, const Block& b, bool stream) {
  constexpr int64_t size = sizeof(T);
  if (b.to_col != 1) {
    for (int64_t r = 0; r < b.height; ++r)
      for (int64_t c = 0; c < b.width; ++c)
        to[r * b.to_row + c * b.to_col] = buffer[r * b.width + c];
    return;
  }
  bool whole = b.to_row == b.width;  // one run of memory
  int64_t rows = whole ? 1 : b.height, bytes = b.width * size * (whole ? b.height : 1);
  for (int64_t r = 0; r < rows; ++r) {
    char* row = reinterpret_cast<char*>(to + r * b.to_row);
    const char* values = reinterpret_cast<const char*>(buffer + r * b.width);
    if (stream) stream_copy(row, values, bytes);
    else copy_row(row, values, bytes);
  }
}

// How long a block may be beside a short side: whole tiles.
template <class T>
int64_t long_side(int64_t other) {
  return Buffer<T>::side * Buffer<T>::side / other / 16 * 16;
}

template <class T>
void copy_tiles(const CopyArgs& args) {
  int outer = args.ndim - 2;
  const int64_t* from = args.from.strides + outer;
  const int64_t* to = args.to.strides + outer;
  int64_t rows = args.shape[outer], cols = args.shape[outer + 1];
  // Square, or long beside a short side.
  constexpr int64_t side = Buffer<T>::side;
  int64_t width = smaller(cols, rows < side ? long_side<T>(rows) : side);
  int64_t height = smaller(rows, width < side ? long_side<T>(width) : side);
  int64_t down = (rows + height - 1) / height, across = (cols + width - 1) / width;
  int64_t planes = product(args.shape, outer), size = sizeof(T);
  bool stream = planes * rows * cols * size >= kStreamTiles;
  int64_t grain = at_least_one(kGrainItems / (height * width * size));
  parallel_for(planes * down * across, grain, [&](int64_t begin, int64_t end) {
    Buffer<T> buffer;
    for (int64_t i = begin; i < end; ++i) {
      // From block to block down: they continue each other's runs of reads.
      int64_t r = i % down * height, c = i / down % across * width;
      Walk plane(args, outer, i / (down * across));
      Block block{
          smaller(height, rows - r), smaller(width, cols - c), from[0], from[1], to[0], to[1]};
      const T* source = reinterpret_cast<const T*>(args.from.data) + plane.from;
      T* target = reinterpret_cast<T*>(args.to.data) + plane.to;
      load_block(buffer.data, source + r * from[0] + c * from[1], block);
      store_block(target + r * to[0] + c * to[1], buffer.data, block, stream);
    }
    stream_fence();
  });
}

template <class T>
void copy_elements(const CopyArgs& args) {
  if (args.kind == CopyKind::Tiles) copy_tiles<T>(args);
  else copy_strided<T>(args);
}

}  // namespace

void copy(const CopyArgs& args) {
  int64_t item = item_size(args.dtype);
  if (args.kind == CopyKind::Rows)
    return args.ndim == 1 ? copy_flat(args.to.data, args.from.data, args.shape[0] * item)
                          : copy_rows(args, item);
  switch (item) {
    case 1: return copy_elements<uint8_t>(args);
    case 2: return copy_elements<uint16_t>(args);
    case 4: return copy_elements<uint32_t>(args);
    default: return copy_elements<uint64_t>(args);
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
