// Elementary functions of a float in float arithmetic: no table, no branch, no call, so that
// loops over them become vector code. Included inside namespace prim, after `bits(float)`,
// `from_bits(unsigned)`, abs and copysign; VEEM_CONSTANT is what a constant starts with.
// tests/cpp/accuracy.cpp holds them against the C library for every float: at most 2 units in the
// last place (erf without fused multiply-add: 2.15).
//
// The coefficients are minimax fits of the relative error (Remez), rounded to float from the
// lowest order up, each followed by a new fit of the rest; the error stated is the fit's.
// A comparison is written such that NaN passes: `low > x ? low : x`.

// c0 + c1 x + c2 x^2 + ... = (c0 + c1 x) + x^2 ((c2 + c3 x) + ...): half as long a chain of
// dependent steps as Horner's rule.
template <class T>
static inline T pairs(T, T, T c) {
  return c;
}
template <class T>
static inline T pairs(T x, T, T c0, T c1) {
  return c1 * x + c0;
}
template <class T, class... C>
static inline T pairs(T x, T xx, T c0, T c1, C... more) {
  return pairs(x, xx, more...) * xx + (c1 * x + c0);
}
template <class T, class... C>
static inline T poly(T x, C... c) {
  return pairs(x, x * x, c...);
}

// exp: x = n ln2 + r, |r| <= ln2 / 2. Adding 1.5 * 2^23 to n rounds it to a whole number and
// leaves it, with the bias, in the low bits of the sum.
VEEM_CONSTANT float kShift = 12582912;
VEEM_CONSTANT float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;  // n * high is exact

static inline float exp_shifted(float x, float bias) { return x * 1.44269504f + (kShift + bias); }
// exp(r) - 1 = r + r^2 q(r), degree 4, 2^-25.9
static inline float exp_fraction(float r) {
  float q = poly(r, 0.49999997f, 0.16666539f, 0.0416677482f, 0.00836713146f, 0.0013847003f);
  return r * r * q + r;
}
static inline float exp_remainder(float x, float n) {
  return exp_fraction(x - n * kLn2High - n * kLn2Low);
}
// y 2^n, where the low bits of t hold n + 2 * 127. The power is a product of two: n goes from
// -150 to 128, beyond the exponents of normal numbers.
static inline float exp_scale(float y, float t) {
  unsigned m = bits(t), half = m >> 1;
  return y * from_bits(half << 23) * from_bits((m - half) << 23);
}
static inline float exp(float x) {
  float t = exp_shifted(x, 2 * 127);
  float y = exp_scale(1.0f + exp_remainder(x, t - (kShift + 2 * 127)), t);
  y = x < -104.0f ? 0.0f : y;
  return x > 88.8f ? from_bits(0x7f800000) : y;
}
static inline float exp2(float x) {
  float t = x + (kShift + 2 * 127), r = x - (t - (kShift + 2 * 127));
  float y = exp_scale(1.0f + exp_fraction(r * 0.693147181f), t);
  y = x < -150.0f ? 0.0f : y;
  return x > 128.0f ? from_bits(0x7f800000) : y;
}

// (exp(x) - 1) / 2 for x from -80 to 89. Half, as 2^128 would overflow.
static inline float half_expm1(float x) {
  float t = exp_shifted(x, 126);
  float s = from_bits(bits(t) << 23);  // 2^n / 2
  return s * exp_remainder(x, t - (kShift + 126)) + (s - 0.5f);
}
static inline float expm1(float x) {
  float z = -20.0f > x ? -20.0f : x;
  z = 89.0f < z ? 89.0f : z;
  return copysign(2.0f * half_expm1(z), x);  // of -0 too
}

