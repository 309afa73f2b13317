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
  def("fill_", [](const Array& to, const Scalar& value) { fill(to, value); }, OpKind::Inplace);
  def("to_device",
      [](const Array& x, const std::string& device) { return to_backend(x, backend(device)); });
}

}  // namespace veem
