// Optimizer steps, one launch for each tensor: a thread for each element.
//
// Memory is the bound: Adam reads 16 and writes 12 bytes for each float, SGD with momentum reads
// 12 and writes 8. All arithmetic is in float, whatever the dtype.
#include "kernels/common.h"

constant int l2 [[function_constant(0)]];
constant int momentum [[function_constant(1)]];  // SGD
constant int nesterov [[function_constant(2)]];
constant int amsgrad [[function_constant(3)]];   // Adam

// b <- momentum b + (1 - dampening) d;  p <- p - lr (b, or d + momentum b, or d without momentum)
template <class T>
[[kernel]] void sgd(device T* param [[buffer(0)]],
                    device const T* grad [[buffer(1)]],
                    device T* buffer [[buffer(2)]],
                    constant SgdStep& step [[buffer(3)]],
                    uint i [[thread_position_in_grid]]) {
  float p = float(param[i]), d = step.sign * float(grad[i]);
  if (l2) d += step.l2 * p;
  if (momentum) {
    float v = step.momentum * float(buffer[i]) + step.keep * d;
    buffer[i] = T(v);
    d = nesterov ? d + step.momentum * v : v;
  }
  param[i] = T(p - step.lr * d);
}

// m <- beta1 m + (1 - beta1) d;  v <- beta2 v + (1 - beta2) d^2
// p <- p - step_size m / (sqrt(v) root_scale + eps)
template <class T>
[[kernel]] void adam(device T* param [[buffer(0)]],
                     device const T* grad [[buffer(1)]],
                     device T* mean [[buffer(2)]],
                     device T* square [[buffer(3)]],
                     device T* largest [[buffer(4)]],
                     constant AdamStep& step [[buffer(5)]],
                     uint i [[thread_position_in_grid]]) {
  float p = float(param[i]), d = step.sign * float(grad[i]);
  if (l2) d += step.l2 * p;
  float m = step.beta1 * float(mean[i]) + step.other1 * d;
  float v = step.beta2 * float(square[i]) + step.other2 * d * d;
  mean[i] = T(m);
  square[i] = T(v);
  if (amsgrad) {
    v = math::maximum(v, float(largest[i]));
    largest[i] = T(v);
  }
  float root = prim::sqrt(v) * step.root_scale + step.eps;
  param[i] = T(step.shrink * p - step.step_size * m / root);
}

VEEM_KERNEL("sgd_float", sgd<float>)
VEEM_KERNEL("sgd_half", sgd<half>)
VEEM_KERNEL("sgd_bfloat", sgd<bfloat>)
VEEM_KERNEL("adam_float", adam<float>)
VEEM_KERNEL("adam_half", adam<half>)
VEEM_KERNEL("adam_bfloat", adam<bfloat>)
