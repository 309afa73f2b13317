// Ops that move elements.
#include "bindings/families.h"
#include "bindings/native.h"
#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

void bind_copy() {
  def("clone", [](const Array& x) { return clone(x); });
  def("contiguous", [](const Array& x) { return contiguous(x); });
  def("cat", [](int64_t dim, const Rest& arrays) { return cat(arrays, dim); });
  def(
      "copy_from_", [](const Array& to, const Array& from) { copy_into(to, from); },
      OpKind::Inplace);
  def("copy_slices", [](const Array& x, const Array& value, const Dims& within, const Dims& shape,
                        const Dims& strides, int64_t offset) {
    return copy_slices(x, value, {within, shape, strides, offset});
  });
  def("take_slices",
      [](const Array& x, const Dims& within, const Dims& shape, const Dims& strides,
         int64_t offset) { return take_slices(x, {within, shape, strides, offset}); });
  def("fill_", [](const Array& to, const Scalar& value) { fill(to, value); }, OpKind::Inplace);
  def("to_device",
      [](const Array& x, const std::string& device) { return to_backend(x, backend(device)); });
}

}  // namespace veem
