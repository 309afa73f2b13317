// Products of matrices.
#pragma once

#include "core/args.h"
#include "core/ops.h"

namespace veem {

// a @ b as PyTorch's matmul: 1-d operands are a row or a column that the result lacks, batch
// dimensions broadcast.
Array matmul(const Array& a, const Array& b);

// x (..., in) @ w (out, in)^T + bias (out), or without a bias (null); then the activation, for
// floats.
Array linear(const Array& x, const Array& w, const Array* bias,
             Activation activation = Activation::None);

}  // namespace veem