// log: x = 2^e (1 + f), 1 + f from sqrt(1/2) to sqrt(2).
// log(1 + f) = f - f^2 / 2 + f^3 p(f), degree 8, 2^-30.1
static inline float log_fraction(float f) {
  float p = poly(f, 0.333333075f, -0.249999762f, 0.200023934f, -0.166699350f, 0.142157972f,
                 -0.123696029f, 0.118798710f, -0.118894123f, 0.0702681765f);
  return (p * f - 0.5f) * (f * f) + f;
}
// 2^23 e, from the bits of a positive normal number.
static inline unsigned log_exponent(unsigned x) { return (x - bits(0.707106781f)) & ~0x7fffffu; }
static inline float whole(unsigned e) { return static_cast<float>(static_cast<int>(e) >> 23); }
// y, but for the numbers that have no exponent: 0, negative ones, inf and NaN.
static inline float log_edges(float x, float y) {
  y = x < from_bits(0x7f800000) ? y : x;
  y = x == 0 ? from_bits(0xff800000) : y;
  return x < 0 ? from_bits(0x7fc00000) : y;
}
// log(2) in the base wanted, in two parts, and what turns a natural logarithm into that base.
static inline float log_scaled(float x, float high, float low, float scale) {
  bool subnormal = x < from_bits(0x00800000);
  unsigned i = bits(subnormal ? x * 8388608.0f : x), e = log_exponent(i);
  float n = whole(e) - (subnormal ? 23.0f : 0.0f);
  float fraction = log_fraction(from_bits(i - e) - 1.0f);
  return log_edges(x, n * high + (fraction * scale + n * low));
}
static inline float log(float x) { return log_scaled(x, 0.693147182f, -1.90465421e-9f, 1); }
static inline float log2(float x) { return log_scaled(x, 1, 0, 1.44269504f); }
static inline float log10(float x) {
  return log_scaled(x, 0.301025391f, 4.60503907e-6f, 0.434294482f);
}

// e is the exponent of 1 + x, but f = 2^-e x + (2^-e - 1) comes from x: nothing is lost.
static inline float log1p(float x) {
  float u = 1.0f + x;
  unsigned e = log_exponent(bits(u));
  float f = from_bits(bits(x) - e) + (0.25f * from_bits(bits(4.0f) - e) - 1.0f);
  float y = whole(e) * 0.693147181f + log_fraction(f);
  return copysign(log_edges(u, y), x);
}

// tanh(x) = x + x^3 p(x^2) near 0, degree 4, 2^-29.8; 1 - 2 / (exp(2x) + 1) beyond.
static inline float tanh(float x) {
  float u = x * x;
  float p = poly(u, -0.333333194f, 0.133326367f, -0.0538568497f, 0.0210883133f, -0.00629566563f);
  float far = 1.0f - 2.0f / (exp(2.0f * abs(x)) + 1.0f);
  return copysign(abs(x) > 0.55f ? far : x * u * p + x, x);  // of -0 too
}

// erf(x) = 1 - exp(-g), g = x + x p(x) for x > 0, degree 8, 2^-27.8
static inline float erf(float x) {
  float a = abs(x);
  a = 4.0f < a ? 4.0f : a;
  float p = poly(a, 0.128379166f, 0.636619568f, 0.102776304f, -0.0191478189f, -0.000169528183f,
                 0.00167572952f, -0.000637416262f, 0.000118885473f, -9.39204256e-6f);
  return copysign(2.0f * half_expm1(-(p * a + a)), x);
}

// exp(a^2) erfc(a) = p(t) / (1 + a), t = (a - 2) / (a + 2), for a from 0 to 10.6: beyond, erfc is
// no float. Degree 11, 2^-31.1
template <class T>
static inline T scaled_erfc(T a) {
  T t = (a - T(2)) / (a + T(2));
  return poly(t, T(0.766187029241), T(-0.259974835952), T(0.0378138618788), T(0.0425363084568),
              T(-0.0252428650793), T(-0.000517688216027), T(0.00393300054845), T(0.000140576912278),
              T(-0.000691914193723), T(-0.000125569341223), T(9.67662174213e-05),
              T(3.708716784e-05)) /
         (T(1) + a);
}
