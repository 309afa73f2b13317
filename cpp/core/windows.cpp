#include "core/windows.h"

namespace veem {

void check_windows(const Windows& w, int dims, const char* op) {
  VEEM_CHECK(w.stride.size() == dims && w.pad.size() == dims && w.dilation.size() == dims, op,
             "stride, padding and dilation must have ", dims, " numbers each, got ", w.stride, ", ",
             w.pad, " and ", w.dilation);
  for (int i = 0; i < dims; ++i) {
    VEEM_CHECK(w.stride[i] > 0, op, "non-positive stride is not supported, got ", w.stride);
    VEEM_CHECK(w.pad[i] >= 0, op, "negative padding is not supported, got ", w.pad);
    VEEM_CHECK(w.dilation[i] > 0, op, "dilation should be greater than zero, got ", w.dilation);
  }
}

void set_windows(WindowArgs* args, const Dims& shape, const Dims& kernel, const Windows& w) {
  int dims = kernel.size(), lead = kSpace - dims;
  for (int d = 0; d < kSpace; ++d) {
    int i = d - lead;
    args->in[d] = i < 0 ? 1 : shape[shape.size() - dims + i];
    args->kernel[d] = i < 0 ? 1 : kernel[i];
    args->stride[d] = i < 0 ? 1 : w.stride[i];
    args->pad[d] = i < 0 ? 0 : w.pad[i];
    args->dilation[d] = i < 0 ? 1 : w.dilation[i];
  }
}

Dims with_space(const Dims& shape, int batch, int space, const int64_t* size) {
  Dims out;
  for (int d = 0; d < batch; ++d) out.push_back(shape[d]);
  for (int d = kSpace - space; d < kSpace; ++d) out.push_back(size[d]);
  return out;
}

void check_planes(const Array& x, int dims, const char* op, bool taken) {
  static const char* const names[] = {"length", "height, width", "depth, height, width"};
  VEEM_CHECK(x.ndim() == dims + 2, op, "expected input of (batch, channels, ", names[dims - 1],
             ") or (channels, ", names[dims - 1], "), got shape ", x.shape);
  check_taken(x, op, taken);
}

void check_taken(const Array& x, const char* op, bool taken) {
  VEEM_CHECK_AS(NotImplemented, taken, op, "not implemented for ", name(x.dtype),
                "; convert to float32 first, e.g. x.float()");
}

}  // namespace veem
