#include "core/ops_reduce.h"

#include "core/backend.h"
#include "core/ops.h"
#include "core/plan.h"

namespace veem {

namespace {

// The dimensions to reduce as bits; none given means all.
uint32_t dims_mask(const Array& x, const Dims& dims, const char* op) {
  uint32_t mask = 0;
  for (int64_t dim : dims) {
    int d = wrap_dim(dim, x.ndim(), op);
    VEEM_CHECK(!(mask >> d & 1), op, "dim ", d, " appears multiple times in the list of dims ",
               dims);
    mask |= 1u << d;
  }
  return dims.empty() ? (1u << x.ndim()) - 1 : mask;
}

// The largest of no elements does not exist.
void check_not_empty(const Array& x, uint32_t mask, bool all, ErrorKind kind, const char* op) {
  if (x.numel() > 0) return;
  if (all)
    raise(kind, op, "expected reduction dim to be specified for an input of shape ", x.shape,
          ", which has no elements. Specify the reduction dim with the 'dim' argument.");
  for (int d = 0; d < x.ndim(); ++d)
    VEEM_CHECK_AS(Index, !(mask >> d & 1) || x.shape[d] > 0, op, "expected reduction dim ", d,
                  " to have non-zero size, got an input of shape ", x.shape);
}

// A new array of x's shape with the reduced sizes 1.
Array empty_reduced(const Array& x, uint32_t mask, DType dtype) {
  Dims shape = x.shape;
  for (int d = 0; d < x.ndim(); ++d)
    if (mask >> d & 1) shape[d] = 1;
  return empty(shape, dtype, x.backend());
}

Array drop(Array out, uint32_t mask, bool keepdim) {
  for (int d = out.ndim() - 1; d >= 0 && !keepdim; --d) {
    if (!(mask >> d & 1)) continue;
    out.shape.erase(d);
    out.strides.erase(d);
  }
  return out;
}

// Bools may be written as another dtype of one byte; others are computed, then rounded to theirs.
Array run(Op op, DType compute, DType result, const Array& x, uint32_t mask, bool keepdim,
          bool divide = false) {
  Array out = empty_reduced(x, mask, compute == DType::Bool ? result : compute_type(compute));
  if (out.numel() > 0) {
    ReduceArgs args = plan_reduce(op, compute, x, mask, out);
    if (divide) args.divisor = static_cast<double>(x.numel()) / static_cast<double>(out.numel());
    VEEM_LAUNCH(x.backend(), reduce, args);
  }
  return drop(cast(out, result), mask, keepdim);
}

// Inputs of a half dtype that was asked for are rounded to it before they are added up.
Array rounded(const Array& x, const DType* dtype) {
  return dtype && *dtype != compute_type(*dtype) ? cast(x, *dtype) : x;
}

std::pair<Array, Array> run_with_indices(Op op, const Array& x, uint32_t mask, bool keepdim,
                                         bool want_values) {
  Array indices = empty_reduced(x, mask, DType::Int64), values;
  if (want_values) values = empty_reduced(x, mask, compute_type(x.dtype));
  if (indices.numel() > 0)
    VEEM_LAUNCH(x.backend(), reduce,
                plan_reduce(op, x.dtype, x, mask, indices, want_values ? &values : nullptr));
  if (want_values) values = drop(cast(values, x.dtype), mask, keepdim);
  return {values, drop(indices, mask, keepdim)};
}

}  // namespace

Array reduce(Op op, const Array& x, const Dims& dims, bool keepdim, const DType* dtype) {
  const OpRow& r = row(op);
  uint32_t mask = dims_mask(x, dims, r.name);
  if (op == Op::amax || op == Op::amin)
    check_not_empty(x, mask, dims.empty(), ErrorKind::Runtime, r.name);
  DType compute = x.dtype, result;
  switch (r.gives) {
    case Gives::Wide:
      compute = dtype ? *dtype : is_float(x.dtype) ? x.dtype : DType::Int64;
      result = compute;
      break;
    case Gives::Bool:
      compute = DType::Bool;
      result = x.dtype == DType::UInt8 ? DType::UInt8 : DType::Bool;  // as PyTorch has it
      break;
    default: result = compute;
  }
  return run(op, compute, result, rounded(x, dtype), mask, keepdim);
}

Array mean(const Array& x, const Dims& dims, bool keepdim, const DType* dtype) {
  uint32_t mask = dims_mask(x, dims, "mean");
  DType t = dtype ? *dtype : x.dtype;
  VEEM_CHECK(is_float(t), "mean",
             "could not infer output dtype: ", dtype ? "the optional dtype" : "the input dtype",
             " must be floating point, got ", name(t),
             "; try x.float().mean() or dtype=veem.float32");
  return run(Op::sum, t, t, rounded(x, dtype), mask, keepdim, true);
}

Array arg_reduce(Op op, const Array& x, const int64_t* dim, bool keepdim) {
  const OpRow& r = row(op);
  uint32_t mask = dims_mask(x, dim ? Dims{*dim} : Dims{}, r.name);
  VEEM_CHECK(x.dtype != DType::Bool, r.name,
             "does not support bool input; convert it first, "
             "e.g. x.long()");
  check_not_empty(x, mask, !dim, ErrorKind::Index, r.name);
  return run_with_indices(op, x, mask, keepdim, false).second;
}

std::pair<Array, Array> reduce_with_indices(Op op, const Array& x, int64_t dim, bool keepdim) {
  const char* name = op == Op::argmax ? "max" : "min";
  uint32_t mask = dims_mask(x, Dims{dim}, name);
  check_not_empty(x, mask, false, ErrorKind::Index, name);
  return run_with_indices(op, x, mask, keepdim, true);
}

}  // namespace veem
