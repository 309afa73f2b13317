// Functions on numbers: metal::, and the same in metal::precise and metal::fast. A half or
// bfloat is computed as a float and rounded, a vector element by element.
#pragma once
#include "types.h"

namespace metal {

#define VEEM_TEMPLATE_VEC template <class T, int N> VEEM_INLINE veem_msl::native<T, N>
#define VEEM_MAP1(name)                                            \
  VEEM_TEMPLATE_VEC name(veem_msl::native<T, N> x) {                       \
    for (int i = 0; i < N; ++i) x[i] = name(x[i]);                 \
    return x;                                                      \
  }
#define VEEM_MAP2(name)                                            \
  VEEM_TEMPLATE_VEC name(veem_msl::native<T, N> x, veem_msl::native<T, N> y) {     \
    for (int i = 0; i < N; ++i) x[i] = name(x[i], y[i]);           \
    return x;                                                      \
  }
#define VEEM_MAP3(name)                                                              \
  VEEM_TEMPLATE_VEC name(veem_msl::native<T, N> x, veem_msl::native<T, N> y, veem_msl::native<T, N> z) {     \
    for (int i = 0; i < N; ++i) x[i] = name(x[i], y[i], z[i]);                       \
    return x;                                                                        \
  }
// A function of floats, from an expression of x (and y, and z).
#define VEEM_FLOAT1(name, expression)                              \
  VEEM_INLINE float name(float x) { return expression; }           \
  VEEM_INLINE half name(half x) { return half(name(float(x))); }   \
  VEEM_INLINE bfloat name(bfloat x) { return bfloat(name(float(x))); } \
  VEEM_MAP1(name)
#define VEEM_FLOAT2(name, expression)                                                     \
  VEEM_INLINE float name(float x, float y) { return expression; }                         \
  VEEM_INLINE half name(half x, half y) { return half(name(float(x), float(y))); }        \
  VEEM_INLINE bfloat name(bfloat x, bfloat y) { return bfloat(name(float(x), float(y))); } \
  VEEM_MAP2(name)
#define VEEM_FLOAT3(name, expression)                                         \
  VEEM_INLINE float name(float x, float y, float z) { return expression; }    \
  VEEM_INLINE half name(half x, half y, half z) {                             \
    return half(name(float(x), float(y), float(z)));                          \
  }                                                                           \
  VEEM_INLINE bfloat name(bfloat x, bfloat y, bfloat z) {                     \
    return bfloat(name(float(x), float(y), float(z)));                        \
  }                                                                           \
  VEEM_MAP3(name)

namespace precise {
VEEM_FLOAT1(acos, __builtin_acosf(x))
VEEM_FLOAT1(acosh, __builtin_acoshf(x))
VEEM_FLOAT1(asin, __builtin_asinf(x))
VEEM_FLOAT1(asinh, __builtin_asinhf(x))
VEEM_FLOAT1(atan, __builtin_atanf(x))
VEEM_FLOAT1(atanh, __builtin_atanhf(x))
VEEM_FLOAT1(ceil, __builtin_ceilf(x))
VEEM_FLOAT1(cos, __builtin_cosf(x))
VEEM_FLOAT1(cosh, __builtin_coshf(x))
VEEM_FLOAT1(cospi, __builtin_cosf(x * 3.14159265358979f))
VEEM_FLOAT1(exp, __builtin_expf(x))
VEEM_FLOAT1(exp2, __builtin_exp2f(x))
VEEM_FLOAT1(exp10, __builtin_powf(10.0f, x))
VEEM_FLOAT1(fabs, __builtin_fabsf(x))
VEEM_FLOAT1(floor, __builtin_floorf(x))
VEEM_FLOAT1(fract, __builtin_fminf(x - __builtin_floorf(x), 0x1.fffffep-1f))
VEEM_FLOAT1(log, __builtin_logf(x))
VEEM_FLOAT1(log2, __builtin_log2f(x))
VEEM_FLOAT1(log10, __builtin_log10f(x))
VEEM_FLOAT1(rint, __builtin_rintf(x))
VEEM_FLOAT1(round, __builtin_roundf(x))
VEEM_FLOAT1(rsqrt, 1.0f / __builtin_sqrtf(x))
VEEM_FLOAT1(sin, __builtin_sinf(x))
VEEM_FLOAT1(sinh, __builtin_sinhf(x))
VEEM_FLOAT1(sinpi, __builtin_sinf(x * 3.14159265358979f))
VEEM_FLOAT1(sqrt, __builtin_sqrtf(x))
VEEM_FLOAT1(tan, __builtin_tanf(x))
VEEM_FLOAT1(tanh, __builtin_tanhf(x))
VEEM_FLOAT1(trunc, __builtin_truncf(x))
VEEM_FLOAT1(sign, x > 0 ? 1.0f : x < 0 ? -1.0f : x == 0 ? x : 0.0f)
VEEM_FLOAT1(saturate, __builtin_fminf(__builtin_fmaxf(x, 0.0f), 1.0f))
VEEM_FLOAT2(atan2, __builtin_atan2f(x, y))
VEEM_FLOAT2(copysign, __builtin_copysignf(x, y))
VEEM_FLOAT2(divide, x / y)
VEEM_FLOAT2(fdim, __builtin_fdimf(x, y))
VEEM_FLOAT2(fmax, __builtin_fmaxf(x, y))
VEEM_FLOAT2(fmin, __builtin_fminf(x, y))
VEEM_FLOAT2(fmod, __builtin_fmodf(x, y))
VEEM_FLOAT2(nextafter, __builtin_nextafterf(x, y))
VEEM_FLOAT2(pow, __builtin_powf(x, y))
VEEM_FLOAT2(powr, __builtin_powf(x, y))
VEEM_FLOAT2(step, y < x ? 0.0f : 1.0f)
VEEM_FLOAT3(fma, __builtin_fmaf(x, y, z))
VEEM_FLOAT3(mix, x + (y - x) * z)

template <class T, class = enable_if_t<is_floating_point_v<T>>>
VEEM_INLINE bool isnan(T x) { return __builtin_isnan(float(x)); }
template <class T, class = enable_if_t<is_floating_point_v<T>>>
VEEM_INLINE bool isinf(T x) { return __builtin_isinf(float(x)); }
template <class T, class = enable_if_t<is_floating_point_v<T>>>
VEEM_INLINE bool isfinite(T x) { return __builtin_isfinite(float(x)); }
template <class T, class = enable_if_t<is_floating_point_v<T>>>
VEEM_INLINE bool signbit(T x) { return __builtin_signbit(float(x)); }
VEEM_INLINE bool isnormal(float x) { return __builtin_isnormal(x); }

VEEM_INLINE float ldexp(float x, int e) { return __builtin_ldexpf(x, e); }
VEEM_INLINE float frexp(float x, thread int& e) { return __builtin_frexpf(x, &e); }
VEEM_INLINE float modf(float x, thread float& whole) { return __builtin_modff(x, &whole); }
VEEM_INLINE int ilogb(float x) { return __builtin_ilogbf(x); }
VEEM_INLINE float sincos(float x, thread float& c) {
  c = __builtin_cosf(x);
  return __builtin_sinf(x);
}
}  // namespace precise
namespace fast { using namespace precise; }
using namespace precise;

// Of any number

template <class T, class = enable_if_t<is_arithmetic_v<T>>>
VEEM_INLINE T max(T x, T y) {
  if constexpr (is_floating_point_v<T>) return precise::fmax(x, y);
  else return x < y ? y : x;
}
template <class T, class = enable_if_t<is_arithmetic_v<T>>>
VEEM_INLINE T min(T x, T y) {
  if constexpr (is_floating_point_v<T>) return precise::fmin(x, y);
  else return y < x ? y : x;
}
template <class T, class = enable_if_t<is_arithmetic_v<T>>>
VEEM_INLINE T max3(T x, T y, T z) { return max(x, max(y, z)); }
template <class T, class = enable_if_t<is_arithmetic_v<T>>>
VEEM_INLINE T min3(T x, T y, T z) { return min(x, min(y, z)); }
template <class T, class = enable_if_t<is_arithmetic_v<T>>>
VEEM_INLINE T clamp(T x, T low, T high) { return min(max(x, low), high); }
template <class T, class = enable_if_t<is_arithmetic_v<T>>>
VEEM_INLINE T abs(T x) {
  if constexpr (is_floating_point_v<T>) return precise::fabs(x);
  else if constexpr (is_signed_v<T>) return x < 0 ? T(0 - make_unsigned_t<T>(x)) : x;
  else return x;
}
namespace precise { using metal::abs; using metal::clamp; using metal::max; using metal::min; }
VEEM_MAP1(abs) VEEM_MAP2(max) VEEM_MAP2(min) VEEM_MAP3(clamp)
VEEM_TEMPLATE_VEC max(veem_msl::native<T, N> x, T y) { return max(x, veem_msl::make<veem_msl::native<T, N>>(y)); }
VEEM_TEMPLATE_VEC min(veem_msl::native<T, N> x, T y) { return min(x, veem_msl::make<veem_msl::native<T, N>>(y)); }
VEEM_TEMPLATE_VEC clamp(veem_msl::native<T, N> x, T a, T b) { return min(max(x, a), b); }
VEEM_TEMPLATE_VEC mix(veem_msl::native<T, N> x, veem_msl::native<T, N> y, T a) { return x + (y - x) * a; }
template <class T>
VEEM_INLINE T smoothstep(T a, T b, T x) {
  T t = saturate((x - a) / (b - a));
  return t * t * (T(3) - T(2) * t);
}

// c ? b : a
template <class T, class = enable_if_t<veem_msl::elements<T>::count == 1>>
VEEM_INLINE T select(T a, T b, bool c) { return c ? b : a; }
template <class T, class M, int N>
VEEM_INLINE veem_msl::native<T, N> select(veem_msl::native<T, N> a, veem_msl::native<T, N> b, veem_msl::native<M, N> c) {
  for (int i = 0; i < N; ++i) a[i] = c[i] ? b[i] : a[i];
  return a;
}
template <class T, int N> VEEM_INLINE bool any(veem_msl::native<T, N> x) {
  bool r = false;
  for (int i = 0; i < N; ++i) r = r || x[i];
  return r;
}
template <class T, int N> VEEM_INLINE bool all(veem_msl::native<T, N> x) {
  bool r = true;
  for (int i = 0; i < N; ++i) r = r && x[i];
  return r;
}
VEEM_INLINE bool any(bool x) { return x; }
VEEM_INLINE bool all(bool x) { return x; }

// Geometry

template <class T, int N> VEEM_INLINE T dot(veem_msl::native<T, N> x, veem_msl::native<T, N> y) {
  T sum = 0;
  for (int i = 0; i < N; ++i) sum += x[i] * y[i];
  return sum;
}
template <class T, int N> VEEM_INLINE T length_squared(veem_msl::native<T, N> x) { return dot(x, x); }
template <class T, int N> VEEM_INLINE T length(veem_msl::native<T, N> x) { return sqrt(dot(x, x)); }
template <class T, int N> VEEM_INLINE T distance(veem_msl::native<T, N> x, veem_msl::native<T, N> y) {
  return length(x - y);
}
VEEM_TEMPLATE_VEC normalize(veem_msl::native<T, N> x) { return x * rsqrt(dot(x, x)); }
template <class T> VEEM_INLINE veem_msl::native<T, 3> cross(veem_msl::native<T, 3> x, veem_msl::native<T, 3> y) {
  return x.yzx * y.zxy - x.zxy * y.yzx;
}

// Integers

#define VEEM_INTEGER template <class T, class = enable_if_t<is_integral_v<T>>> VEEM_INLINE T
VEEM_INTEGER popcount(T x) { return T(__builtin_popcountl(ulong(make_unsigned_t<T>(x)))); }
VEEM_INTEGER clz(T x) {
  int unused = 64 - int(sizeof(T)) * 8;
  return T(x ? __builtin_clzl(ulong(make_unsigned_t<T>(x))) - unused : sizeof(T) * 8);
}
VEEM_INTEGER ctz(T x) {
  return T(x ? __builtin_ctzl(ulong(make_unsigned_t<T>(x))) : sizeof(T) * 8);
}
VEEM_INTEGER reverse_bits(T x) {
  return T(__builtin_bitreverse64(make_unsigned_t<T>(x)) >> (64 - sizeof(T) * 8));
}
VEEM_INTEGER rotate(T x, T n) {
  constexpr int bits = sizeof(T) * 8;
  using U = make_unsigned_t<T>;
  int by = int(n) & (bits - 1);
  return by ? T(U(U(x) << by) | U(U(x) >> (bits - by))) : x;
}
VEEM_INTEGER mulhi(T x, T y) {
  using Wide = conditional_t<is_signed_v<T>, __int128, unsigned __int128>;
  return T((Wide(x) * Wide(y)) >> (sizeof(T) * 8));
}
VEEM_INTEGER madhi(T x, T y, T z) { return T(mulhi(x, y) + z); }
VEEM_INTEGER addsat(T x, T y) {
  T r;
  bool over = __builtin_add_overflow(x, y, &r);
  return !over ? r : y < 0 ? numeric_limits<T>::lowest() : numeric_limits<T>::max();
}
VEEM_INTEGER subsat(T x, T y) {
  T r;
  bool over = __builtin_sub_overflow(x, y, &r);
  return !over ? r : y < 0 ? numeric_limits<T>::max() : numeric_limits<T>::lowest();
}
VEEM_INTEGER hadd(T x, T y) { return T((__int128(x) + y) >> 1); }
VEEM_INTEGER rhadd(T x, T y) { return T((__int128(x) + y + 1) >> 1); }
VEEM_INTEGER absdiff(T x, T y) { return T(x < y ? y - x : x - y); }
VEEM_INTEGER extract_bits(T x, uint offset, uint bits) {
  int rest = int(sizeof(T) * 8 - bits);
  return bits ? T(T(make_unsigned_t<T>(x) << (rest - int(offset))) >> rest) : T(0);
}
VEEM_INTEGER insert_bits(T base, T insert, uint offset, uint bits) {
  using U = make_unsigned_t<T>;
  U mask = U((bits >= sizeof(T) * 8 ? ~0ul : (1ul << bits) - 1) << offset);
  return T((U(base) & ~mask) | (U(U(insert) << offset) & mask));
}
VEEM_INTEGER mul24(T x, T y) { return T((x << 8 >> 8) * (y << 8 >> 8)); }
VEEM_INTEGER mad24(T x, T y, T z) { return T(mul24(x, y) + z); }
VEEM_MAP1(popcount) VEEM_MAP1(clz) VEEM_MAP1(ctz) VEEM_MAP1(reverse_bits)
VEEM_MAP2(rotate) VEEM_MAP2(mulhi)
#undef VEEM_INTEGER

}  // namespace metal
