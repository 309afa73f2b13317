#include "core/backend.h"

#if VEEM_METAL
#include "metal/backend.h"
#endif

namespace veem {

namespace {

std::vector<Backend*> find_backends() {
  std::vector<Backend*> found = {&cpu()};
#if VEEM_METAL
  if (Backend* metal = metal_backend()) found.push_back(metal);
#endif
  return found;
}

}  // namespace

const std::vector<Backend*>& backends() {
  static const auto* found = new std::vector<Backend*>(find_backends());
  return *found;
}

Backend& backend(const std::string& device) {
  for (Backend* b : backends())
    if (device == b->name() || device == b->name() + std::string(":0")) return *b;
  for (const char* known : {"cuda", "metal", "mps"})
    VEEM_CHECK(device.compare(0, std::string(known).size(), known) != 0, "device", "'", device,
               "' is not available; `python -m veem doctor` says why");
  raise(ErrorKind::Runtime, "device", "unknown device '", device, "'; expected 'cpu'");
}

void check_dtype(const Backend& backend, DType dtype) {
  VEEM_CHECK_AS(Type, backend.has(dtype), "dtype", "cannot make a ", name(dtype), " tensor on ",
                backend.name(), ", which has no ", name(dtype), "; use float32 instead");
}

}  // namespace veem
