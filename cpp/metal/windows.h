// Windows over planes, as kernels/windows.h takes them.
#pragma once

#include "core/error.h"
#include "core/args.h"
#include "metal/args.h"

namespace veem::metal {

inline int64_t product(const int64_t* size) { return size[0] * size[1] * size[2]; }

// Raises where the numbers of one plane or of all do not fit into ints. `made` and `in` are the
// numbers of both sides.
inline PoolShape window_shape(const WindowArgs& a, int64_t made, int64_t in, const char* op) {
  constexpr int64_t kMostThreads = (int64_t{1} << 32) - 1;  // numbers of threads are uint
  constexpr int64_t kMostPixels = int64_t{1} << 30;         // places in a plane are int
  PoolShape s{};
  for (int i = 0; i < kSpace; ++i) {
    s.in[i] = static_cast<int>(a.in[i]), s.out[i] = static_cast<int>(a.out_size[i]);
    s.window[i] = static_cast<int>(a.kernel[i]), s.pad[i] = static_cast<int>(a.pad[i]);
    // A step past the plane is past the plane, however long: it can be cut.
    int64_t most = a.in[i] + 2 * a.pad[i] + 1;
    s.stride[i] = static_cast<int>(a.stride[i] < most ? a.stride[i] : most);
    s.dilation[i] = static_cast<int>(a.dilation[i] < most ? a.dilation[i] : most);
    int64_t span = most + a.kernel[i] * s.dilation[i];
    VEEM_CHECK_AS(NotImplemented, span < kMostPixels, op, "a plane of ", a.in[0], " x ", a.in[1],
                  " x ", a.in[2], " with these windows is too large for a GPU");
  }
  VEEM_CHECK_AS(NotImplemented,
                product(a.in) < kMostPixels && made <= kMostThreads && in <= kMostThreads, op,
                "more than 2^32 numbers at once, or planes of more than 2^30, are not implemented "
                "on a GPU; split the batch");
  return s;
}

}  // namespace veem::metal
