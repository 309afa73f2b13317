// Special functions. Part of kernels/math.h.
//
// They are computed in prim::real, which is double on the CPU: so a float's result is rounded
// once, and cancellation next to their zeros costs nothing. Metal has no double: there they are
// right to some units in the last place away from those zeros.

using real = prim::real;
static inline real infinity() { return prim::from_bits(0x7f800000u); }
static inline real not_a_number() { return infinity() - infinity(); }

// sin(pi x): whole turns and halves are dropped exactly.
static inline real sin_pi(real x) {
  real n = prim::round(x), half = prim::floor(n * real(0.5));
  real s = prim::sin((x - n) * real(3.14159265358979323846));
  return n - real(2) * half == real(0) ? s : -s;
}
VEEM_MATH T sinc(T x) {  // sin(pi x) / (pi x)
  real y = sin_pi(x) / (real(x) * real(3.14159265358979323846));
  y = x - x == T(0) ? y : x == x ? real(0) : real(x);  // at infinity
  return x == T(0) ? T(1) : T(y);
}

// log(gamma(2 + z)) for |z| <= 1/2 is z (1 - Euler's constant) + sum over k >= 2 of
// (zeta(k) - 1) (-z)^k / k. Each term is at most a quarter of the one before.
static inline real lgamma_near_2(real z) {
  return z * prim::poly(z, real(0.42278433509846714), real(0.32246703342411322),
                        real(-0.067352301053198095), real(0.020580808427784548),
                        real(-0.0073855510286739853), real(0.0028905103307415233),
                        real(-0.001192753911703261), real(0.00050966952474304242),
                        real(-0.00022315475845357938), real(9.9457512781808534e-5),
                        real(-4.4926236738133142e-5), real(2.0507212775670692e-5),
                        real(-9.4394882752683959e-6), real(4.3748667899074878e-6),
                        real(-2.0392157538013662e-6), real(9.5514121304074198e-7),
                        real(-4.492469198764566e-7), real(2.1207184805554666e-7),
                        real(-1.00432248239681e-7), real(4.7698101693639806e-8),
                        real(-2.2711094608943165e-8), real(1.0838659214896954e-8),
                        real(-5.1834750419700467e-9), real(2.4836745438024783e-9),
                        real(-1.1921401405860912e-9), real(5.731367241678862e-10));
}
// 1 / 12x - 1 / 360x^3 + ..., Stirling's series, for x >= 10
static inline real stirling(real x) {
  real y = real(1) / (x * x);
  real p = prim::poly(y, real(1.0 / 12), real(-1.0 / 360), real(1.0 / 1260), real(-1.0 / 1680),
                      real(1.0 / 1188), real(-691.0 / 360360), real(1.0 / 156));
  return (x - real(0.5)) * prim::log(x) - x + real(0.91893853320467274178) + p / x;
}
static inline real lgamma_positive(real x) {
  if (x >= real(10)) return stirling(x);
  if (x < real(0.5)) return lgamma_near_2(x) - prim::log1p(x) - prim::log(x);
  if (x < real(1.5)) return lgamma_near_2(x - real(1)) - prim::log1p(x - real(1));
  real product = real(1);  // gamma(x) = (x - 1) gamma(x - 1)
  for (; x > real(2.5); product *= x) x -= real(1);
  return prim::log(product) + lgamma_near_2(x - real(2));
}
VEEM_MATH T lgamma(T x) {
  real a = prim::abs(real(x)), y = lgamma_positive(a);
  if (x < T(0))  // gamma(x) gamma(-x) = -pi / (x sin(pi x))
    y = prim::log(real(3.14159265358979323846) / prim::abs(a * sin_pi(a))) - y;
  bool infinite = x - x != T(0) || (x <= T(0) && prim::floor(x) == x);
  return x != x ? x : infinite ? T(infinity()) : T(y);
}

