#include "core/ops_index.h"

#include <algorithm>

#include "core/backend.h"
#include "core/indexed.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

// A 0-d tensor stands for one with one element.
Array at_least_1d(const Array& x) { return x.ndim() ? x : reshape_view(x, {1}); }

// gather and scatter: the index has the shape of the loop.
IndexedLoop along_dim(const Array& x, int dim, const Array& index, const Array& values) {
  IndexedLoop loop{index.shape, x.strides, values.strides, {}};
  loop.table[dim] = 0;
  loop.movers.push_back({index, index.strides, x.strides[dim], x.shape[dim]});
  return loop;
}

// index_select and index_add: a 1-d index along one dimension of the loop.
IndexedLoop of_slices(const Array& x, int dim, const Array& index, const Array& values) {
  IndexedLoop loop{values.shape, x.strides, values.strides, {}};
  loop.table[dim] = 0;
  Dims strides(x.ndim(), 0);
  strides[dim] = index.strides[0];
  loop.movers.push_back({index, strides, x.strides[dim], x.shape[dim]});
  return loop;
}

void check_within(const Array& index, const Array& x, int skip, const char* what, const char* op) {
  VEEM_CHECK(index.ndim() == x.ndim(), op,
             "Index tensor must have the same number of dimensions "
             "as ",
             what, " tensor, got ", index.shape, " and ", x.shape);
  for (int d = 0; d < x.ndim(); ++d)
    VEEM_CHECK(d == skip || index.shape[d] <= x.shape[d], op, "Size does not match at dimension ",
               d, " expected index ", index.shape, " to be no larger than ", what, " ", x.shape);
}

void check_same_dtype(const Array& x, const Array& src, const char* op) {
  VEEM_CHECK(x.dtype == src.dtype, op, "expected self and source to have the same dtype, but got ",
             name(x.dtype), " and ", name(src.dtype), "; convert the source with .to(x.dtype)");
}

const char* name_of(IndexedKind kind) {
  if (kind == IndexedKind::Write) return "scatter_";
  return kind == IndexedKind::Add ? "scatter_add_" : "scatter_reduce_";
}

Array vector_index(const Array& index, const char* op) {
  VEEM_CHECK_AS(Index, index.ndim() <= 1, op, "Index is supposed to be a vector, got shape ",
                index.shape);
  return at_least_1d(index);
}

}  // namespace

Array gather(const Array& x_, int64_t dim_, const Array& index_) {
  Array x = at_least_1d(x_), given = at_least_1d(index_);
  int dim = wrap_dim(dim_, x.ndim(), "gather");
  if (given.numel() > 0) check_within(given, x, dim, "input", "gather");
  Array index = checked_index(given, x, dim, x.shape[dim], false, "gather", ErrorKind::Runtime);
  Array out = empty(index_.shape, x.dtype, x.backend());
  if (out.numel() == 0) return out;
  run_indexed(IndexedKind::Read, x, out, along_dim(x, dim, index, at_least_1d(out)));
  return out;
}

void scatter_(const Array& x_, int64_t dim_, const Array& index_, const Input& src_,
              IndexedKind kind) {
  const char* op = name_of(kind);
  Array x = at_least_1d(x_), given = at_least_1d(index_);
  Array src = at_least_1d(as_array(src_, x, op));
  int dim = wrap_dim(dim_, x.ndim(), op);
  check_writable(x, op);
  check_same_dtype(x, src, op);
  if (given.numel() == 0) return;
  if (!src_.array) src = expand(src, given.shape);
  check_within(given, x, dim, "self", op);
  check_within(given, src, -1, "src", op);
  Array index = checked_index(given, x, dim, x.shape[dim], false, op, ErrorKind::Runtime);
  src = apart(src, x);
  run_indexed(kind, x, src, along_dim(x, dim, apart(index, x), src));
}

void scatter_reduce_(const Array& x, int64_t dim, const Array& index, const Array& src,
                     const std::string& reduce) {
  if (reduce == "sum") return scatter_(x, dim, index, src, IndexedKind::Add);
  if (reduce == "prod") return scatter_(x, dim, index, src, IndexedKind::Mul);
  if (reduce == "amax") return scatter_(x, dim, index, src, IndexedKind::Max);
  VEEM_CHECK(reduce == "amin", "scatter_reduce_",
             "reduce argument must be either sum, prod, mean, amax or amin, got ", reduce);
  scatter_(x, dim, index, src, IndexedKind::Min);
}

