// Products of matrices.
#pragma once

#include "core/ops.h"

namespace veem {

// a @ b as PyTorch's matmul: 1-d operands are a row or a column that the result lacks, batch
// dimensions broadcast.
Array matmul(const Array& a, const Array& b);

// x (..., in) @ w (out, in)^T + bias (out), or without a bias (null).
Array linear(const Array& x, const Array& w, const Array* bias);

}  // namespace veem
