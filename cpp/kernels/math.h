// One formula per elementwise row of ops.def, for every backend. Included inside the includer's
// own namespace, after it has defined
//   VEEM_MATH  what a function here starts with: "template <class T> static inline" on the CPU
//   prim::     what depends on the device: exp, log, tanh, erf, pow, sqrt, floor, fmod ... of
//              each floating point type
// Plain functions only, no standard library: this is host C++, CUDA and Metal at once.
//
// Formulas are free of branches where they can be: loops over them become vector code. Integers
// wrap around, as in PyTorch, so they are computed as unsigned.

namespace math {

// bool(0.5) is true, and int(0.5) is 0.
VEEM_MATH constexpr bool is_bool() { return T(2) == T(1); }
VEEM_MATH constexpr bool is_float() { return T(0.5) != T(0) && !is_bool<T>(); }
VEEM_MATH unsigned long wide(T x) { return static_cast<unsigned long>(x); }

VEEM_MATH T copy(T x) { return x; }

// Arithmetic

VEEM_MATH T neg(T x) {
  if constexpr (is_float<T>()) return -x;
  else return T(0 - wide(x));
}
VEEM_MATH T abs(T x) {
  if constexpr (is_float<T>()) return prim::abs(x);
  else return x < T(0) ? neg(x) : x;
}
VEEM_MATH T sign(T x) { return T((x > T(0)) - (x < T(0))); }  // 0 for NaN
VEEM_MATH T add(T a, T b) {
  if constexpr (is_float<T>()) return a + b;
  else return T(wide(a) + wide(b));  // of bools: or
}
VEEM_MATH T sub(T a, T b) {
  if constexpr (is_float<T>()) return a - b;
  else return T(wide(a) - wide(b));
}
VEEM_MATH T mul(T a, T b) {
  if constexpr (is_bool<T>()) return a && b;
  else if constexpr (is_float<T>()) return a * b;
  else return T(wide(a) * wide(b));
}
VEEM_MATH T div(T a, T b) { return a / b; }
VEEM_MATH T square(T x) { return mul(x, x); }
VEEM_MATH T reciprocal(T x) { return T(1) / x; }
VEEM_MATH T sqrt(T x) { return prim::sqrt(x); }
VEEM_MATH T rsqrt(T x) { return T(1) / prim::sqrt(x); }

// Integer division that cannot trap: by 0 gives 0 (refused before it comes here), and the
// smallest number by -1 wraps around.
VEEM_MATH T quotient(T a, T b) {
  T safe = b == T(0) || wide(b) == ~0ul ? T(1) : b;
  return b == T(0) ? T(0) : safe == b ? T(a / b) : neg(a);
}

// Python's rules: the quotient is rounded down, so the remainder has the sign of b.
VEEM_MATH T remainder(T a, T b) {
  if constexpr (is_float<T>()) {
    T r = prim::fmod(a, b);
    return r != T(0) && (r < T(0)) != (b < T(0)) ? r + b : r;
  } else {
    T r = sub(a, mul(quotient(a, b), b));
    return b != T(0) && r != T(0) && (r < T(0)) != (b < T(0)) ? add(r, b) : r;
  }
}
// C's rule: the quotient is rounded to zero, so the remainder has the sign of a.
VEEM_MATH T fmod(T a, T b) {
  if constexpr (is_float<T>()) return prim::fmod(a, b);
  else return sub(a, mul(quotient(a, b), b));
}
VEEM_MATH T floor_divide(T a, T b) {
  if constexpr (is_float<T>()) {
    T r = prim::fmod(a, b);  // a - r is a multiple of b: its quotient is whole, when rounded
    T q = (a - r) / b - T(r != T(0) && (r < T(0)) != (b < T(0)));
    q = prim::round(q);
    return b == T(0) ? a / b : q == T(0) ? prim::copysign(T(0), a / b) : q;
  } else {
    T q = quotient(a, b);
    bool inexact = sub(a, mul(q, b)) != T(0);
    return inexact && b != T(0) && (a < T(0)) != (b < T(0)) ? sub(q, T(1)) : q;
  }
}
VEEM_MATH T pow(T a, T b) {
  if constexpr (is_float<T>()) {
    return prim::pow(a, b);
  } else {
    bool one = a == T(1), minus_one = !one && wide(a) == ~0ul;
    if (b < T(0) && minus_one) b = neg(b);
    if (b < T(0)) return T(one || (minus_one && b % 2 == 0));
    T result = 1;
    for (; b; b = T(b / 2)) {  // by squaring
      if (b % 2) result = mul(result, a);
      a = mul(a, a);
    }
    return result;
  }
}

// From whichever end is nearer: exact at both.
VEEM_MATH T lerp(T a, T b, T weight) {
  return weight < T(0.5) ? a + weight * (b - a) : b - (T(1) - weight) * (b - a);
}
VEEM_MATH T addcmul(T x, T a, T b, T value) { return add(x, mul(value, mul(a, b))); }
VEEM_MATH T addcdiv(T x, T a, T b, T value) { return x + value * (a / b); }

// Rounded to zero.
VEEM_MATH T trunc_divide(T a, T b) {
  if constexpr (is_float<T>()) return prim::trunc(a / b);
  else return quotient(a, b);
}
// Euclid: a remainder has every common divisor of the two.
VEEM_MATH T gcd(T a, T b) {
  a = abs(a);
  b = abs(b);
  while (b != T(0)) {
    T rest = T(a % b);
    a = b;
    b = rest;
  }
  return a;
}
VEEM_MATH T lcm(T a, T b) {
  return a == T(0) || b == T(0) ? T(0) : abs(mul(quotient(a, gcd(a, b)), b));
}
VEEM_MATH T copysign(T a, T b) { return prim::copysign(a, b); }
VEEM_MATH T frac(T x) { return x - prim::trunc(x); }

// Order

VEEM_MATH bool eq(T a, T b) { return a == b; }
VEEM_MATH bool ne(T a, T b) { return a != b; }
VEEM_MATH bool lt(T a, T b) { return a < b; }
VEEM_MATH bool le(T a, T b) { return a <= b; }
VEEM_MATH bool gt(T a, T b) { return a > b; }
VEEM_MATH bool ge(T a, T b) { return a >= b; }
// NaN if either is: a comparison with NaN is false and picks b. One instruction and a blend.
VEEM_MATH T maximum(T a, T b) {
  T m = a > b ? a : b;
  return a != a ? a : m;
}
VEEM_MATH T minimum(T a, T b) {
  T m = a < b ? a : b;
  return a != a ? a : m;
}
// NaN if any operand is; high where low > high. GCC vectorises this badly as
// minimum(maximum(x, low), high).
VEEM_MATH T clamp(T x, T low, T high) {
  T y = x < low ? low : x;
  y = y > high ? high : y;
  y = low != low ? low : y;
  return high != high ? high : y;
}
// The other operand where one is NaN.
VEEM_MATH T fmax(T a, T b) {
  T m = a > b ? a : b;
  return b != b ? a : m;
}
VEEM_MATH T fmin(T a, T b) {
  T m = a < b ? a : b;
  return b != b ? a : m;
}
VEEM_MATH T heaviside(T x, T at_zero) { return x == T(0) ? at_zero : T(x > T(0)); }
VEEM_MATH T where(bool condition, T a, T b) { return condition ? a : b; }

// Rounding: integers are whole already

VEEM_MATH T floor(T x) {
  if constexpr (is_float<T>()) return prim::floor(x);
  else return x;
}
VEEM_MATH T ceil(T x) {
  if constexpr (is_float<T>()) return prim::ceil(x);
  else return x;
}
VEEM_MATH T trunc(T x) {
  if constexpr (is_float<T>()) return prim::trunc(x);
  else return x;
}
VEEM_MATH T round(T x) {  // halves to even
  if constexpr (is_float<T>()) return prim::round(x);
  else return x;
}

// Classes and bits

VEEM_MATH bool isnan(T x) { return x != x; }
VEEM_MATH bool isfinite(T x) {
  if constexpr (is_float<T>()) return x - x == T(0);
  else return true;
}
VEEM_MATH bool isinf(T x) { return !isfinite(x) && !isnan(x); }
VEEM_MATH bool signbit(T x) {
  if constexpr (is_float<T>()) return prim::copysign(T(1), x) < T(0);
  else return x < T(0);
}
VEEM_MATH T nan_to_num(T x, T nan, T high, T low) {
  T y = x - x == T(0) ? x : x > T(0) ? high : low;
  return x != x ? nan : y;
}
VEEM_MATH T nextafter(T x, T to) {
  T y = prim::step_bits(x, (x < to) == (x > T(0)) ? 1 : -1);
  y = x == T(0) ? prim::copysign(prim::step_bits(T(0), 1), to) : y;
  y = x == to ? to : y;
  return x != x ? x : to != to ? to : y;
}
VEEM_MATH bool logical_not(T x) { return x == T(0); }
VEEM_MATH bool logical_and(T a, T b) { return (a != T(0)) & (b != T(0)); }
VEEM_MATH bool logical_or(T a, T b) { return (a != T(0)) | (b != T(0)); }
VEEM_MATH bool logical_xor(T a, T b) { return (a != T(0)) != (b != T(0)); }
VEEM_MATH T bitwise_not(T x) {
  if constexpr (is_bool<T>()) return !x;
  else return T(~x);
}
VEEM_MATH T bitwise_and(T a, T b) { return T(a & b); }
VEEM_MATH T bitwise_or(T a, T b) { return T(a | b); }
VEEM_MATH T bitwise_xor(T a, T b) { return T(a ^ b); }
// Shifts by more bits than there are give what is left: zeros, or copies of the sign.
VEEM_MATH T bitwise_left_shift(T a, T b) { return wide(b) < 64ul ? T(wide(a) << wide(b)) : T(0); }
VEEM_MATH T bitwise_right_shift(T a, T b) {
  return T(static_cast<long>(a) >> (wide(b) < 64ul ? wide(b) : 63ul));
}

// Transcendental functions

VEEM_MATH T exp(T x) { return prim::exp(x); }
VEEM_MATH T exp2(T x) { return prim::exp2(x); }
VEEM_MATH T expm1(T x) { return prim::expm1(x); }
VEEM_MATH T log(T x) { return prim::log(x); }
VEEM_MATH T log1p(T x) { return prim::log1p(x); }
VEEM_MATH T log2(T x) { return prim::log2(x); }
VEEM_MATH T log10(T x) { return prim::log10(x); }
VEEM_MATH T sin(T x) { return prim::sin(x); }
VEEM_MATH T cos(T x) { return prim::cos(x); }
VEEM_MATH T tan(T x) { return prim::tan(x); }
VEEM_MATH T asin(T x) { return prim::asin(x); }
VEEM_MATH T acos(T x) { return prim::acos(x); }
VEEM_MATH T atan(T x) { return prim::atan(x); }
VEEM_MATH T atan2(T y, T x) { return prim::atan2(y, x); }
VEEM_MATH T sinh(T x) { return prim::sinh(x); }
VEEM_MATH T cosh(T x) { return prim::cosh(x); }
VEEM_MATH T tanh(T x) { return prim::tanh(x); }
VEEM_MATH T asinh(T x) { return prim::asinh(x); }
VEEM_MATH T acosh(T x) { return prim::acosh(x); }
VEEM_MATH T atanh(T x) { return prim::atanh(x); }
VEEM_MATH T erf(T x) { return prim::erf(x); }
VEEM_MATH T erfc(T x) { return prim::erfc(x); }
VEEM_MATH T hypot(T a, T b) { return prim::hypot(a, b); }

#include "kernels/activation.h"
#include "kernels/special.h"

}  // namespace math
