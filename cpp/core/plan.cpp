#include "core/plan.h"

#include <algorithm>

#include "core/defaults.h"

namespace veem {

namespace {

// Higher-priority operands decide unless the lower ones are of a higher category.
DType combine(DType higher, DType lower) {
  return category(lower) > category(higher) ? promote(higher, lower) : higher;
}

DType weak_dtype(const Scalar& s) {
  return s.kind == Category::Float     ? default_dtype()
         : s.kind == Category::Integer ? DType::Int64
                                       : DType::Bool;
}

// A number as an operand of `dtype`. Integers wrap around in it; for a half, only comparisons round
// the number first: arithmetic takes the number as it is and rounds once, at its end.
void set_immediate(ElementwiseArgs* args, int i, const Scalar& s, DType dtype) {
  DType wanted = compute_type(dtype);
  bool rounds = !is_float(dtype) || row(args->op).gives == Gives::Bool;
  dispatch(rounds ? dtype : wanted, [&](auto stored) {
    auto value = s.to<typename decltype(stored)::type>();
    dispatch(wanted, [&](auto computed) {
      auto wide = static_cast<typename decltype(computed)::type>(value);
      std::memcpy(&args->immediate[i], &wide, sizeof wide);
    });
  });
  args->in[i].dtype = wanted;
}

}  // namespace

void set_operand(Operand* o, const Array& x, const Dims& strides) {
  static_cast<Memory&>(*o) = memory_of(x);
  o->dtype = x.dtype;
  for (int i = 0; i < strides.size(); ++i) o->strides[i] = strides[i];
}

DType result_type(const Input* inputs, int n) {
  bool any[3] = {};
  DType types[3];  // of tensors with dimensions, of 0-d tensors, of numbers
  for (int i = 0; i < n; ++i) {
    const Array* a = inputs[i].array;
    int rank = !a ? 2 : a->ndim() == 0 ? 1 : 0;
    DType t = a ? a->dtype : weak_dtype(inputs[i].scalar);
    types[rank] = any[rank] ? promote(types[rank], t) : t;
    any[rank] = true;
  }
  DType out = DType::Bool;
  bool found = false;
  for (int rank = 0; rank < 3; ++rank) {
    if (!any[rank]) continue;
    out = found ? combine(out, types[rank]) : types[rank];
    found = true;
  }
  return out;
}

ElementwiseArgs plan_elementwise(Op op, DType dtype, const Array& out, const Input* inputs, int n) {
  ElementwiseArgs args;
  args.op = op;
  args.compute = compute_type(dtype);
  args.result = row(op).gives == Gives::Bool ? DType::Bool : args.compute;
  args.inputs = n;

  // The common case, which must cost nothing: all contiguous and of one shape.
  bool flat = out.is_contiguous();
  for (int i = 0; i < n && flat; ++i) {
    const Array* a = inputs[i].array;
    flat = !a || (a->shape == out.shape && a->is_contiguous());
  }
  Dims shape;
  Dims strides[kMaxInputs + 1];
  Dims* lists[kMaxInputs + 1];
  int used = 0;
  if (flat) {
    shape.push_back(out.numel());
    for (int i = 0; i <= n; ++i) strides[i].push_back(1);
  } else {
    shape = out.shape;
    strides[n] = out.strides;
    lists[used++] = &strides[n];
    for (int i = 0; i < n; ++i) {
      if (!inputs[i].array) continue;
      strides[i] = broadcast_strides(inputs[i].array->shape, inputs[i].array->strides, shape);
      lists[used++] = &strides[i];
    }
    collapse(&shape, lists, used);
    if (shape.empty()) {
      shape.push_back(1);
      for (int l = 0; l < used; ++l) lists[l]->push_back(1);
    }
  }
  args.ndim = shape.size();
  for (int d = 0; d < shape.size(); ++d) args.shape[d] = shape[d];
  set_operand(&args.out, out, strides[n]);
  for (int i = 0; i < n; ++i) {
    // The condition of `where` is a bool whatever is computed.
    DType wanted = op == Op::where && i == 0 ? DType::Bool : dtype;
    if (inputs[i].array) set_operand(&args.in[i], *inputs[i].array, strides[i]);
    else set_immediate(&args, i, inputs[i].scalar, wanted);
  }
  return args;
}

namespace {

// A dimension of a reduction's input.
struct Walked {
  int64_t size, in, out;  // strides
};

// Orders dimensions as they lie in memory, the widest step first. One that stays where it is
// (stride 0) is best walked outermost.
void sort_by_stride(Walked* dims, int n) {
  auto wide = [](const Walked& d) { return d.in == 0 ? INT64_MAX : d.in; };
  std::stable_sort(dims, dims + n,
                   [&](const Walked& a, const Walked& b) { return wide(a) > wide(b); });
}

// Collapses dimensions into (shape, in strides, out strides) of the args; returns their number.
int collapse_into(const Walked* dims, int n, int64_t* shape, int64_t* in, int64_t* out) {
  Dims sizes, in_strides, out_strides;
  for (int i = 0; i < n; ++i) {
    sizes.push_back(dims[i].size);
    in_strides.push_back(dims[i].in);
    out_strides.push_back(dims[i].out);
  }
  Dims* lists[] = {&in_strides, &out_strides};
  collapse(&sizes, lists, 2);
  for (int i = 0; i < sizes.size(); ++i) {
    shape[i] = sizes[i];
    in[i] = in_strides[i];
    out[i] = out_strides[i];
  }
  return sizes.size();
}

}  // namespace

ReduceArgs plan_reduce(Op op, DType dtype, const Array& x, uint32_t dims, const Array& out,
                       const Array* values) {
  Walked kept[kMaxDims], reduced[kMaxDims];
  int kept_dims = 0, reduced_dims = 0;
  for (int d = 0; d < x.ndim(); ++d) {
    if (dims >> d & 1) reduced[reduced_dims++] = {x.shape[d], x.strides[d], 0};
    else kept[kept_dims++] = {x.shape[d], x.strides[d], out.strides[d]};
  }
  bool index = op == Op::argmax || op == Op::argmin;  // the order of the reduced ones counts
  sort_by_stride(kept, kept_dims);
  if (!index) sort_by_stride(reduced, reduced_dims);

  ReduceArgs args;
  args.op = op;
  args.compute = compute_type(dtype);
  set_operand(&args.in, x);
  set_operand(&args.out, out);
  args.kept = collapse_into(kept, kept_dims, args.kept_shape, args.in.strides, args.out.strides);
  int64_t unused[kMaxDims];
  args.reduced =
      collapse_into(reduced, reduced_dims, args.reduced_shape, args.in_reduced_strides, unused);
  if (x.numel() == 0) {  // one dimension of none
    args.reduced = 1;
    args.reduced_shape[0] = args.in_reduced_strides[0] = 0;
  }
  auto step = [](int64_t stride) { return stride == 0 ? INT64_MAX : stride; };
  args.columns =
      args.kept > 0 && args.reduced > 0 && x.numel() > 0 &&
      step(args.in.strides[args.kept - 1]) < step(args.in_reduced_strides[args.reduced - 1]);
  if (values) {
    set_operand(&args.values, *values);
    for (int d = 0; d < args.kept; ++d) args.values.strides[d] = args.out.strides[d];
  }
  return args;
}

}  // namespace veem
