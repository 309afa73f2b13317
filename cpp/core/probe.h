// What a device can do at best, to hold its kernels against.
#pragma once

#include "core/backend.h"

namespace veem {

// Runs "float32" or "float64" multiply-adds, or a "read", "copy" or "stream" (a copy past the
// caches) over `bytes` in all, `rounds` times on every thread.
struct Probed {
  double amount;  // operations done or bytes moved
  double seconds;
};
Probed probe(Backend& device, const std::string& what, int64_t bytes, int64_t rounds);

}  // namespace veem
