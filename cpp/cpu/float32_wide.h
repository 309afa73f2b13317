// Elementary functions of a float that need more digits inside than a float has: they are
// computed in double, without branches, and rounded once. Included after kernels/float32.h.

constexpr double kWideShift = 6755399441055744;  // 1.5 * 2^52: the sum's low bits are whole

// sin(x + quarter pi / 2): r = x / pi less the nearest whole number; odd ones negate.
static inline float sine(float x, double quarter) {
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
  double r = rest - (u - kWideShift) + x * low, y = r * r;
  // sin(pi r) = r p(r^2) for |r| < 0.516, degree 4, 2^-27.0
  double p = 0.07725865460588577;
  p = p * y - 0.5981012843696757;
  p = p * y + 2.550049381658315;
  p = p * y - 5.16770875464015;
  p = p * y + 3.141592630317757;
  unsigned long odd = (bits(t) ^ bits(u)) << 63;
  return static_cast<float>(from_bits_wide(bits(r * p) ^ odd));
}
static inline float sin(float x) { return sine(x, -0.0); }  // keeps the sign of -0
static inline float cos(float x) { return sine(x, 1); }

// |x|^y = 2^(y log2|x|), with the special cases of C99's pow.
static inline float pow(float x, float y) {
  float a = abs(x), inf = from_bits(0x7f800000);
  Split split = log_split(a);
  // log2(1 + f) = s p(s^2), s = f / (2 + f), degree 4, 2^-37.8
  double f = split.f, s = f / (2 + f), ss = s * s;
  double p = 0.34074899157600885;
  p = p * ss + 0.4116717443359334;
  p = p * ss + 0.5770836003785371;
  p = p * ss + 0.9617966732657968;
  p = p * ss + 2.885390081790143;
  double l = a == 0 ? -inf : a < inf ? split.e + s * p : a, z = y * l;
  z = -200.0 > z ? -200.0 : z;
  z = 200.0 < z ? 200.0 : z;
  // 2^z = 2^n 2^r, degree 6, 2^-28.9
  double t = z + kWideShift, r = z - (t - kWideShift);
  double q = 0.00015353385627006966;
  q = q * r + 0.001339887407196044;
  q = q * r + 0.00961843726908635;
  q = q * r + 0.05550332471944726;
  q = q * r + 0.2402264791434251;
  q = q * r + 0.6931472028546378;
  q = q * r + 1.0;
  float result = static_cast<float>(q * from_bits_wide((bits(t) + 1023ul) << 52));

  bool whole = __builtin_truncf(y) == y, odd = whole & (__builtin_truncf(0.5f * y) != 0.5f * y);
  result = ((x < 0) & !whole & (a < inf)) ? from_bits(0x7fc00000) : result;
  result = odd ? copysign(result, x) : result;
  bool one = (y == 0) | (x == 1) | ((x == -1) & (abs(y) == inf));
  return one ? 1.0f : result;
}
