// Ops that move elements as they are.
#pragma once

#include "core/ops.h"

namespace veem {

Array contiguous(const Array& x);  // x itself where it is contiguous
Array clone(const Array& x);       // a contiguous copy

// to[...] = from, broadcast and cast, from any device. Reads all of `from` before it writes where
// they overlap.
void copy_into(const Array& to, const Array& from);
void fill(const Array& to, const Scalar& value);
void check_fits(const Scalar& value, DType dtype, const char* op);  // RuntimeError if it overflows

// How a view lies in a tensor: the tensor's strides, then the view's, from the tensor's first
// element on.
struct Slices {
  Dims within, shape, strides;
  int64_t offset;
};
Array copy_slices(const Array& x, const Array& value, const Slices& s);  // x with value there
Array take_slices(const Array& x, const Slices& s);                      // a copy of what is there

Array to_backend(const Array& x, Backend& backend);  // x itself where it is there already

// Joins along `dim`, in the dtype that all promote to. 1-d tensors without elements are skipped,
// as in PyTorch.
Array cat(const std::vector<Array>& arrays, int64_t dim);

}  // namespace veem
