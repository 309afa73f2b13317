#include "core/ops_sort.h"

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

const char* name_of(Scan kind) {
  switch (kind) {
    case Scan::Sum: return "cumsum";
    case Scan::Prod: return "cumprod";
    case Scan::Max: return "cummax";
    case Scan::Min: return "cummin";
    default: return "logcumsumexp";
  }
}

// Scans x, contiguous, along dimension d into out.
void run_scan(Scan kind, const Array& x, int d, bool reverse, const Array& out,
              const Array* index) {
  if (x.numel() == 0) return;
  ScanArgs args;
  args.scan = kind;
  args.dtype = x.dtype;
  args.reverse = reverse;
  args.outer = args.inner = 1;
  args.n = x.ndim() ? x.shape[d] : 1;
  for (int i = 0; i < d; ++i) args.outer *= x.shape[i];
  for (int i = d + 1; i < x.ndim(); ++i) args.inner *= x.shape[i];
  set_operand(&args.in, x);
  set_operand(&args.out, out);
  if (index) set_operand(&args.index, *index);
  VEEM_LAUNCH(x.backend(), scan, args);
}

Array last(const Array& x, int d) { return x.ndim() ? transpose(x, d, -1) : x; }

}  // namespace

Array scan(Scan kind, const Array& x, int64_t dim, bool reverse) {
  const char* op = name_of(kind);
  int d = wrap_dim(dim, x.ndim(), op);
  VEEM_CHECK_AS(NotImplemented, kind != Scan::LogSumExp || is_float(x.dtype), op,
                "not implemented for '", name(x.dtype), "'; convert it first, e.g. x.float()");
  Array in = contiguous(is_float(x.dtype) ? x : cast(x, DType::Int64));
  Array out = empty(in.shape, in.dtype, in.backend());
  run_scan(kind, in, d, reverse, out, nullptr);
  return out;
}

std::tuple<Array, Array> scan_with_indices(Scan kind, const Array& x, int64_t dim) {
  const char* op = name_of(kind);
  int d = wrap_dim(dim, x.ndim(), op);
  Array in = contiguous(x), out = empty(x.shape, x.dtype, x.backend());
  Array index = empty(x.shape, DType::Int64, x.backend());
  run_scan(kind, in, d, false, out, &index);
  return {out, index};
}

std::tuple<Array, Array> sort(const Array& x, int64_t dim, bool descending, int64_t first,
                              int64_t count) {
  int d = wrap_dim(dim, x.ndim(), "sort");
  Array in = contiguous(last(x, d));
  SortArgs args;
  args.n = x.ndim() ? x.shape[d] : 1;
  VEEM_CHECK(first >= 0 && count >= 0 && first + count <= args.n, "sort", "ranks ", first, " to ",
             first + count, " are asked for of ", args.n, " elements");
  Dims shape = in.shape;
  if (x.ndim()) shape[x.ndim() - 1] = count;
  Array values = empty(shape, x.dtype, x.backend());
  Array indices = empty(shape, DType::Int64, x.backend());
  if (values.numel() > 0) {
    args.dtype = x.dtype;
    args.descending = descending;
    args.rows = in.numel() / args.n;
    args.first = first, args.count = count;
    set_operand(&args.in, in);
    set_operand(&args.values, values), set_operand(&args.indices, indices);
    Array work;
    if (args.n > kLongRow) {
      work = empty({2 * args.n * sort_record(x.dtype, args.n)}, DType::UInt8, x.backend());
      args.work = memory_of(work);
    }
    VEEM_LAUNCH(x.backend(), sort, args);
  }
  return {contiguous(last(values, d)), contiguous(last(indices, d))};
}

Array searchsorted(const Array& sequence, const Array& values, const Array* sorter, bool right,
                   DType out_type) {
  const char* op = "searchsorted";
  Input both[] = {sequence, values};
  common_backend(both, 2, op);
  VEEM_CHECK(sequence.ndim() > 0, op, "the sorted sequence must have at least 1 dimension");
  SearchArgs args;
  args.shared = sequence.ndim() == 1;
  bool fits = args.shared || sequence.ndim() == values.ndim();
  for (int d = 0; fits && !args.shared && d < values.ndim() - 1; ++d)
    fits = sequence.shape[d] == values.shape[d];
  VEEM_CHECK(fits, op,
             "the first N-1 dimensions of the sorted sequence and of the values must "
             "match, got ",
             sequence.shape, " and ", values.shape);
  DType t = compute_type(result_type(both, 2));
  Array s = contiguous(cast(sequence, t)), v = contiguous(cast(values, t)), order;
  Array out = empty(values.shape, out_type, values.backend());
  if (out.numel() == 0) return out;
  args.dtype = t;
  args.right = right;
  args.n = sequence.shape.back();
  args.m = args.shared ? v.numel() : v.shape.back();
  args.rows = v.numel() / args.m;
  set_operand(&args.sequence, s), set_operand(&args.values, v), set_operand(&args.out, out);
  if (sorter) {
    order = contiguous(*sorter);
    set_operand(&args.sorter, order);
  }
  VEEM_LAUNCH(values.backend(), search, args);
  return out;
}

}  // namespace veem
