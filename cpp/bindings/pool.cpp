#include "bindings/families.h"
#include "bindings/native.h"
#include "core/ops_pool.h"

namespace veem {

void bind_pool() {
  def("max_pool", [](const Array& x, const Dims& kernel, const Dims& stride, const Dims& pad,
                     const Dims& dilation, bool ceil_mode) {
    return max_pool(x, kernel, {stride, pad, dilation}, ceil_mode);
  });
  def_mixed("max_pool_backward",
            [](const Array& g, const Array& index, const Dims& shape, const Dims& kernel,
               const Dims& stride, const Dims& pad, const Dims& dilation) {
              return max_pool_backward(g, index, shape, kernel, {stride, pad, dilation});
            });
  def_wide("avg_pool", [](const Array& x, const Dims& kernel, const Dims& stride, const Dims& pad,
                          bool ceil_mode, bool count_pad, int64_t divisor) {
    Windows windows{stride, pad, Dims(kernel.size(), 1)};
    return avg_pool(x, kernel, windows, ceil_mode, count_pad, divisor);
  });
  def_mixed("avg_pool_backward",
            [](const Array& g, const Dims& shape, const Dims& kernel, const Dims& stride,
               const Dims& pad, bool ceil_mode, bool count_pad, int64_t divisor) {
              Windows windows{stride, pad, Dims(kernel.size(), 1)};
              return avg_pool_backward(g, shape, kernel, windows, ceil_mode, count_pad, divisor);
            });
  def("adaptive_max_pool",
      [](const Array& x, const Dims& size) { return adaptive_max_pool(x, size); });
  def_wide("adaptive_avg_pool",
           [](const Array& x, const Dims& size) { return adaptive_avg_pool(x, size); });
  def_mixed("adaptive_avg_pool_backward",
            [](const Array& g, const Dims& shape) { return adaptive_avg_pool_backward(g, shape); });
  def_wide("unfold_windows",
           [](const Array& x, const Dims& kernel, const Dims& stride, const Dims& pad,
              const Dims& dilation) { return unfold(x, kernel, {stride, pad, dilation}); });
  def_wide("fold_windows", [](const Array& columns, const Dims& size, const Dims& kernel,
                              const Dims& stride, const Dims& pad, const Dims& dilation) {
    return fold(columns, size, kernel, {stride, pad, dilation});
  });
  def_mixed("resample", [](const Array& x, int64_t dim, int64_t size, const Array& first,
                           const Array& index, const Array& weight, const Array&, const Array&,
                           const Array&) { return resample(x, dim, size, first, index, weight); });
}

}  // namespace veem
