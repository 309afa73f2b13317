#include "bindings/families.h"
#include "bindings/native.h"
#include "core/ops_sort.h"

namespace veem {

namespace {

template <Scan kind> void def_scan(const char* name) {
  def_wide(name,
           [](const Array& x, int64_t dim, bool reverse) { return scan(kind, x, dim, reverse); });
}

template <Scan kind> void def_scan_with_indices(const char* name) {
  def_wide(name, [](const Array& x, int64_t dim) { return scan_with_indices(kind, x, dim); });
}

}  // namespace

void bind_sort() {
  def_scan<Scan::Sum>("cumsum");
  def_scan<Scan::Prod>("cumprod");
  def_scan<Scan::LogSumExp>("logcumsumexp");
  def_scan_with_indices<Scan::Max>("cummax");
  def_scan_with_indices<Scan::Min>("cummin");
  def("sort", [](const Array& x, int64_t dim, bool descending, int64_t first, int64_t count) {
    return sort(x, dim, descending, first, count);
  });
  def("searchsorted",
      [](const Array& sequence, const Array& values, const Array* sorter, bool right, DType out) {
        return searchsorted(sequence, values, sorter, right, out);
      });
}

}  // namespace veem
