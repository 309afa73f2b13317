// Softmax, and the losses of classes that are built on it.
#pragma once

#include "core/ops.h"

namespace veem {

// exp(x) / sum(exp(x)) along dim, or its logarithm.
Array softmax(const Array& x, int64_t dim, bool log);
// The gradient of x from that of the output, and the output.
Array softmax_backward(const Array& g, const Array& out, int64_t dim, bool log);

}  // namespace veem
