// Ops that address elements through numbers, slices and index tensors. Index tensors are int64
// or int32; an index that is out of range raises IndexError before anything is written.
#pragma once

#include "core/ops.h"

namespace veem {

// One part of x[3, 1:9:2, None, ..., True, ids, mask].
struct IndexItem {
  enum Kind : uint8_t { Select, Slice, NewAxis, Ellipsis, Flag, Tensor } kind;
  int64_t start = 0, stop = 0, step = 1;  // Select: start is the index; Flag: start is 0 or 1
  const Array* tensor = nullptr;          // integers, or a mask
};
using Index = std::vector<IndexItem>;

// x[index] for an index of numbers, slices, new axes and an ellipsis: a view.
Array getitem(const Array& x, const Index& index);
// The gradient of getitem: zeros of `shape` with g where the index points.
Array getitem_backward(const Array& g, const Dims& shape, const Index& index);
// x[index] = value, broadcast and cast.
void setitem_(const Array& x, const Index& index, const Input& value);

// The diagonal of two dimensions as the last dimension of a view, and the gradient of that.
Array diagonal(const Array& x, int64_t offset, int64_t dim1, int64_t dim2);
Array diagonal_backward(const Array& g, const Dims& shape, int64_t offset, int64_t dim1,
                        int64_t dim2);

// x[index] for any index, as in NumPy: a new array. Index tensors broadcast; their shape takes
// the place of the dimensions that they index where these are neighbours and comes first
// otherwise. A mask stands for the positions of its true elements.
Array index(const Array& x, const Index& index);
// x[index] = value, broadcast, or += value, where elements named twice add up.
void index_put_(const Array& x, const Index& index, const Input& value, bool accumulate);

// out[..., j, ...] = x[..., index[..., j, ...], ...] along dim; index has x's dimensions.
Array gather(const Array& x, int64_t dim, const Array& index);
// The reverse: x[..., index[..., j, ...], ...] = src[..., j, ...], or +=, and so on.
void scatter_(const Array& x, int64_t dim, const Array& index, const Input& src,
              IndexedKind kind = IndexedKind::Write);
// The same by name: "sum", "prod", "amax" or "amin".
void scatter_reduce_(const Array& x, int64_t dim, const Array& index, const Array& src,
                     const std::string& reduce);

// Whole slices of x along dim, named by a 1-d index.
Array index_select(const Array& x, int64_t dim, const Array& index);
// x's slices = src's, or +=, and so on.
void index_copy_(const Array& x, int64_t dim, const Array& index, const Array& src,
                 IndexedKind kind = IndexedKind::Write);
// The same by name: "prod", "amax" or "amin".
void index_reduce_(const Array& x, int64_t dim, const Array& index, const Array& src,
                   const std::string& reduce);

// x = value where mask holds; mask and value broadcast to x.
void masked_fill_(const Array& x, const Array& mask, const Input& value);

// The positions of the elements that are not 0: (number, ndim), in order.
Array nonzero(const Array& x);

}  // namespace veem
