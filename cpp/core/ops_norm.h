// Normalisation.
#pragma once

#include <tuple>

#include "core/ops.h"

namespace veem {

// (out, mean, 1 / standard deviation) over the last dimensions, whose sizes are `shape`.
std::tuple<Array, Array, Array> layer_norm(const Array& x, const Dims& shape, const Array* weight,
                                           const Array* bias, double eps);

// The gradients of x, weight and bias.
std::tuple<Array, Array, Array> layer_norm_backward(const Array& g, const Array& x,
                                                    const Array* weight, const Array& mean,
                                                    const Array& rstd, const Dims& shape);

}  // namespace veem
