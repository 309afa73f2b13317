// The 16-bit floating point types: they are stored, and computed in float. Conversions are integer
// arithmetic without branches, which every compiler has and turns into vector code; they round
// to nearest, halves to even, as the hardware does. All is inlined: this is seen by code that is
// compiled for several instruction sets.
#pragma once

#include <cstdint>
#include <cstring>

#define VEEM_INLINE __attribute__((always_inline)) inline

namespace veem {

// IEEE's binary16: 5 bits of exponent, 10 of fraction.
struct Float16 {
  uint16_t bits;

  Float16() = default;
  VEEM_INLINE explicit Float16(float x) {
    uint32_t word, magnitude, shifted;
    std::memcpy(&word, &x, 4);
    magnitude = word & 0x7fffffffu;
    // Numbers below 2^-14: added to 0.5, whose last place is half's smallest number.
    float small;
    std::memcpy(&small, &magnitude, 4);
    small += 0.5f;
    std::memcpy(&shifted, &small, 4);
    uint32_t normal = (magnitude + 0xfffu + (magnitude >> 13 & 1) - (112u << 23)) >> 13;
    uint32_t large = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;  // NaN, infinity
    uint32_t out = magnitude < 0x38800000u ? shifted - 0x3f000000u : normal;
    out = magnitude >= 0x477ff000u ? large : out;  // from 65520 on
    bits = static_cast<uint16_t>(out | (word >> 16 & 0x8000u));
  }
  VEEM_INLINE operator float() const {
    uint32_t magnitude = (bits & 0x7fffu) << 13, word;
    float x;
    std::memcpy(&x, &magnitude, 4);
    x *= 0x1p112f;  // the exponents' biases are 15 and 127; exact, subnormals included
    std::memcpy(&word, &x, 4);
    word |= magnitude >= 0x0f800000u ? 0x7f800000u : 0u;  // infinity, NaN
    word |= (bits & 0x8000u) << 16;
    std::memcpy(&x, &word, 4);
    return x;
  }
};

// The upper half of a float: 8 bits of exponent, 7 of fraction.
struct BFloat16 {
  uint16_t bits;

  BFloat16() = default;
  VEEM_INLINE explicit BFloat16(float x) {
    uint32_t word;
    std::memcpy(&word, &x, 4);
    uint32_t rounded = (word + 0x7fffu + (word >> 16 & 1)) >> 16;
    bits = static_cast<uint16_t>((word & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
  }
  VEEM_INLINE operator float() const {
    uint32_t word = static_cast<uint32_t>(bits) << 16;
    float x;
    std::memcpy(&x, &word, 4);
    return x;
  }
};

// What a value of T is computed in.
template <class T> struct ComputedIn {
  using type = T;
};
template <> struct ComputedIn<Float16> {
  using type = float;
};
template <> struct ComputedIn<BFloat16> {
  using type = float;
};
template <class T> using Computed = typename ComputedIn<T>::type;

}  // namespace veem
