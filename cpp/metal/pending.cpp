// Families that Metal still lacks: k3 and k4 delete their lines.
#include "core/error.h"
#include "metal/kernels.h"
namespace veem::metal {
#define P(name, Args) \
  void name(const Args&) { raise(ErrorKind::NotImplemented, #name, "not implemented on metal"); }
P(random, RandomArgs)
}  // namespace veem::metal
