// Elementary functions of a float that need more digits inside than a float has: they are
// computed in double, without branches, and rounded once. Included after kernels/float32.h.

constexpr double kWideShift = 6755399441055744;  // 1.5 * 2^52: the sum's low bits are whole

// sin(x + quarter pi / 2): r = x / pi less the nearest whole number; odd ones negate.
static inline double sine(float x, double quarter) {
  // 1 / pi in three parts; for large x without the leading digits, which give whole numbers of
  // turns alone. The first two have 29 digits: their products with x are exact.
  double a = abs(x);
  double high = a < 0x1p51    ? 0x1.45f3068p-2
                : a < 0x1p78  ? 0x1.727220ap-28
                : a < 0x1p105 ? 0x1.4a7f09cp-55
                              : 0x1.5f47d4cp-83;
  double middle = a < 0x1p51    ? 0x1.727220ap-28
                  : a < 0x1p78  ? 0x1.29fc274p-57
                  : a < 0x1p105 ? 0x1.5f47d4dp-83
                                : 0x1.377036cp-111;
  double low = a < 0x1p51    ? 0x1.29fc2757d1f53p-57
               : a < 0x1p78  ? 0x1.7d1f534ddc0dbp-85
               : a < 0x1p105 ? 0x1.bb81b6c52b328p-114
                             : 0x1.8a5664f10e410p-139;
  double t = x * high + kWideShift;
  double rest = x * high - (t - kWideShift) + quarter * 0.5 + x * middle;
  double u = rest + kWideShift;
  double r = rest - (u - kWideShift) + x * low;
  // sin(pi r) = r p(r^2) for |r| < 0.516, degree 4, 2^-27.0
  double p = poly(r * r, 3.141592630317757, -5.16770875464015, 2.550049381658315,
                  -0.5981012843696757, 0.07725865460588577);
  return from_bits_wide(bits(r * p) ^ (bits(t) ^ bits(u)) << 63);
}
static inline float sin(float x) { return float(sine(x, -0.0)); }  // keeps the sign of -0
static inline float cos(float x) { return float(sine(x, 1)); }
static inline float tan(float x) { return float(sine(x, -0.0) / sine(x, 1)); }

// The angle whose tangent is a >= 0; of 1 / a where a > 1.
static inline double arctangent(double a) {
  double t = a > 1 ? 1 / a : a;
  // atan(t) = t p(t^2), degree 9, 2^-28.6
  double y =
      t * poly(t * t, 0.9999999976293171, -0.3333328362954137, 0.19998265814184493,
               -0.1426193126918515, 0.1094202285820954, -0.08377296311997535, 0.05755182182454769,
               -0.030804355124192745, 0.01072683030569732, -0.0017539077164358396);
  return a > 1 ? 1.5707963267948966 - y : y;
}
static inline float atan(float x) { return copysign(float(arctangent(abs(x))), x); }
static inline float asin(float x) {
  double a = abs(x);
  return copysign(float(arctangent(a / sqrt((1 - a) * (1 + a)))), x);
}
static inline float acos(float x) {
  double a = x;
  return float(2 * arctangent(sqrt((1 - a) / (1 + a))));
}
static inline float atan2(float y, float x) {
  double a = abs(y), b = abs(x);
  double ratio = a == b ? (a == 0 ? 0 : 1) : a / b;  // of two zeros, of two infinities
  double angle = arctangent(ratio);
  return copysign(float(copysign(1.0f, x) < 0 ? 3.141592653589793 - angle : angle), y);
}

