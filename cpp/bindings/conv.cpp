#include "core/ops_conv.h"

#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

void bind_conv() {
  def_wide("convolution",
           [](const Array& x, const Array& weight, const Array* bias, const Dims& stride,
              const Dims& pad, const Dims& dilation, int64_t groups) {
             return convolution(x, weight, bias, {stride, pad, dilation}, groups);
           });
  def_wide("conv_transpose",
           [](const Array& x, const Array& weight, const Array* bias, const Dims& size,
              const Dims& stride, const Dims& pad, const Dims& dilation, int64_t groups) {
             return conv_transpose(x, weight, bias, size, {stride, pad, dilation}, groups);
           });
  def_mixed("conv_backward_weight",
            [](const Array& g, const Array& x, const Dims& shape, const Dims& stride,
               const Dims& pad, const Dims& dilation, int64_t groups) {
              return conv_backward_weight(g, x, shape, {stride, pad, dilation}, groups);
            });
}

}  // namespace veem
