// Types of the Metal Shading Language: scalars, vectors with swizzles, bfloat, traits, limits.
#pragma once

// An empty `device` and the like in the pass that runs; address spaces in the strict one. A
// function of the library leaves no line of its own: reports name the line that calls it.
#define VEEM_INLINE inline __attribute__((always_inline, nodebug))
#ifdef VEEM_STRICT
#define device __attribute__((address_space(1)))
#define constant __attribute__((address_space(2))) const
#define threadgroup __attribute__((address_space(3)))
#define VEEM_SPACES(F) F(device) F(threadgroup)
#define VEEM_ALL_SPACES(F) F(device) F(threadgroup) F(constant) F(thread)
#else
#define device
#define constant const
#define threadgroup
#define VEEM_SPACES(F) F(device)
#define VEEM_ALL_SPACES(F) F(device)
#endif
#define thread
#define kernel

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef signed char int8_t;
typedef uchar uint8_t;
typedef short int16_t;
typedef ushort uint16_t;
typedef int int32_t;
typedef uint uint32_t;
typedef long int64_t;
typedef ulong uint64_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef _Float16 half;

VEEM_INLINE constexpr half operator""h(long double x) { return half(x); }
VEEM_INLINE constexpr half operator""h(unsigned long long x) { return half(x); }

// bfloat: the upper half of a float, rounded to nearest even. clang 16 has no arithmetic on it:
// there it is a class, or for the strict pass, where a class could not be read from an address
// space, the other type of 16 bits.
#if __clang_major__ >= 17
typedef __bf16 bfloat;
#elif defined(VEEM_STRICT)
typedef __fp16 bfloat;
#else
#include "bfloat.h"
#endif

namespace veem_msl {
constexpr float infinity_value = __builtin_inff(), nan_value = __builtin_nanf("");

// A vector of the compiler's own, which knows swizzles, splats and arithmetic.
template <class T, int N> using native = T __attribute__((ext_vector_type(N)));

// What a value is made of: itself, or N elements of a vector.
template <class T> struct elements {
  using type = T;
  static constexpr int count = 1;
};
template <class T, int N> struct elements<native<T, N>> {
  using type = T;
  static constexpr int count = N;
};
#ifdef VEEM_BFLOAT_CLASS
template <int N> struct elements<bfloats<N>> {
  using type = bfloat;
  static constexpr int count = N;
};
#endif

// V(a, b, ...) as MSL has it, where C++ has no such constructor: scalars and vectors one after
// another, or one scalar for all.
template <class V, class A>
VEEM_INLINE constexpr int put(V& v, int at, A a) {
  using T = typename elements<V>::type;
  if constexpr (elements<A>::count == 1) {
    v[at] = static_cast<T>(a);
  } else {
    for (int i = 0; i < elements<A>::count; ++i) v[at + i] = static_cast<T>(a[i]);
  }
  return at + elements<A>::count;
}
template <class... A> constexpr int count_of() {
  int total = 0, counts[] = {0, elements<A>::count...};
  for (int n : counts) total += n;
  return total;
}
template <class V, class... A>
VEEM_INLINE constexpr V make(A... a) {
  constexpr int given = count_of<A...>(), wanted = elements<V>::count;
  static_assert(given == wanted || given <= 1, "a vector takes as many values as it has elements");
  V v = {};
  if constexpr (given == 1) {
    for (int i = 0; i < wanted; ++i) put(v, i, a...);
  } else if constexpr (given > 1) {
    int at = 0, unused[] = {at = put(v, at, a)...};
    (void)unused;
  }
  return v;
}
// (V)x
template <class V> struct Cast {
  template <class A> VEEM_INLINE constexpr V operator->*(A x) const { return make<V>(x); }
};
}  // namespace veem_msl

