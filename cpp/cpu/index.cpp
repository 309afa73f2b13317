// Tables addressed through indices: gather, scatter, index_select, index_add, advanced indexing
// and assignment are one loop, which differs in where the indices move and where they do not.
//
// Where no index moves along the last dimension, whole rows are copied or added: memory is the
// bound. Otherwise each element is an access of its own, and latency is.
//
// Writes and sums meet one element of the table several times, and must do so in order to give
// the same bits for any number of threads. Threads therefore share out the dimensions in which
// the table itself moves, or parts of rows, and each goes through all the indices.
#include "core/threads.h"
#include "cpu/kernels.h"
#include "cpu/memory.h"

namespace veem {
namespace VEEM_ISA {
namespace {

#include "cpu/primitives.h"
#include "kernels/math.h"

constexpr int64_t kGrain = 16 << 10;   // elements that are worth a thread
constexpr int64_t kPart = 64;          // elements of a row that are
constexpr int64_t kStream = 16 << 20;  // bytes from which going past the caches pays

// Walks the dimensions outside of the last in order, along their first `n`.
struct Walk {
  const IndexedArgs& args;
  int n;
  int64_t at[kMaxDims];
  int64_t table = 0, values = 0, index[kMaxDims] = {};  // offsets in elements

  Walk(const IndexedArgs& args, int64_t start) : args(args), n(args.ndim - 1) {
    for (int d = n - 1; d >= 0; --d) {
      at[d] = start % args.shape[d];
      start /= args.shape[d];
      move(d, at[d]);
    }
  }
  void move(int d, int64_t by) {
    table += by * args.table.strides[d];
    values += by * args.values.strides[d];
    for (int k = 0; k < args.indices; ++k) index[k] += by * args.index[k].strides[d];
  }
  // Steps over `by` positions of dimension n - 1, at most to its end.
  void advance(int64_t by) {
    if (n == 0) return;
    at[n - 1] += by;
    move(n - 1, by);
    for (int d = n - 1; d > 0 && at[d] == args.shape[d]; --d) {
      move(d, -at[d]);
      at[d] = 0;
      ++at[d - 1];
      move(d - 1, 1);
    }
  }
};

inline const int64_t* index_at(const IndexedArgs& args, const Walk& walk, int k) {
  return reinterpret_cast<const int64_t*>(args.index[k].data) + walk.index[k];
}

// Where the indices at i, in their strides along dimension d, move in the table.
struct Jump {
  const int64_t* index[kMaxDims];
  int64_t stride[kMaxDims];
  const IndexedArgs& args;

  Jump(const IndexedArgs& args, const Walk& walk, int d) : args(args) {
    for (int k = 0; k < args.indices; ++k) {
      index[k] = index_at(args, walk, k);
      stride[k] = d >= 0 ? args.index[k].strides[d] : 0;
    }
  }
  int64_t operator()(int64_t i) const {
    int64_t to = 0;
    for (int k = 0; k < args.indices; ++k) {
      int64_t j = index[k][i * stride[k]];
      to += (j < 0 ? j + args.size[k] : j) * args.step[k];
    }
    return to;
  }
};

// The common case of one index, with all that it needs in registers.
struct Jump1 {
  const int64_t* index;
  int64_t stride, size, step;

