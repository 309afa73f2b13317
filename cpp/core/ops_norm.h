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

// Batch norm (groups 0) and group norm of x (N, channels, ...): (out, mean, variance), the moments
// of shape (channels) or (N, groups).
std::tuple<Array, Array, Array> channel_norm(const Array& x, const Array* weight, const Array* bias,
                                             int64_t groups, double eps);
// Batch norm with a mean and a variance (channels) that are known.
Array channel_norm_given(const Array& x, const Array& mean, const Array& var, const Array* weight,
                         const Array* bias, double eps);
std::tuple<Array, Array, Array> channel_norm_backward(const Array& g, const Array& x,
                                                      const Array* weight, const Array& mean,
                                                      const Array& var, int64_t groups, double eps);

}  // namespace veem
