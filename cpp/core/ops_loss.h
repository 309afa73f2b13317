// Losses of predicted classes.
#pragma once

#include <tuple>

#include "core/ops.h"

namespace veem {

// (loss, log(sum(exp)) of every row as maximum + rest (N, 2)) of logits (N, C) and classes (N) of
// int64.
std::tuple<Array, Array> cross_entropy(const Array& logits, const Array& target, int64_t ignore,
                                       double smoothing, Reduction reduction);
Array cross_entropy_backward(const Array& g, const Array& logits, const Array& target,
                             const Array& lse, int64_t ignore, double smoothing,
                             Reduction reduction);

}  // namespace veem
