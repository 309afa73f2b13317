// Matrix products: out[b] = activation(a[b] @ w[b] + bias), each matrix with any strides.
//
// float32 and float64 go to the blocked product of gemm.h; arithmetic is its bound. Three cases
// are bound by memory instead and have loops of their own, which read the matrix once, in the
// order in which it lies: a matrix times a vector along its rows (dots) or down its columns
// (axpys), and a few rows times a transposed matrix (dots again), for which packing would cost
// more than the product. Integers take a plain loop and wrap around, as PyTorch's do.
#include "cpu/gemm.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {

#include "cpu/primitives.h"
#include "kernels/math.h"

namespace {

constexpr int64_t kFewRows = 8;            // as many are multiplied with w^T by dots
constexpr int64_t kPage = 4096;            // numbers this far apart share a set of the L1 cache
constexpr int64_t kNear = 2 << 20;         // bytes that stay in L2, or nearly
constexpr int64_t kVectorGrain = 1 << 16;  // numbers of a matrix that are worth a thread
constexpr int64_t kStrip = 1024;           // columns of an axpys: their sums stay in L1

// What the sums go through last, a row or a tile of them at a time, while they are in L1; null
// for nothing.
template <class T> using Activate = void (*)(T* sums, int64_t n);

template <class T>
Activate<T> activate(Activation activation) {
  switch (activation) {
    case Activation::None: return nullptr;
#define VEEM_ACTIVATION(name, formula)                            \
  case Activation::name:                                          \
    return [](T* x, int64_t n) {                                  \
      VEEM_VECTORIZE                                              \
      for (int64_t i = 0; i < n; ++i) x[i] = math::formula(x[i]); \
    };
      VEEM_ACTIVATION(Relu, relu)
      VEEM_ACTIVATION(Gelu, gelu)
      VEEM_ACTIVATION(GeluTanh, gelu_tanh)
      VEEM_ACTIVATION(Silu, silu)
      VEEM_ACTIVATION(Sigmoid, sigmoid)
      VEEM_ACTIVATION(Tanh, tanh)
#undef VEEM_ACTIVATION
  }
  return nullptr;
}

// One product of a batch.
template <class T> struct Product {
  int64_t m, n, k;
  View<T> a, w;
  T* out;
  const T* bias;  // (n), or null
  bool add;
  Activate<T> activate;
};

// ---- matrix times matrix --------------------------------------------------------------------

// Reading the left in place is as fast as packed panels, but where the steps between the numbers
// of a panel fall on the same few sets of the L1 cache.
template <class T>
bool left_in_place(const View<T>& a, int64_t n) {
  int64_t step = a.column == 1 ? a.row : a.column;
  return n <= 2 * kTileColumns<T> || step * static_cast<int64_t>(sizeof(T)) % kPage != 0;
}

// The right is read once for every block of rows: few rows do not pay for packing, and a matrix
// in the L2 cache does not need it.
template <class T>
bool right_in_place(const View<T>& w, int64_t m, int64_t k) {
  int64_t step = w.row < 0 ? -w.row : w.row;
  return w.column == 1 &&
         (m <= 5 * kTileRows || k * step * static_cast<int64_t>(sizeof(T)) <= kNear);
}

template <class T>
void matrix_product(const Product<T>& x) {
  LeftMatrix<T> left{x.a, left_in_place(x.a, x.n)};
  RightMatrix<T> right{x.w, right_in_place(x.w, x.m, x.k)};
  Result<T> out{x.out, x.n};
  out.add = x.add;
  out.column_bias = x.bias;
  out.activate = x.activate;
  gemm<T>(x.m, x.n, x.k, left, right, out);
}

// ---- matrix times vector --------------------------------------------------------------------

// sums[r][c] = rows[r] . with[c], each k long and contiguous.
template <class T, int R, int C>
void dot_kernel(int64_t k, const T* const* rows, const T* const* with, T (*sums)[C]) {
  using Vec = typename Simd<T>::Vec;
  constexpr int L = kLanes<T>;
  Vec sum[R][C] = {};
  int64_t p = 0;
  for (; p + L <= k; p += L) {
    Vec x[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) x[c] = *reinterpret_cast<const Vec*>(with[c] + p);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      Vec y = *reinterpret_cast<const Vec*>(rows[r] + p);
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) sum[r][c] += y * x[c];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) {
      T lanes[L], rest = 0;
      __builtin_memcpy(lanes, &sum[r][c], sizeof(lanes));
      for (int half = L / 2; half > 0; half /= 2)
        for (int l = 0; l < half; ++l) lanes[l] += lanes[l + half];
      for (int64_t q = p; q < k; ++q) rest += rows[r][q] * with[c][q];
      sums[r][c] = lanes[0] + rest;
    }
}

