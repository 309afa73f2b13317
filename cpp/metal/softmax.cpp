// Launches softmax: which tile, and whether rows stay in registers (kernels/softmax.metal).
#include "metal/kernels.h"
#include "metal/tile.h"

namespace veem::metal {

void softmax(const SoftmaxArgs& a) {
  int64_t count = a.outer * a.inner, bytes = count * a.n * item_size(a.dtype);
  bool columns = a.inner > 1;
  Tile tile = columns ? tile_columns(count, a.inner, a.n) : tile_rows(count, a.n);
  SoftmaxShape shape = {count, a.n, a.inner, tile.rows, tile.lanes};
  std::string kernel = a.y.data ? "softmax_backward_" : "softmax_";
  Encoder e("softmax", kernel + type_name(a.dtype),
            {has_simd_reductions(), columns, held(tile, a.n), a.log});
  e.buffer(a.in, bytes);
  if (a.y.data) e.buffer(a.y, bytes);
  e.buffer(a.out, bytes).args(shape);
  e.groups({tile.groups(count)}, {tile.threads()});
}

}  // namespace veem::metal
