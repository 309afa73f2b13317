// The families of kernels on Metal, launched. The same names in the same files as on the CPU.
#pragma once

#include "core/families.h"

namespace veem::metal {

#define VEEM_FAMILY(name, Args) void name(const Args&);
VEEM_FAMILIES(VEEM_FAMILY)
#undef VEEM_FAMILY

}  // namespace veem::metal
