#include "core/plan.h"

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

void set_operand(Operand* o, const Array& a, const Dims& strides) {
  o->data = a.data();
  o->storage = a.storage.get();
  o->dtype = a.dtype;
  for (int i = 0; i < strides.size(); ++i) o->strides[i] = strides[i];
}

void set_immediate(ElementwiseArgs* args, int i, const Scalar& s, DType dtype) {
  dispatch(dtype, row(args->op).name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T value = s.to<T>();
    std::memcpy(&args->immediate[i], &value, sizeof(T));
  });
  args->in[i].dtype = dtype;
}

}  // namespace

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

ElementwiseArgs plan_elementwise(Op op, DType compute, const Array& out, const Input* inputs,
                                 int n) {
  ElementwiseArgs args;
  args.op = op;
  args.compute = compute;
  args.result = row(op).gives == Gives::Bool ? DType::Bool : compute;
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
    DType wanted = op == Op::where && i == 0 ? DType::Bool : compute;
    if (inputs[i].array)
      set_operand(&args.in[i], *inputs[i].array, strides[i]);
    else
      set_immediate(&args, i, inputs[i].scalar, wanted);
  }
  return args;
}

}  // namespace veem
