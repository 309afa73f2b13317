#include "core/indexed.h"

#include <algorithm>

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

bool any_moves(const IndexedLoop& loop, int d) {
  for (const auto& m : loop.movers)
    if (m.strides[d] != 0) return true;
  return false;
}

}  // namespace

bool find_outside(const Array& index, int64_t low, int64_t high, const char* op, int dim,
                  int64_t* bad, const int64_t* skip, ErrorKind error) {
  if (index.numel() == 0) return false;
  Dims shape = index.shape, strides = index.strides;
  for (int i = shape.size() - 1; i >= 0; --i) {
    if (strides[i] != 0) continue;  // broadcast: once is enough
    shape.erase(i);
    strides.erase(i);
  }
  Dims* lists[] = {&strides};
  collapse(&shape, lists, 1);
  if (shape.empty()) shape = strides = {1};
  bool found = false;
  IndexCheckArgs args;
  args.op = op;
  args.dim = dim;
  args.low = low;
  args.high = high;
  args.skips = skip;
  args.skip = skip ? *skip : 0;
  args.ndim = shape.size();
  std::copy(shape.begin(), shape.end(), args.shape);
  set_operand(&args.index, index, strides);
  args.found = &found;
  args.bad = bad;
  args.error = error;
  VEEM_LAUNCH(index.backend(), index_check, args);
  return found;
}

void raise_out_of_bounds(ErrorKind error, const char* op, int64_t index, int dim, int64_t size) {
  raise(error, op, "index ", index, " is out of bounds for dimension ", dim, " with size ", size);
}

void run_indexed(IndexedKind kind, const Array& table, const Array& values, IndexedLoop loop) {
  Input both[] = {table, values};
  common_backend(both, 2, "index");
  if (numel(loop.shape) == 0) return;
  Dims* lists[kMaxDims + 2] = {&loop.table, &loop.values};
  int n = 2;
  for (auto& m : loop.movers) lists[n++] = &m.strides;
  collapse(&loop.shape, lists, n);
  if (loop.shape.empty()) {
    loop.shape = {1};
    for (int l = 0; l < n; ++l) *lists[l] = {0};
  }
  IndexedArgs args;
  args.kind = kind;
  args.dtype = table.dtype;
  args.ndim = loop.shape.size();
  int last = args.ndim - 1;
  args.rows = !any_moves(loop, last);
  for (int d = 0; kind != IndexedKind::Read && d < last; ++d) {
    if (loop.table[d] == 0) continue;
    loop.shape.move(d, args.free);
    for (int l = 0; l < n; ++l) lists[l]->move(d, args.free);
    ++args.free;
  }
  std::copy(loop.shape.begin(), loop.shape.end(), args.shape);
  set_operand(&args.table, table, loop.table);
  set_operand(&args.values, values, loop.values);
  for (const auto& m : loop.movers) {
    set_operand(&args.index[args.indices], m.index, m.strides);
    args.step[args.indices] = m.step;
    args.size[args.indices++] = m.size;
  }
  VEEM_LAUNCH(table.backend(), indexed, args);
}

Array checked_index(const Array& index, const Array& x, int dim, int64_t size, bool negative,
                    const char* op, ErrorKind error) {
  if (index.numel() > 0 && index.dtype != DType::Int64 && index.dtype != DType::Int32)
    raise(negative ? ErrorKind::Index : ErrorKind::Runtime, op,
          "tensors used as indices must be long or int tensors, not ", name(index.dtype));
  Input both[] = {x, index};
  if (!negative) common_backend(both, 2, op);  // x[index] takes indices from anywhere
  Array out = to_backend(cast(index, DType::Int64), x.backend());
  int64_t bad = 0;
  int64_t low = negative ? -size : 0;
  if (out.numel() > 0 && find_outside(out, low, size, op, dim, &bad, nullptr, error))
    raise_out_of_bounds(error, op, bad, dim, size);
  return out;
}

Array as_array(const Input& value, const Array& x, const char* op) {
  if (value.array) return *value.array;
  check_fits(value.scalar, x.dtype, op);
  Array out = empty({}, x.dtype, x.backend());
  fill(out, value.scalar);
  return out;
}

Array apart(const Array& a, const Array& x) { return overlaps(a, x) ? clone(a) : a; }

}  // namespace veem
