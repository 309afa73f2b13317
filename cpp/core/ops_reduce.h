// Reductions: PyTorch's names, results and errors. `dims` may be negative; empty means all.
#pragma once

#include <utility>

#include "core/array.h"
#include "core/optable.h"

namespace veem {

// sum, prod, amax, amin, any, all. Sums and products are computed in `dtype` where it is given.
Array reduce(Op op, const Array& x, const Dims& dims, bool keepdim, const DType* dtype = nullptr);
// sum / number of elements, of floats.
Array mean(const Array& x, const Dims& dims, bool keepdim, const DType* dtype = nullptr);

// The index of the first of the largest or smallest elements; a NaN counts as either. Without
// dim, over the flattened tensor.
Array arg_reduce(Op op, const Array& x, const int64_t* dim, bool keepdim);
// (values, indices) along dim; op is argmax or argmin.
std::pair<Array, Array> reduce_with_indices(Op op, const Array& x, int64_t dim, bool keepdim);

}  // namespace veem
