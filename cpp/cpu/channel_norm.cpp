// Batch, group and instance norm: y = (x - mean) / sqrt(variance + eps) * weight + bias, where the
// moments belong to a row and the parameters to a channel (core/args.h).
//
// A row is a few runs of `inner` neighbouring elements, each of one channel: those of one channel
// in all images for batch norm, those of a group's channels in one image for group norm. Memory is
// the bound. A row is mostly small enough to stay in the L2 cache while it is walked for its
// mean, for the variance about that mean, and to write the result: memory is read once.
//
// Backward, with xhat = (x - mean) * rstd and n elements in a row:
//   dbias   = sum of g           dweight = sum of g * xhat          over each channel
//   dx      = rstd * (weight * g - a - xhat * b), where
//   a       = sum of weight * g / n          b = sum of weight * g * xhat / n   over the row
// A run has one weight: so its sums of g and g * xhat make both a and b, and dbias and dweight.
#include "core/scratch.h"
#include "core/threads.h"
#include "cpu/lane_sum.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kPart = 16 * 1024;  // elements that are worth a thread

// Where the runs of row r begin, and whose they are.
struct Row {
  int64_t first, step, runs;
  int64_t channel, channel_step;
  int64_t run(int64_t k) const { return first + k * step; }
  int64_t channel_of(int64_t k) const { return channel + k * channel_step; }
};

template <class Args>
Row row_of(const Args& args, int64_t r) {
  int64_t C = args.channels;
  if (args.groups == 0) return {r * args.inner, C * args.inner, args.outer, r, 0};
  int64_t runs = C / args.groups;
  return {r * runs * args.inner, args.inner, runs, r % args.groups * runs, 1};
}
template <class Args>
int64_t rows_of(const Args& args) {
  return args.groups == 0 ? args.channels : args.outer * args.groups;
}

// The sum of f, as lane_sum takes it, over the elements of a row.
template <class T, class F>
inline T row_sum(const Row& row, int64_t inner, const F& f) {
  if (row.step == inner) return lane_sum<T>(row.runs * inner, f, row.first);
  T sum = 0;
  for (int64_t k = 0; k < row.runs; ++k) sum += lane_sum<T>(inner, f, row.run(k));
  return sum;
}

template <class T>
void forward(const ChannelNormArgs& args) {
  int64_t inner = args.inner, rows = rows_of(args);
  int64_t n = args.outer * args.channels / rows * inner;
  const T *x = read<T>(args.x), *weight = read<T>(args.weight), *bias = read<T>(args.bias);
  T* out = write<T>(args.out);
  parallel_for(rows, kPart / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      Row row = row_of(args, r);
      T &mean = write<T>(args.mean)[r], &var = write<T>(args.var)[r];
      if (!args.given) {
        T m = row_sum<T>(row, inner, [&](auto at) { return at(x); }) / T(n);
        auto square = [&](auto at) { return (at(x) - m) * (at(x) - m); };
        mean = m;
        var = row_sum<T>(row, inner, square) / T(n);
      }
      T middle = mean, rstd = T(1 / __builtin_sqrt(double(var) + args.eps));
      for (int64_t k = 0; k < row.runs; ++k) {
        int64_t c = row.channel_of(k);
        const T* from = x + row.run(k);
        T *to = out + row.run(k), scale = weight ? rstd * weight[c] : rstd;
        T shift = bias ? bias[c] : T(0);
        VEEM_VECTORIZE
        for (int64_t i = 0; i < inner; ++i) to[i] = (from[i] - middle) * scale + shift;
      }
    }
  });
}

// totals: for each of (outer, channels), or of the channels for batch norm, the sums of g * xhat
// and of g.
template <class T>
void row_backward(const ChannelNormBackwardArgs& args, const Row& row, T mean, T rstd, T n,
                  T* totals) {
  int64_t inner = args.inner;
  const T *weight = read<T>(args.weight), *g = read<T>(args.g), *x = read<T>(args.x);
  T a = 0, b = 0;
  for (int64_t k = 0; k < row.runs; ++k) {
    int64_t c = row.channel_of(k), at = row.run(k);
    T sum = lane_sum<T>(inner, [&](auto here) { return here(g); }, at);
    auto product = [&](auto here) { return here(g) * (here(x) - mean); };
    T scaled = lane_sum<T>(inner, product, at) * rstd;
    a += weight ? sum * weight[c] : sum;
    b += weight ? scaled * weight[c] : scaled;
    T* total = totals + 2 * k * row.channel_step;
    total[0] += scaled;
    total[1] += sum;
  }
  a /= n, b = b / n * rstd;
  for (int64_t k = 0; k < row.runs; ++k) {
    const T *gk = g + row.run(k), *xk = x + row.run(k);
    T *to = write<T>(args.dx) + row.run(k), w = weight ? weight[row.channel_of(k)] : T(1);
    VEEM_VECTORIZE
    for (int64_t i = 0; i < inner; ++i) to[i] = rstd * (w * gk[i] - a - (xk[i] - mean) * b);
  }
}

template <class T>
void backward(const ChannelNormBackwardArgs& args) {
  int64_t C = args.channels, rows = rows_of(args), outer = args.groups ? args.outer : 1;
  int64_t n = args.outer * C / rows * args.inner;
  T* totals = scratch<T>(2 * outer * C);
  for (int64_t i = 0; i < 2 * outer * C; ++i) totals[i] = 0;
  parallel_for(rows, kPart / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      Row row = row_of(args, r);
      T rstd = T(1 / __builtin_sqrt(double(read<T>(args.var)[r]) + args.eps));
      int64_t image = args.groups ? r / args.groups : 0;
      row_backward(args, row, read<T>(args.mean)[r], rstd, T(n),
                   totals + 2 * (image * C + row.channel));
    }
  });
  for (int64_t c = 0; c < C; ++c) {
    T dweight = 0, dbias = 0;
    for (int64_t o = 0; o < outer; ++o) {
      dweight += totals[2 * (o * C + c)];
      dbias += totals[2 * (o * C + c) + 1];
    }
    write<T>(args.dweight)[c] = dweight;
    write<T>(args.dbias)[c] = dbias;
  }
}

}  // namespace

void channel_norm(const ChannelNormArgs& args) {
  if (args.dtype == DType::Float32) return forward<float>(args);
  forward<double>(args);
}

void channel_norm_backward(const ChannelNormBackwardArgs& args) {
  if (args.dtype == DType::Float32) return backward<float>(args);
  backward<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
