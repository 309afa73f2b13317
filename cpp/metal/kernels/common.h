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

#include "kernels/float32.h"

// The CPU computes these in double, which Metal lacks: Metal's own are right to 4 units in the
// last place, and pow to 16.
static inline float sin(float x) { return precise::sin(x); }
static inline float cos(float x) { return precise::cos(x); }
static inline float pow(float x, float y) { return precise::pow(x, y); }

}  // namespace prim

#include "kernels/math.h"

// A template's kernel under a name of its own: VEEM_KERNEL("softmax_float", softmax<float>)
#define VEEM_KERNEL(name, ...) \
  template [[host_name(name)]] [[kernel]] decltype(__VA_ARGS__) __VA_ARGS__;
