#include "bindings/families.h"
#include "bindings/generator.h"
#include "bindings/native.h"
#include "core/ops_attention.h"

namespace veem {

void bind_attention() {
  def_wide("attention", [](const Array& q, const Array& k, const Array& v, const Array* mask,
                           double scale, bool causal, double drop, Generator* g) {
    return attention({q, k, v, mask, scale, causal, drop}, g);
  });
  def_mixed("attention_backward", [](const Array& g, const Array& q, const Array& k, const Array& v,
                                     const Array* mask, const Array& out, const Array& lse,
                                     const Array& stream, double scale, bool causal, double drop) {
    return attention_backward(g, {q, k, v, mask, scale, causal, drop}, {out, lse, stream});
  });
  def_mixed(
      "attention_mask_backward", [](const Array& g, const Array& q, const Array& k, const Array& v,
                                    const Array* mask, const Array& out, const Array& lse,
                                    const Array& stream, double scale, bool causal, double drop) {
        return attention_mask_backward(g, {q, k, v, mask, scale, causal, drop}, {out, lse, stream});
      });
}

}  // namespace veem
