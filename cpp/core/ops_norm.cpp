#include "core/ops_norm.h"

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

Array parameter(const Array& x, const Array* p, const Dims& shape, const char* what) {
  if (!p) return Array();
  VEEM_CHECK(p->shape == shape, "layer_norm", "expected ", what,
             " to be of same shape as "
             "normalized_shape, but got ",
             what, " of shape ", p->shape, " and normalized_shape = ", shape);
  VEEM_CHECK(p->dtype == x.dtype, "layer_norm", what, " is ", name(p->dtype), " and the input ",
             name(x.dtype), "; convert one, e.g. layer.to(x.dtype)");
  Input both[] = {x, *p};
  common_backend(both, 2, "layer_norm");
  return contiguous(*p);
}

// A channel's parameter, as batch and group norm have it.
Array of_channels(const Array& x, const Array* p, const char* op, const char* what) {
  if (!p) return Array();
  VEEM_CHECK(p->ndim() == 1 && p->shape[0] == x.shape[1], op, "expected ", what,
             " to have an element for each of the ", x.shape[1], " channels of the input ", x.shape,
             ", got shape ", p->shape);
  VEEM_CHECK(p->dtype == x.dtype, op, what, " is ", name(p->dtype), " and the input ",
             name(x.dtype), "; convert one, e.g. layer.to(x.dtype)");
  Input both[] = {x, *p};
  common_backend(both, 2, op);
  return contiguous(*p);
}

template <class Args>
void set_sizes(Args* args, const Array& x, int64_t groups, double eps) {
  args->dtype = x.dtype;
  args->outer = x.shape[0], args->channels = x.shape[1], args->inner = 1;
  for (int d = 2; d < x.ndim(); ++d) args->inner *= x.shape[d];
  args->groups = groups;
  args->eps = eps;
}

}  // namespace

std::tuple<Array, Array, Array> layer_norm(const Array& x, const Dims& shape, const Array* weight,
                                           const Array* bias, double eps) {
  int lead = x.ndim() - shape.size();
  bool fits = lead >= 0 && shape.size() > 0;
  for (int i = 0; fits && i < shape.size(); ++i) fits = x.shape[lead + i] == shape[i];
  VEEM_CHECK(fits, "layer_norm", "given normalized_shape=", shape,
             ", expected input with shape [*, ", shape, "], but got input of size ", x.shape);
  VEEM_CHECK_AS(NotImplemented, is_float(x.dtype), "layer_norm", "not implemented for ",
                name(x.dtype), "; convert to float32 first, e.g. x.float()");
  Array w = parameter(x, weight, shape, "weight"), b = parameter(x, bias, shape, "bias");
  Array from = contiguous(x);
  Dims kept = x.shape;  // the moments keep the normalised dimensions with size 1
  for (int i = lead; i < x.ndim(); ++i) kept[i] = 1;
  Array out = empty(x.shape, x.dtype, x.backend());
  Array mean = empty(kept, x.dtype, x.backend()), rstd = empty(kept, x.dtype, x.backend());

  LayerNormArgs args;
  args.dtype = x.dtype;
  args.rows = numel(kept);
  args.n = numel(shape);
  args.eps = eps;
  set_operand(&args.x, from);
  if (weight) set_operand(&args.weight, w);
  if (bias) set_operand(&args.bias, b);
  set_operand(&args.out, out), set_operand(&args.mean, mean), set_operand(&args.rstd, rstd);
  if (args.rows > 0) VEEM_LAUNCH(x.backend(), layer_norm, args);
  return {out, mean, rstd};
}

std::tuple<Array, Array, Array> layer_norm_backward(const Array& g, const Array& x,
                                                    const Array* weight, const Array& mean,
                                                    const Array& rstd, const Dims& shape) {
  Array grad = contiguous(g), from = contiguous(x), m = contiguous(mean), r = contiguous(rstd);
  Array w = weight ? contiguous(*weight) : Array();
  Array dx = empty(x.shape, x.dtype, x.backend());
  Array dweight = empty(shape, x.dtype, x.backend()), dbias = empty(shape, x.dtype, x.backend());

  LayerNormBackwardArgs args;
  args.dtype = x.dtype;
  args.rows = mean.numel();
  args.n = numel(shape);
  set_operand(&args.g, grad), set_operand(&args.x, from), set_operand(&args.mean, m),
      set_operand(&args.rstd, r);
  if (weight) set_operand(&args.weight, w);
  set_operand(&args.dx, dx), set_operand(&args.dweight, dweight), set_operand(&args.dbias, dbias);
  VEEM_LAUNCH(x.backend(), layer_norm_backward, args);
  return {dx, dweight, dbias};
}

