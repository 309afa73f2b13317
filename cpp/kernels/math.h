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

// Activations

// 1 / (1 + exp(-x)) without overflow: e is the exponential of a negative number. For x < 0,
// e / (1 + e) is taken as e - e (e / (1 + e)), which keeps the digits of e where it is small.
VEEM_MATH T sigmoid(T x) {
  T e = prim::exp(-prim::abs(x));
  T y = (x < T(0) ? e : T(1)) / (T(1) + e);
  return x < T(0) ? e - e * y : y;
}
VEEM_MATH T relu(T x) { return x < T(0) ? T(0) : x; }  // keeps NaN
VEEM_MATH T silu(T x) { return x * sigmoid(x); }
// x times the probability that a standard normal variable lies below x.
VEEM_MATH T gelu(T x) { return T(0.5) * x * (T(1) + prim::erf(x * T(0.70710678118654752440))); }
// Its approximation x (1 + tanh u) / 2; (1 + tanh u) / 2 is sigmoid(2u).
VEEM_MATH T gelu_tanh(T x) {
  return x * sigmoid(T(1.5957691216057307117) * (x + T(0.044715) * x * x * x));
}
VEEM_MATH T softplus(T x, T beta, T threshold) {
  T z = x * beta;
  return z > threshold ? x : prim::log1p(prim::exp(z)) / beta;
}
// min(x, 0) - log(1 + exp(-|x|)): neither end overflows.
VEEM_MATH T log_sigmoid(T x) {
  return (x > T(0) ? T(0) : x) - prim::log1p(prim::exp(-prim::abs(x)));
}
// x tanh(log(1 + e)), e = exp(x): tanh is n / (n + 2) with n = (1 + e)^2 - 1.
VEEM_MATH T mish(T x) {
  T e = prim::exp(x), n = e * (e + T(2));
  return x > T(20) ? x : x * (n / (n + T(2)));
}
VEEM_MATH T leaky_relu(T x, T slope) { return x > T(0) ? x : x * slope; }
VEEM_MATH T elu(T x, T alpha) { return x < T(0) ? alpha * prim::expm1(x) : x; }

// Their gradients: g times the slope, from the output where that is enough.

VEEM_MATH T relu_backward(T g, T out) { return out <= T(0) ? T(0) : g; }
VEEM_MATH T tanh_backward(T g, T out) { return g * (T(1) - out * out); }
VEEM_MATH T sigmoid_backward(T g, T out) { return g * (out * (T(1) - out)); }
VEEM_MATH T silu_backward(T g, T x) {
  T s = sigmoid(x);
  return g * s * (T(1) + x * (T(1) - s));
}
VEEM_MATH T gelu_backward(T g, T x) {
  T below = T(0.5) + T(0.5) * prim::erf(x * T(0.70710678118654752440));
  T density = T(0.39894228040143267794) * prim::exp(T(-0.5) * x * x);
  return g * (below + x * density);
}
VEEM_MATH T gelu_tanh_backward(T g, T x) {
  T u = T(1.5957691216057307117) * (x + T(0.044715) * x * x * x);
  T slope = T(1.5957691216057307117) * (T(1) + T(0.134145) * x * x);
  T s = sigmoid(u);
  return g * s * (T(1) + x * (T(1) - s) * slope);
}

}  // namespace math
