// Convolutions of a few filters or channels a group (depthwise), for which a product of matrices
// would fill tiles with zeros: a line of places at a time, one pass along it for each tap.
// Memory near the processor is the bound: a pass reads two lines and writes one.
#pragma once

#include "core/threads.h"
#include "cpu/vector.h"
#include "cpu/windows.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kFewRows = 4;              // filters, or channels of what is made
constexpr int64_t kDirectGrain = 32 * 1024;  // multiply-adds that are worth a thread

// body(places, line, first, last, offset) for each tap and each line of places that meets a line of
// the plane: place x in [first, last) meets the line's element x * stride + offset. places and
// line are their numbers.
template <class Body>
inline void each_line(const ConvArgs& a, const Place& tap, const Body& body) {
  int64_t offset = meets(a, 2, 0, tap.x), first, last, places = 0;
  inside(a.out_size[2], a.stride[2], offset, a.in[2], &first, &last);
  Place at{0, 0, 0};
  do {
    int64_t line = met_line(a, at, tap);
    if (line >= 0 && first < last) body(places, line, first, last, offset);
    ++places;
  } while (!next_line(&at, a.out_size));
}

// One plane of the output from the planes of its group.
template <class T>
void direct_plane(const ConvArgs& a, const T* weight, const T* planes, T bias, T* out) {
  int64_t places = product3(a.out_size), pixels = product3(a.in), wide = a.out_size[2];
  for (int64_t i = 0; i < places; ++i) out[i] = bias;
  for (int64_t c = 0; c < a.channels; ++c, planes += pixels)
    for (Place tap{0, 0, 0};;) {
      T w = *weight++;
      each_line(a, tap, [&](int64_t y, int64_t l, int64_t first, int64_t last, int64_t offset) {
        T* to = out + y * wide;
        const T* from = planes + l * a.in[2] + offset;
        if (a.stride[2] == 1)
          for (int64_t x = first; x < last; ++x) to[x] += w * from[x];
        else
          for (int64_t x = first; x < last; ++x) to[x] += w * from[x * a.stride[2]];
      });
      if (next_place(&tap, a.kernel)) break;
    }
}

// One plane of the input's gradient from the planes of its group; weight is that of the first
// filter for this channel.
template <class T>
void direct_transpose(const ConvArgs& a, const T* weight, const T* g, T bias, T* dx) {
  int64_t places = product3(a.out_size), pixels = product3(a.in), wide = a.out_size[2];
  int64_t window = product3(a.kernel);
  for (int64_t i = 0; i < pixels; ++i) dx[i] = bias;
  for (int64_t f = 0; f < a.filters; ++f, g += places, weight += a.channels * window) {
    const T* w = weight;
    for (Place tap{0, 0, 0};; ++w) {
      each_line(a, tap, [&](int64_t y, int64_t l, int64_t first, int64_t last, int64_t offset) {
        const T* from = g + y * wide;
        T* to = dx + l * a.in[2] + offset;
        if (a.stride[2] == 1)
          for (int64_t x = first; x < last; ++x) to[x] += *w * from[x];
        else
          for (int64_t x = first; x < last; ++x) to[x * a.stride[2]] += *w * from[x];
      });
      if (next_place(&tap, a.kernel)) break;
    }
  }
}

// The sum of a[x] * b[x * stride].
template <class T>
T dot(const T* a, const T* b, int64_t n, int64_t stride) {
  using Vec = typename Simd<T>::Vec;
  constexpr int L = kLanes<T>;
  T sums[L] = {};
  int64_t x = 0;
  if (stride == 1) {
    Vec sum = {};
    for (; x + L <= n; x += L)
      sum += *reinterpret_cast<const Vec*>(a + x) * *reinterpret_cast<const Vec*>(b + x);
    __builtin_memcpy(sums, &sum, sizeof(sums));
  }
  for (; x < n; ++x) sums[x % L] += a[x] * b[x * stride];
  for (int half = L / 2; half > 0; half /= 2)
    for (int l = 0; l < half; ++l) sums[l] += sums[l + half];
  return sums[0];
}

// The gradient of the weights that lie between a plane of x and one of g, in all images.
template <class T>
void direct_weight(const ConvArgs& a, const T* g, int64_t g_image, const T* x, int64_t x_image,
                   T* dw) {
  for (Place tap{0, 0, 0};;) {
    double sum = 0;
    for (int64_t n = 0; n < a.batch; ++n)
      each_line(a, tap, [&](int64_t y, int64_t l, int64_t first, int64_t last, int64_t offset) {
        const T* line = x + n * x_image + l * a.in[2] + offset;
        const T* grad = g + n * g_image + y * a.out_size[2];
        sum += dot(grad + first, line + first * a.stride[2], last - first, a.stride[2]);
      });
    *dw++ = static_cast<T>(sum);
    if (next_place(&tap, a.kernel)) return;
  }
}

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
