// Pooling over 1 to 3 dimensions: a number for each window of each plane of x (batch, channels,
// ...); and the windows themselves.
#pragma once

#include <tuple>

#include "core/windows.h"

namespace veem {

// (largest elements, their indices in the plane).
std::tuple<Array, Array> max_pool(const Array& x, const Dims& kernel, const Windows& windows,
                                  bool ceil_mode);
// The same over windows that divide a plane into this many as evenly as can be.
std::tuple<Array, Array> adaptive_max_pool(const Array& x, const Dims& size);
// The gradient of x, of this shape. Without a kernel the windows are adaptive.
Array max_pool_backward(const Array& g, const Array& index, const Dims& shape, const Dims& kernel,
                        const Windows& windows);

// Sums of windows divided by the number of their elements, those in the padding among them if
// count_pad; or by the divisor if it is not 0.
Array avg_pool(const Array& x, const Dims& kernel, const Windows& windows, bool ceil_mode,
               bool count_pad, int64_t divisor);
Array adaptive_avg_pool(const Array& x, const Dims& size);
Array avg_pool_backward(const Array& g, const Dims& shape, const Dims& kernel,
                        const Windows& windows, bool ceil_mode, bool count_pad, int64_t divisor);
Array adaptive_avg_pool_backward(const Array& g, const Dims& shape);

// x (batch, channels, ...) -> (batch, channels * elements of a window, windows), and back, which
// adds up where windows overlap. size is that of a plane.
Array unfold(const Array& x, const Dims& kernel, const Windows& windows);
Array fold(const Array& columns, const Dims& size, const Dims& kernel, const Windows& windows);

// Along dim, which becomes `size` long, element i is the sum of weight[t] * x[index[t]] over t in
// [first[i], first[i + 1]).
Array resample(const Array& x, int64_t dim, int64_t size, const Array& first, const Array& index,
               const Array& weight);

}  // namespace veem
