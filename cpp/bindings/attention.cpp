#include "bindings/families.h"
#include "bindings/native.h"
#include "core/ops_attention.h"

namespace veem {

void bind_attention() {
  def("attention",
      [](const Array& q, const Array& k, const Array& v, const Array* mask, double scale,
         bool causal) { return attention(q, k, v, mask, scale, causal); });
  def("attention_backward",
      [](const Array& g, const Array& q, const Array& k, const Array& v, const Array* mask,
         const Array& out, const Array& lse, double scale,
         bool causal) { return attention_backward(g, q, k, v, mask, out, lse, scale, causal); });
}

}  // namespace veem
