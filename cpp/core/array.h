// Array = storage + shape + strides + offset + dtype. Views share the storage and cost O(1).
#pragma once

#include "core/dtype.h"
#include "core/shape.h"
#include "core/storage.h"

namespace veem {

struct Array {
  StoragePtr storage;
  Dims shape, strides;
  int64_t offset = 0;  // in elements
  DType dtype = DType::Float32;

  int ndim() const { return shape.size(); }
  int64_t numel() const { return veem::numel(shape); }
  bool is_hollow() const { return storage->data == nullptr; }  // a shape without data
  int64_t nbytes() const { return numel() * item_size(dtype); }
  bool is_contiguous() const { return veem::is_contiguous(shape, strides); }
  Backend& backend() const { return *storage->backend; }
  char* data() const { return static_cast<char*>(storage->data) + offset * item_size(dtype); }
  template <class T> T* as() const { return reinterpret_cast<T*>(data()); }
};

Array empty(const Dims& shape, DType dtype, Backend& backend);
Array empty_like(const Array& x, DType dtype);  // dense, with x's order of strides
Array hollow(const Array& like);                // the same shape and dtype without the data

// Views. The names, arguments and errors are PyTorch's.
Array as_strided(const Array& x, const Dims& shape, const Dims& strides, int64_t offset);
// The bytes as elements of another dtype; sizes, strides and the offset must be whole numbers of
// these.
Array view_as(const Array& x, DType dtype);
// Windows of `size` elements along dim, `step` apart, as a last dimension.
Array unfold(const Array& x, int64_t dim, int64_t size, int64_t step);
Array reshape_view(const Array& x, const Dims& shape);  // raises where only a copy can do it
Array permute(const Array& x, const Dims& dims);
Array transpose(const Array& x, int64_t dim0, int64_t dim1);
Array expand(const Array& x, const Dims& shape);
Array squeeze(const Array& x);
Array squeeze(const Array& x, const Dims& dims);
Array unsqueeze(const Array& x, int64_t dim);
Array slice(const Array& x, int64_t dim, int64_t start, int64_t stop, int64_t step);
Array select(const Array& x, int64_t dim, int64_t index);

}  // namespace veem
