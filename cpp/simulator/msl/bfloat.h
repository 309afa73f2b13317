// bfloat for compilers without arithmetic on it: the upper half of a float, rounded to even.
#pragma once
#define VEEM_BFLOAT_CLASS

struct bfloat {
  ushort bits;
  bfloat() = default;
  template <class T, class = decltype(static_cast<float>(T()))>
  VEEM_INLINE constexpr bfloat(T x) : bits(round(static_cast<float>(x))) {}
  VEEM_INLINE constexpr operator float() const {
    return __builtin_bit_cast(float, uint(bits) << 16);
  }
#define VEEM_ASSIGN(op) \
  template <class T> VEEM_INLINE bfloat& operator op##=(T x) { return *this = *this op bfloat(x); }
  VEEM_ASSIGN(+) VEEM_ASSIGN(-) VEEM_ASSIGN(*) VEEM_ASSIGN(/)
#undef VEEM_ASSIGN

 private:
  VEEM_INLINE static constexpr ushort round(float x) {
    uint u = __builtin_bit_cast(uint, x);
    if (x != x) return ushort((u >> 16) | 0x40);
    return ushort((u + 0x7fff + ((u >> 16) & 1)) >> 16);
  }
};

// Of two bfloats only: with another type both become floats.
template <class T> struct veem_only_bfloat {};
template <> struct veem_only_bfloat<bfloat> { using type = bfloat; };
#define VEEM_ARITHMETIC(op)                                                        \
  template <class T>                                                               \
  VEEM_INLINE constexpr typename veem_only_bfloat<T>::type operator op(T a, T b) { \
    return float(a) op float(b);                                                   \
  }
VEEM_ARITHMETIC(+) VEEM_ARITHMETIC(-) VEEM_ARITHMETIC(*) VEEM_ARITHMETIC(/)
#undef VEEM_ARITHMETIC

template <int N> struct alignas(2 * (N == 3 ? 4 : N)) bfloats {
  bfloat x, y;
  VEEM_INLINE constexpr bfloat& operator[](int i) { return (&x)[i]; }
  VEEM_INLINE constexpr const bfloat& operator[](int i) const { return (&x)[i]; }
};
template <> struct alignas(8) bfloats<3> {
  bfloat x, y, z;
  VEEM_INLINE constexpr bfloat& operator[](int i) { return (&x)[i]; }
  VEEM_INLINE constexpr const bfloat& operator[](int i) const { return (&x)[i]; }
};
template <> struct alignas(8) bfloats<4> {
  bfloat x, y, z, w;
  VEEM_INLINE constexpr bfloat& operator[](int i) { return (&x)[i]; }
  VEEM_INLINE constexpr const bfloat& operator[](int i) const { return (&x)[i]; }
};
#define VEEM_ARITHMETIC(op)                                                   \
  template <int N>                                                            \
  VEEM_INLINE bfloats<N> operator op(bfloats<N> a, bfloats<N> b) {            \
    for (int i = 0; i < N; ++i) a[i] = a[i] op b[i];                          \
    return a;                                                                 \
  }
VEEM_ARITHMETIC(+) VEEM_ARITHMETIC(-) VEEM_ARITHMETIC(*) VEEM_ARITHMETIC(/)
#undef VEEM_ARITHMETIC