// out[c, r] (+)= row r . vector c (+ bias[r]), for n rows and `count` vectors; C at a time, so
// that a row is read from memory once. At the edges a tile takes its last row twice.
template <class T, int R, int C>
void dots(int64_t n, int64_t k, const T* rows, int64_t row_step, int64_t count, const T* with,
          int64_t with_step, T* out, const T* bias, int64_t bias_step, bool add,
          Activate<T> activate) {
  parallel_for(parts_of(n, R), parts_of(kVectorGrain, R * k), [&](int64_t begin, int64_t end) {
    const T *row[R], *vector[C];
    T sums[R][C];
    int64_t stop = at_most(end * R, n);
    for (int64_t r = begin * R; r < stop; r += R) {
      for (int i = 0; i < R; ++i) row[i] = rows + at_most(r + i, n - 1) * row_step;
      for (int64_t c = 0; c < count; c += C) {
        for (int j = 0; j < C; ++j) vector[j] = with + at_most(c + j, count - 1) * with_step;
        dot_kernel<T, R, C>(k, row, vector, sums);
        for (int64_t j = c; j < at_most(c + C, count); ++j)
          for (int64_t i = r; i < at_most(r + R, n); ++i) {
            T sum = sums[i - r][j - c] + (bias ? bias[i * bias_step] : 0);
            out[j * n + i] = add ? out[j * n + i] + sum : sum;
          }
      }
    }
    if (activate)
      for (int64_t c = 0; c < count; ++c) activate(out + c * n + begin * R, stop - begin * R);
  });
}

// out[j] (+)= sum over p of x[p] rows[p, j] (+ bias[j]), for n columns, a strip of them at a time.
template <class T>
void axpys(int64_t n, int64_t k, const T* rows, int64_t row_step, const T* x, int64_t x_step,
           T* out, const T* bias, int64_t bias_step, bool add, Activate<T> activate) {
  constexpr int64_t Unit = kStrip / 4;  // of the division between threads
  parallel_for(
      parts_of(n, Unit), parts_of(kVectorGrain, Unit * k), [&](int64_t begin, int64_t end) {
        alignas(64) T sums[kStrip];
        for (int64_t j = begin * Unit, stop = at_most(end * Unit, n); j < stop; j += kStrip) {
          int64_t width = at_most(kStrip, stop - j), p = 0;
          for (int64_t c = 0; c < width; ++c) sums[c] = 0;
          for (; p + 4 <= k; p += 4) {
            const T *r0 = rows + p * row_step + j, *r1 = r0 + row_step, *r2 = r1 + row_step,
                    *r3 = r2 + row_step;
            T x0 = x[p * x_step], x1 = x[(p + 1) * x_step], x2 = x[(p + 2) * x_step],
              x3 = x[(p + 3) * x_step];
            for (int64_t c = 0; c < width; ++c)
              sums[c] += x0 * r0[c] + x1 * r1[c] + x2 * r2[c] + x3 * r3[c];
          }
          for (; p < k; ++p)
            for (int64_t c = 0; c < width; ++c)
              sums[c] += x[p * x_step] * rows[p * row_step + j + c];
          for (int64_t c = 0; c < width; ++c) {
            T sum = sums[c] + (bias ? bias[(j + c) * bias_step] : 0);
            out[j + c] = add ? out[j + c] + sum : sum;
          }
          if (activate) activate(out + j, width);
        }
      });
}

