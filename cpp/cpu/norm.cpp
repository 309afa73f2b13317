// Layer norm: y = (x - mean) / sqrt(variance + eps) * weight + bias, row by row.
//
// Memory is the bound: a row is read once from memory and then stays in the L1 or L2 cache while
// it is walked three times, for the mean, for the variance about that mean (the one-pass formula
// E[x^2] - E[x]^2 loses all digits where the mean is large), and to write the result.
//
// Backward, with xhat = (x - mean) * rstd and gw = g * weight:
//   dx      = rstd * (gw - mean(gw) - xhat * mean(gw * xhat))
//   dweight = sum over rows of g * xhat        dbias = sum over rows of g
// The sums over rows are made by pieces of rows, each with totals of its own, which are then
// added in order: the same bits for any number of threads.
#include "core/scratch.h"
#include "core/threads.h"
#include "cpu/lane_sum.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kPiece = 16 * 1024;  // elements that are worth a thread
constexpr int64_t kMostPieces = 32;    // of rows, with totals of their own

template <class T>
void forward(const LayerNormArgs& args) {
  int64_t n = args.n;
  const T *weight = read<T>(args.weight), *bias = read<T>(args.bias);
  parallel_for(args.rows, kPiece / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* x = read<T>(args.x) + r * n;
      T* out = write<T>(args.out) + r * n;
      T mean = lane_sum<T>(n, [&](auto at) { return at(x); }) / T(n);
      auto square = [&](auto at) { return (at(x) - mean) * (at(x) - mean); };
      T variance = lane_sum<T>(n, square) / T(n);
      T rstd = T(1) / T(__builtin_sqrt(double(variance) + args.eps));
      write<T>(args.mean)[r] = mean;
      write<T>(args.rstd)[r] = rstd;
      if (weight && bias) {
        VEEM_VECTORIZE
        for (int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
      } else {
        for (int64_t i = 0; i < n; ++i) {
          T y = (x[i] - mean) * rstd;
          out[i] = (weight ? y * weight[i] : y) + (bias ? bias[i] : T(0));
        }
      }
    }
  });
}

template <class T>
void row_backward(const T* g, const T* x, const T* weight, T mean, T rstd, int64_t n, T* dx,
                  T* dweight, T* dbias) {
  auto gw = [&](auto at) { return weight ? at(g) * at(weight) : at(g); };
  T a = lane_sum<T>(n, gw) / T(n);
  T b = lane_sum<T>(n, [&](auto at) { return gw(at) * (at(x) - mean); }) * rstd / T(n);
  VEEM_VECTORIZE
  for (int64_t i = 0; i < n; ++i) {
    T xhat = (x[i] - mean) * rstd;
    dx[i] = rstd * ((weight ? g[i] * weight[i] : g[i]) - a - xhat * b);
    dweight[i] += g[i] * xhat;
    dbias[i] += g[i];
  }
}

template <class T>
void backward(const LayerNormBackwardArgs& args) {
  int64_t n = args.n, rows = args.rows;
  int64_t least = kPiece / (n + 1) + 1;  // rows in a piece
  int64_t step = (rows + kMostPieces - 1) / kMostPieces;
  step = step > least ? step : least;
  int64_t pieces = (rows + step - 1) / step;
  T* totals = scratch<T>(2 * n * (pieces + 1));
  const T* weight = read<T>(args.weight);
  parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      T *dweight = totals + 2 * n * p, *dbias = dweight + n;
      for (int64_t i = 0; i < 2 * n; ++i) dweight[i] = 0;
      int64_t last = (p + 1) * step < rows ? (p + 1) * step : rows;
      for (int64_t r = p * step; r < last; ++r)
        row_backward(read<T>(args.g) + r * n, read<T>(args.x) + r * n, weight,
                     read<T>(args.mean)[r], read<T>(args.rstd)[r], n, write<T>(args.dx) + r * n,
                     dweight, dbias);
    }
  });
  T *dweight = write<T>(args.dweight), *dbias = write<T>(args.dbias);
  for (int64_t i = 0; i < n; ++i) dweight[i] = dbias[i] = 0;
  for (int64_t p = 0; p < pieces; ++p) {
    const T* piece = totals + 2 * n * p;
    for (int64_t i = 0; i < n; ++i) dweight[i] += piece[i];
    for (int64_t i = 0; i < n; ++i) dbias[i] += piece[n + i];
  }
}

}  // namespace

void layer_norm(const LayerNormArgs& args) {
  if (args.dtype == DType::Float32) return forward<float>(args);
  forward<double>(args);
}

void layer_norm_backward(const LayerNormBackwardArgs& args) {
  if (args.dtype == DType::Float32) return backward<float>(args);
  backward<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
