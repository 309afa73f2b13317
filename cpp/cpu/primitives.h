// What kernels/math.h needs from the CPU, in float and double. Included, before it, inside the
// namespace of an instruction set: nothing here has external linkage.

#define VEEM_MATH template <class T> static inline
#define VEEM_CONSTANT constexpr

namespace prim {

#define VEEM_DOUBLE(name) \
  static inline double name(double x) { return __builtin_##name(x); }
#define VEEM_DOUBLE_2(name) \
  static inline double name(double a, double b) { return __builtin_##name(a, b); }
#define VEEM_UNARY(name, builtin)                                         \
  static inline float name(float x) { return __builtin_##builtin##f(x); } \
  static inline double name(double x) { return __builtin_##builtin(x); }
#define VEEM_BINARY(name)                                                          \
  static inline float name(float a, float b) { return __builtin_##name##f(a, b); } \
  static inline double name(double a, double b) { return __builtin_##name(a, b); }

// One instruction each.
VEEM_UNARY(abs, fabs)
VEEM_UNARY(sqrt, sqrt)
VEEM_UNARY(floor, floor)
VEEM_UNARY(ceil, ceil)
VEEM_UNARY(trunc, trunc)
VEEM_UNARY(round, rint)  // halves to even
VEEM_BINARY(copysign)

static inline unsigned bits(float x) {
  unsigned i;
  __builtin_memcpy(&i, &x, sizeof i);
  return i;
}
static inline float from_bits(unsigned i) {
  float x;
  __builtin_memcpy(&x, &i, sizeof x);
  return x;
}
static inline unsigned long bits(double x) {
  unsigned long i;
  __builtin_memcpy(&i, &x, sizeof i);
  return i;
}
static inline double from_bits_wide(unsigned long i) {
  double x;
  __builtin_memcpy(&x, &i, sizeof x);
  return x;
}
// The float whose bits, as an integer, lie `by` further.
static inline float step_bits(float x, int by) { return from_bits(bits(x) + unsigned(by)); }
static inline double step_bits(double x, int by) {
  return from_bits_wide(bits(x) + static_cast<unsigned long>(by));
}
using real = double;  // for special functions

// Vector code for float; the C library for double.
#include "kernels/float32.h"
#include "cpu/float32_wide.h"
VEEM_DOUBLE(exp)
VEEM_DOUBLE(expm1)
VEEM_DOUBLE(log)
VEEM_DOUBLE(log1p)
VEEM_DOUBLE(log2)
VEEM_DOUBLE(log10)
VEEM_DOUBLE(tanh)
VEEM_DOUBLE(erf)
VEEM_DOUBLE(erfc)

VEEM_DOUBLE(exp2)
VEEM_DOUBLE(sin)
VEEM_DOUBLE(cos)
VEEM_DOUBLE(tan)
VEEM_DOUBLE(asin)
VEEM_DOUBLE(acos)
VEEM_DOUBLE(atan)
VEEM_DOUBLE(sinh)
VEEM_DOUBLE(cosh)
VEEM_DOUBLE(asinh)
VEEM_DOUBLE(acosh)
VEEM_DOUBLE(atanh)
VEEM_DOUBLE_2(pow)
VEEM_DOUBLE_2(atan2)
VEEM_DOUBLE_2(hypot)

// The C library for both.
VEEM_BINARY(fmod)

#undef VEEM_DOUBLE
#undef VEEM_DOUBLE_2
#undef VEEM_UNARY
#undef VEEM_BINARY

}  // namespace prim
