// The words of a Mersenne Twister's stream, in loops that the compiler vectorises.
#pragma once

#include "core/random.h"

namespace veem {
namespace VEEM_ISA {
namespace {

inline uint32_t twist(uint32_t high, uint32_t low, uint32_t far) {
  uint32_t mixed = (high & 0x80000000u) | (low & 0x7fffffffu);
  return far ^ (mixed >> 1) ^ ((low & 1) ? 0x9908b0dfu : 0u);
}

inline void renew(Mt19937* e) {
  constexpr int kWords = Mt19937::kWords, kMiddle = 397;
  uint32_t* w = e->words;
  int i = 0;
  for (; i < kWords - kMiddle; ++i) w[i] = twist(w[i], w[i + 1], w[i + kMiddle]);
  for (; i < kWords - 1; ++i) w[i] = twist(w[i], w[i + 1], w[i + kMiddle - kWords]);
  w[i] = twist(w[i], w[0], w[kMiddle - 1]);
  e->left = kWords;
}

// body(words, m) for each piece of the next n words that lie together, not yet tempered.
template <class Body>
inline void over_words(Mt19937* e, int64_t n, const Body& body) {
  while (n > 0) {
    if (e->left == 0) renew(e);
    int64_t m = n < e->left ? n : e->left;
    body(e->words + Mt19937::kWords - e->left, m);
    e->left -= static_cast<int32_t>(m);
    n -= m;
  }
}

// The next n words of the stream.
inline void read(Mt19937* e, uint32_t* __restrict to, int64_t n) {
  over_words(e, n, [&](const uint32_t* from, int64_t m) {
    for (int64_t i = 0; i < m; ++i) {
      uint32_t w = from[i];
      w ^= w >> 11;
      w ^= w << 7 & 0x9d2c5680u;
      w ^= w << 15 & 0xefc60000u;
      to[i] = w ^ w >> 18;
    }
    to += m;
  });
}

inline void skip(Mt19937* e, int64_t n) {
  over_words(e, n, [](const uint32_t*, int64_t) {});
}

inline uint64_t word64(const uint32_t* w) { return static_cast<uint64_t>(w[0]) << 32 | w[1]; }
inline int64_t word53(const uint32_t* w) {
  return static_cast<int64_t>(word64(w) & 0x1fffffffffffffu);
}
// word53(w) < words_below(p) with probability p: among integers it is vector code everywhere.
inline int64_t words_below(double p) { return static_cast<int64_t>(__builtin_ceil(p * 0x1p53)); }

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
