// x[index] and x[index] = value.
#include <algorithm>

#include "core/backend.h"
#include "core/indexed.h"
#include "core/ops_copy.h"
#include "core/ops_index.h"

namespace veem {

namespace {

bool is_mask(const IndexItem& i) {
  return i.kind == IndexItem::Tensor && i.tensor->dtype == DType::Bool;
}

// How many of x's dimensions an item takes.
int dims_of(const IndexItem& i) {
  if (is_mask(i)) return i.tensor->ndim();
  return i.kind == IndexItem::Select || i.kind == IndexItem::Slice || i.kind == IndexItem::Tensor;
}

int dims_of(const Index& index, const Array& x, const char* op) {
  int named = 0;
  for (const IndexItem& i : index) named += dims_of(i);
  VEEM_CHECK_AS(Index, named <= x.ndim(), op, "too many indices for tensor of dimension ", x.ndim(),
                x.ndim() ? "" : "; use .item() to convert it to a number");
  return named;
}

void check_mask(const Array& mask, const Array& x, int dim, const char* op) {
  for (int i = 0; i < mask.ndim(); ++i)
    VEEM_CHECK_AS(Index, mask.shape[i] == x.shape[dim + i], op, "The shape of the mask ",
                  mask.shape, " at index ", i, " does not match the shape of the indexed tensor ",
                  x.shape, " at index ", dim + i);
}

// Dimensions of size 1 in front, beyond `ndim`: an assigned value may have them.
Array without_ones(Array values, int ndim) {
  while (values.ndim() > ndim && values.shape[0] == 1) {
    values.shape.erase(0);
    values.strides.erase(0);
  }
  return values;
}

Array zeros(const Dims& shape, const Array& like) {
  Array out = empty(shape, like.dtype, like.backend());
  fill(out, Scalar::of(int64_t{0}));
  return out;
}

// An index taken apart: a view, and index tensors in some of its dimensions.
struct Parts {
  Index basic;  // makes the view
  struct Indexed {
    int dim, dims;  // of the view: the first, and how many it numbers through
    int original;   // of x, for messages
    Array index;
  };
  std::vector<Indexed> indexed;
};

// Can dimensions [dim, dim + n) be numbered through with one stride?
bool is_one_run(const Array& x, int dim, int n) {
  for (int d = dim; d < dim + n - 1; ++d)
    if (x.strides[d] != x.strides[d + 1] * x.shape[d + 1]) return false;
  return true;
}

Parts take_apart(const Array& x, const Index& index, const char* op) {
  Parts parts;
  int named = dims_of(index, x, op);
  int dim = 0, at = 0;  // the next dimension of x and of the view
  auto keep = [&](int n) {
    for (; n > 0; --n, ++dim, ++at) parts.basic.push_back({IndexItem::Slice, 0, x.shape[dim]});
  };
  auto use = [&](const Array& tensor, int dims) {
    parts.indexed.push_back({at, dims, dim, tensor});
  };
  auto use_mask = [&](const Array& mask) {
    check_mask(mask, x, dim, op);
    int n = mask.ndim();
    if (is_one_run(x, dim, n)) {
      use(select(nonzero(reshape_view(contiguous(mask), {-1})), 1, 0), n);
      return keep(n);
    }
    Array positions = nonzero(mask);
    for (int i = 0; i < n; ++i) {
      use(select(positions, 1, i), 1);
      keep(1);
    }
  };
  for (const IndexItem& i : index) {
    switch (i.kind) {
      case IndexItem::Ellipsis:
        keep(x.ndim() - named);
        named = x.ndim();  // a second one stands for nothing
        break;
      case IndexItem::Flag: {  // True takes the one slice of a new dimension, False takes none
        Array zeros = empty({i.start}, DType::Int64, x.backend());
        fill(zeros, Scalar::of(int64_t{0}));
        use(zeros, 1);
        parts.basic.push_back({IndexItem::NewAxis});
        ++at;
        break;
      }
      case IndexItem::Tensor:
        if (!is_mask(i)) {
          use(*i.tensor, 1);
          keep(1);
          break;
        }
        use_mask(to_backend(*i.tensor, x.backend()));
        break;
      default:
        parts.basic.push_back(i);
        at += i.kind != IndexItem::Select;
        dim += i.kind != IndexItem::NewAxis;
    }
  }
  return parts;
}

Dims common_shape(const std::vector<Parts::Indexed>& indexed, const char* op) {
  Dims out = indexed[0].index.shape;
  try {
    for (const auto& i : indexed) out = broadcast(out, i.index.shape, op);
  } catch (const Error&) {
    std::ostringstream shapes;
    for (const auto& i : indexed) shapes << (&i == &indexed[0] ? "" : ", ") << i.index.shape;
    raise(ErrorKind::Index, op,
          "shape mismatch: indexing tensors could not be broadcast together "
          "with shapes ",
          shapes.str());
  }
  return out;
}

// The loop over the result, without the strides of the values.
IndexedLoop plan_index(const Array& view, const std::vector<Parts::Indexed>& indexed,
                       const char* op) {
  Dims common = common_shape(indexed, op);
  bool named[kMaxDims] = {}, neighbours = true;
  for (size_t i = 0; i < indexed.size(); ++i) {
    for (int d = 0; d < indexed[i].dims; ++d) named[indexed[i].dim + d] = true;
    neighbours &= i == 0 || indexed[i].dim == indexed[i - 1].dim + indexed[i - 1].dims;
  }
  IndexedLoop loop;
  int at = neighbours ? indexed[0].dim : 0;  // where the indices' shape goes
  for (int d = 0; d < view.ndim(); ++d) {
    if (named[d]) continue;
    loop.shape.push_back(view.shape[d]);
    loop.table.push_back(view.strides[d]);
  }
  for (int i = 0; i < common.size(); ++i) {
    loop.shape.insert(at + i, common[i]);
    loop.table.insert(at + i, 0);
  }
  for (const auto& i : indexed) {
    int64_t size = 1;
    for (int d = 0; d < i.dims; ++d) size *= view.shape[i.dim + d];
    // Together with an empty index none of its numbers is used, so none can be wrong.
    Array used = numel(common) == 0 ? expand(i.index, common) : i.index;
    Array index = checked_index(used, view, i.original, size, true, op);
    Dims own = broadcast_strides(index.shape, index.strides, common);
    Dims strides(loop.shape.size(), 0);
    std::copy(own.begin(), own.end(), strides.begin() + at);
    loop.movers.push_back({index, strides, view.strides[i.dim + i.dims - 1], size});
  }
  return loop;
}

}  // namespace

Array getitem(const Array& x, const Index& index) {
  const char* op = "getitem";
  int named = dims_of(index, x, op);
  Array out = x;
  out.shape = out.strides = Dims();
  int from = 0;  // the dimension of x that is next
  auto keep = [&](int64_t size, int64_t stride) {
    out.shape.push_back(size);
    out.strides.push_back(stride);
  };
  auto keep_whole = [&](int n) {
    for (; n > 0; --n, ++from) keep(x.shape[from], x.strides[from]);
  };
  for (const IndexItem& i : index) {
    if (i.kind == IndexItem::NewAxis) {
      keep(1, from < x.ndim() ? x.shape[from] * x.strides[from] : 1);
    } else if (i.kind == IndexItem::Ellipsis) {
      keep_whole(x.ndim() - named);
      named = x.ndim();  // a second one stands for nothing
    } else if (i.kind == IndexItem::Slice) {
      Array part = slice(x, from, i.start, i.stop, i.step);
      out.offset += part.offset - x.offset;
      keep(part.shape[from], part.strides[from]);
      ++from;
    } else {
      int64_t n = x.shape[from];
      VEEM_CHECK_AS(Index, i.start >= -n && i.start < n, op, "index ", i.start,
                    " is out of bounds for dimension ", from, " with size ", n);
      out.offset += (i.start < 0 ? i.start + n : i.start) * x.strides[from++];
    }
  }
  keep_whole(x.ndim() - from);
  return out;
}

Array getitem_backward(const Array& g, const Dims& shape, const Index& index) {
  Array out = zeros(shape, g);
  copy_into(getitem(out, index), g);
  return out;
}

Array diagonal(const Array& x, int64_t offset, int64_t dim1, int64_t dim2) {
  int a = wrap_dim(dim1, x.ndim(), "diagonal"), b = wrap_dim(dim2, x.ndim(), "diagonal");
  VEEM_CHECK(a != b, "diagonal", "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  int64_t rows = x.shape[a], columns = x.shape[b];
  int64_t length = offset < 0 ? std::min(rows + offset, columns) : std::min(rows, columns - offset);
  Array out = x;
  out.shape.erase(std::max(a, b));
  out.shape.erase(std::min(a, b));
  out.strides.erase(std::max(a, b));
  out.strides.erase(std::min(a, b));
  out.shape.push_back(std::max<int64_t>(length, 0));
  out.strides.push_back(x.strides[a] + x.strides[b]);
  if (length > 0) out.offset += offset < 0 ? -offset * x.strides[a] : offset * x.strides[b];
  return out;
}

Array diagonal_backward(const Array& g, const Dims& shape, int64_t offset, int64_t dim1,
                        int64_t dim2) {
  Array out = zeros(shape, g);
  copy_into(diagonal(out, offset, dim1, dim2), g);
  return out;
}

void setitem_(const Array& x, const Index& index, const Input& value) {
  Array view = getitem(x, index);
  if (!value.array) return fill(view, value.scalar);
  copy_into(view, without_ones(*value.array, view.ndim()));
}

Array index(const Array& x, const Index& index) {
  Parts parts = take_apart(x, index, "index");
  Array view = getitem(x, parts.basic);
  if (parts.indexed.empty()) return clone(view);
  IndexedLoop loop = plan_index(view, parts.indexed, "index");
  Array out = empty(loop.shape, x.dtype, x.backend());
  loop.values = out.strides;
  run_indexed(IndexedKind::Read, view, out, std::move(loop));
  return out;
}

void index_put_(const Array& x, const Index& index, const Input& value, bool accumulate) {
  const char* op = "index_put_";
  check_writable(x, op);
  VEEM_CHECK(!value.array || x.dtype == value.array->dtype, op,
             "Index put requires the source and "
             "destination dtypes match, got ",
             name(x.dtype), " for the destination and ",
             name(value.array ? value.array->dtype : x.dtype),
             " for the source; convert the source with .to(x.dtype)");
  // x[mask] = one value needs no positions.
  bool one = !value.array || value.array->ndim() == 0;
  if (!accumulate && one && index.size() == 1 && is_mask(index[0])) {
    Array mask = *index[0].tensor;
    dims_of(index, x, op);
    check_mask(mask, x, 0, op);
    while (mask.ndim() < x.ndim()) mask = unsqueeze(mask, -1);
    return masked_fill_(x, to_backend(mask, x.backend()), value);
  }
  Parts parts = take_apart(x, index, op);
  Array view = getitem(x, parts.basic);
  if (parts.indexed.empty()) {
    if (!accumulate) return setitem_(x, parts.basic, value);
    Input sum[] = {view, value};
    elementwise(Op::add, sum, 2, &view);
    return;
  }
  IndexedLoop loop = plan_index(view, parts.indexed, op);
  Array values = without_ones(as_array(value, x, op), loop.shape.size());
  int extra = loop.shape.size() - values.ndim();
  bool fits = extra >= 0;
  for (int d = 0; d < values.ndim() && fits; ++d)
    fits = values.shape[d] == 1 || values.shape[d] == loop.shape[d + extra];
  VEEM_CHECK(fits, op, "shape mismatch: value tensor of shape ", values.shape,
             " cannot be broadcast to indexing result of shape ", loop.shape);
  values = apart(expand(to_backend(values, x.backend()), loop.shape), x);
  for (auto& m : loop.movers) m.index = apart(m.index, x);
  loop.values = values.strides;
  run_indexed(accumulate ? IndexedKind::Add : IndexedKind::Write, view, values, std::move(loop));
}

}  // namespace veem
