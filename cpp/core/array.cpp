#include "core/array.h"

#include <algorithm>

#include "core/backend.h"

namespace veem {

Array empty(const Dims& shape, DType dtype, Backend& backend) {
  for (int64_t s : shape) VEEM_CHECK(s >= 0, "empty", "negative size in shape ", shape);
  check_dtype(backend, dtype);
  Array out;
  out.shape = shape;
  out.strides = contiguous_strides(shape);
  out.dtype = dtype;
  int64_t bytes;
  VEEM_CHECK(!__builtin_mul_overflow(out.numel(), item_size(dtype), &bytes), "empty", shape,
             " has more bytes than fit in 63 bits");
  out.storage = make_storage(backend, static_cast<size_t>(bytes));
  return out;
}

Array empty_like(const Array& x, DType dtype) {
  if (x.is_contiguous()) return empty(x.shape, dtype, x.backend());
  Dims order = memory_order(x.shape, x.strides), sorted, inverse(x.ndim(), 0);
  for (int i = 0; i < x.ndim(); ++i) {
    sorted.push_back(x.shape[order[i]]);
    inverse[order[i]] = i;
  }
  return permute(empty(sorted, dtype, x.backend()), inverse);
}

Array hollow(const Array& like) {
  Array out;
  out.storage = like.backend().nothing;
  out.shape = like.shape;
  out.strides = like.strides;
  out.offset = like.offset;
  out.dtype = like.dtype;
  return out;
}

Array as_strided(const Array& x, const Dims& shape, const Dims& strides, int64_t offset) {
  VEEM_CHECK(shape.size() == strides.size(), "as_strided", "shape ", shape, " and strides ",
             strides, " must have the same length");
  VEEM_CHECK(offset >= 0, "as_strided", "the offset must not be negative, got ", offset);
  int64_t last = offset, reach;  // the furthest element that the view reaches
  bool beyond = false;           // what 63 bits can count
  for (int i = 0; i < shape.size(); ++i) {
    VEEM_CHECK(shape[i] >= 0 && strides[i] >= 0, "as_strided",
               "sizes and strides must not be negative, got ", shape, " and ", strides);
    beyond |= __builtin_mul_overflow(std::max<int64_t>(shape[i] - 1, 0), strides[i], &reach) ||
              __builtin_add_overflow(last, reach, &last);
  }
  int64_t held = static_cast<int64_t>(x.storage->bytes) / item_size(x.dtype);
  VEEM_CHECK(numel(shape) == 0 || (!beyond && last < held), "as_strided", "shape ", shape,
             ", strides ", strides, " and offset ", offset, " reach beyond a storage of ", held);
  Array out = x;
  out.shape = shape;
  out.strides = strides;
  out.offset = offset;
  return out;
}

Array view_as(const Array& x, DType dtype) {
  int64_t from = item_size(x.dtype), to = item_size(dtype);
  check_dtype(x.backend(), dtype);
  Array out = x;
  out.dtype = dtype;
  if (from == to) return out;
  VEEM_CHECK(x.ndim() > 0, "view", "a 0-dim tensor of ", name(x.dtype), " cannot be viewed as ",
             name(dtype), ", whose elements have another size; use .to(...) to convert the number");
  VEEM_CHECK(x.strides.back() == 1, "view", "the last stride must be 1 to view ", name(x.dtype),
             " as ", name(dtype), ", got strides ", x.strides, "; use .contiguous() first");
  auto scaled = [&](int64_t n, const char* what) {
    VEEM_CHECK(n * from % to == 0, "view", what, " of ", n, " elements of ", name(x.dtype),
               " is no whole number of elements of ", name(dtype));
    return n * from / to;
  };
  int last = x.ndim() - 1;
  out.shape[last] = scaled(x.shape[last], "a last dimension");
  out.offset = scaled(x.offset, "an offset");
  for (int d = 0; d < last; ++d) out.strides[d] = scaled(x.strides[d], "a stride");
  return out;
}

Array unfold(const Array& x, int64_t dim, int64_t size, int64_t step) {
  int d = wrap_dim(dim, x.ndim(), "unfold");
  int64_t n = x.ndim() ? x.shape[d] : 1, stride = x.ndim() ? x.strides[d] : 1;
  VEEM_CHECK(size >= 0 && size <= n, "unfold", "maximum size for tensor at dimension ", d, " is ",
             n, " but size is ", size);
  VEEM_CHECK(step > 0, "unfold", "step is ", step, " but must be > 0");
  Array out = x;
  if (x.ndim()) {
    out.shape[d] = (n - size) / step + 1;
    out.strides[d] = stride * step;
  }
  out.shape.push_back(size);
  out.strides.push_back(stride);
  numel(out.shape);  // raises where it is too large
  return out;
}

Array reshape_view(const Array& x, const Dims& shape) {
  Array out = x;
  out.shape = infer_size(shape, x.numel(), "view");
  VEEM_CHECK(view_strides(x.shape, x.strides, out.shape, &out.strides), "view", "shape ", out.shape,
             " is not compatible with input of shape ", x.shape, " and strides ", x.strides,
             "; use .reshape(...) instead, which copies");
  return out;
}

Array permute(const Array& x, const Dims& dims) {
  VEEM_CHECK(dims.size() == x.ndim(), "permute", "number of dimensions in the tensor input (",
             x.ndim(), ") does not match the length of the desired ordering ", dims);
  Array out = x;
  uint32_t seen = 0;
  for (int i = 0; i < dims.size(); ++i) {
    int d = wrap_dim(dims[i], x.ndim(), "permute");
    VEEM_CHECK(!(seen >> d & 1), "permute", "duplicate dims are not allowed, got ", dims);
    seen |= 1u << d;
    out.shape[i] = x.shape[d];
    out.strides[i] = x.strides[d];
  }
  return out;
}

Array transpose(const Array& x, int64_t dim0, int64_t dim1) {
  int a = wrap_dim(dim0, x.ndim(), "transpose"), b = wrap_dim(dim1, x.ndim(), "transpose");
  Array out = x;
  if (x.ndim() == 0) return out;
  std::swap(out.shape[a], out.shape[b]);
  std::swap(out.strides[a], out.strides[b]);
  return out;
}

Array expand(const Array& x, const Dims& shape) {
  Dims to = shape;
  int shift = to.size() - x.ndim();
  VEEM_CHECK(shift >= 0, "expand", "shape ", shape, " has fewer dimensions than the tensor's ",
             x.shape);
  for (int i = 0; i < to.size(); ++i) {
    if (i < shift) {
      VEEM_CHECK(to[i] >= 0, "expand", "size ", to[i], " at the new dimension ", i,
                 " must not be negative");
      continue;
    }
    if (to[i] == -1) to[i] = x.shape[i - shift];
    VEEM_CHECK(to[i] == x.shape[i - shift] || x.shape[i - shift] == 1, "expand",
               "the expanded size of the tensor (", to[i], ") must match the existing size (",
               x.shape[i - shift], ") at dimension ", i, ". Target sizes: ", shape,
               ". Tensor sizes: ", x.shape);
  }
  Array out = x;
  numel(to);  // raises where it is too large
  out.strides = broadcast_strides(x.shape, x.strides, to);
  out.shape = to;
  return out;
}

Array squeeze(const Array& x) {
  Array out = x;
  for (int i = x.ndim() - 1; i >= 0; --i) {
    if (x.shape[i] != 1) continue;
    out.shape.erase(i);
    out.strides.erase(i);
  }
  return out;
}

Array squeeze(const Array& x, const Dims& dims) {
  bool drop[kMaxDims] = {};
  for (int64_t d : dims) drop[wrap_dim(d, x.ndim(), "squeeze")] = true;
  Array out = x;
  for (int i = x.ndim() - 1; i >= 0; --i) {
    if (!drop[i] || x.shape[i] != 1) continue;
    out.shape.erase(i);
    out.strides.erase(i);
  }
  return out;
}

Array unsqueeze(const Array& x, int64_t dim) {
  int d = wrap_dim(dim, x.ndim() + 1, "unsqueeze");
  Array out = x;
  int64_t stride = d < x.ndim() ? x.shape[d] * x.strides[d] : 1;
  out.shape.insert(d, 1);
  out.strides.insert(d, stride);
  return out;
}

Array slice(const Array& x, int64_t dim, int64_t start, int64_t stop, int64_t step) {
  VEEM_CHECK_AS(Index, x.ndim() > 0, "slice", "a 0-dim tensor cannot be sliced");
  VEEM_CHECK_AS(Value, step > 0, "slice", "step must be greater than zero, got ", step);
  int d = wrap_dim(dim, x.ndim(), "slice");
  int64_t n = x.shape[d];
  start = std::clamp<int64_t>(start < 0 ? start + n : start, 0, n);
  stop = std::clamp<int64_t>(stop < 0 ? stop + n : stop, start, n);
  Array out = x;
  out.offset += start * x.strides[d];
  out.shape[d] = start == stop ? 0 : (stop - start - 1) / step + 1;
  if (out.shape[d] > 1) out.strides[d] *= step;
  return out;
}

Array select(const Array& x, int64_t dim, int64_t index) {
  VEEM_CHECK_AS(Index, x.ndim() > 0, "select", "a 0-dim tensor cannot be indexed; use .item()");
  int d = wrap_dim(dim, x.ndim(), "select");
  VEEM_CHECK_AS(Index, index >= -x.shape[d] && index < x.shape[d], "select", "index ", index,
                " is out of bounds for dimension ", d, " with size ", x.shape[d]);
  Array out = x;
  out.offset += (index < 0 ? index + x.shape[d] : index) * x.strides[d];
  out.shape.erase(d);
  out.strides.erase(d);
  return out;
}

}  // namespace veem
