// Launches binary search: a thread for each value (kernels/search.metal).
#include "metal/kernels.h"
#include "metal/lines.h"

namespace veem::metal {

void search(const SearchArgs& a) {
  SearchShape s = {a.rows * a.m, a.n, a.m, a.shared};
  int64_t size = item_size(a.dtype), sequence = (a.shared ? 1 : a.rows) * a.n;
  bool narrow = a.out.dtype == DType::Int32;
  Encoder e("search", std::string("search_") + (is_float(a.dtype) ? "float" : "long"),
            {static_cast<int>(a.dtype), int{a.right}, int{a.sorter.data != nullptr}, narrow});
  e.buffer(a.sequence, sequence * size).buffer(a.values, s.count * size);
  e.buffer(a.sorter, a.sorter.data ? sequence * 8 : 0).buffer(a.out, s.count * (narrow ? 4 : 8));
  threads_in_lines(e.args(s), s.count);
}

}  // namespace veem::metal
