// Beyond Apple's interface: says how much of a buffer a dispatch may touch. A tensor that is a
// view shows a part of its buffer, and the checks should catch a kernel that leaves that part.
#pragma once

#include <cstdint>

namespace MTL { class ComputeCommandEncoder; }

namespace veem::simulator {

// Of what is bound at `index` now, only `bytes` from its offset on.
void limit_binding(MTL::ComputeCommandEncoder* encoder, int index, int64_t bytes);

}  // namespace veem::simulator
