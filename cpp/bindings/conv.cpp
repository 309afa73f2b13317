#include "core/ops_conv.h"

#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

void bind_conv() {
  def("conv2d", [](const Array& x, const Array& weight, const Array* bias, const Dims& stride,
                   const Dims& pad, const Dims& dilation, int64_t groups) {
    return conv2d(x, weight, bias, {stride, pad, dilation}, groups);
  });
  def("conv2d_backward_input",
      [](const Array& g, const Array& weight, const Dims& shape, const Dims& stride,
         const Dims& pad, const Dims& dilation, int64_t groups) {
        return conv2d_backward_input(g, weight, shape, {stride, pad, dilation}, groups);
      });
  def("conv2d_backward_weight",
      [](const Array& g, const Array& x, const Dims& shape, const Dims& stride, const Dims& pad,
         const Dims& dilation, int64_t groups) {
        return conv2d_backward_weight(g, x, shape, {stride, pad, dilation}, groups);
      });
  def("max_pool2d", [](const Array& x, const Dims& kernel, const Dims& stride, const Dims& pad,
                       const Dims& dilation, bool ceil_mode) {
    return max_pool2d(x, kernel, {stride, pad, dilation}, ceil_mode);
  });
  def("max_pool2d_backward",
      [](const Array& g, const Array& index, const Dims& shape, const Dims& kernel,
         const Dims& stride, const Dims& pad, const Dims& dilation) {
        return max_pool2d_backward(g, index, shape, kernel, {stride, pad, dilation});
      });
}

}  // namespace veem
