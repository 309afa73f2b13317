// Resampling along the middle dimension of (outer, n, inner): each element of the result is a sum
// of a few weighted elements (one for nearest, two for linear, four for cubic). Backward it is the
// same with the weights transposed. Memory is the bound. A thread makes one element.
#include "kernels/common.h"

template <class T>
[[kernel]] void resample(device const T* in [[buffer(0)]], device const long* first [[buffer(1)]],
                         device const long* index [[buffer(2)]],
                         device const float* weight [[buffer(3)]], device T* out [[buffer(4)]],
                         constant ResampleShape& s [[buffer(5)]],
                         uint i [[thread_position_in_grid]]) {
  long row = long(i) / s.inner, b = long(i) - row * s.inner;
  long outer = row / s.out_n, at = row - outer * s.out_n;
  in += outer * s.n * s.inner + b;
  float sum = 0;
  for (long t = first[at]; t < first[at + 1]; ++t) sum += weight[t] * float(in[index[t] * s.inner]);
  out[i] = T(sum);
}

VEEM_KERNEL("resample_float", resample<float>)
VEEM_KERNEL("resample_half", resample<half>)
VEEM_KERNEL("resample_bfloat", resample<bfloat>)
