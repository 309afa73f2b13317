// Views as ops: they cost O(1) and share memory with argument 0.
#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

void bind_views() {
  constexpr OpKind view = OpKind::View;
  def("view", [](const Array& x, const Dims& shape) { return reshape_view(x, shape); }, view);
  def("view_as", [](const Array& x, DType dtype) { return view_as(x, dtype); }, view);
  def(
      "as_strided",
      [](const Array& x, const Dims& shape, const Dims& strides, int64_t offset) {
        return as_strided(x, shape, strides, offset);
      },
      view);
  def(
      "unfold",
      [](const Array& x, int64_t dim, int64_t size, int64_t step) {
        return unfold(x, dim, size, step);
      },
      view);
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
