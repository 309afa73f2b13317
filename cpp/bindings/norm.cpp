#include "core/ops_norm.h"

#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

void bind_norm() {
  def_wide("layer_norm",
           [](const Array& x, const Dims& shape, const Array* weight, const Array* bias,
              double eps) { return layer_norm(x, shape, weight, bias, eps); });
  def_mixed("layer_norm_backward",
            [](const Array& g, const Array& x, const Array* weight, const Array& mean,
               const Array& rstd, const Dims& shape,
               double) { return layer_norm_backward(g, x, weight, mean, rstd, shape); });
  def_wide("channel_norm",
           [](const Array& x, const Array* weight, const Array* bias, int64_t groups, double eps) {
             return channel_norm(x, weight, bias, groups, eps);
           });
  def_wide("channel_norm_given", [](const Array& x, const Array& mean, const Array& var,
                                    const Array* weight, const Array* bias, double eps) {
    return channel_norm_given(x, mean, var, weight, bias, eps);
  });
  def_mixed("channel_norm_backward",
            [](const Array& g, const Array& x, const Array* weight, const Array& mean,
               const Array& var, int64_t groups,
               double eps) { return channel_norm_backward(g, x, weight, mean, var, groups, eps); });
}

}  // namespace veem
