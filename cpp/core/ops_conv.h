// Convolution and pooling of images (batch, channels, height, width).
#pragma once

#include <tuple>

#include "core/ops.h"

namespace veem {

// How a window moves over an image: (height, width) each.
struct Windows {
  Dims stride, pad, dilation;
};

Array conv2d(const Array& x, const Array& weight, const Array* bias, const Windows& windows,
             int64_t groups);
// The gradients of x and of weight, whose shapes are `shape`, from g, the gradient of the result.
Array conv2d_backward_input(const Array& g, const Array& weight, const Dims& shape,
                            const Windows& windows, int64_t groups);
Array conv2d_backward_weight(const Array& g, const Array& x, const Dims& shape,
                             const Windows& windows, int64_t groups);

// (largest elements, their indices in the height * width plane).
std::tuple<Array, Array> max_pool2d(const Array& x, const Dims& kernel, const Windows& windows,
                                    bool ceil_mode);
Array max_pool2d_backward(const Array& g, const Array& index, const Dims& shape, const Dims& kernel,
                          const Windows& windows);

}  // namespace veem