Array index_select(const Array& x_, int64_t dim_, const Array& index_) {
  const char* op = "index_select";
  Array x = at_least_1d(x_);
  int dim = wrap_dim(dim_, x.ndim(), op);
  VEEM_CHECK(x_.ndim() > 0 || index_.numel() == 1, op,
             "Index to scalar can have only 1 value, "
             "got ",
             index_.numel(), " value(s)");
  // PyTorch has an IndexError along the first dimension alone.
  ErrorKind error = dim == 0 ? ErrorKind::Index : ErrorKind::Runtime;
  Array index = checked_index(vector_index(index_, op), x, dim, x.shape[dim], false, op, error);
  Dims shape = x.shape;
  shape[dim] = index.numel();
  Array out = empty(shape, x.dtype, x.backend());
  run_indexed(IndexedKind::Read, x, out, of_slices(x, dim, index, out));
  return x_.ndim() ? out : reshape_view(out, {});
}

void index_copy_(const Array& x_, int64_t dim_, const Array& index_, const Array& src_,
                 IndexedKind kind) {
  bool adds = kind == IndexedKind::Add;
  const char* op = adds                         ? "index_add_"
                   : kind == IndexedKind::Write ? "index_copy_"
                                                : "index_reduce_";
  Array x = at_least_1d(x_), src = at_least_1d(src_);
  int dim = wrap_dim(dim_, x.ndim(), op);
  check_writable(x, op);
  check_same_dtype(x, src, op);
  Dims shape = x.shape;
  shape[dim] = index_.numel();
  // PyTorch has an IndexError in all of these, but for sums alone of what is no vector.
  ErrorKind error = adds && x.ndim() > 1 ? ErrorKind::Runtime : ErrorKind::Index;
  Array given = vector_index(index_, op);
  if (src.shape != shape)
    raise(adds ? ErrorKind::Runtime : ErrorKind::Index, op, "source of shape ", src_.shape,
          " does not match: for self ", x_.shape, " and ", index_.numel(), " indices it must be ",
          shape);
  Array index = checked_index(given, x, dim, x.shape[dim], false, op, error);
  src = apart(src, x);
  run_indexed(kind, x, src, of_slices(x, dim, apart(index, x), src));
}

void index_reduce_(const Array& x, int64_t dim, const Array& index, const Array& src,
                   const std::string& reduce) {
  if (reduce == "prod") return index_copy_(x, dim, index, src, IndexedKind::Mul);
  if (reduce == "amax") return index_copy_(x, dim, index, src, IndexedKind::Max);
  VEEM_CHECK(reduce == "amin", "index_reduce_",
             "reduce argument must be either prod, mean, amax or amin, got ", reduce);
  index_copy_(x, dim, index, src, IndexedKind::Min);
}

void masked_fill_(const Array& x, const Array& mask, const Input& value) {
  const char* op = "masked_fill_";
  VEEM_CHECK(mask.dtype == DType::Bool, op, "only supports boolean masks, but got mask with dtype ",
             name(mask.dtype), "; compare it first, e.g. mask != 0");
  VEEM_CHECK(!value.array || value.array->ndim() == 0, op,
             "only supports a 0-dimensional value "
             "tensor, but got tensor with ",
             value.array ? value.array->ndim() : 0, " dimension(s)");
  Array filler = cast(as_array(value, x, op), x.dtype);
  Input in[] = {mask, filler, x};
  elementwise(Op::where, in, 3, &x);
}

Array nonzero(const Array& x) {
  Input zero[] = {x, Scalar::of(int64_t{0})};
  Array flags = x.dtype == DType::Bool ? contiguous(x) : elementwise(Op::ne, zero, 2);
  Backend& b = x.backend();
  int64_t blocks = (x.numel() + kNonzeroBlock - 1) / kNonzeroBlock, total = 0;
  Array counts = empty({blocks}, DType::Int64, b);
  NonzeroArgs args;
  args.ndim = x.ndim();
  std::copy(x.shape.begin(), x.shape.end(), args.shape);
  set_operand(&args.in, flags);
  set_operand(&args.counts, counts);
  if (blocks > 0) {
    VEEM_LAUNCH(b, nonzero, args);
    std::vector<int64_t> before(static_cast<size_t>(blocks));
    b.copy_to_host(before.data(), counts);
    for (int64_t& n : before) {
      int64_t count = n;
      n = total;
      total += count;
    }
    b.copy_from_host(counts, before.data());
  }
  Array out = empty({total, x.ndim()}, DType::Int64, b);
  if (out.numel() == 0) return out;
  set_operand(&args.out, out);
  VEEM_LAUNCH(b, nonzero, args);
  return out;
}

}  // namespace veem
