// Decisions that need no device: which case is this, in how few dimensions? Each is made once,
// here, for every backend.
#pragma once

#include "core/args.h"
#include "core/array.h"

namespace veem {

// An operand of an op: a tensor, or a Python number (array is null).
struct Input {
  const Array* array = nullptr;
  Scalar scalar;
  Input(const Array& a) : array(&a) {}
  Input(Scalar s) : scalar(s) {}
  Input() = default;
};

inline Memory memory_of(const Array& x) { return {x.data(), x.storage.get()}; }
// An array as kernels see it, with strides over the args' loop shape where they have one.
void set_operand(Operand* o, const Array& x, const Dims& strides = {});

// PyTorch's result_type: tensors with dimensions decide; 0-d tensors, then numbers, take part
// only when their category (bool < integer < float) is higher.
DType result_type(const Input* inputs, int n);

// The loop that computes out = op(inputs): shapes broadcast, dimensions collapsed.
ElementwiseArgs plan_elementwise(Op op, DType dtype, const Array& out, const Input* inputs, int n);

// out = reduce(x) over the dimensions whose bit in `dims` is set. out (and values, beside indices)
// has x's shape with those sizes 1.
ReduceArgs plan_reduce(Op op, DType dtype, const Array& x, uint32_t dims, const Array& out,
                       const Array* values = nullptr);

}  // namespace veem
