#include "core/ops_copy.h"

#include <cmath>

#include "core/backend.h"

namespace veem {

namespace {

// The dimension that an operand walks in the smallest steps. The last one where that is
// broadcast: nothing reads less than a run of one value.
int fastest(const Dims& strides) {
  int best = strides.size() - 1;
  for (int i = best; i >= 0; --i)
    if (strides[i] != 0 && strides[i] < strides[best]) best = i;
  return best;
}

void move_dim(Dims* shape, Dims* a, Dims* b, int from, int to) {
  for (Dims* d : {shape, a, b}) d->move(from, to);
}

// The loops that copy `from` to `to`, which have one shape and dtype.
CopyArgs plan_copy(const Array& to, const Array& from) {
  CopyArgs args;
  args.kind = CopyKind::Rows;
  args.dtype = to.dtype;
  Dims shape = to.shape, t = to.strides, f = from.strides;
  if (to.is_contiguous() && from.is_contiguous()) {
    shape = {to.numel()};
    t = f = {1};
  } else {
    // In the order of `to`'s memory, so that writes are runs.
    for (int i = 1; i < shape.size(); ++i)
      for (int j = i; j > 0 && t[j - 1] < t[j]; --j) move_dim(&shape, &t, &f, j, j - 1);
    Dims* lists[] = {&t, &f};
    collapse(&shape, lists, 2);
    if (shape.empty()) {
      shape.push_back(1);
      t = f = {1};
    }
    int last = shape.size() - 1, other = fastest(f);
    if (t[last] == 1 && f[last] == 1) {
      args.kind = CopyKind::Rows;
    } else if (other != last) {
      args.kind = CopyKind::Tiles;
      move_dim(&shape, &t, &f, other, last - 1);
    } else {
      args.kind = CopyKind::Strided;
    }
  }
  args.ndim = shape.size();
  static_cast<Memory&>(args.to) = memory_of(to);
  static_cast<Memory&>(args.from) = memory_of(from);
  args.to.dtype = args.from.dtype = to.dtype;
  for (int i = 0; i < args.ndim; ++i) {
    args.shape[i] = shape[i];
    args.to.strides[i] = t[i];
    args.from.strides[i] = f[i];
  }
  return args;
}

// Shapes are the same and memory does not overlap.
void copy_or_cast(const Array& to, const Array& from) {
  if (to.numel() == 0) return;
  Backend& b = to.backend();
  if (to.dtype == from.dtype) VEEM_LAUNCH(b, copy, plan_copy(to, from));
  else {
    Input in[] = {from};
    VEEM_LAUNCH(b, elementwise, plan_elementwise(Op::copy, to.dtype, to, in, 1));
  }
}

// As PyTorch: a number must fit the dtype, except that negative integers wrap in uint8.
bool fits(const Scalar& s, DType t) {
  bool whole = s.kind != Category::Float;
  if (t == DType::Bool || (whole && is_float(t) && t != DType::Float16)) return true;
  double value = whole ? static_cast<double>(s.i) : s.d;
  if (is_float(t)) return !(std::abs(value) > largest_finite(t)) || std::isinf(value);
  WholeRange range = whole_range(t);
  if (whole) return s.i >= (t == DType::UInt8 ? -range.most : range.least) && s.i <= range.most;
  // 2^63 itself is not below the (rounded) maximum of int64.
  double most = static_cast<double>(range.most);
  return value >= static_cast<double>(range.least) &&
         (t == DType::Int64 ? value < most : value <= most);
}

}  // namespace

Array contiguous(const Array& x) { return x.is_contiguous() ? x : clone(x); }

Array clone(const Array& x) {
  Array out = empty(x.shape, x.dtype, x.backend());
  copy_or_cast(out, x);
  return out;
}

namespace {

// The elements of memory from x's first to the last that x or the view shows.
int64_t extent(const Array& x, const Slices& s) {
  VEEM_CHECK(s.offset >= 0, "copy_slices", "a view that begins before the tensor that it shows ",
             "cannot be recorded; its offset from there is ", s.offset);
  int64_t of_x = 1, of_view = s.offset + 1;
  for (int i = 0; i < x.ndim(); ++i) of_x += (x.shape[i] - 1) * s.within[i];
  for (int i = 0; i < s.shape.size(); ++i) of_view += (s.shape[i] - 1) * s.strides[i];
  return std::max(of_x, numel(s.shape) ? of_view : 0);
}

// A copy of x with the strides s.within.
Array laid_out(const Array& x, const Slices& s) {
  if (x.numel() == 0) return clone(x);
  Array memory = empty({extent(x, s)}, x.dtype, x.backend());
  Array out = as_strided(memory, x.shape, s.within, 0);
  if (x.numel() < memory.numel()) fill(memory, Scalar::of(int64_t{0}));  // a view may show gaps
  copy_or_cast(out, x);
  return out;
}

Array shown(const Array& x, const Slices& s) {
  return as_strided(x, s.shape, s.strides, numel(s.shape) ? s.offset : 0);
}

}  // namespace

Array copy_slices(const Array& x, const Array& value, const Slices& s) {
  Array out = laid_out(x, s);
  copy_into(shown(out, s), value);
  return out;
}

Array take_slices(const Array& x, const Slices& s) {
  if (x.is_contiguous() && numel(s.shape) && x.strides == s.within && extent(x, s) <= x.numel()) {
    Array view = shown(x, s);
    view.offset += x.offset;
    return clone(view);
  }
  return clone(shown(laid_out(x, s), s));
}

void copy_into(const Array& to, const Array& from) {
  if (&to.backend() != &from.backend()) {  // cast on the CPU, where all dtypes are
    Array sent = &from.backend() == &cpu() ? cast(from, to.dtype) : from;
    return copy_into(to, to_backend(sent, to.backend()));
  }
  Dims shape = broadcast(to.shape, from.shape, "copy_");
  VEEM_CHECK(shape == to.shape, "copy_", "output with shape ", to.shape,
             " doesn't match the broadcast shape ", shape);
  check_writable(to, "copy_");
  Array source = expand(from, to.shape);
  if (to.dtype == from.dtype && same_memory(to, source)) return;
  copy_or_cast(to, overlaps(to, source) ? clone(source) : source);
}

void check_fits(const Scalar& value, DType dtype, const char* op) {
  VEEM_CHECK(fits(value, dtype), op, "value cannot be converted to type ", name(dtype),
             " without overflow");
}

void fill(const Array& to, const Scalar& value) {
  check_fits(value, to.dtype, "fill_");
  if (to.numel() == 0) return;
  Input in[] = {value};
  Backend& b = to.backend();
  VEEM_LAUNCH(b, elementwise, plan_elementwise(Op::copy, to.dtype, to, in, 1));
}

Array cat(const std::vector<Array>& arrays, int64_t dim) {
  VEEM_CHECK_AS(Value, !arrays.empty(), "cat", "expected a non-empty list of Tensors");
  const Array* first = nullptr;  // the first that is not skipped
  DType dtype = arrays[0].dtype;
  int64_t total = 0;
  int d = 0;
  for (size_t i = 0; i < arrays.size(); ++i) {
    const Array& x = arrays[i];
    VEEM_CHECK(x.ndim() > 0, "cat", "zero-dimensional tensor (at position ", i,
               ") cannot be concatenated; use stack, or unsqueeze it");
    VEEM_CHECK(&x.backend() == &arrays[0].backend(), "cat",
               "expected all tensors to be on the "
               "same device, but found at least two devices, ",
               arrays[0].backend().name(), " and ", x.backend().name());
    dtype = promote(dtype, x.dtype);
    if (x.ndim() == 1 && x.shape[0] == 0) continue;
    if (!first) {
      first = &x;
      d = wrap_dim(dim, x.ndim(), "cat");
    }
    VEEM_CHECK(x.ndim() == first->ndim(), "cat",
               "Tensors must have same number of dimensions: "
               "got ",
               first->ndim(), " and ", x.ndim());
    for (int j = 0; j < x.ndim(); ++j)
      VEEM_CHECK(j == d || x.shape[j] == first->shape[j], "cat",
                 "Sizes of tensors must match "
                 "except in dimension ",
                 d, ". Expected size ", first->shape[j], " but got size ", x.shape[j],
                 " for tensor number ", i, " in the list");
    total += x.shape[d];
  }
  if (!first) return empty({0}, dtype, arrays[0].backend());
  Dims shape = first->shape;
  shape[d] = total;
  Array out = empty(shape, dtype, first->backend());
  int64_t at = 0;
  for (const Array& x : arrays) {
    if (x.ndim() == 1 && x.shape[0] == 0) continue;
    copy_or_cast(slice(out, d, at, at + x.shape[d], 1), x);
    at += x.shape[d];
  }
  return out;
}

Array to_backend(const Array& x, Backend& backend) {
  if (&x.backend() == &backend) return x;
  Array from = contiguous(x);
  Array out = empty(x.shape, x.dtype, backend);
  if (&x.backend() == &cpu()) {
    backend.copy_from_host(out, from.data());
  } else if (&backend == &cpu()) {
    x.backend().copy_to_host(out.data(), from);
  } else {
    std::vector<char> bytes(static_cast<size_t>(x.nbytes()));  // by way of the host
    x.backend().copy_to_host(bytes.data(), from);
    backend.copy_from_host(out, bytes.data());
  }
  return out;
}

}  // namespace veem
