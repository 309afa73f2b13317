#include "bindings/families.h"
#include "bindings/native.h"
#include "core/ops_attention.h"

namespace veem {

void bind_attention() {
  def_wide("attention",
           [](const Array& q, const Array& k, const Array& v, const Array* mask, double scale,
              bool causal) { return attention(q, k, v, mask, scale, causal); });
  def_mixed("attention_backward",
            [](const Array& g, const Array& q, const Array& k, const Array& v, const Array* mask,
               const Array& out, const Array& lse, double scale, bool causal) {
              return attention_backward(g, q, k, v, mask, out, lse, scale, causal);
            });
}

}  // namespace veem
