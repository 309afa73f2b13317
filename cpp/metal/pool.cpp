// Launches of kernels/pool.metal: a thread per result, or per element backward.
#include "metal/device.h"
#include "metal/kernels.h"
#include "metal/windows.h"

namespace veem::metal {
namespace {

struct Pool {
  PoolShape shape;
  int64_t in, out, size;  // numbers of both sides, bytes of one
};

Pool pool_of(const PoolArgs& args, const char* op) {
  int64_t in = args.planes * product(args.in), out = args.planes * product(args.out_size);
  Pool p{window_shape(args, out, in, op), in, out, item_size(args.dtype)};
  p.shape.adaptive = args.adaptive, p.shape.count_pad = args.count_pad;
  p.shape.divisor = args.divisor;
  return p;
}

}  // namespace

void max_pool(const PoolArgs& args) {
  Pool p = pool_of(args, "max_pool");
  Encoder e("pool", std::string("max_pool_") + type_name(args.dtype));
  e.buffer(args.x, p.in * p.size).buffer(args.out, p.out * p.size).buffer(args.index, p.out * 8);
  e.args(p.shape).threads(p.out);
}

void max_pool_backward(const PoolArgs& args) {
  Pool p = pool_of(args, "max_pool_backward");
  Encoder e("pool", std::string("max_pool_backward_") + type_name(args.dtype));
  e.buffer(args.out, p.out * p.size).buffer(args.index, p.out * 8).buffer(args.x, p.in * p.size);
  e.args(p.shape).threads(p.in);
}

void avg_pool(const PoolArgs& args) {
  Pool p = pool_of(args, "avg_pool");
  Encoder e("pool", std::string("avg_pool_") + type_name(args.dtype));
  e.buffer(args.x, p.in * p.size).buffer(args.out, p.out * p.size).args(p.shape).threads(p.out);
}

void avg_pool_backward(const PoolArgs& args) {
  Pool p = pool_of(args, "avg_pool_backward");
  Encoder e("pool", std::string("avg_pool_backward_") + type_name(args.dtype));
  e.buffer(args.out, p.out * p.size).buffer(args.x, p.in * p.size).args(p.shape).threads(p.in);
}

}  // namespace veem::metal
