// Launches optimizer steps, tensor by tensor (kernels/optim.metal).
#include "metal/kernels.h"
#include "metal/device.h"
#include "metal/args.h"

namespace veem::metal {

namespace {

constexpr int64_t kMost = 1 << 30;  // elements of a launch: their indices have 32 bits

Memory from(const Memory& memory, int64_t bytes) {
  return {memory.data ? memory.data + bytes : nullptr, memory.storage};
}

SgdStep sgd_step(const OptimArgs& a) {
  SgdStep s;
  s.sign = static_cast<float>(a.sign);
  s.l2 = static_cast<float>(a.l2);
  s.lr = static_cast<float>(a.lr);
  s.momentum = static_cast<float>(a.momentum);
  s.keep = static_cast<float>(1 - a.dampening);
  return s;
}

AdamStep adam_step(const OptimArgs& a, const OptimItem& item) {
  AdamStep s;
  s.sign = static_cast<float>(a.sign);
  s.l2 = static_cast<float>(a.l2);
  s.shrink = static_cast<float>(a.shrink);
  s.beta1 = static_cast<float>(a.beta1);
  s.other1 = static_cast<float>(1 - a.beta1);
  s.beta2 = static_cast<float>(a.beta2);
  s.other2 = static_cast<float>(1 - a.beta2);
  s.eps = static_cast<float>(a.eps);
  s.step_size = static_cast<float>(item.step_size);
  s.root_scale = static_cast<float>(item.root_scale);
  return s;
}

void step(const OptimArgs& a, const OptimItem& item, int64_t begin, int64_t n) {
  int64_t at = begin * item_size(a.dtype), bytes = n * item_size(a.dtype);
  bool adam = a.optim == Optim::Adam;
  Encoder e("optim", std::string(adam ? "adam_" : "sgd_") + type_name(a.dtype),
            {a.l2 != 0, item.first.data != nullptr, a.nesterov, item.largest.data != nullptr});
  e.buffer(from(item.param, at), bytes).buffer(from(item.grad, at), bytes);
  e.buffer(from(item.first, at), item.first.data ? bytes : 0);
  if (adam) {
    e.buffer(from(item.second, at), bytes);
    e.buffer(from(item.largest, at), item.largest.data ? bytes : 0);
    e.args(adam_step(a, item));
  } else {
    e.args(sgd_step(a));
  }
  e.threads(n);
}

}  // namespace

void optim(const OptimArgs& a) {
  for (int i = 0; i < a.count; ++i) {
    const OptimItem& item = a.items[i];
    for (int64_t begin = 0; begin < item.n; begin += kMost)
      step(a, item, begin, item.n - begin < kMost ? item.n - begin : kMost);
  }
}

}  // namespace veem::metal
