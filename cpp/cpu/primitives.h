// What kernels/math.h needs from the CPU, in float and double. Included, before it, inside the
// namespace of an instruction set: nothing here has external linkage.

#define VEEM_MATH template <class T> static inline

namespace prim {

#define VEEM_UNARY(name, builtin)                                          \
  static inline float name(float x) { return __builtin_##builtin##f(x); } \
  static inline double name(double x) { return __builtin_##builtin(x); }
#define VEEM_BINARY(name)                                                              \
  static inline float name(float a, float b) { return __builtin_##name##f(a, b); }     \
  static inline double name(double a, double b) { return __builtin_##name(a, b); }

// One instruction each.
VEEM_UNARY(abs, fabs)
VEEM_UNARY(sqrt, sqrt)
VEEM_UNARY(floor, floor)
VEEM_UNARY(ceil, ceil)
VEEM_UNARY(trunc, trunc)
VEEM_UNARY(round, rint)  // halves to even
VEEM_BINARY(copysign)

// From the C library.
VEEM_UNARY(exp, exp)
VEEM_UNARY(expm1, expm1)
VEEM_UNARY(log, log)
VEEM_UNARY(log1p, log1p)
VEEM_UNARY(log2, log2)
VEEM_UNARY(log10, log10)
VEEM_UNARY(sin, sin)
VEEM_UNARY(cos, cos)
VEEM_UNARY(tanh, tanh)
VEEM_UNARY(erf, erf)
VEEM_BINARY(fmod)
VEEM_BINARY(pow)

#undef VEEM_UNARY
#undef VEEM_BINARY

}  // namespace prim