std::tuple<Array, Array, Array> channel_norm(const Array& x, const Array* weight, const Array* bias,
                                             int64_t groups, double eps) {
  const char* op = groups ? "group_norm" : "batch_norm";
  VEEM_CHECK(x.ndim() >= 2, op, "expected an input (N, C, ...), got shape ", x.shape);
  VEEM_CHECK(groups >= 0 && (groups == 0 || x.shape[1] % groups == 0), op,
             "expected number of channels in input to be divisible by num_groups, but got input of "
             "shape ",
             x.shape, " and num_groups=", groups);
  VEEM_CHECK_AS(NotImplemented, is_float(x.dtype), op, "not implemented for ", name(x.dtype),
                "; convert to float32 first, e.g. x.float()");
  Array w = of_channels(x, weight, op, "weight"), b = of_channels(x, bias, op, "bias");
  Array from = contiguous(x), out = empty(x.shape, x.dtype, x.backend());
  Dims rows = groups ? Dims{x.shape[0], groups} : Dims{x.shape[1]};
  DType wide = x.dtype == DType::Float64 ? DType::Float64 : DType::Float32;
  Array mean = empty(rows, wide, x.backend()), var = empty(rows, wide, x.backend());

  ChannelNormArgs args;
  set_sizes(&args, x, groups, eps);
  set_operand(&args.x, from);
  if (weight) set_operand(&args.weight, w);
  if (bias) set_operand(&args.bias, b);
  set_operand(&args.out, out), set_operand(&args.mean, mean), set_operand(&args.var, var);
  if (x.numel() > 0) VEEM_LAUNCH(x.backend(), channel_norm, args);
  return {out, mean, var};
}

Array channel_norm_given(const Array& x, const Array& mean, const Array& var, const Array* weight,
                         const Array* bias, double eps) {
  const char* op = "batch_norm";
  VEEM_CHECK(x.ndim() >= 2, op, "expected an input (N, C, ...), got shape ", x.shape);
  VEEM_CHECK_AS(NotImplemented, is_float(x.dtype), op, "not implemented for ", name(x.dtype),
                "; convert to float32 first, e.g. x.float()");
  Array w = of_channels(x, weight, op, "weight"), b = of_channels(x, bias, op, "bias");
  DType wide = x.dtype == DType::Float64 ? DType::Float64 : DType::Float32;
  Array m = cast(of_channels(x, &mean, op, "running_mean"), wide);
  Array v = cast(of_channels(x, &var, op, "running_var"), wide);
  Array from = contiguous(x), out = empty(x.shape, x.dtype, x.backend());

  ChannelNormArgs args;
  set_sizes(&args, x, 0, eps);
  args.given = true;
  set_operand(&args.x, from);
  if (weight) set_operand(&args.weight, w);
  if (bias) set_operand(&args.bias, b);
  set_operand(&args.out, out), set_operand(&args.mean, m), set_operand(&args.var, v);
  if (x.numel() > 0) VEEM_LAUNCH(x.backend(), channel_norm, args);
  return out;
}

std::tuple<Array, Array, Array> channel_norm_backward(const Array& g, const Array& x,
                                                      const Array* weight, const Array& mean,
                                                      const Array& var, int64_t groups,
                                                      double eps) {
  Array grad = contiguous(g), from = contiguous(x), m = contiguous(mean), v = contiguous(var);
  Array w = weight ? contiguous(*weight) : Array();
  Array dx = empty(x.shape, x.dtype, x.backend());
  Dims channels{x.shape[1]};
  Array dweight = empty(channels, x.dtype, x.backend());
  Array dbias = empty(channels, x.dtype, x.backend());
  if (x.numel() == 0) {
    fill(dweight, Scalar::of(0.0)), fill(dbias, Scalar::of(0.0));
    return {dx, dweight, dbias};
  }

  ChannelNormBackwardArgs args;
  set_sizes(&args, x, groups, eps);
  set_operand(&args.g, grad), set_operand(&args.x, from);
  if (weight) set_operand(&args.weight, w);
  set_operand(&args.mean, m), set_operand(&args.var, v);
  set_operand(&args.dx, dx), set_operand(&args.dweight, dweight), set_operand(&args.dbias, dbias);
  VEEM_LAUNCH(x.backend(), channel_norm_backward, args);
  return {dx, dweight, dbias};
}

}  // namespace veem
