#include "core/ops_pool.h"

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

constexpr const char* kMax[] = {"max_pool1d", "max_pool2d", "max_pool3d"};
constexpr const char* kMean[] = {"avg_pool1d", "avg_pool2d", "avg_pool3d"};
constexpr const char* kAdaptiveMax[] = {"adaptive_max_pool1d", "adaptive_max_pool2d",
                                        "adaptive_max_pool3d"};
constexpr const char* kAdaptiveMean[] = {"adaptive_avg_pool1d", "adaptive_avg_pool2d",
                                         "adaptive_avg_pool3d"};

int space_of(const Dims& numbers, const char* what) {
  VEEM_CHECK(numbers.size() >= 1 && numbers.size() <= kSpace, what, "expected 1 to 3 numbers, got ",
             numbers);
  return numbers.size();
}

// Windows of planes of shape x, checked; operands are still empty.
PoolArgs plan_pool(const Dims& x, const Dims& kernel, const Windows& w, bool ceil_mode,
                   const char* op) {
  int space = kernel.size();
  check_windows(w, space, op);
  for (int d = 1; d < x.size(); ++d)
    VEEM_CHECK(x[d] > 0, op, "expected input's non-batch dimensions to have positive length, got ",
               "shape ", x);
  PoolArgs args;
  set_windows(&args, x, kernel, w);
  args.planes = x[0] * x[1];
  for (int i = 0; i < kSpace; ++i) {
    int64_t n = args.in[i], k = args.kernel[i], s = args.stride[i], p = args.pad[i];
    VEEM_CHECK(k > 0, op, "kernel size should be greater than zero, got ", kernel);
    int64_t span = args.dilation[i] * (k - 1) + 1;
    VEEM_CHECK(p <= span / 2, op,
               "pad should be at most half of effective kernel size, but got pad=", p,
               ", kernel_size=", k, " and dilation=", args.dilation[i]);
    int64_t room = n + 2 * p - span + (ceil_mode ? s - 1 : 0);
    int64_t count = room < 0 ? 0 : room / s + 1;
    if (ceil_mode && count > 0 && (count - 1) * s >= n + p) --count;  // starts in the padding
    VEEM_CHECK(count > 0, op, "given input size ", x, " and kernel ", kernel,
               ", calculated output size is too small at dimension ", x.size() - kSpace + i);
    args.out_size[i] = count;
  }
  return args;
}

PoolArgs plan_adaptive(const Dims& x, const Dims& size, const char* op) {
  int space = size.size();
  PoolArgs args;
  Dims ones(space, 1);
  set_windows(&args, x, ones, {ones, Dims(space, 0), ones});
  args.planes = x[0] * x[1];
  args.adaptive = true;
  for (int i = 0; i < kSpace; ++i) {
    int d = i - (kSpace - space);
    args.out_size[i] = d < 0 ? 1 : size[d];
    VEEM_CHECK(args.out_size[i] >= 0, op,
               "elements of output_size must be greater than or equal "
               "to 0, got ",
               size);
    VEEM_CHECK(args.in[i] > 0, op,
               "expected input to have non-zero size for non-batch dimensions, "
               "got shape ",
               x);
  }
  return args;
}

std::tuple<Array, Array> run_max(const Array& x, PoolArgs args, int space) {
  // Widened here and not at the door: the least number is that of x's own dtype.
  Array from = contiguous(widened(x));
  Dims shape = with_space(x.shape, 2, space, args.out_size);
  Array out = empty(shape, from.dtype, x.backend());
  Array index = empty(shape, DType::Int64, x.backend());
  args.dtype = from.dtype;
  if (!is_float(x.dtype)) args.least = whole_range(x.dtype).least;
  set_operand(&args.x, from), set_operand(&args.out, out), set_operand(&args.index, index);
  if (out.numel() > 0) VEEM_LAUNCH(x.backend(), max_pool, args);
  return {cast(out, x.dtype), index};
}

Array run_mean(const Array& x, PoolArgs args, int space) {
  Array from = contiguous(x);
  Array out = empty(with_space(x.shape, 2, space, args.out_size), x.dtype, x.backend());
  args.dtype = x.dtype;
  set_operand(&args.x, from), set_operand(&args.out, out);
  if (out.numel() > 0) VEEM_LAUNCH(x.backend(), avg_pool, args);
  return out;
}

void check_gradient(const Array& g, const Dims& shape, const PoolArgs& args, int space,
                    const char* op) {
  Dims wanted = with_space(shape, 2, space, args.out_size);
  VEEM_CHECK(g.shape == wanted, op, "expected a gradient of shape ", wanted, ", got ", g.shape);
}

