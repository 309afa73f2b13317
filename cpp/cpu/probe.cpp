// What the machine can do, for bench/limits.py: fused multiply-adds out of registers, and
// reads and copies of buffers of any size. Bound: by construction, the machine itself.
// Each thread works on a part of its own.

#include "cpu/kernels.h"

#include "core/threads.h"
#include "cpu/vector.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace veem {
namespace VEEM_ISA {
namespace {

typedef float Float32s __attribute__((vector_size(kVectorBytes)));
typedef double Float64s __attribute__((vector_size(kVectorBytes)));

// Enough independent chains to hide the latency of an addition behind two units.
constexpr int kChains = 12;

// Returns the operations done.
template <class V, class T>
double multiply_add(int64_t rounds, char* sink) {
  V chain[kChains] = {};
  V factor = V{} + T(0.9999), term = V{} + T(1e-3);
  asm volatile("" : "+m"(factor), "+m"(term));  // not known at compile time
  for (int64_t i = 0; i < rounds; ++i)
    for (int c = 0; c < kChains; ++c) chain[c] = chain[c] * factor + term;
  for (int c = 1; c < kChains; ++c) chain[0] += chain[c];
  *reinterpret_cast<V*>(sink) = chain[0];
  return 2.0 * rounds * kChains * (sizeof(V) / sizeof(T));
}

double read(const char* from, int64_t bytes, int64_t rounds, char* sink) {
  Float32s sum[4] = {};
  for (int64_t r = 0; r < rounds; ++r) {
    for (int64_t i = 0; i + 4 * kVectorBytes <= bytes; i += 4 * kVectorBytes)
      for (int c = 0; c < 4; ++c)
        sum[c] += *reinterpret_cast<const Float32s*>(from + i + c * kVectorBytes);
    asm volatile("" ::: "memory");
  }
  *reinterpret_cast<Float32s*>(sink) = sum[0] + sum[1] + sum[2] + sum[3];
  return double(rounds) * (bytes / (4 * kVectorBytes) * (4 * kVectorBytes));
}

// Non-temporal: past the caches, so that the target is not read before it is written.
inline void store(char* to, Float32s v, bool past_caches) {
#if defined(__AVX512F__)
  if (past_caches) return _mm512_stream_ps(reinterpret_cast<float*>(to), v);
#elif defined(__AVX2__)
  if (past_caches) return _mm256_stream_ps(reinterpret_cast<float*>(to), v);
#elif defined(__x86_64__)
  if (past_caches) return _mm_stream_ps(reinterpret_cast<float*>(to), v);
#endif
  (void)past_caches;
  *reinterpret_cast<Float32s*>(to) = v;
}

double copy(const char* from, char* to, int64_t bytes, int64_t rounds, bool past_caches) {
  for (int64_t r = 0; r < rounds; ++r)
    for (int64_t i = 0; i + 4 * kVectorBytes <= bytes; i += 4 * kVectorBytes) {
      for (int c = 0; c < 4 * kVectorBytes; c += kVectorBytes)
        store(to + i + c, *reinterpret_cast<const Float32s*>(from + i + c), past_caches);
      asm volatile("" ::: "memory");  // or the compiler calls memcpy
    }
  return 2.0 * rounds * (bytes / (4 * kVectorBytes) * (4 * kVectorBytes));
}

double part(const ProbeArgs& a, int64_t index) {
  char* buffer = a.buffer.data + index * (a.bytes + kProbeSink);
  char* sink = buffer + a.bytes;
  int64_t half = a.bytes / 2 / kProbeSink * kProbeSink;
  switch (a.probe) {
    case Probe::Float32: return multiply_add<Float32s, float>(a.rounds, sink);
    case Probe::Float64: return multiply_add<Float64s, double>(a.rounds, sink);
    case Probe::Read: return read(buffer, a.bytes, a.rounds, sink);
    case Probe::Copy: return copy(buffer, buffer + half, half, a.rounds, false);
    case Probe::Stream: return copy(buffer, buffer + half, half, a.rounds, true);
  }
  return 0;
}

}  // namespace

void probe(const ProbeArgs& a) {
  parallel_for(a.parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) a.done[i] = part(a, i);
  });
}

}  // namespace VEEM_ISA
}  // namespace veem
