#include "core/ops_softmax.h"

#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

void bind_softmax() {
  def_wide("softmax", [](const Array& x, int64_t dim) { return softmax(x, dim, false); });
  def_wide("log_softmax", [](const Array& x, int64_t dim) { return softmax(x, dim, true); });
  def_mixed("softmax_backward", [](const Array& g, const Array& out, int64_t dim) {
    return softmax_backward(g, out, dim, false);
  });
  def_mixed("log_softmax_backward", [](const Array& g, const Array& out, int64_t dim) {
    return softmax_backward(g, out, dim, true);
  });
}

}  // namespace veem
