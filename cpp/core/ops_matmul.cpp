#include "core/ops_matmul.h"

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

void check_operands(const Array& a, const Array& b, const char* op) {
  Input both[] = {a, b};
  common_backend(both, 2, op);
  VEEM_CHECK(a.dtype == b.dtype, op,
             "expected both tensors to have the same dtype, but got: ", name(a.dtype),
             " != ", name(b.dtype), "; convert one, e.g. x.to(y.dtype)");
  VEEM_CHECK(a.dtype != DType::Bool, op, "not implemented for 'bool'; convert to a number first");
}

// The dimensions before the last two.
Dims batch_of(const Dims& d) {
  Dims out;
  for (int i = 0; i + 2 < d.size(); ++i) out.push_back(d[i]);
  return out;
}

// out = activation(a @ b (+ bias)) for operands of at least 2 dimensions.
Array multiply(const Array& a, const Array& b, const Array* bias, Activation activation,
               const char* op) {
  int last = a.ndim() - 1;
  int64_t m = a.shape[last - 1], k = a.shape[last], n = b.shape.back();
  VEEM_CHECK(b.shape[b.ndim() - 2] == k, op, "mat1 and mat2 shapes cannot be multiplied (", m, "x",
             k, " and ", b.shape[b.ndim() - 2], "x", n, "), from shapes ", a.shape, " and ",
             b.shape);
  Dims batch = broadcast(batch_of(a.shape), batch_of(b.shape), op);
  Dims shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  Array out = empty(shape, a.dtype, a.backend());
  if (out.numel() == 0) return out;

  MatmulArgs args;
  args.dtype = a.dtype;
  args.m = m, args.n = n, args.k = k;
  set_operand(&args.a, a), set_operand(&args.w, b), set_operand(&args.out, out);
  args.a_row = a.strides[last - 1], args.a_col = a.strides[last];
  args.w_row = b.strides[b.ndim() - 2], args.w_col = b.strides.back();
  Dims a_batch = broadcast_strides(batch_of(a.shape), batch_of(a.strides), batch);
  Dims b_batch = broadcast_strides(batch_of(b.shape), batch_of(b.strides), batch);
  Dims* lists[] = {&a_batch, &b_batch};
  collapse(&batch, lists, 2);
  if (batch.size() == 1 && b_batch[0] == 0 && a_batch[0] == m * args.a_row) {
    args.m *= batch[0];  // one matrix for the whole batch: its rows are the rows of one product
    batch = Dims();
  }
  args.batch_dims = batch.size();
  for (int i = 0; i < batch.size(); ++i) {
    args.batch_shape[i] = batch[i];
    args.a.strides[i] = a_batch[i];
    args.w.strides[i] = b_batch[i];
  }
  if (bias) set_operand(&args.bias, *bias);
  args.activation = activation;
  VEEM_LAUNCH(a.backend(), matmul, args);
  return out;
}

}  // namespace

Array matmul(const Array& a, const Array& b) {
  check_operands(a, b, "matmul");
  VEEM_CHECK(a.ndim() > 0 && b.ndim() > 0, "matmul",
             "both arguments need to be at least 1-d, but "
             "they are ",
             a.ndim(), "-d and ", b.ndim(), "-d; use * for numbers");
  Array x = a.ndim() == 1 ? unsqueeze(a, 0) : a;
  Array y = b.ndim() == 1 ? unsqueeze(b, 1) : b;
  Array out = multiply(x, y, nullptr, Activation::None, "matmul");
  if (b.ndim() == 1) out = squeeze(out, {-1});
  if (a.ndim() == 1) out = squeeze(out, {b.ndim() == 1 ? -1 : -2});
  return out;
}

Array linear(const Array& x, const Array& w, const Array* bias, Activation activation) {
  check_operands(x, w, "linear");
  VEEM_CHECK(activation == Activation::None || is_float(x.dtype), "linear",
             "an activation is for floating point, but input and weight are ", name(x.dtype),
             "; convert them, e.g. x.float()");
  VEEM_CHECK(x.ndim() > 0 && w.ndim() == 2, "linear",
             "expected input (..., in) and weight "
             "(out, in), got ",
             x.shape, " and ", w.shape);
  VEEM_CHECK(x.shape.back() == w.shape[1], "linear",
             "mat1 and mat2 shapes cannot be multiplied: "
             "the input's last size ",
             x.shape.back(), " must be the weight's in-features ", w.shape[1], ", from shapes ",
             x.shape, " and ", w.shape);
  Array b;
  if (bias) {
    check_operands(x, *bias, "linear");
    VEEM_CHECK(bias->ndim() == 1 && bias->shape[0] == w.shape[0], "linear",
               "expected a bias of shape [", w.shape[0], "], got ", bias->shape);
    b = contiguous(*bias);
  }
  Array rows = x.ndim() == 1 ? unsqueeze(x, 0) : x;
  Dims flat{numel(batch_of(rows.shape)) * rows.shape[rows.ndim() - 2], x.shape.back()};
  Dims strides;
  rows = reshape_view(
      view_strides(rows.shape, rows.strides, flat, &strides) ? rows : contiguous(rows), flat);
  Array out = multiply(rows, transpose(w, 0, 1), bias ? &b : nullptr, activation, "linear");
  Dims shape = x.shape;
  shape[shape.size() - 1] = w.shape[0];
  return reshape_view(out, shape);
}

}  // namespace veem
