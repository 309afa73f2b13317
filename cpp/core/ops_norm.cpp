#include "core/ops_norm.h"

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

Operand operand(const Array& x) {
  Operand o;
  o.data = x.data();
  o.storage = x.storage.get();
  o.dtype = x.dtype;
  return o;
}

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
  args.x = operand(from);
  if (weight) args.weight = operand(w);
  if (bias) args.bias = operand(b);
  args.out = operand(out), args.mean = operand(mean), args.rstd = operand(rstd);
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
  args.g = operand(grad), args.x = operand(from), args.mean = operand(m), args.rstd = operand(r);
  if (weight) args.weight = operand(w);
  args.dx = operand(dx), args.dweight = operand(dweight), args.dbias = operand(dbias);
  VEEM_LAUNCH(x.backend(), layer_norm_backward, args);
  return {dx, dweight, dbias};
}

}  // namespace veem