namespace metal {

// Traits

template <class T, T v> struct integral_constant {
  static constexpr T value = v;
  constexpr operator T() const { return v; }
};
template <bool b> using bool_constant = integral_constant<bool, b>;
using true_type = bool_constant<true>;
using false_type = bool_constant<false>;
template <class A, class B> struct is_same : false_type {};
template <class A> struct is_same<A, A> : true_type {};
template <class A, class B> constexpr bool is_same_v = is_same<A, B>::value;
template <bool b, class T = void> struct enable_if {};
template <class T> struct enable_if<true, T> { using type = T; };
template <bool b, class T = void> using enable_if_t = typename enable_if<b, T>::type;
template <bool b, class A, class B> struct conditional { using type = A; };
template <class A, class B> struct conditional<false, A, B> { using type = B; };
template <bool b, class A, class B> using conditional_t = typename conditional<b, A, B>::type;
template <class T> struct remove_const { using type = T; };
template <class T> struct remove_const<const T> { using type = T; };
template <class T> struct remove_volatile { using type = T; };
template <class T> struct remove_volatile<volatile T> { using type = T; };
template <class T> struct remove_cv : remove_const<typename remove_volatile<T>::type> {};
template <class T> struct remove_reference { using type = T; };
template <class T> struct remove_reference<T&> { using type = T; };
template <class T> struct remove_pointer { using type = T; };
template <class T> struct remove_pointer<T*> { using type = T; };
template <class T> using remove_const_t = typename remove_const<T>::type;
template <class T> using remove_cv_t = typename remove_cv<T>::type;
template <class T> using remove_reference_t = typename remove_reference<T>::type;
template <class T> using remove_pointer_t = typename remove_pointer<T>::type;
template <class T> using decay_t = remove_cv_t<remove_reference_t<T>>;
template <class...> using void_t = void;
template <class T> struct is_floating_point : bool_constant<
    is_same_v<remove_cv_t<T>, float> || is_same_v<remove_cv_t<T>, half> ||
    is_same_v<remove_cv_t<T>, bfloat>> {};
template <class T> struct is_integral : bool_constant<__is_integral(T)> {};
template <class T> struct is_arithmetic
    : bool_constant<is_integral<T>::value || is_floating_point<T>::value> {};
template <class T> struct is_signed : bool_constant<
    is_floating_point<T>::value || (is_integral<T>::value && __is_signed(T))> {};
template <class T> struct is_unsigned
    : bool_constant<is_integral<T>::value && __is_unsigned(T)> {};
template <class A, class B> struct is_convertible : bool_constant<__is_convertible_to(A, B)> {};
template <class T> struct is_enum : bool_constant<__is_enum(T)> {};
template <class T> struct is_class : bool_constant<__is_class(T)> {};
template <class T> struct is_pointer : false_type {};
template <class T> struct is_pointer<T*> : true_type {};
template <class T> struct is_const : false_type {};
template <class T> struct is_const<const T> : true_type {};
template <class T> constexpr bool is_floating_point_v = is_floating_point<T>::value;
template <class T> constexpr bool is_integral_v = is_integral<T>::value;
template <class T> constexpr bool is_arithmetic_v = is_arithmetic<T>::value;
template <class T> constexpr bool is_signed_v = is_signed<T>::value;
template <class T> constexpr bool is_unsigned_v = is_unsigned<T>::value;
template <class A, class B> constexpr bool is_convertible_v = is_convertible<A, B>::value;
template <class T> T declval();
template <class T> struct make_unsigned {
  using type = conditional_t<sizeof(T) == 1, uchar, conditional_t<sizeof(T) == 2, ushort,
               conditional_t<sizeof(T) == 4, uint, ulong>>>;
};
template <class T> struct make_signed {
  using type = conditional_t<sizeof(T) == 1, signed char, conditional_t<sizeof(T) == 2, short,
               conditional_t<sizeof(T) == 4, int, long>>>;
};
template <class T> using make_unsigned_t = typename make_unsigned<T>::type;
template <class T> using make_signed_t = typename make_signed<T>::type;

#ifdef VEEM_BFLOAT_CLASS
template <class T, int N> struct veem_vector { typedef veem_msl::native<T, N> type; };
template <int N> struct veem_vector<bfloat, N> { typedef bfloats<N> type; };
template <class T, int N> using vec = typename veem_vector<T, N>::type;
#else
template <class T, int N> using vec = veem_msl::native<T, N>;
#endif

template <class To, class From>
VEEM_INLINE constexpr To as_type(From x) {
  static_assert(sizeof(To) == sizeof(From), "as_type is for types of the same size");
  return __builtin_bit_cast(To, x);
}

template <class T, size_t N> struct array {
  T values[N];
  constexpr thread T& operator[](size_t i) { return values[i]; }
  constexpr thread const T& operator[](size_t i) const { return values[i]; }
  static constexpr size_t size() { return N; }
};

template <class T> struct numeric_limits {
  static constexpr bool is_integer = true, is_signed = metal::is_signed<T>::value;
  static constexpr int digits = sizeof(T) * 8 - is_signed;
  static constexpr T lowest() { return is_signed ? T(1ul << (sizeof(T) * 8 - 1)) : T(0); }
  static constexpr T min() { return lowest(); }
  static constexpr T max() { return T(~lowest()); }
};
template <> struct numeric_limits<bool> {
  static constexpr bool is_integer = true, is_signed = false;
  static constexpr bool lowest() { return false; }
  static constexpr bool min() { return false; }
  static constexpr bool max() { return true; }
};
#define VEEM_LIMITS(T, low, top, eps, digits_)                                     \
  template <> struct numeric_limits<T> {                                           \
    static constexpr bool is_integer = false, is_signed = true;                    \
    static constexpr int digits = digits_;                                         \
    static constexpr T min() { return T(low); }                                    \
    static constexpr T max() { return T(top); }                                    \
    static constexpr T lowest() { return T(-(top)); }                              \
    static constexpr T epsilon() { return T(eps); }                                \
    static constexpr T infinity() { return T(__builtin_inff()); }                  \
    static constexpr T quiet_NaN() { return T(__builtin_nanf("")); }               \
  };
VEEM_LIMITS(float, 0x1p-126f, 0x1.fffffep127f, 0x1p-23f, 24)
VEEM_LIMITS(half, 0x1p-14f, 65504.0f, 0x1p-10f, 11)
VEEM_LIMITS(bfloat, 0x1p-126f, 0x1.fep127f, 0x1p-7f, 8)
#undef VEEM_LIMITS
}  // namespace metal

