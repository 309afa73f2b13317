#include "core/ops_conv.h"

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

constexpr const char* kForward[] = {"conv1d", "conv2d", "conv3d"};
constexpr const char* kTranspose[] = {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"};
constexpr const char* kWeight[] = {"conv1d_backward_weight", "conv2d_backward_weight",
                                   "conv3d_backward_weight"};

// In how many dimensions of space a weight convolves.
int space_of(const Dims& weight) {
  int dims = weight.size() - 2;
  VEEM_CHECK(dims >= 1 && dims <= kSpace, "convolution",
             "expected a weight of (out, in / groups) and 1 to 3 dimensions more, got shape ",
             weight);
  return dims;
}

void check_groups(const Dims& weight, int64_t groups, const char* op) {
  VEEM_CHECK(groups > 0, op, "non-positive groups is not supported, got ", groups);
  VEEM_CHECK(weight[0] % groups == 0, op, "given groups=", groups,
             ", expected weight to be divisible by ", groups,
             " at dimension 0, but got weight of size ", weight);
}

void check_channels(const Array& x, const Dims& weight, int64_t channels, int64_t groups,
                    const char* op) {
  VEEM_CHECK(x.shape[1] == channels, op, "given groups=", groups, ", weight of size ", weight,
             ", expected input ", x.shape, " to have ", channels, " channels, but got ", x.shape[1],
             " channels instead");
}

// The args of a convolution of planes of shape x with weight, checked; operands are still empty.
ConvArgs plan_conv(const Dims& x, const Dims& weight, const Windows& w, int64_t groups,
                   const char* op) {
  Dims kernel;
  for (int d = 2; d < weight.size(); ++d) kernel.push_back(weight[d]);
  ConvArgs args;
  set_windows(&args, x, kernel, w);
  args.batch = x[0];
  args.groups = groups;
  args.channels = weight[1];
  args.filters = weight[0] / groups;
  for (int i = 0; i < kSpace; ++i) {
    int64_t span = args.dilation[i] * (args.kernel[i] - 1) + 1;
    int64_t padded = args.in[i] + 2 * args.pad[i];
    VEEM_CHECK(args.kernel[i] > 0 && padded >= span, op,
               "kernel size can't be greater than actual input size: the kernel of ", weight,
               " with dilation ", w.dilation, " spans ", span, " and the padded input ", padded,
               " at dimension ", x.size() - kSpace + i);
    args.out_size[i] = (padded - span) / args.stride[i] + 1;
  }
  return args;
}

void check_pair(const Array& a, const Array& b, const char* op, const char* what) {
  Input both[] = {a, b};
  common_backend(both, 2, op);
  VEEM_CHECK(a.dtype == b.dtype, op, "input is ", name(a.dtype), " and ", what, " ", name(b.dtype),
             "; they should be the same, e.g. x.to(weight.dtype)");
}

// The bias, contiguous; without data where there is none.
Array prepare_bias(const Array& x, const Array& weight, const Array* bias, int64_t filters,
                   const char* op, ConvArgs* args) {
  if (!bias) return {};
  check_pair(x, *bias, op, "bias");
  VEEM_CHECK(bias->ndim() == 1 && bias->shape[0] == filters, op, "given weight of size ",
             weight.shape, ", expected bias to be 1-dimensional with ", filters,
             " elements, but got bias of size ", bias->shape, " instead");
  Array b = contiguous(*bias);
  set_operand(&args->bias, b);
  return b;
}

Dims result_shape(const ConvArgs& args, int space) {
  return with_space({args.batch, args.groups * args.filters}, 2, space, args.out_size);
}

}  // namespace

Array convolution(const Array& x, const Array& weight, const Array* bias, const Windows& windows,
                  int64_t groups) {
  int space = space_of(weight.shape);
  const char* op = kForward[space - 1];
  check_planes(x, space, op, x.dtype != DType::Bool);
  check_pair(x, weight, op, "weight");
  check_windows(windows, space, op);
  check_groups(weight.shape, groups, op);
  check_channels(x, weight.shape, weight.shape[1] * groups, groups, op);
  ConvArgs args = plan_conv(x.shape, weight.shape, windows, groups, op);
  Array from = contiguous(x), w = contiguous(weight);
  Array b = prepare_bias(x, weight, bias, weight.shape[0], op, &args);
  Array out = empty(result_shape(args, space), x.dtype, x.backend());
  args.dtype = x.dtype;
  set_operand(&args.x, from), set_operand(&args.weight, w), set_operand(&args.out, out);
  if (out.numel() > 0) VEEM_LAUNCH(x.backend(), conv, args);
  return out;
}

Array conv_transpose(const Array& x, const Array& weight, const Array* bias, const Dims& size,
                     const Windows& windows, int64_t groups) {
  int space = space_of(weight.shape);
  const char* op = kTranspose[space - 1];
  check_planes(x, space, op, x.dtype != DType::Bool);
  check_pair(x, weight, op, "weight");
  check_windows(windows, space, op);
  check_groups(weight.shape, groups, op);
  check_channels(x, weight.shape, weight.shape[0], groups, op);
  VEEM_CHECK(size.size() == space, op, "expected a size of ", space, " numbers, got ", size);
  Dims shape{x.shape[0], weight.shape[1] * groups};
  for (int64_t n : size) shape.push_back(n);
  ConvArgs args = plan_conv(shape, weight.shape, windows, groups, op);
  VEEM_CHECK(x.shape == result_shape(args, space), op, "a result of size ", size,
             " belongs to an input of shape ", result_shape(args, space), ", got ", x.shape);
  Array from = contiguous(x), w = contiguous(weight);
  Array b = prepare_bias(x, weight, bias, shape[1], op, &args);
  Array out = empty(shape, x.dtype, x.backend());
  args.dtype = x.dtype;
  set_operand(&args.x, out), set_operand(&args.weight, w), set_operand(&args.out, from);
  if (out.numel() > 0) VEEM_LAUNCH(x.backend(), conv_transpose, args);
  return out;
}

Array conv_backward_weight(const Array& g, const Array& x, const Dims& shape,
                           const Windows& windows, int64_t groups) {
  int space = space_of(shape);
  const char* op = kWeight[space - 1];
  check_planes(x, space, op, is_float(x.dtype));
  check_pair(g, x, op, "x");
  check_windows(windows, space, op);
  check_groups(shape, groups, op);
  check_channels(x, shape, shape[1] * groups, groups, op);
  ConvArgs args = plan_conv(x.shape, shape, windows, groups, op);
  VEEM_CHECK(g.shape == result_shape(args, space), op, "expected a gradient of shape ",
             result_shape(args, space), ", got ", g.shape);
  Array grad = contiguous(g), from = contiguous(x);
  Array dw = empty(shape, g.dtype, g.backend());
  args.dtype = g.dtype;
  set_operand(&args.x, from), set_operand(&args.weight, dw), set_operand(&args.out, grad);
  if (dw.numel() > 0) VEEM_LAUNCH(g.backend(), conv_backward_weight, args);
  return dw;
}

}  // namespace veem