  Jump1(const IndexedArgs& args, const Walk& walk, int d)
      : index(index_at(args, walk, 0)),
        stride(d >= 0 ? args.index[0].strides[d] : 0),
        size(args.size[0]),
        step(args.step[0]) {}
  int64_t operator()(int64_t i) const {
    int64_t j = index[i * stride];
    return (j < 0 ? j + size : j) * step;
  }
};

template <IndexedKind kind, class T>
inline void meet(T& table, T& value) {
  if (kind == IndexedKind::Read) value = table;
  if (kind == IndexedKind::Write) table = value;
  Computed<T> a = table, b = value;
  if (kind == IndexedKind::Add) table = static_cast<T>(math::add(a, b));
  if (kind == IndexedKind::Mul) table = static_cast<T>(math::mul(a, b));
  if (kind == IndexedKind::Max) table = static_cast<T>(math::maximum(a, b));
  if (kind == IndexedKind::Min) table = static_cast<T>(math::minimum(a, b));
}

template <IndexedKind kind, class T>
inline void meet_row(T* table, T* values, int64_t n, int64_t table_step, int64_t values_step,
                     bool stream) {
  if (table_step != 1 || values_step != 1) {
    for (int64_t i = 0; i < n; ++i) meet<kind>(table[i * table_step], values[i * values_step]);
  } else if (kind != IndexedKind::Read && kind != IndexedKind::Write) {
    VEEM_VECTORIZE
    for (int64_t i = 0; i < n; ++i) meet<kind>(table[i], values[i]);
  } else {
    char* to = reinterpret_cast<char*>(kind == IndexedKind::Read ? values : table);
    const char* from = reinterpret_cast<char*>(kind == IndexedKind::Read ? table : values);
    int64_t bytes = n * static_cast<int64_t>(sizeof(T));
    stream ? stream_copy(to, from, bytes) : copy_row(to, from, bytes);
  }
}

// Positions [begin, end) of all dimensions but the last, and [first, last) of that.
template <IndexedKind kind, class T, class Jump>
void process(const IndexedArgs& args, int64_t begin, int64_t end, int64_t first, int64_t last,
             bool stream) {
  int inner = args.ndim - 1, outer = inner - 1;
  int64_t run = outer >= 0 ? args.shape[outer] : 1;
  int64_t table_step = args.table.strides[inner], values_step = args.values.strides[inner];
  int64_t table_row = outer >= 0 ? args.table.strides[outer] : 0;
  int64_t values_row = outer >= 0 ? args.values.strides[outer] : 0;
  Walk walk(args, begin);
  for (int64_t i = begin; i < end;) {
    T* table = reinterpret_cast<T*>(args.table.data) + walk.table;
    T* values = reinterpret_cast<T*>(args.values.data) + walk.values;
    if (!args.rows) {
      Jump jump(args, walk, inner);
      for (int64_t j = first; j < last; ++j)
        meet<kind>(table[j * table_step + jump(j)], values[j * values_step]);
      walk.advance(1);
      ++i;
      continue;
    }
    int64_t n = smaller(end - i, outer >= 0 ? run - walk.at[outer] : 1);
    Jump jump(args, walk, outer);
    table += first * table_step;
    values += first * values_step;
    for (int64_t j = 0; j < n; ++j)
      meet_row<kind>(table + j * table_row + jump(j), values + j * values_row, last - first,
                     table_step, values_step, stream);
    walk.advance(n);
    i += n;
  }
}

template <IndexedKind kind, class T, class Jump>
void share_out(const IndexedArgs& args) {
  int64_t n = args.shape[args.ndim - 1], outer = product(args.shape, args.ndim - 1);
  if (kind == IndexedKind::Read) {
    bool stream = args.rows && n * static_cast<int64_t>(sizeof(T)) >= 4 * kLine &&
                  outer * n * static_cast<int64_t>(sizeof(T)) >= kStream;
    parallel_for(outer, at_least_one(kGrain / n), [&](int64_t begin, int64_t end) {
      process<kind, T, Jump>(args, begin, end, 0, n, stream);
      if (stream) stream_fence();
    });
    return;
  }
  int64_t free = product(args.shape, args.free), each = outer / free;
  if (free > 1 || !args.rows) {
    parallel_for(free, at_least_one(kGrain / (n * each)), [&](int64_t begin, int64_t end) {
      process<kind, T, Jump>(args, begin * each, end * each, 0, n, false);
    });
    return;
  }
  int64_t parts = (n + kPart - 1) / kPart;
  parallel_for(parts, at_least_one(kGrain / (kPart * outer)), [&](int64_t begin, int64_t end) {
    process<kind, T, Jump>(args, 0, outer, begin * kPart, smaller(end * kPart, n), false);
  });
}

template <IndexedKind kind, class T>
void run(const IndexedArgs& args) {
  // For the rarer kinds and small dtypes the general loop is enough: half of the code.
  constexpr bool moves = kind == IndexedKind::Read || kind == IndexedKind::Write;
  if constexpr (moves || (kind == IndexedKind::Add && sizeof(T) >= 4))
    if (args.indices == 1) return share_out<kind, T, Jump1>(args);
  share_out<kind, T, Jump>(args);
}

// Moving looks at sizes, not at types.
template <IndexedKind kind>
void run_by_size(const IndexedArgs& args) {
  switch (item_size(args.dtype)) {
    case 1: return run<kind, uint8_t>(args);
    case 2: return run<kind, uint16_t>(args);
    case 4: return run<kind, uint32_t>(args);
    default: return run<kind, uint64_t>(args);
  }
}

template <IndexedKind kind>
void run_by_type(const IndexedArgs& args) {
  switch (args.dtype) {
#define VEEM_TYPE(T, D) \
  case DType::D: return run<kind, T>(args);
    VEEM_ALL_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return;
  }
}

// Finds an index of a line that is out of range. Unsigned, one comparison does for both ends.
bool check_line(const int64_t* index, int64_t n, int64_t stride, const IndexCheckArgs& args) {
  uint64_t low = static_cast<uint64_t>(args.low);
  uint64_t range = static_cast<uint64_t>(args.high) - low;
  int64_t skip = args.skip;
  bool all = !args.skips, bad = false;
  auto outside = [&](int64_t v) {
    return (static_cast<uint64_t>(v) - low >= range) & (all | (v != skip));
  };
  if (stride == 1)
    for (int64_t i = 0; i < n; ++i) bad |= outside(index[i]);
  else
    for (int64_t i = 0; i < n; ++i) bad |= outside(index[i * stride]);
  if (!bad) return false;
  for (int64_t i = 0;; ++i) {
    int64_t v = index[i * stride];
    if (!outside(v)) continue;
    *args.bad = v;
    return *args.found = true;
  }
}

int64_t count_block(const char* in, int64_t n) {
  int32_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += in[i];
  return count;
}

void write_block(int64_t* out, const char* in, int64_t begin, int64_t n, const NonzeroArgs& args) {
  int32_t found[kNonzeroBlock + 1];
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) {  // no branch: a mask is hard to predict
    found[count] = static_cast<int32_t>(i);
    count += in[i];
  }
  for (int64_t i = 0; i < count; ++i, out += args.ndim) {
    int64_t rest = begin + found[i];
    for (int d = args.ndim - 1; d > 0; --d) {
      out[d] = rest % args.shape[d];
      rest /= args.shape[d];
    }
    if (args.ndim > 0) out[0] = rest;
  }
}

}  // namespace

void indexed(const IndexedArgs& args) {
  switch (args.kind) {
    case IndexedKind::Read: return run_by_size<IndexedKind::Read>(args);
    case IndexedKind::Write: return run_by_size<IndexedKind::Write>(args);
    case IndexedKind::Add: return run_by_type<IndexedKind::Add>(args);
    case IndexedKind::Mul: return run_by_type<IndexedKind::Mul>(args);
    case IndexedKind::Max: return run_by_type<IndexedKind::Max>(args);
    case IndexedKind::Min: return run_by_type<IndexedKind::Min>(args);
  }
}

void index_check(const IndexCheckArgs& args) {
  // One after the other: of several bad indices the first is named.
  int outer = args.ndim - 1;
  int64_t lines = product(args.shape, outer);
  for (int64_t line = 0; line < lines; ++line) {
    int64_t at = 0, rest = line;
    for (int d = outer - 1; d >= 0; --d) {
      at += rest % args.shape[d] * args.index.strides[d];
      rest /= args.shape[d];
    }
    if (check_line(reinterpret_cast<const int64_t*>(args.index.data) + at, args.shape[outer],
                   args.index.strides[outer], args))
      return;
  }
}

void nonzero(const NonzeroArgs& args) {
  int64_t total = product(args.shape, args.ndim);
  int64_t blocks = (total + kNonzeroBlock - 1) / kNonzeroBlock;
  int64_t* counts = reinterpret_cast<int64_t*>(args.counts.data);
  parallel_for(blocks, 16, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const char* in = args.in.data + b * kNonzeroBlock;
      int64_t first = b * kNonzeroBlock, n = smaller(kNonzeroBlock, total - first);
      if (!args.out.data) {
        counts[b] = count_block(in, n);
      } else {
        int64_t* out = reinterpret_cast<int64_t*>(args.out.data) + counts[b] * args.ndim;
        write_block(out, in, first, n, args);
      }
    }
  });
}

}  // namespace VEEM_ISA
}  // namespace veem
