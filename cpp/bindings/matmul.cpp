#include "core/ops_matmul.h"

#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

void bind_matmul() {
  def("matmul", [](const Array& a, const Array& b) { return matmul(a, b); });
  def("linear",
      [](const Array& x, const Array& w, const Array* bias) { return linear(x, w, bias); });
}

}  // namespace veem