using metal::as_type;
#define VEEM_VECTORS(T) \
  typedef metal::vec<T, 2> T##2; typedef metal::vec<T, 3> T##3; typedef metal::vec<T, 4> T##4;
VEEM_VECTORS(char) VEEM_VECTORS(uchar) VEEM_VECTORS(short) VEEM_VECTORS(ushort)
VEEM_VECTORS(int) VEEM_VECTORS(uint) VEEM_VECTORS(long) VEEM_VECTORS(ulong)
VEEM_VECTORS(float) VEEM_VECTORS(half) VEEM_VECTORS(bfloat)
#undef VEEM_VECTORS
typedef int2 bool2;  // what comparing gives
typedef int3 bool3;
typedef int4 bool4;
#ifdef VEEM_STRICT
template <class T> struct veem_packed3 { typedef veem_msl::native<T, 3> type; };
#else
// Three elements with no room for a fourth.
template <class T> struct veem_packed3 {
  struct type {
    T x, y, z;
    type() = default;
    VEEM_INLINE type(veem_msl::native<T, 3> v) : x(v.x), y(v.y), z(v.z) {}
    VEEM_INLINE operator veem_msl::native<T, 3>() const { return {x, y, z}; }
    VEEM_INLINE T& operator[](int i) { return (&x)[i]; }
    VEEM_INLINE const T& operator[](int i) const { return (&x)[i]; }
  };
};
template <> struct veem_msl::elements<veem_packed3<float>::type> {
  using type = float;
  static constexpr int count = 3;
};
#endif
typedef veem_packed3<float>::type packed_float3;
typedef veem_packed3<half>::type packed_half3;
typedef veem_packed3<int>::type packed_int3;
typedef veem_packed3<uint>::type packed_uint3;
typedef float2 packed_float2 __attribute__((aligned(4)));
typedef float4 packed_float4 __attribute__((aligned(4)));
typedef half2 packed_half2 __attribute__((aligned(2)));
typedef half4 packed_half4 __attribute__((aligned(2)));
