// Launches batch, group and instance norm and their gradients (kernels/channel_norm.metal).
#include "core/backend.h"
#include "metal/kernels.h"
#include "metal/tile.h"

namespace veem::metal {
namespace {

template <class Args>
ChannelNormShape shape_of(const Args& a) {
  ChannelNormShape s{};
  s.outer = a.outer, s.channels = a.channels, s.groups = a.groups;
  s.count = a.groups ? a.outer * a.groups : a.channels;
  int64_t n = a.outer * a.channels / s.count * a.inner;
  VEEM_CHECK(n < INT32_MAX && a.outer * a.inner < INT32_MAX, a.groups ? "group_norm" : "batch_norm",
             "more than 2^31 elements in a row of the statistics; cut the batch into parts");
  s.n = static_cast<int>(n), s.inner = static_cast<int>(a.inner);
  s.eps = static_cast<float>(a.eps);
  return s;
}

void set_tile(ChannelNormShape* s, const Tile& tile) { s->rows = tile.rows, s->lanes = tile.lanes; }

}  // namespace

void channel_norm(const ChannelNormArgs& a) {
  ChannelNormShape shape = shape_of(a);
  Tile tile = tile_rows(shape.count, shape.n);
  set_tile(&shape, tile);
  int64_t size = item_size(a.dtype), all = a.outer * a.channels * a.inner * size;
  Encoder e("channel_norm", std::string("channel_norm_") + type_name(a.dtype),
            {has_simd_reductions(), 0, held(tile, shape.n), a.weight.data != nullptr,
             a.bias.data != nullptr, a.given});
  e.buffer(a.x, all).buffer(a.weight, a.channels * size).buffer(a.bias, a.channels * size);
  e.buffer(a.out, all).buffer(a.mean, shape.count * 4).buffer(a.var, shape.count * 4);
  e.args(shape).groups({tile.groups(shape.count)}, {tile.threads()});
}

void channel_norm_backward(const ChannelNormBackwardArgs& a) {
  ChannelNormShape shape = shape_of(a);
  int64_t size = item_size(a.dtype), all = a.outer * a.channels * a.inner * size;
  int64_t moments = shape.count * 4;
  std::string type = type_name(a.dtype);
  {
    Tile tile = tile_rows(shape.count, shape.n);
    set_tile(&shape, tile);
    Encoder e("channel_norm", "channel_norm_backward_" + type,
              {has_simd_reductions(), 0, held(tile, shape.n), a.weight.data != nullptr, 0, 0});
    e.buffer(a.g, all).buffer(a.x, all).buffer(a.weight, a.channels * size);
    e.buffer(a.mean, moments).buffer(a.var, moments).buffer(a.dx, all);
    e.args(shape).groups({tile.groups(shape.count)}, {tile.threads()});
  }
  shape.count = a.channels;
  shape.n = static_cast<int>(a.outer * a.inner);
  Tile tile = tile_rows(shape.count, shape.n);
  set_tile(&shape, tile);
  Encoder e("channel_norm", "channel_norm_parameters_" + type,
            {has_simd_reductions(), 0, 0, 0, 0, 0});
  e.buffer(a.g, all).buffer(a.x, all).buffer(a.mean, moments).buffer(a.var, moments);
  e.buffer(a.dweight, a.channels * size).buffer(a.dbias, a.channels * size);
  e.args(shape).groups({tile.groups(shape.count)}, {tile.threads()});
}

}  // namespace veem::metal
