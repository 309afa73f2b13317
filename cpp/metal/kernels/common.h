// What every family's kernels begin with: Metal's library, the structs shared with the host, and
// the formulas shared with all backends.
#pragma once

#include <metal_stdlib>

using namespace metal;

#include "metal/args.h"

#define VEEM_MATH template <class T> static inline
#define VEEM_CONSTANT constant constexpr

// What kernels/math.h needs from a device. Where Metal has one instruction it is taken, and the
// functions of kernels/float32.h are the CPU's: devices differ by no more than fused steps.
namespace prim {

static inline float abs(float x) { return metal::fabs(x); }
static inline float sqrt(float x) { return precise::sqrt(x); }
static inline float floor(float x) { return metal::floor(x); }
static inline float ceil(float x) { return metal::ceil(x); }
static inline float trunc(float x) { return metal::trunc(x); }
static inline float round(float x) { return metal::rint(x); }  // halves to even
static inline float copysign(float x, float y) { return metal::copysign(x, y); }
static inline float fmod(float x, float y) { return precise::fmod(x, y); }
static inline unsigned bits(float x) { return as_type<unsigned>(x); }
static inline float from_bits(unsigned x) { return as_type<float>(x); }
static inline float step_bits(float x, int by) { return from_bits(bits(x) + unsigned(by)); }
using real = float;  // for special functions: the widest there is

#include "kernels/float32.h"

// The CPU computes these in double, which Metal lacks: Metal's own are right to 4 units in the
// last place (tan and atan2 to 6), and pow to 16.
static inline float sin(float x) { return precise::sin(x); }
static inline float cos(float x) { return precise::cos(x); }
static inline float tan(float x) { return precise::tan(x); }
static inline float asin(float x) { return precise::asin(x); }
static inline float acos(float x) { return precise::acos(x); }
static inline float atan(float x) { return precise::atan(x); }
static inline float sinh(float x) { return precise::sinh(x); }
static inline float cosh(float x) { return precise::cosh(x); }
static inline float asinh(float x) { return precise::asinh(x); }
static inline float acosh(float x) { return precise::acosh(x); }
static inline float atanh(float x) { return precise::atanh(x); }
static inline float atan2(float y, float x) { return precise::atan2(y, x); }
static inline float pow(float x, float y) { return precise::pow(x, y); }

// a^2 has more digits than a float: the square of its upper half has not, and goes first.
static inline float erfc(float x) {
  float a = 10.6f < abs(x) ? 10.6f : abs(x), high = from_bits(bits(a) & 0xfffff000);
  float y = exp(-high * high) * exp((high - a) * (high + a)) * scaled_erfc(a);
  return x < 0 ? 2.0f - y : y;
}
// The larger side times sqrt(1 + ratio^2): nothing overflows that need not.
static inline float hypot(float x, float y) {
  float a = abs(x), b = abs(y), inf = from_bits(0x7f800000);
  float large = a < b ? b : a, ratio = (a < b ? a : b) / large;
  float length = large == 0 ? large : large * sqrt(1.0f + ratio * ratio);
  return a == inf || b == inf ? inf : length;  // even beside NaN
}

}  // namespace prim

#include "kernels/math.h"

// A template's kernel under a name of its own: VEEM_KERNEL("softmax_float", softmax<float>)
#define VEEM_KERNEL(name, ...) \
  template [[host_name(name)]] [[kernel]] decltype(__VA_ARGS__) __VA_ARGS__;
