// One thread per element, of which there can be more than 2^32: a dimension of a grid has no more,
// so they stand in lines (kThreadLine).
#pragma once

#include <algorithm>

#include "metal/args.h"
#include "metal/tile.h"

namespace veem::metal {

// The last line is filled up: kernels look whether their element exists. `depth` is the grid's z.
inline void threads_in_lines(Encoder& e, int64_t n, int64_t depth = 1) {
  int64_t line = std::min<int64_t>(n, kThreadLine);
  e.threads({line, parts(n, line), depth}, {std::min<int64_t>(e.max_group(), kGroup)});
}

}  // namespace veem::metal
