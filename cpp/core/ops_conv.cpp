#include "core/ops_conv.h"

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

void check_windows(const Windows& w, const char* op) {
  VEEM_CHECK(w.stride.size() == 2 && w.pad.size() == 2 && w.dilation.size() == 2, op,
             "stride, padding and dilation must have 2 numbers each, got ", w.stride, ", ", w.pad,
             " and ", w.dilation);
  for (int i = 0; i < 2; ++i) {
    VEEM_CHECK(w.stride[i] > 0, op, "non-positive stride is not supported, got ", w.stride);
    VEEM_CHECK(w.pad[i] >= 0, op, "negative padding is not supported, got ", w.pad);
    VEEM_CHECK(w.dilation[i] > 0, op, "dilation should be greater than zero, got ", w.dilation);
  }
}

void check_images(const Array& x, const char* op) {
  VEEM_CHECK(x.ndim() == 4, op,
             "expected input of (batch, channels, height, width) or (channels, "
             "height, width), got shape ",
             x.shape);
  VEEM_CHECK_AS(NotImplemented, is_float(x.dtype), op, "not implemented for ", name(x.dtype),
                "; convert to float32 first, e.g. x.float()");
}

// The args of a convolution of images of shape x with weight, checked. out is still empty.
ConvArgs plan_conv(const Dims& x, const Dims& weight, const Windows& w, int64_t groups,
                   const char* op) {
  check_windows(w, op);
  VEEM_CHECK(weight.size() == 4, op,
             "expected a weight of (out, in / groups, height, width), got "
             "shape ",
             weight);
  VEEM_CHECK(groups > 0, op, "non-positive groups is not supported, got ", groups);
  VEEM_CHECK(weight[0] % groups == 0, op, "given groups=", groups,
             ", expected weight to be "
             "divisible by ",
             groups, " at dimension 0, but got weight of size ", weight);
  VEEM_CHECK(x[1] == weight[1] * groups, op, "given groups=", groups, ", weight of size ", weight,
             ", expected input ", x, " to have ", weight[1] * groups, " channels, but got ", x[1],
             " channels instead");
  ConvArgs args;
  args.batch = x[0];
  args.groups = groups;
  args.channels = weight[1];
  args.filters = weight[0] / groups;
  for (int i = 0; i < 2; ++i) {
    args.in[i] = x[2 + i];
    args.kernel[i] = weight[2 + i];
    args.stride[i] = w.stride[i];
    args.pad[i] = w.pad[i];
    args.dilation[i] = w.dilation[i];
    int64_t span = args.dilation[i] * (args.kernel[i] - 1) + 1;
    int64_t padded = args.in[i] + 2 * args.pad[i];
    VEEM_CHECK(args.kernel[i] > 0 && padded >= span, op,
               "kernel size can't be greater than actual "
               "input size: the kernel of ",
               weight, " with dilation ", w.dilation, " spans ", span, " and the padded input ",
               padded, " at dimension ", 2 + i);
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

Dims result_shape(const ConvArgs& args) {
  return {args.batch, args.groups * args.filters, args.out_size[0], args.out_size[1]};
}

}  // namespace

Array conv2d(const Array& x, const Array& weight, const Array* bias, const Windows& windows,
             int64_t groups) {
  check_images(x, "conv2d");
  check_pair(x, weight, "conv2d", "weight");
  ConvArgs args = plan_conv(x.shape, weight.shape, windows, groups, "conv2d");
  Array from = contiguous(x), w = contiguous(weight), b;
  if (bias) {
    check_pair(x, *bias, "conv2d", "bias");
    VEEM_CHECK(bias->ndim() == 1 && bias->shape[0] == weight.shape[0], "conv2d",
               "given weight of "
               "size ",
               weight.shape, ", expected bias to be 1-dimensional with ", weight.shape[0],
               " elements, but got bias of size ", bias->shape, " instead");
    b = contiguous(*bias);
    set_operand(&args.bias, b);
  }
  Array out = empty(result_shape(args), x.dtype, x.backend());
  args.dtype = x.dtype;
  set_operand(&args.x, from), set_operand(&args.weight, w), set_operand(&args.out, out);
  if (out.numel() > 0) VEEM_LAUNCH(x.backend(), conv2d, args);
  return out;
}

Array conv2d_backward_input(const Array& g, const Array& weight, const Dims& shape,
                            const Windows& windows, int64_t groups) {
  ConvArgs args = plan_conv(shape, weight.shape, windows, groups, "conv2d_backward_input");
  VEEM_CHECK(g.shape == result_shape(args), "conv2d_backward_input",
             "expected a gradient of shape ", result_shape(args), ", got ", g.shape);
  check_pair(g, weight, "conv2d_backward_input", "weight");
  Array grad = contiguous(g), w = contiguous(weight);
  Array dx = empty(shape, g.dtype, g.backend());
  args.dtype = g.dtype;
  set_operand(&args.x, dx), set_operand(&args.weight, w), set_operand(&args.out, grad);
  if (dx.numel() > 0) VEEM_LAUNCH(g.backend(), conv2d_backward_input, args);
  return dx;
}

Array conv2d_backward_weight(const Array& g, const Array& x, const Dims& shape,
                             const Windows& windows, int64_t groups) {
  ConvArgs args = plan_conv(x.shape, shape, windows, groups, "conv2d_backward_weight");
  VEEM_CHECK(g.shape == result_shape(args), "conv2d_backward_weight",
             "expected a gradient of shape ", result_shape(args), ", got ", g.shape);
  check_pair(g, x, "conv2d_backward_weight", "input");
  Array grad = contiguous(g), from = contiguous(x);
  Array dw = empty(shape, g.dtype, g.backend());
  args.dtype = g.dtype;
  set_operand(&args.x, from), set_operand(&args.weight, dw), set_operand(&args.out, grad);
  if (dw.numel() > 0) VEEM_LAUNCH(g.backend(), conv2d_backward_weight, args);
  return dw;
}

std::tuple<Array, Array> max_pool2d(const Array& x, const Dims& kernel, const Windows& windows,
                                    bool ceil_mode) {
  check_images(x, "max_pool2d");
  check_windows(windows, "max_pool2d");
  PoolArgs args;
  args.dtype = x.dtype;
  args.planes = x.shape[0] * x.shape[1];
  for (int i = 0; i < 2; ++i) {
    int64_t k = kernel[i], s = windows.stride[i], p = windows.pad[i], d = windows.dilation[i];
    VEEM_CHECK(k > 0, "max_pool2d", "kernel size should be greater than zero, got ", kernel);
    VEEM_CHECK(2 * p <= k, "max_pool2d",
               "pad should be at most half of effective kernel size, but "
               "got pad=",
               p, " and kernel_size=", k);
    int64_t room = x.shape[2 + i] + 2 * p - d * (k - 1) - 1;
    int64_t n = room < 0 ? 0 : (room + (ceil_mode ? s - 1 : 0)) / s + 1;
    if (ceil_mode && n > 0 && (n - 1) * s >= x.shape[2 + i] + p) --n;  // starts in the padding
    VEEM_CHECK(n > 0, "max_pool2d", "given input size ", x.shape, " and kernel ", kernel,
               ", calculated output size is too small at dimension ", 2 + i);
    args.in[i] = x.shape[2 + i], args.out_size[i] = n, args.kernel[i] = k;
    args.stride[i] = s, args.pad[i] = p, args.dilation[i] = d;
  }
  Array from = contiguous(x);
  Dims shape{x.shape[0], x.shape[1], args.out_size[0], args.out_size[1]};
  Array out = empty(shape, x.dtype, x.backend()), index = empty(shape, DType::Int64, x.backend());
  set_operand(&args.x, from), set_operand(&args.out, out), set_operand(&args.index, index);
  if (out.numel() > 0) VEEM_LAUNCH(x.backend(), max_pool2d, args);
  return {out, index};
}

Array max_pool2d_backward(const Array& g, const Array& index, const Dims& shape, const Dims& kernel,
                          const Windows& windows) {
  Array grad = contiguous(g), where = contiguous(index);
  Array dx = empty(shape, g.dtype, g.backend());
  PoolArgs args;
  args.dtype = g.dtype;
  args.planes = shape[0] * shape[1];
  for (int i = 0; i < 2; ++i) {
    args.in[i] = shape[2 + i], args.out_size[i] = g.shape[2 + i], args.kernel[i] = kernel[i];
    args.stride[i] = windows.stride[i], args.pad[i] = windows.pad[i];
    args.dilation[i] = windows.dilation[i];
  }
  set_operand(&args.x, dx), set_operand(&args.out, grad), set_operand(&args.index, where);
  if (dx.numel() > 0) VEEM_LAUNCH(g.backend(), max_pool2d_backward, args);
  return dx;
}

}  // namespace veem