Array run_mean_backward(const Array& g, const Dims& shape, PoolArgs args, int space,
                        const char* op) {
  check_gradient(g, shape, args, space, op);
  Array grad = contiguous(g);
  Array dx = empty(shape, g.dtype, g.backend());
  args.dtype = g.dtype;
  set_operand(&args.x, dx), set_operand(&args.out, grad);
  if (dx.numel() > 0) VEEM_LAUNCH(g.backend(), avg_pool_backward, args);
  return dx;
}

PoolArgs plan_mean(const Dims& x, const Dims& kernel, const Windows& w, bool ceil_mode,
                   bool count_pad, int64_t divisor, const char* op) {
  PoolArgs args = plan_pool(x, kernel, w, ceil_mode, op);
  args.count_pad = count_pad;
  args.divisor = divisor;
  return args;
}

// Windows for fold and unfold of planes of this size.
FoldArgs plan_fold(const Dims& size, const Dims& kernel, const Windows& w, const char* op) {
  int space = space_of(kernel, op);
  check_windows(w, space, op);
  FoldArgs args;
  set_windows(&args, size, kernel, w);
  for (int i = 0; i < kSpace; ++i) {
    VEEM_CHECK(args.kernel[i] > 0, op, "kernel size should be greater than zero, got ", kernel);
    int64_t room = args.in[i] + 2 * args.pad[i] - args.dilation[i] * (args.kernel[i] - 1) - 1;
    VEEM_CHECK(room >= 0, op, "planes of ", size, " with padding ", w.pad,
               " are smaller than the kernel ", kernel, " with dilation ", w.dilation);
    args.out_size[i] = room / args.stride[i] + 1;
  }
  return args;
}

int64_t product(const int64_t* size) { return size[0] * size[1] * size[2]; }

}  // namespace

std::tuple<Array, Array> max_pool(const Array& x, const Dims& kernel, const Windows& windows,
                                  bool ceil_mode) {
  int space = space_of(kernel, "max_pool");
  const char* op = kMax[space - 1];
  check_planes(x, space, op, x.dtype != DType::Bool);
  return run_max(x, plan_pool(x.shape, kernel, windows, ceil_mode, op), space);
}

std::tuple<Array, Array> adaptive_max_pool(const Array& x, const Dims& size) {
  int space = space_of(size, "adaptive_max_pool");
  const char* op = kAdaptiveMax[space - 1];
  check_planes(x, space, op, is_float(x.dtype));
  return run_max(x, plan_adaptive(x.shape, size, op), space);
}

Array max_pool_backward(const Array& g, const Array& index, const Dims& shape, const Dims& kernel,
                        const Windows& windows) {
  int space = shape.size() - 2;
  PoolArgs args;
  if (kernel.empty()) {
    Dims size;
    for (int d = 2; d < g.ndim(); ++d) size.push_back(g.shape[d]);
    args = plan_adaptive(shape, size, kAdaptiveMax[space - 1]);
  } else {
    // Whether the last windows were cut by ceil_mode is seen from g.
    args = plan_pool(shape, kernel, windows, false, kMax[space - 1]);
    for (int i = 0; i < space; ++i) args.out_size[kSpace - space + i] = g.shape[2 + i];
  }
  Array grad = contiguous(g), where = contiguous(index);
  Array dx = empty(shape, g.dtype, g.backend());
  args.dtype = g.dtype;
  set_operand(&args.x, dx), set_operand(&args.out, grad), set_operand(&args.index, where);
  if (dx.numel() > 0) VEEM_LAUNCH(g.backend(), max_pool_backward, args);
  return dx;
}

Array avg_pool(const Array& x, const Dims& kernel, const Windows& windows, bool ceil_mode,
               bool count_pad, int64_t divisor) {
  int space = space_of(kernel, "avg_pool");
  const char* op = kMean[space - 1];
  // Sums of narrower integers would not fit.
  check_planes(x, space, op, is_float(x.dtype) || x.dtype == DType::Int64);
  return run_mean(x, plan_mean(x.shape, kernel, windows, ceil_mode, count_pad, divisor, op), space);
}

Array adaptive_avg_pool(const Array& x, const Dims& size) {
  int space = space_of(size, "adaptive_avg_pool");
  const char* op = kAdaptiveMean[space - 1];
  check_planes(x, space, op, is_float(x.dtype));
  return run_mean(x, plan_adaptive(x.shape, size, op), space);
}

Array avg_pool_backward(const Array& g, const Dims& shape, const Dims& kernel,
                        const Windows& windows, bool ceil_mode, bool count_pad, int64_t divisor) {
  int space = space_of(kernel, "avg_pool");
  const char* op = kMean[space - 1];
  PoolArgs args = plan_mean(shape, kernel, windows, ceil_mode, count_pad, divisor, op);
  return run_mean_backward(g, shape, args, space, op);
}

