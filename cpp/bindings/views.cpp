// Views as ops: they cost O(1) and share memory with argument 0.
#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

void bind_views() {
  constexpr OpKind view = OpKind::View;
  def("view", [](const Array& x, const Dims& shape) { return reshape_view(x, shape); }, view);
  def("permute", [](const Array& x, const Dims& dims) { return permute(x, dims); }, view);
  def(
      "transpose",
      [](const Array& x, int64_t dim0, int64_t dim1) { return transpose(x, dim0, dim1); }, view);
  def("expand", [](const Array& x, const Dims& shape) { return expand(x, shape); }, view);
  def(
      "squeeze",
      [](const Array& x, std::optional<Dims> dims) {
        return dims ? squeeze(x, *dims) : squeeze(x);
      },
      view);
  def("unsqueeze", [](const Array& x, int64_t dim) { return unsqueeze(x, dim); }, view);
  def(
      "slice",
      [](const Array& x, int64_t dim, int64_t start, int64_t stop, int64_t step) {
        return slice(x, dim, start, stop, step);
      },
      view);
  def(
      "select", [](const Array& x, int64_t dim, int64_t index) { return select(x, dim, index); },
      view);
}

}  // namespace veem
