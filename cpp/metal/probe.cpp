// Launches the probes of bench/limits.py (kernels/probe.metal).
#include "core/error.h"
#include "metal/kernels.h"
#include "metal/device.h"
#include "metal/args.h"

namespace veem::metal {

namespace {

constexpr int64_t kThreads = 128 * 1024;  // more than any GPU runs at a time
constexpr int64_t kVector = 16;           // bytes
constexpr int kChains = 8;                // of multiply-adds in the kernel

Memory from(const Memory& memory, int64_t bytes) { return {memory.data + bytes, memory.storage}; }

// Returns the operations done.
double multiply_add(const ProbeArgs& a) {
  ProbeShape shape = {0, kThreads, a.rounds, 0.9999f, 1e-3f};
  Encoder("probe", "multiply_add").buffer(a.buffer, kProbeSink).args(shape).threads(kThreads);
  return 2.0 * kChains * static_cast<double>(a.rounds) * static_cast<double>(kThreads);
}

// A launch for each round; returns the bytes moved.
double move(const ProbeArgs& a, bool copies) {
  int64_t half = a.bytes * a.parts / (2 * kVector), n = copies ? half : 2 * half;
  if (n == 0) return 0;
  ProbeShape shape = {n, n < kThreads ? n : kThreads, 1, 0, 0};
  for (int64_t r = 0; r < a.rounds; ++r) {
    Encoder e("probe", copies ? "copy" : "read");
    e.buffer(a.buffer, n * kVector);
    if (copies) e.buffer(from(a.buffer, n * kVector), n * kVector);
    else e.buffer(from(a.buffer, a.bytes * a.parts), kProbeSink);
    e.args(shape).threads(shape.threads);
  }
  return static_cast<double>(copies + 1) * static_cast<double>(a.rounds * n * kVector);
}

}  // namespace

void probe(const ProbeArgs& a) {
  VEEM_CHECK_AS(Value, a.probe != Probe::Stream, "probe",
                "metal has no stores past the caches; use copy");
  for (int64_t i = 0; i < a.parts; ++i) a.done[i] = 0;
  a.done[0] = a.probe == Probe::Float32 ? multiply_add(a) : move(a, a.probe == Probe::Copy);
}

}  // namespace veem::metal
