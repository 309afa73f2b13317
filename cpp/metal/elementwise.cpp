// Launches elementwise ops (kernels/elementwise.metal).
#include <cstring>

#include "metal/args.h"
#include "metal/device.h"
#include "metal/kernels.h"
#include "metal/lines.h"

namespace veem::metal {

namespace {

// A number among the inputs, which plan_elementwise has put into eight bytes as `t`.
void set_number(ElementwiseShape* s, int i, int64_t bytes, DType t) {
  switch (t) {
#define VEEM_NUMBER(T, D)                        \
  case DType::D: {                               \
    T value;                                     \
    std::memcpy(&value, &bytes, sizeof value);   \
    s->real[i] = static_cast<float>(value);      \
    s->integer[i] = static_cast<int64_t>(value); \
    break;                                       \
  }
    VEEM_ALL_TYPES(VEEM_NUMBER)
#undef VEEM_NUMBER
    default: break;
  }
}

bool is_flat(const ElementwiseArgs& a) {
  if (a.ndim != 1 || (a.shape[0] > 1 && a.out.strides[0] != 1)) return false;
  for (int i = 0; i < a.inputs; ++i)
    if (a.in[i].data && a.shape[0] > 1 && a.in[i].strides[0] != 1) return false;
  return true;
}

}  // namespace

void elementwise(const ElementwiseArgs& a) {
  static_assert(sizeof(ElementwiseShape) <= 4096, "Metal's setBytes takes no more");
  ElementwiseShape s = {};
  s.n = 1;
  s.ndim = a.ndim;
  for (int d = 0; d < a.ndim; ++d) {
    s.n *= a.shape[d];
    s.shape[d] = a.shape[d];
    s.out_strides[d] = a.out.strides[d];
  }
  int types[kMaxInputs] = {-1, -1, -1, -1};
  for (int i = 0; i < a.inputs; ++i) {
    if (!a.in[i].data) {
      set_number(&s, i, a.immediate[i], a.in[i].dtype);
      continue;
    }
    types[i] = static_cast<int>(a.in[i].dtype);
    for (int d = 0; d < a.ndim; ++d) s.in_strides[i][d] = a.in[i].strides[d];
  }
  const char* type = is_float(a.compute)        ? "elementwise_float"
                     : a.compute == DType::Bool ? "elementwise_bool"
                                                : "elementwise_long";
  Encoder e("elementwise", type,
            {static_cast<int>(a.op), static_cast<int>(a.out.dtype), types[0], types[1], types[2],
             types[3], is_flat(a), s.n >> 32 != 0});
  for (int i = 0; i < kMaxInputs; ++i) {
    if (types[i] < 0) e.buffer(Memory{}, 0);
    else e.buffer(a.in[i], extent(a.in[i], a.shape, a.ndim));
  }
  e.buffer(a.out, extent(a.out, a.shape, a.ndim)).args(s);
  threads_in_lines(e, s.n);
}

}  // namespace veem::metal