// True if one of the loops above was the right one, and did it.
template <class T>
bool vector_product(const Product<T>& x) {
  if (x.m == 1 && x.w.column == 1 && x.n >= kTileColumns<T>) {
    axpys<T>(x.n, x.k, x.w.data, x.w.row, x.a.data, x.a.column, x.out, x.bias, 1, x.add,
             x.activate);
  } else if (x.n == 1 && x.a.row == 1 && x.m >= kTileColumns<T>) {
    axpys<T>(x.m, x.k, x.a.data, x.a.column, x.w.data, x.w.row, x.out, x.bias, 0, x.add,
             x.activate);
  } else if (x.a.column != 1 || x.w.row != 1 || x.k < kLanes<T>) {
    return false;
  } else if (x.n == 1) {
    dots<T, 8, 1>(x.m, x.k, x.a.data, x.a.row, 1, x.w.data, 0, x.out, x.bias, 0, x.add, x.activate);
  } else if (x.m == 1) {
    dots<T, 8, 1>(x.n, x.k, x.w.data, x.w.column, 1, x.a.data, 0, x.out, x.bias, 1, x.add,
                  x.activate);
  } else if (x.m <= kFewRows) {
    dots<T, 4, 4>(x.n, x.k, x.w.data, x.w.column, x.m, x.a.data, x.a.row, x.out, x.bias, 1, x.add,
                  x.activate);
  } else {
    return false;
  }
  return true;
}

template <class T>
void float_product(const Product<T>& x) {
  if (x.k == 0 || !vector_product(x)) matrix_product(x);
}

// ---- integers -------------------------------------------------------------------------------

template <class T> struct Unsigned;  // in which overflow is defined
template <> struct Unsigned<uint8_t> {
  using type = uint32_t;
};
template <> struct Unsigned<int32_t> {
  using type = uint32_t;
};
template <> struct Unsigned<int64_t> {
  using type = uint64_t;
};

template <class T>
void integer_product(const Product<T>& x) {
  using U = typename Unsigned<T>::type;
  parallel_for(x.m, parts_of(kVectorGrain, x.k * x.n + 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T* out = x.out + i * x.n;
      for (int64_t j = 0; j < x.n; ++j) {
        U start = (x.add ? static_cast<U>(out[j]) : 0) + (x.bias ? static_cast<U>(x.bias[j]) : 0);
        out[j] = static_cast<T>(start);
      }
      for (int64_t p = 0; p < x.k; ++p) {
        U a = static_cast<U>(*x.a.at(i, p));
        const T* w = x.w.at(p, 0);
        if (x.w.column == 1)
          for (int64_t j = 0; j < x.n; ++j)
            out[j] = static_cast<T>(static_cast<U>(out[j]) + a * static_cast<U>(w[j]));
        else
          for (int64_t j = 0; j < x.n; ++j)
            out[j] = static_cast<T>(static_cast<U>(out[j]) + a * static_cast<U>(w[j * x.w.column]));
      }
    }
  });
}

// ---- batches --------------------------------------------------------------------------------

// Many products are shared out between the threads, a few are cut each.
template <class T>
void products(const MatmulArgs& args, void (*product)(const Product<T>&)) {
  int64_t count = 1;
  for (int d = 0; d < args.batch_dims; ++d) count *= args.batch_shape[d];
  Product<T> one{args.m,
                 args.n,
                 args.k,
                 {nullptr, args.a_row, args.a_col},
                 {nullptr, args.w_row, args.w_col},
                 nullptr,
                 reinterpret_cast<const T*>(args.bias.data),
                 args.accumulate,
                 nullptr};
  if constexpr (math::is_float<T>()) one.activate = activate<T>(args.activation);
  if (args.m == 1) one.a.row = args.k;  // the step along a single row or column may be anything
  if (args.k == 1) one.a.column = 1, one.w.row = args.n;
  if (args.n == 1) one.w.column = args.k;

  auto run = [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      int64_t rest = b, a = 0, w = 0;
      for (int d = args.batch_dims - 1; d >= 0; --d) {
        a += rest % args.batch_shape[d] * args.a.strides[d];
        w += rest % args.batch_shape[d] * args.w.strides[d];
        rest /= args.batch_shape[d];
      }
      Product<T> x = one;
      x.a.data = reinterpret_cast<const T*>(args.a.data) + a;
      x.w.data = reinterpret_cast<const T*>(args.w.data) + w;
      x.out = reinterpret_cast<T*>(args.out.data) + b * args.m * args.n;
      product(x);
    }
  };
  if (count < 2 * num_threads()) run(0, count);
  else parallel_for(count, parts_of(kGrainOps, args.m * args.n * args.k + 1), run);
}

}  // namespace

void matmul(const MatmulArgs& args) {
  switch (args.dtype) {
#define VEEM_TYPE(T, D) \
  case DType::D: return products<T>(args, float_product<T>);
    VEEM_FLOAT_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
#define VEEM_TYPE(T, D) \
  case DType::D: return products<T>(args, integer_product<T>);
    VEEM_INTEGER_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return;  // the op lets no other through
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