// The logarithmic derivative of gamma, psi: psi(x) = psi(x + 1) - 1 / x, up to where
// log x - 1 / 2x - 1 / 12x^2 + 1 / 120x^4 - ... holds.
static inline real digamma_positive(real x) {
  real below = real(0);
  for (; x < real(10); x += real(1)) below += real(1) / x;
  real y = real(1) / (x * x);
  real p = prim::poly(y, real(1.0 / 12), real(-1.0 / 120), real(1.0 / 252), real(-1.0 / 240),
                      real(1.0 / 132), real(-691.0 / 32760), real(1.0 / 12));
  return prim::log(x) - real(0.5) / x - y * p - below;
}
VEEM_MATH T digamma(T x) {
  if (x == T(0)) return T(1) / -x;
  if (x > T(0)) return x - x == T(0) ? T(digamma_positive(x)) : x;
  real a = x, r = (a - prim::round(a)) * real(3.14159265358979323846);
  // psi(x) = psi(1 - x) - pi / tan(pi x); NaN at negative whole numbers
  real slope = real(3.14159265358979323846) * prim::cos(r) / prim::sin(r);
  return r == real(0) ? T(not_a_number()) : T(digamma_positive(real(1) - a) - slope);
}

// Hurwitz: the sum of (q + k)^-s over k >= 0, by terms up to q + k = 10 and the formula of Euler
// and Maclaurin from there on: its weights are B(2j) / (2j)!.
VEEM_MATH T zeta(T s_in, T q_in) {
  real s = s_in, q = q_in;
  if (s == real(1)) return T(infinity());
  if (!(s > real(1)) || q != q) return T(not_a_number());
  if (q <= real(0)) {
    if (prim::floor(q) == q) return T(infinity());
    if (prim::floor(s) != s) return T(not_a_number());  // a power of a negative number
  }
  real sum = real(0);
  for (; q < real(10); q += real(1)) sum += prim::pow(q, -s);
  real power = prim::pow(q, -s), square = real(1) / (q * q);
  sum += power * (q / (s - real(1)) + real(0.5));
  if (!(power > real(0))) return T(sum);  // q is infinite, or the power too small to count
  real t = power * s / q;
  constexpr int terms = 8;
  real weights[terms] = {real(1.0 / 12),
                         real(-1.0 / 720),
                         real(1.0 / 30240),
                         real(-1.0 / 1209600),
                         real(1.0 / 47900160),
                         real(-691.0 / 1307674368000.0),
                         real(1.0 / 74724249600.0),
                         real(-3617.0 / 10670622842880000.0)};
  for (int j = 0; j < terms; ++j) {
    sum += weights[j] * t;
    t *= (s + real(2 * j + 1)) * (s + real(2 * j + 2)) * square;
  }
  return T(sum);
}

// x with erf(x) = y: a guess, sqrt(sqrt(t^2 - l / a) - t) with l = log(1 - y^2), right to 2
// digits, and two of Halley's steps, each of which triples them. In the tails erfc keeps them.
VEEM_MATH T erfinv(T y_in) {
  real y = y_in, a = prim::abs(y);
  real l = prim::log1p(-a) + prim::log1p(a), t = real(4.33074675) + real(0.5) * l;
  real x = prim::sqrt(real(-6.80272109) * l / (prim::sqrt(t * t - real(6.80272109) * l) + t));
  for (int i = 0; i < 2; ++i) {
    real miss = a < real(0.5) ? prim::erf(x) - a : (real(1) - a) - prim::erfc(x);
    real step = miss * real(0.88622692545275801365) * prim::exp(x * x);
    x -= step / (real(1) + x * step);
  }
  x = a == real(1) ? infinity() : a > real(1) ? not_a_number() : x;
  return T(prim::copysign(x, y));
}

// a log b, where 0 takes all but NaN
VEEM_MATH T xlogy(T a, T b) {
  T y = a == T(0) ? T(0) : a * prim::log(b);
  return b != b ? b : y;
}
VEEM_MATH T xlog1py(T a, T b) {
  T y = a == T(0) ? T(0) : a * prim::log1p(b);
  return b != b ? b : y;
}
// log(exp(a) + exp(b)) from the larger one: nothing overflows.
VEEM_MATH T logaddexp(T a, T b) {
  T far = a == b ? T(0) : prim::abs(a - b);  // of two infinities
  return maximum(a, b) + prim::log1p(prim::exp(-far));
}
VEEM_MATH T logaddexp2(T a, T b) {
  T far = a == b ? T(0) : prim::abs(a - b);
  return maximum(a, b) + prim::log1p(prim::exp2(-far)) * T(1.4426950408889634074);
}
// log(x / (1 - x)): 2x - 1 is exact from 1/4 on.
VEEM_MATH T logit(T x) {
  return x < T(0.25) ? prim::log(x) - prim::log1p(-x) : T(2) * prim::atanh(T(2) * x - T(1));
}