Array adaptive_avg_pool_backward(const Array& g, const Dims& shape) {
  Dims size;
  for (int d = 2; d < g.ndim(); ++d) size.push_back(g.shape[d]);
  int space = space_of(size, "adaptive_avg_pool");
  const char* op = kAdaptiveMean[space - 1];
  return run_mean_backward(g, shape, plan_adaptive(shape, size, op), space, op);
}

Array unfold(const Array& x, const Dims& kernel, const Windows& windows) {
  check_planes(x, kernel.size(), "unfold", true);
  FoldArgs args = plan_fold(x.shape, kernel, windows, "unfold");
  args.planes = x.shape[0] * x.shape[1];
  args.dtype = x.dtype;
  Array from = contiguous(x);
  Dims shape{x.shape[0], x.shape[1] * product(args.kernel), product(args.out_size)};
  Array out = empty(shape, x.dtype, x.backend());
  set_operand(&args.x, from), set_operand(&args.out, out);
  if (out.numel() > 0) VEEM_LAUNCH(x.backend(), unfold, args);
  return out;
}

Array fold(const Array& columns, const Dims& size, const Dims& kernel, const Windows& windows) {
  check_taken(columns, "fold", is_float(columns.dtype));
  VEEM_CHECK(columns.ndim() == 3, "fold",
             "expected input of (batch, channels * window, windows), "
             "got shape ",
             columns.shape);
  FoldArgs args = plan_fold(size, kernel, windows, "fold");
  int64_t window = product(args.kernel), places = product(args.out_size);
  VEEM_CHECK(columns.shape[1] % window == 0, "fold",
             "expected size of input's dimension 1 to be "
             "divisible by the product of kernel_size, but got input.size(1)=",
             columns.shape[1], " and kernel_size=", kernel);
  VEEM_CHECK(columns.shape[2] == places, "fold", "given output_size=", size,
             ", kernel_size=", kernel, ", dilation=", windows.dilation, ", padding=", windows.pad,
             ", stride=", windows.stride,
             ", expected size of input's dimension 2 to be the number of windows, ", places,
             ", but got ", columns.shape[2]);
  args.planes = columns.shape[0] * columns.shape[1] / window;
  args.dtype = columns.dtype;
  Array from = contiguous(columns);
  Dims shape = with_space({columns.shape[0], columns.shape[1] / window}, 2, kernel.size(), args.in);
  Array out = empty(shape, columns.dtype, columns.backend());
  set_operand(&args.x, out), set_operand(&args.out, from);
  if (out.numel() > 0) VEEM_LAUNCH(columns.backend(), fold, args);
  return out;
}

Array resample(const Array& x, int64_t dim, int64_t size, const Array& first, const Array& index,
               const Array& weight) {
  Input all[] = {x, first, index, weight};
  common_backend(all, 4, "resample");
  check_taken(x, "resample", is_float(x.dtype));
  VEEM_CHECK(first.numel() == size + 1 && index.shape == weight.shape && index.ndim() == 1,
             "resample", "expected ", size + 1,
             " beginnings of rows and as many indices as "
             "weights, got shapes ",
             first.shape, ", ", index.shape, " and ", weight.shape);
  DType wide = x.dtype == DType::Float64 ? DType::Float64 : DType::Float32;
  VEEM_CHECK(first.dtype == DType::Int64 && index.dtype == DType::Int64 && weight.dtype == wide,
             "resample", "expected int64 rows and indices, and weights of ", name(wide), ", got ",
             name(first.dtype), ", ", name(index.dtype), " and ", name(weight.dtype));
  int d = wrap_dim(dim, x.ndim(), "resample");
  ResampleArgs args;
  args.dtype = x.dtype;
  args.outer = args.inner = 1, args.n = x.shape[d], args.out_n = size, args.taps = weight.numel();
  for (int i = 0; i < d; ++i) args.outer *= x.shape[i];
  for (int i = d + 1; i < x.ndim(); ++i) args.inner *= x.shape[i];
  Dims shape = x.shape;
  shape[d] = size;
  Array from = contiguous(x), rows = contiguous(first), at = contiguous(index);
  Array by = contiguous(weight), out = empty(shape, x.dtype, x.backend());
  set_operand(&args.x, from), set_operand(&args.first, rows), set_operand(&args.index, at);
  set_operand(&args.weight, by), set_operand(&args.out, out);
  if (out.numel() > 0) VEEM_LAUNCH(x.backend(), resample, args);
  return out;
}

}  // namespace veem
