// Launches of kernels/index.metal: what is shared out between threads, and what goes in order.
#include "core/array.h"
#include "core/backend.h"
#include "core/plan.h"
#include "metal/kernels.h"
#include "metal/lines.h"

namespace veem::metal {

namespace {

static_assert(kMaxIndices == kMaxDims, "an index for each dimension at most");
static_assert(kGroup * kNonzeroEach == kNonzeroBlock, "a group per block");

int64_t product(const int64_t* shape, int n) {
  int64_t out = 1;
  for (int d = 0; d < n; ++d) out *= shape[d];
  return out;
}

// Elements are moved as integers of their size; only sums and the like look at them.
const char* indexed_type(const IndexedArgs& a) {
  bool moves = a.kind == IndexedKind::Read || a.kind == IndexedKind::Write;
  if (!moves) return type_name(a.dtype);
  switch (item_size(a.dtype)) {
    case 1: return "uchar";
    case 2: return "short";
    case 4: return "int";
    default: return "long";
  }
}

IndexedWork kind_of(const IndexedArgs& a) {
  switch (a.kind) {
    case IndexedKind::Read: return kIndexedRead;
    case IndexedKind::Write: return kIndexedWrite;
    case IndexedKind::Add: return kIndexedAdd;
    case IndexedKind::Mul: return kIndexedMul;
    case IndexedKind::Max: return kIndexedMax;
    default: return kIndexedMin;
  }
}

// The dimensions, with those first that can be done in any order: where the table itself moves.
struct Order {
  int dims[kMaxDims], free = 0;
  explicit Order(const IndexedArgs& a) {
    int n = 0;
    for (bool wanted : {true, false}) {
      for (int d = 0; d < a.ndim; ++d)
        if ((a.kind == IndexedKind::Read || a.table.strides[d] != 0) == wanted) dims[n++] = d;
      if (wanted) free = n;
    }
  }
};

IndexedShape shape_of(const IndexedArgs& a, const Order& order) {
  IndexedShape s = {};
  s.count = s.steps = 1;
  for (int i = 0; i < a.ndim; ++i) {
    int d = order.dims[i];
    s.shape[i] = a.shape[d];
    s.table[i] = a.table.strides[d];
    s.values[i] = a.values.strides[d];
    for (int k = 0; k < a.indices; ++k) s.index[k][i] = a.index[k].strides[d];
    (i < order.free ? s.count : s.steps) *= a.shape[d];
  }
  for (int k = 0; k < a.indices; ++k) {
    s.step[k] = a.step[k];
    s.size[k] = a.size[k];
  }
  return s;
}

// Into how many parts the table is cut, a power of two. Each part walks through all indices: it
// should find some of them its own.
constexpr int64_t kManyThreads = 16 << 10;
constexpr int64_t kLeastSteps = 8;
int parts_of(const IndexedShape& s, int indices) {
  int parts = 1;
  if (indices == 0) return parts;
  while (parts < kGroup && s.count * parts < kManyThreads && s.steps >= 2 * parts * kLeastSteps &&
         s.size[0] >= 2 * parts)
    parts *= 2;
  return parts;
}

// Bytes that the table's own strides and the indices can reach.
int64_t table_bytes(const IndexedArgs& a) {
  int64_t bytes = extent(a.table, a.shape, a.ndim);
  for (int k = 0; k < a.indices; ++k) bytes += (a.size[k] - 1) * a.step[k] * item_size(a.dtype);
  return bytes;
}

// One element of a table for each of many indices, in one dimension: the threads that go through
// all the indices would be few. From so many on they are sorted.
constexpr int64_t kManySteps = 4096;
bool sorts(const IndexedArgs& a, const IndexedShape& s) {
  return a.kind != IndexedKind::Read && s.count == 1 && a.ndim == 1 && a.indices == 1 &&
         s.steps >= kManySteps && s.steps <= INT32_MAX;
}

// A stable sort brings equal indices together and keeps their order; then each run has a thread.
void run_sorted(const IndexedArgs& a, const IndexedShape& s) {
  Backend& backend = *a.table.storage->backend;
  Array index = empty({s.steps}, DType::Int64, backend), sorted, order;
  sorted = empty({s.steps}, DType::Int64, backend);
  order = empty({s.steps}, DType::Int64, backend);
  auto constants = {0, 1, int{kind_of(a)}, 0, 1};
  {
    Encoder e("index", "index_wrap", constants);
    e.buffer(a.index[0], extent(a.index[0], a.shape, 1)).buffer(memory_of(index), index.nbytes());
    threads_in_lines(e.args(s), s.steps);
  }
  SortArgs by_index;
  by_index.dtype = DType::Int64;
  by_index.descending = false;
  by_index.rows = 1, by_index.n = by_index.count = s.steps, by_index.first = 0;
  set_operand(&by_index.in, index);
  set_operand(&by_index.values, sorted), set_operand(&by_index.indices, order);
  sort(by_index);
  Encoder e("index", std::string("indexed_runs_") + indexed_type(a), constants);
  e.buffer(a.table, table_bytes(a)).buffer(a.values, extent(a.values, a.shape, 1)).args(s);
  e.buffer(memory_of(sorted), sorted.nbytes()).buffer(memory_of(order), order.nbytes());
  threads_in_lines(e, s.steps);
}

}  // namespace

void indexed(const IndexedArgs& a) {
  for (int k = 0; k < a.indices; ++k)
    if (a.size[k] == 0) return;  // no index is in range
  Order order(a);
  IndexedShape s = shape_of(a, order);
  if (sorts(a, s)) return run_sorted(a, s);
  s.parts = parts_of(s, a.indices);
  bool wide = s.count > INT32_MAX || s.steps > INT32_MAX;
  Encoder e("index", std::string("indexed_") + indexed_type(a),
            {wide, a.ndim, kind_of(a), order.free, a.indices});
  e.buffer(a.table, table_bytes(a)).buffer(a.values, extent(a.values, a.shape, a.ndim)).args(s);
  for (int k = 0; k < a.indices; ++k) e.buffer(a.index[k], extent(a.index[k], a.shape, a.ndim));
  for (int k = a.indices; k < kMaxIndices; ++k) e.buffer({}, 0);
  threads_in_lines(e, s.count, s.parts);
}

void index_check(const IndexCheckArgs& a) {
  IndexCheckShape s = {};
  s.count = product(a.shape, a.ndim);
  for (int d = 0; d < a.ndim; ++d) {
    s.shape[d] = a.shape[d];
    s.strides[d] = a.index.strides[d];
  }
  s.low = a.low;
  s.high = a.high;
  s.skip = a.skip;
  s.skips = a.skips;
  Encoder e("index", "index_check", {s.count > INT32_MAX, a.ndim});
  s.id = note_check(a);  // after the encoder: of its command buffer
  e.buffer(a.index, extent(a.index, a.shape, a.ndim)).buffer(fault_memory(), fault_bytes());
  threads_in_lines(e.args(s), s.count);
}

void nonzero(const NonzeroArgs& a) {
  NonzeroShape s = {};
  s.count = product(a.shape, a.ndim);
  for (int d = 0; d < a.ndim; ++d) s.shape[d] = a.shape[d];
  int64_t blocks = parts(s.count, kNonzeroBlock);
  bool fill = a.out.data != nullptr;
  Encoder e("index", fill ? "nonzero_fill" : "nonzero_count", {s.count > INT32_MAX, a.ndim});
  e.buffer(a.in, s.count).buffer(a.counts, blocks * 8);
  // The host alone knows how many rows there are: what its allocation holds.
  if (fill) e.buffer(a.out, static_cast<int64_t>(a.out.storage->bytes));
  e.args(s).groups({blocks}, {kGroup});
}

}  // namespace veem::metal
