// Launches cross entropy and its gradient (kernels/loss.metal).
#include "core/backend.h"
#include "core/plan.h"
#include "metal/kernels.h"
#include "metal/tile.h"

namespace veem::metal {

namespace {

// The constants of all kernels of the library, in order.
Encoder encoder(const CrossEntropyArgs& a, const std::string& kernel, DType written) {
  return Encoder("loss", kernel,
                 {has_simd_reductions(), 0, static_cast<int>(written), a.smoothing != 0,
                  a.reduction == Reduction::Mean, a.reduction == Reduction::None});
}

LossShape shape_of(const CrossEntropyArgs& a, const Tile& tile) {
  return {a.rows, a.classes, a.ignore, static_cast<float>(a.smoothing), tile.rows, tile.lanes};
}

}  // namespace

void cross_entropy(const CrossEntropyArgs& a) {
  int64_t size = item_size(a.dtype);
  bool each = a.reduction == Reduction::None;
  Array losses;
  Memory rows = a.loss;
  if (!each) {
    losses = empty({a.rows}, DType::Float32, *a.logits.storage->backend);
    rows = memory_of(losses);
  }
  DType written = each ? a.dtype : DType::Float32;
  Tile tile = tile_rows(a.rows, a.classes);
  if (a.rows > 0)
    encoder(a, std::string("cross_entropy_") + type_name(a.dtype), written)
        .buffer(a.logits, a.rows * a.classes * size)
        .buffer(a.target, a.rows * 8)
        .buffer(a.lse, 2 * a.rows * size)
        .buffer(rows, a.rows * item_size(written))
        .args(shape_of(a, tile))
        .groups({tile.groups(a.rows)}, {tile.threads()});
  if (each) return;
  encoder(a, "cross_entropy_total", a.dtype)
      .buffer(rows, a.rows * item_size(written))
      .buffer(a.target, a.rows * 8)
      .buffer(a.loss, size)
      .args(shape_of(a, tile))
      .groups({1}, {kGroup});
}

void cross_entropy_backward(const CrossEntropyArgs& a) {
  if (a.rows * a.classes == 0) return;
  int64_t size = item_size(a.dtype), all = a.rows * a.classes * size;
  bool each = a.reduction == Reduction::None;
  LossShape shape = shape_of(a, Tile());
  Array scale;
  if (a.reduction == Reduction::Mean) {
    scale = empty({1}, DType::Float32, *a.logits.storage->backend);
    encoder(a, "cross_entropy_scale", DType::Float32)
        .buffer(a.target, a.rows * 8)
        .buffer(memory_of(scale), 4)
        .args(shape)
        .groups({1}, {kGroup});
  }
  int across = round_up(a.classes, kGroup), down = round_up(a.rows, kGroup / across);
  encoder(a, std::string("cross_entropy_backward_") + type_name(a.dtype), a.dtype)
      .buffer(a.logits, all)
      .buffer(a.target, a.rows * 8)
      .buffer(a.lse, 2 * a.rows * size)
      .buffer(a.g, (each ? a.rows : 1) * size)
      .buffer(scale.storage ? memory_of(scale) : Memory{}, scale.storage ? 4 : 0)
      .buffer(a.dlogits, all)
      .args(shape)
      .threads({a.classes, a.rows}, {across, down});
}

}  // namespace veem::metal
