// The CPU's kernels: one function per family, in the namespace of the instruction set that the
// file is compiled for.
#pragma once

#include "core/families.h"

// Lets the compiler vectorise a loop whose iterations do not depend on each other, though its
// pointers may be equal (in-place ops).
#if defined(__clang__)
#define VEEM_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#else
#define VEEM_VECTORIZE _Pragma("GCC ivdep")
#endif

namespace veem {
namespace VEEM_ISA {

#define VEEM_FAMILY(name, Args) void name(const Args&);
VEEM_FAMILIES(VEEM_FAMILY)
#undef VEEM_FAMILY

}  // namespace VEEM_ISA
}  // namespace veem
