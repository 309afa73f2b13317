// Vectors of the instruction set, and stores that go past the caches. Included inside no
// namespace: everything is static to its file.
#pragma once

#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace veem {
namespace VEEM_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
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

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
