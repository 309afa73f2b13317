// Launches of kernels/pool.metal: a thread per result, or per pixel backward.
#include "metal/args.h"
#include "metal/device.h"
#include "metal/kernels.h"

namespace veem::metal {
namespace {

constexpr int64_t kMostThreads = (int64_t{1} << 32) - 1;  // numbers of threads are uint
constexpr int64_t kMostPixels = int64_t{1} << 30;         // places in a plane are int

PoolShape shape_of(const PoolArgs& args, const char* op) {
  PoolShape s;
  for (int i = 0; i < 2; ++i) {
    s.in[i] = static_cast<int>(args.in[i]), s.out[i] = static_cast<int>(args.out_size[i]);
    s.window[i] = static_cast<int>(args.kernel[i]), s.pad[i] = static_cast<int>(args.pad[i]);
    // A step past the plane is past the plane, however long: it can be cut.
    int64_t most = args.in[i] + 2 * args.pad[i] + 1;
    s.stride[i] = static_cast<int>(args.stride[i] < most ? args.stride[i] : most);
    s.dilation[i] = static_cast<int>(args.dilation[i] < most ? args.dilation[i] : most);
    int64_t span = most + args.kernel[i] * s.dilation[i];
    VEEM_CHECK_AS(NotImplemented, span < kMostPixels, op, "a plane of ", args.in[0], " x ",
                  args.in[1], " with these windows is too large for a GPU");
  }
  VEEM_CHECK_AS(NotImplemented,
                args.in[0] * args.in[1] < kMostPixels &&
                    args.planes * args.in[0] * args.in[1] <= kMostThreads &&
                    args.planes * s.out[0] * s.out[1] <= kMostThreads,
                op,
                "more than 2^32 numbers at once, or planes of more than 2^30, are not "
                "implemented on a GPU; split the batch");
  return s;
}

}  // namespace

void max_pool2d(const PoolArgs& args) {
  PoolShape s = shape_of(args, "max_pool2d");
  int64_t size = item_size(args.dtype), in = args.planes * s.in[0] * s.in[1];
  int64_t out = args.planes * s.out[0] * s.out[1];
  Encoder e("pool", std::string("max_pool2d_") + type_name(args.dtype));
  e.buffer(args.x, in * size).buffer(args.out, out * size).buffer(args.index, out * 8);
  e.args(s).threads(out);
}

void max_pool2d_backward(const PoolArgs& args) {
  PoolShape s = shape_of(args, "max_pool2d_backward");
  int64_t size = item_size(args.dtype), in = args.planes * s.in[0] * s.in[1];
  int64_t out = args.planes * s.out[0] * s.out[1];
  Encoder e("pool", std::string("max_pool2d_backward_") + type_name(args.dtype));
  e.buffer(args.out, out * size).buffer(args.index, out * 8).buffer(args.x, in * size);
  e.args(s).threads(in);
}

}  // namespace veem::metal
