// Walks over strided memory and conversions between dtypes.
#pragma once

#include "core/dtype.h"
#include "core/shape.h"

namespace veem {
namespace VEEM_ISA {
namespace {

// Where a walk over a strided nest of loops has come to, in row-major order.
struct Walk {
  int last;  // the innermost dimension; -1 for a single element
  const int64_t *shape, *strides;
  int64_t at = 0;  // element offset
  int64_t index[kMaxDims];

  Walk(int ndim, const int64_t* shape, const int64_t* strides, int64_t begin)
      : last(ndim - 1), shape(shape), strides(strides) {
    for (int d = last; d >= 0; --d) {
      int64_t size = d > 0 && shape[d] > 0 ? shape[d] : begin + 1;  // sizes of 0 are walked too
      index[d] = begin % size;
      at += index[d] * strides[d];
      begin /= size;
    }
  }
  int64_t stride() const { return last < 0 ? 1 : strides[last]; }
  // How many elements lie ahead along the innermost dimension.
  int64_t run() const { return last < 0 ? 1 : shape[last] - index[last]; }
  // Moves on by n <= run() elements.
  void advance(int64_t n) {
    if (last < 0) return;
    at += n * strides[last];
    index[last] += n;
    for (int d = last; d > 0 && index[d] == shape[d]; --d) {
      at += strides[d - 1] - index[d] * strides[d];
      index[d] = 0;
      ++index[d - 1];
    }
  }
};

template <class From, class To>
void convert(const void* from, int64_t stride, int64_t n, void* to) {
  const From* x = static_cast<const From*>(from);
  To* y = static_cast<To*>(to);
  if (stride == 1)
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<To>(x[i]);
  else
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<To>(x[i * stride]);
}

using ConvertFn = void (*)(const void* from, int64_t stride, int64_t n, void* to);

template <class To>
constexpr ConvertFn converter(DType from) {
  switch (from) {
#define VEEM_TYPE(T, D) \
  case DType::D: return convert<T, To>;
    VEEM_ALL_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return nullptr;
  }
}

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
