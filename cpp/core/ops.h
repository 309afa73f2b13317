// The public C++ ops. Each checks its inputs, infers the result, allocates, plans and launches:
// every user error is raised here, and kernels assume that all is well.
#pragma once

#include "core/plan.h"

namespace veem {

// Any row of ops.def with an arity. Without `out` the result is a new array; with it (in-place
// ops) the result is cast and written there, and its shape must be the broadcast shape.
Array elementwise(Op op, const Input* inputs, int n, const Array* out = nullptr);

inline Array unary(Op op, const Array& x) {
  Input in[] = {x};
  return elementwise(op, in, 1);
}
inline Array binary(Op op, const Input& a, const Input& b) {
  Input in[] = {a, b};
  return elementwise(op, in, 2);
}

Array cast(const Array& x, DType dtype);  // x itself when it has that dtype

// Does x's backend lack kernels for its dtype? They then run on x widened.
bool widens(const Array& x);
Array widened(const Array& x);

// Raises unless all tensors among the inputs are on one device, which is returned.
Backend& common_backend(const Input* inputs, int n, const char* op);

bool same_memory(const Array& a, const Array& b);  // the same elements in the same order
bool overlaps(const Array& a, const Array& b);     // may they share a byte?

// Raises when the memory of an in-place op's target holds one element several times.
void check_writable(const Array& out, const char* op);

}  // namespace veem
