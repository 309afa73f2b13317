#include "core/ops_loss.h"

#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

namespace {

Reduction reduction_of(const std::string& name) {
  if (name == "none") return Reduction::None;
  if (name == "mean") return Reduction::Mean;
  VEEM_CHECK_AS(Value, name == "sum", "cross_entropy", name,
                " is not a valid value for reduction; ", "it is 'none', 'mean' or 'sum'");
  return Reduction::Sum;
}

}  // namespace

void bind_loss() {
  def_wide("cross_entropy", [](const Array& logits, const Array& target, int64_t ignore,
                               double smoothing, const std::string& reduction) {
    return cross_entropy(logits, target, ignore, smoothing, reduction_of(reduction));
  });
  def_mixed("cross_entropy_backward",
            [](const Array& g, const Array& logits, const Array& target, const Array& lse,
               int64_t ignore, double smoothing, const std::string& reduction) {
              return cross_entropy_backward(g, logits, target, lse, ignore, smoothing,
                                            reduction_of(reduction));
            });
}

}  // namespace veem
