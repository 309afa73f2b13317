// Launches sorting: blocks, then merges of runs in pairs (kernels/sort.metal).
#include "core/array.h"
#include "core/backend.h"
#include "core/plan.h"
#include "metal/kernels.h"
#include "metal/lines.h"

namespace veem::metal {

namespace {

const char* bits_name(DType t) {
  switch (item_size(t)) {
    case 1: return "uchar";
    case 2: return "short";
    case 4: return "int";
    default: return "long";
  }
}

// Keys and indices of all rows.
struct Records {
  Array keys, indices;
  Records(int64_t n, DType key, Backend& backend)
      : keys(empty({n}, key, backend)), indices(empty({n}, DType::Int32, backend)) {}
};

}  // namespace

void sort(const SortArgs& a) {
  VEEM_CHECK_AS(NotImplemented, a.n <= INT32_MAX, "sort",
                "rows of more than 2^31 elements are "
                "not implemented on a GPU");
  Backend& backend = *a.in.storage->backend;
  bool wide = a.dtype == DType::Int64;
  std::string key = wide ? "ulong" : "uint";
  DType key_type = wide ? DType::Int64 : DType::Int32;
  int64_t all = a.rows * a.n, wanted = a.rows * a.count;
  SortShape s = {};
  s.n = a.n;
  s.width = round_up(a.n, kSortBlock);
  s.limit = a.first + a.count;
  s.first = a.first, s.count = a.count;
  auto constants = {static_cast<int>(a.dtype), int{a.descending}};

  Records now(all, key_type, backend);
  {
    Encoder e("sort", "sort_blocks_" + key, constants);
    e.buffer(a.in, all * item_size(a.dtype)).buffer(memory_of(now.keys), now.keys.nbytes());
    e.buffer(memory_of(now.indices), now.indices.nbytes()).args(s);
    int64_t threads = std::min(std::max<int64_t>(s.width / 2, 1), e.max_group());
    e.groups({parts(a.n, s.width), a.rows}, {threads});
  }
  for (; s.width < a.n; s.width *= 2) {
    Records next(all, key_type, backend);
    s.runs = parts(a.n, s.width);
    long count = a.rows * s.runs * std::min<int64_t>(s.width, s.limit);
    Encoder e("sort", "sort_merge_" + key, constants);
    for (const Records* r : {&now, &next})
      e.buffer(memory_of(r->keys), r->keys.nbytes())
          .buffer(memory_of(r->indices), r->indices.nbytes());
    threads_in_lines(e.args(s).args(count), count);
    now = next;
  }
  Encoder e("sort", std::string("sort_take_") + bits_name(a.dtype), constants);
  e.buffer(a.in, all * item_size(a.dtype));
  e.buffer(memory_of(now.indices), now.indices.nbytes());
  e.buffer(a.values, wanted * item_size(a.dtype)).buffer(a.indices, wanted * 8).args(s);
  long count = wanted;
  threads_in_lines(e.args(count), count);
}

}  // namespace veem::metal
