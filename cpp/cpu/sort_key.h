// Numbers as unsigned keys in the same order: NaN the largest, -0 equal to 0. A record is a key
// and, for ties, the index of its element: records differ, so every way of sorting them is
// stable. Included inside the includer's namespace; moves bits, so that it takes any dtype.

// Keys of floats, from their bits: `infinity` has all bits of the exponent.
template <class B, B infinity>
struct FloatKey {
  using Bits = B;
  static constexpr B kSign = static_cast<B>(B(1) << (8 * sizeof(B) - 1));
  static inline B of(B x) {
    B size = static_cast<B>(x & static_cast<B>(~kSign));
    B key = static_cast<B>(x & kSign ? B(0) - size : x);  // -0 goes with 0
    key = static_cast<B>(key + kSign);
    return size > infinity ? static_cast<B>(~B(0)) : key;
  }
  // The bits again; false for keys that several bit patterns share.
  static inline bool restore(B key, B* x) {
    B size = static_cast<B>(key - kSign);
    *x = key < kSign ? static_cast<B>((B(0) - size) | kSign) : size;
    return (key != kSign) & (key != static_cast<B>(~B(0)));
  }
};
template <class B, B flip>
struct IntegerKey {
  using Bits = B;
  static inline B of(B x) { return static_cast<B>(x ^ flip); }
  static inline bool restore(B key, B* x) {
    *x = static_cast<B>(key ^ flip);
    return true;
  }
};

// Calls f(key type) for a dtype.
template <class F>
inline void with_key(DType t, const F& f) {
  switch (t) {
    case DType::Bool:
    case DType::UInt8: return f(IntegerKey<uint8_t, 0>());
    case DType::Int8: return f(IntegerKey<uint8_t, 0x80>());
    case DType::Int16: return f(IntegerKey<uint16_t, 0x8000>());
    case DType::Int32: return f(IntegerKey<uint32_t, 0x80000000u>());
    case DType::Int64: return f(IntegerKey<uint64_t, 0x8000000000000000u>());
    case DType::Float16: return f(FloatKey<uint16_t, 0x7c00>());
    case DType::BFloat16: return f(FloatKey<uint16_t, 0x7f80>());
    case DType::Float32: return f(FloatKey<uint32_t, 0x7f800000u>());
    case DType::Float64: return f(FloatKey<uint64_t, 0x7ff0000000000000u>());
  }
}

// 1 or 0, of which compilers then make no branch: it would be guessed wrong half of the time.
inline int64_t as_number(bool x) {
  int64_t number = x;
  __asm__("" : "+r"(number));
  return number;
}

// Key above index, in one number: signed, because processors compare vectors of those.
struct Narrow {
  int64_t bits;
  static inline Narrow make(uint64_t key, int64_t index) {
    return {static_cast<int64_t>((key ^ 0x80000000u) << 32 | static_cast<uint64_t>(index))};
  }
  static constexpr uint64_t kLastKey = 0xffffffff;
  inline uint64_t key() const { return (static_cast<uint64_t>(bits) >> 32) ^ 0x80000000u; }
  inline int64_t index() const { return bits & 0xffffffff; }
  inline bool before(const Narrow& o) const { return bits < o.bits; }
  static inline Narrow pick(int64_t second, const Narrow& a, const Narrow& b) {
    return {(b.bits & -second) | (a.bits & (second - 1))};
  }
};
struct Wide {
  uint64_t bits;
  int64_t at;
  static inline Wide make(uint64_t key, int64_t index) { return {key, index}; }
  static constexpr uint64_t kLastKey = ~uint64_t{0};
  inline uint64_t key() const { return bits; }
  inline int64_t index() const { return at; }
  inline bool before(const Wide& o) const {
    return (bits < o.bits) | ((bits == o.bits) & (at < o.at));
  }
  static inline Wide pick(int64_t second, const Wide& a, const Wide& b) {
    uint64_t mask = static_cast<uint64_t>(-second);
    return {(b.bits & mask) | (a.bits & ~mask), (b.at & -second) | (a.at & (second - 1))};
  }
};
