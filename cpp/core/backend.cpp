#include "core/backend.h"

namespace veem {

std::vector<Backend*> backends() { return {&cpu()}; }

Backend& backend(const std::string& device) {
  std::string base = device == "cpu:0" ? "cpu" : device;
  for (Backend* b : backends())
    if (base == b->name()) return *b;
  for (const char* known : {"cuda", "metal", "mps"})
    VEEM_CHECK(base.compare(0, std::string(known).size(), known) != 0, "device", "'", device,
               "' is not available: this build of veem has no ", known, " backend");
  raise(ErrorKind::Runtime, "device", "unknown device '", device, "'; expected 'cpu'");
}

}  // namespace veem
