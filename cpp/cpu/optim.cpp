// Optimizer steps over a list of tensors: one call for all of a model's parameters.
//
// Adam reads 16 and writes 12 bytes for each float32: memory is the bound for large tensors,
// and the call itself for many small ones. The list is therefore walked as one long range of
// elements, which threads share out wherever the tensors begin and end.
#include "core/threads.h"
#include "cpu/kernels.h"
#include "cpu/memory.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kGrain = 32 << 10;  // elements

template <class T>
inline T* at(char* data, int64_t begin) {
  return reinterpret_cast<T*>(data) + begin;
}

// b <- momentum b + (1 - dampening) d;  p <- p - lr (b, or d + momentum b, or d without momentum)
template <class T, bool l2, bool momentum, bool nesterov>
void sgd(const OptimArgs& args, const OptimItem& item, int64_t begin, int64_t end) {
  T* __restrict p = at<T>(item.param.data, begin);
  const T* __restrict g = at<T>(item.grad.data, begin);
  T* __restrict b = momentum ? at<T>(item.first.data, begin) : nullptr;
  const T sign = static_cast<T>(args.sign), decay = static_cast<T>(args.l2);
  const T lr = static_cast<T>(args.lr), mu = static_cast<T>(args.momentum);
  const T keep = static_cast<T>(1 - args.dampening);
  for (int64_t i = 0; i < end - begin; ++i) {
    T d = sign * g[i];
    if (l2) d += decay * p[i];
    if (momentum) {
      T v = mu * b[i] + keep * d;
      b[i] = v;
      d = nesterov ? d + mu * v : v;
    }
    p[i] -= lr * d;
  }
}

// m <- beta1 m + (1 - beta1) d;  v <- beta2 v + (1 - beta2) d^2
// p <- p - step_size m / (sqrt(v) root_scale + eps)
template <class T, bool l2, bool amsgrad>
void adam(const OptimArgs& args, const OptimItem& item, int64_t begin, int64_t end) {
  T* __restrict p = at<T>(item.param.data, begin);
  const T* __restrict g = at<T>(item.grad.data, begin);
  T* __restrict m = at<T>(item.first.data, begin);
  T* __restrict v = at<T>(item.second.data, begin);
  T* __restrict largest = amsgrad ? at<T>(item.largest.data, begin) : nullptr;
  const T sign = static_cast<T>(args.sign), decay = static_cast<T>(args.l2);
  const T shrink = static_cast<T>(args.shrink), eps = static_cast<T>(args.eps);
  const T beta1 = static_cast<T>(args.beta1), other1 = static_cast<T>(1 - args.beta1);
  const T beta2 = static_cast<T>(args.beta2), other2 = static_cast<T>(1 - args.beta2);
  const T step_size = static_cast<T>(item.step_size);
  const T root_scale = static_cast<T>(item.root_scale);
  for (int64_t i = 0; i < end - begin; ++i) {
    T d = sign * g[i], old = p[i];
    if (l2) d += decay * old;
    T mean = beta1 * m[i] + other1 * d;
    T square = beta2 * v[i] + other2 * d * d;
    m[i] = mean;
    v[i] = square;
    if (amsgrad) {  // a NaN stays, as it does in maximum()
      square = largest[i] < square || square != square ? square : largest[i];
      largest[i] = square;
    }
    T root = sizeof(T) == 4 ? static_cast<T>(__builtin_sqrtf(static_cast<float>(square)))
                            : static_cast<T>(__builtin_sqrt(square));
    p[i] = shrink * old - step_size * mean / (root * root_scale + eps);
  }
}

using Step = void (*)(const OptimArgs&, const OptimItem&, int64_t, int64_t);

template <class T>
Step choose(const OptimArgs& args) {
  bool l2 = args.l2 != 0;
  if (args.optim == Optim::Adam) {
    bool amsgrad = args.items[0].largest.data;
    return l2        ? amsgrad ? adam<T, true, true> : adam<T, true, false>
                  : amsgrad ? adam<T, false, true>
                     : adam<T, false, false>;
  }
  if (!args.items[0].first.data)
    return l2 ? sgd<T, true, false, false> : sgd<T, false, false, false>;
  if (args.nesterov) return l2 ? sgd<T, true, true, true> : sgd<T, false, true, true>;
  return l2 ? sgd<T, true, true, false> : sgd<T, false, true, false>;
}

template <class T>
void run(const OptimArgs& args) {
  Step step = choose<T>(args);
  int64_t total = 0;
  for (int i = 0; i < args.count; ++i) total += args.items[i].n;
  parallel_for(total, kGrain, [&](int64_t begin, int64_t end) {
    int64_t first = 0;  // where the item's elements begin
    for (int i = 0; i < args.count && first < end; ++i) {
      const OptimItem& item = args.items[i];
      int64_t from = begin > first ? begin - first : 0;
      int64_t to = smaller(end - first, item.n);
      if (from < to) step(args, item, from, to);
      first += item.n;
    }
  });
}

}  // namespace

void optim(const OptimArgs& args) {
  if (args.dtype == DType::Float32) return run<float>(args);
  if (args.dtype == DType::Float64) return run<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
