// Runs of memory: copied, filled, and written past the caches. Everything here is static to
// the file that includes it.
#pragma once

#include <cstdint>

#include "cpu/vector.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kLine = 64;  // bytes of a cache line

// Writes one cache line, aligned, without reading it first where the processor can do that.
inline void stream_line(char* to, const char* from) {
#if defined(__AVX512F__)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
#elif defined(__AVX__)
  for (int i = 0; i < 64; i += 32)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)));
#elif defined(__x86_64__)
  for (int i = 0; i < 64; i += 16)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
#else
  __builtin_memcpy(to, from, 64);
#endif
}

// Makes streamed stores visible to other threads in order; once, after the last one.
inline void stream_fence() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// memcpy for what will not be read soon.
inline void stream_copy(char* to, const char* from, int64_t bytes) {
  int64_t head = -reinterpret_cast<intptr_t>(to) & (kLine - 1);
  if (head > bytes) head = bytes;
  __builtin_memcpy(to, from, head);
  int64_t at = head;
  for (; at + kLine <= bytes; at += kLine) stream_line(to + at, from + at);
  __builtin_memcpy(to + at, from + at, bytes - at);
}

// Copies [0, n) in pieces of a fixed size, the last of which may overlap the one before.
template <int piece>
inline void copy_pieces(char* to, const char* from, int64_t n) {
  for (int64_t i = 0; i < n - piece; i += piece) __builtin_memcpy(to + i, from + i, piece);
  __builtin_memcpy(to + n - piece, from + n - piece, piece);
}

// memcpy that spends no time on choosing how when rows are short.
inline void copy_row(char* to, const char* from, int64_t n) {
  if (n > 512) return static_cast<void>(__builtin_memcpy(to, from, n));
  if (n >= 64) return copy_pieces<64>(to, from, n);
  if (n >= 16) return copy_pieces<16>(to, from, n);
  if (n >= 4) return copy_pieces<4>(to, from, n);
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

template <class T>
inline void fill_row(T* to, T value, int64_t n) {
  constexpr int64_t lanes = kLine / sizeof(T);
  if (n < lanes) {
    for (int64_t i = 0; i < n; ++i) to[i] = value;
    return;
  }
  alignas(64) T line[lanes];
  for (T& x : line) x = value;
  // Whole lines between a first and a last that may overlap them.
  T* last = to + n - lanes;
  T* next = reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(to) | (kLine - 1)) + 1);
  __builtin_memcpy(to, line, kLine);
  for (; next < last; next += lanes)
    __builtin_memcpy(__builtin_assume_aligned(next, kLine), line, kLine);
  __builtin_memcpy(last, line, kLine);
}

inline int64_t product(const int64_t* shape, int n) {
  int64_t out = 1;
  for (int d = 0; d < n; ++d) out *= shape[d];
  return out;
}

inline int64_t at_least_one(int64_t x) { return x > 0 ? x : 1; }
inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