// log2(2^e (1 + f)), 1 + f from sqrt(1/2) to sqrt(2); k is 2^52 e, from the bits of a double.
static inline unsigned long log_exponent(double x) {
  return (bits(x) - bits(0.7071067811865476)) & ~0xffffffffffffful;
}
static inline double log2_wide(unsigned long k, double f) {
  // log2(1 + f) = s p(s^2), s = f / (2 + f), degree 4, 2^-37.8
  double s = f / (2 + f);
  double p = poly(s * s, 2.885390081790143, 0.9617966732657968, 0.5770836003785371,
                  0.4116717443359334, 0.34074899157600885);
  return static_cast<int>(k >> 32) * 0x1p-20 + s * p;
}
// log(1 + z) for z >= 0: as log1p of a float.
static inline double log1p_wide(double z) {
  unsigned long k = log_exponent(1 + z);
  double f = from_bits_wide(bits(z) - k) + (from_bits_wide(bits(1.0) - k) - 1);
  return z < from_bits(0x7f800000) ? 0.6931471805599453 * log2_wide(k, f) : z;
}
static inline float asinh(float x) {
  double a = abs(x), y = log1p_wide(a + a * a / (1 + sqrt(1 + a * a)));
  return copysign(float(a < from_bits(0x7f800000) ? y : a), x);
}
static inline float acosh(float x) {
  double t = x - 1.0, y = log1p_wide(t + sqrt(t * (x + 1.0)));
  return x < 1 ? from_bits(0x7fc00000) : float(y);
}
static inline float atanh(float x) {
  double a = abs(x), y = 0.5 * log1p_wide(2 * a / (1 - a));
  return a > 1 ? from_bits(0x7fc00000) : copysign(float(y), x);
}

// 2^z = power (1 + fraction). Limited to where floats have long under- or overflown.
struct Exp2 {
  double power, fraction;
};
static inline Exp2 exp2_wide(double z) {
  z = -200.0 > z ? -200.0 : z;
  z = 200.0 < z ? 200.0 : z;
  double t = z + kWideShift, r = z - (t - kWideShift);
  // 2^r - 1 = r p(r), degree 6, 2^-32.0
  double p =
      poly(r, 0.6931471805815695, 0.24022650920042574, 0.05550410727595962, 0.00961805703899093,
           0.0013333669452725424, 0.0001546132916309721, 1.5252719299357257e-05);
  return {from_bits_wide((bits(t) + 1023ul) << 52), r * p};
}
// exp(|x|) - 1
static inline double expm1_wide(float x) {
  Exp2 e = exp2_wide(abs(x) * 1.4426950408889634);
  return e.power * e.fraction + (e.power - 1);
}
static inline float sinh(float x) {
  double y = expm1_wide(x);
  return copysign(float(0.5 * (y + y / (y + 1))), x);
}
static inline float cosh(float x) {
  double y = expm1_wide(x) + 1;
  return float(0.5 * (y + 1 / y));
}

static inline float erfc(float x) {
  double a = abs(x);
  a = 10.6 < a ? 10.6 : a;
  Exp2 e = exp2_wide(a * a * -1.4426950408889634);
  double y = (e.power * e.fraction + e.power) * scaled_erfc(a);
  return float(x < 0 ? 2 - y : y);
}

// |x|^y = 2^(y log2|x|), with the special cases of C99's pow.
static inline float pow(float x, float y) {
  float a = abs(x), inf = from_bits(0x7f800000);
  double wide = a;  // where every float but 0 is a normal number
  unsigned long k = log_exponent(wide);
  double l = log2_wide(k, from_bits_wide(bits(wide) - k) - 1);
  l = a == 0 ? -inf : a < inf ? l : a;
  Exp2 e = exp2_wide(y * l);
  float result = float(e.power * e.fraction + e.power);

  bool whole = trunc(y) == y, odd = whole & (trunc(0.5f * y) != 0.5f * y);
  result = ((x < 0) & !whole & (a < inf)) ? from_bits(0x7fc00000) : result;
  result = odd ? copysign(result, x) : result;
  bool one = (y == 0) | (x == 1) | ((x == -1) & (abs(y) == inf));
  return one ? 1.0f : result;
}

// Squares of floats neither over- nor underflow in double.
static inline float hypot(float a, float b) {
  float inf = from_bits(0x7f800000);
  float y = float(sqrt(double(a) * a + double(b) * b));
  bool infinite = abs(a) == inf || abs(b) == inf;  // even beside NaN
  return infinite ? inf : y;
}
