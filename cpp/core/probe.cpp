#include "core/probe.h"

#include <chrono>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/plan.h"
#include "core/threads.h"

namespace veem {

Probed probe(Backend& device, const std::string& what, int64_t bytes, int64_t rounds) {
  const char* names[] = {"float32", "float64", "read", "copy", "stream"};
  int chosen = 0;
  while (chosen < 5 && what != names[chosen]) ++chosen;
  VEEM_CHECK_AS(Value, chosen < 5, "probe",
                "expected float32, float64, read, copy or stream, got '", what, "'");
  VEEM_CHECK_AS(Value, bytes >= 0 && rounds >= 1, "probe", "expected bytes >= 0 and rounds >= 1");
  if (names[chosen] == std::string("float64")) check_dtype(device, DType::Float64);
  ProbeArgs args;
  args.probe = static_cast<Probe>(chosen);
  args.parts = num_threads();
  args.bytes = bytes / args.parts / kProbeSink * kProbeSink;
  args.rounds = rounds;
  Array buffer = empty({args.parts * (args.bytes + kProbeSink)}, DType::UInt8, device);
  args.buffer = memory_of(buffer);
  std::vector<double> done(args.parts);
  args.done = done.data();
  // Pages that nobody has touched would all be one page of zeros.
  device.synchronize();  // with the last use of that memory
  std::memset(args.buffer.data, 0, static_cast<size_t>(buffer.nbytes()));
  auto start = std::chrono::steady_clock::now();
  VEEM_LAUNCH(device, probe, args);
  device.synchronize();
  std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  return {std::accumulate(done.begin(), done.end(), 0.0), spent.count()};
}

}  // namespace veem
