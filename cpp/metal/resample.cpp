// Launches of kernels/resample.metal: a thread per element of the result.
#include "core/backend.h"
#include "metal/args.h"
#include "metal/device.h"
#include "metal/kernels.h"

namespace veem::metal {

void resample(const ResampleArgs& args) {
  constexpr int64_t kMostThreads = (int64_t{1} << 32) - 1;  // numbers of threads are uint
  int64_t in = args.outer * args.n * args.inner, out = args.outer * args.out_n * args.inner;
  VEEM_CHECK_AS(NotImplemented, out <= kMostThreads, "resample",
                "more than 2^32 numbers at once are not implemented on a GPU; split the batch");
  int64_t size = item_size(args.dtype);
  Encoder e("resample", std::string("resample_") + type_name(args.dtype));
  e.buffer(args.x, in * size).buffer(args.first, (args.out_n + 1) * 8);
  e.buffer(args.index, args.taps * 8).buffer(args.weight, args.taps * 4);
  e.buffer(args.out, out * size).args(ResampleShape{args.n, args.out_n, args.inner});
  e.threads(out);
}

}  // namespace veem::metal
