// Ops about the order of elements along a dimension: running results, sorting, searching.
#pragma once

#include <tuple>

#include "core/ops.h"

namespace veem {

// cumsum, cumprod and logcumsumexp along dim; sums and products of integers are int64. From the
// end backwards in `reverse`.
Array scan(Scan kind, const Array& x, int64_t dim, bool reverse);
// cummax and cummin: (values, indices).
std::tuple<Array, Array> scan_with_indices(Scan kind, const Array& x, int64_t dim);

// (values, indices) of the elements whose ranks along dim are first, ..., first + count - 1.
std::tuple<Array, Array> sort(const Array& x, int64_t dim, bool descending, int64_t first,
                              int64_t count);

// Where values belong in the sorted last dimension of `sequence`, which is 1-d or has the
// dimensions of values but for the last.
Array searchsorted(const Array& sequence, const Array& values, const Array* sorter, bool right,
                   DType out);

}  // namespace veem
