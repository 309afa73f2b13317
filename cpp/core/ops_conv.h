// Convolution over 1 to 3 dimensions: x (batch, channels, ...), weight (filters, channels / groups,
// ...). conv_transpose takes x of as many channels as the weight has filters.
#pragma once

#include "core/windows.h"

namespace veem {

Array convolution(const Array& x, const Array& weight, const Array* bias, const Windows& windows,
                  int64_t groups);
// The convolution's transpose, with a result of this size in space: what the gradient of the
// convolution's input is, of its output's gradient x.
Array conv_transpose(const Array& x, const Array& weight, const Array* bias, const Dims& size,
                     const Windows& windows, int64_t groups);
// The gradient of the convolution's weight, of this shape, from g, the gradient of its result.
Array conv_backward_weight(const Array& g, const Array& x, const Dims& shape,
                           const Windows& windows, int64_t groups);

}  // namespace veem
