#include "core/ops_attention.h"

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

const char* const kOp = "scaled_dot_product_attention";

// The dimensions before the last two.
Dims leading(const Dims& d) {
  Dims out;
  for (int i = 0; i + 2 < d.size(); ++i) out.push_back(d[i]);
  return out;
}

// Its rows at any distance, but each of one piece.
Array with_rows(const Array& x) { return x.strides.back() == 1 ? x : contiguous(x); }

void check(const Array& q, const Array& k, const Array& v, const Array* mask) {
  for (const Array* x : {&k, &v, mask}) {
    if (!x) continue;
    VEEM_CHECK(x->dtype == q.dtype, kOp, "query is ", name(q.dtype), " and another argument ",
               name(x->dtype), "; convert one, e.g. x.to(y.dtype)");
    Input both[] = {q, *x};
    common_backend(both, 2, kOp);
    VEEM_CHECK(x->ndim() >= 2, kOp, "expected at least 2 dimensions, got shape ", x->shape);
  }
  VEEM_CHECK_AS(NotImplemented, is_float(q.dtype), kOp, "not implemented for ", name(q.dtype),
                "; convert to float32 first, e.g. x.float()");
  int n = q.ndim();
  bool fits =
      n >= 2 && q.shape[n - 1] == k.shape.back() && k.shape[k.ndim() - 2] == v.shape[v.ndim() - 2];
  VEEM_CHECK(fits, kOp, "expected query (..., L, E), key (..., S, E) and value (..., S, V), got ",
             q.shape, ", ", k.shape, " and ", v.shape);
}

// Everything but the results.
struct Setting {
  Array q, k, v, mask;
  Dims batch, shape;  // leading dimensions; those as the kernels see them
};

Setting set(AttentionArgs* args, const Array& q, const Array& k, const Array& v, const Array* mask,
            double scale, bool causal) {
  check(q, k, v, mask);
  Setting s{with_rows(q), with_rows(k), with_rows(v), mask ? *mask : Array(), {}, {}};
  int64_t L = q.shape[q.ndim() - 2], S = k.shape[k.ndim() - 2];
  s.batch = broadcast(broadcast(leading(q.shape), leading(k.shape), kOp), leading(v.shape), kOp);
  args->dtype = q.dtype;
  args->queries = L, args->keys = S;
  args->width = q.shape.back(), args->value_width = v.shape.back();
  args->scale = scale, args->causal = causal;
  Dims strides[4];
  const Array* arrays[] = {&s.q, &s.k, &s.v, &s.mask};
  Operand* operands[] = {&args->q, &args->k, &args->v, &args->mask};
  for (int i = 0; i < 3 + (mask != nullptr); ++i) {
    const Array& x = *arrays[i];
    strides[i] = broadcast_strides(leading(x.shape), leading(x.strides), s.batch);
    set_operand(operands[i], x, strides[i]);
  }
  args->q_row = s.q.strides[q.ndim() - 2];
  args->k_row = s.k.strides[k.ndim() - 2];
  args->v_row = s.v.strides[v.ndim() - 2];
  if (mask) {
    Dims plane{L, S}, steps, of_plane;
    for (int i = 2; i > 0; --i) {
      steps.push_back(mask->strides[mask->ndim() - i]);
      of_plane.push_back(mask->shape[mask->ndim() - i]);
    }
    Dims at = broadcast_strides(of_plane, steps, plane);
    args->mask_row = at[0], args->mask_column = at[1];
  }
  args->batch_dims = s.batch.size();
  for (int i = 0; i < s.batch.size(); ++i) args->batch_shape[i] = s.batch[i];
  return s;
}

Dims with_plane(Dims batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

}  // namespace

std::tuple<Array, Array> attention(const Array& q, const Array& k, const Array& v,
                                   const Array* mask, double scale, bool causal) {
  AttentionArgs args;
  Setting s = set(&args, q, k, v, mask, scale, causal);
  Array out = empty(with_plane(s.batch, args.queries, args.value_width), q.dtype, q.backend());
  DType wide = q.dtype == DType::Float64 ? DType::Float64 : DType::Float32;
  Array lse = empty(with_plane(s.batch, args.queries, 1), wide, q.backend());
  set_operand(&args.out, out), set_operand(&args.lse, lse);
  if (lse.numel() > 0) VEEM_LAUNCH(q.backend(), attention, args);
  return {out, lse};
}

std::tuple<Array, Array, Array> attention_backward(const Array& g, const Array& q, const Array& k,
                                                   const Array& v, const Array* mask,
                                                   const Array& out, const Array& lse, double scale,
                                                   bool causal) {
  AttentionBackwardArgs args;
  Setting s = set(&args, q, k, v, mask, scale, causal);
  Array grad = contiguous(g), result = contiguous(out), divisors = contiguous(lse);
  auto gradient = [&](int64_t rows, int64_t columns) {
    return empty(with_plane(s.batch, rows, columns), q.dtype, q.backend());
  };
  Array dq = gradient(args.queries, args.width), dk = gradient(args.keys, args.width);
  Array dv = gradient(args.keys, args.value_width);
  set_operand(&args.g, grad), set_operand(&args.out, result), set_operand(&args.lse, divisors);
  set_operand(&args.dq, dq), set_operand(&args.dk, dk), set_operand(&args.dv, dv);
  if (dq.numel() + dk.numel() + dv.numel() > 0) VEEM_LAUNCH(q.backend(), attention_backward, args);
  return {dq, dk, dv};
}

}  // namespace veem
