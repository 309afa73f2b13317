// Cross entropy of rows of logits x with classes t, softmax included:
//   loss = log(sum(exp(x))) - (1 - s) * x[t] - s * mean(x)         s: label smoothing
//   dx   = (exp(x - lse) - (1 - s) * [i == t] - s / C) * g
//
// Memory is the bound. Forward reads each row once (twice with smoothing) by the lanes of a tile
// (fold.h), which keep a maximum and a sum of exponentials together, scaled down whenever a
// larger element appears; it writes the loss and lse, the log of that sum as maximum and rest
// (added up they would lose the digits of the rest where x is large). One more threadgroup adds the
// losses of all rows in a fixed order. Backward reads the logits once more and writes dx.
#include "kernels/common.h"
#include "kernels/convert.h"
#include "kernels/fold.h"

// 0, 1 in fold.h
constant int out_type [[function_constant(2)]];  // of the losses: a DType
constant int smooth [[function_constant(3)]];
constant int averaged [[function_constant(4)]];  // over the rows that count
constant int each [[function_constant(5)]];      // a gradient for each row

template <class T>
[[kernel]] void cross_entropy(device const T* logits [[buffer(0)]],
                              device const long* target [[buffer(1)]],
                              device T* lse [[buffer(2)]],
                              device char* loss [[buffer(3)]],
                              constant LossShape& shape [[buffer(4)]],
                              uint thread_index [[thread_index_in_threadgroup]],
                              uint group [[threadgroup_position_in_grid]]) {
  threadgroup float shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  long row = long(group) * tile.rows + tile.row, first = row * shape.classes;
  bool exists = row < shape.count;
  long n = exists ? shape.classes : 0;
  float lane_peak = -INFINITY, sum = 0.0f, apart = 0.0f;
  for (long i = tile.lane; i < n; i += tile.lanes)
    add_online(lane_peak, sum, float(logits[first + i]));
  float peak = fold<Largest>(lane_peak, tile, shared);
  sum = fold<Sum>(sum * prim::exp(lane_peak - peak), tile, shared);
  if (smooth) {
    for (long i = tile.lane; i < n; i += tile.lanes) apart += float(logits[first + i]) - peak;
    apart = fold<Sum>(apart, tile, shared) / float(shape.classes);
  }
  if (tile.lane > 0 || !exists) return;
  float rest = prim::log(sum), result = 0.0f;
  lse[2 * row] = T(peak);
  lse[2 * row + 1] = T(rest);
  long t = target[row];
  if (t != shape.ignore) {
    bool bad = t < 0 || t >= shape.classes;  // index_check tells the host
    result = bad ? NAN : rest - (float(logits[first + t]) - peak);
    if (smooth) result = (1.0f - shape.smoothing) * result + shape.smoothing * (rest - apart);
  }
  store(loss, row, out_type, result);
}

// The rows that count, by the lanes of one group.
inline long count_rows(device const long* target, constant LossShape& shape, Tile tile,
                       threadgroup long* shared) {
  long n = 0;
  for (long row = tile.lane; row < shape.count; row += tile.lanes)
    n += target[row] != shape.ignore;
  return fold<Sum>(n, tile, shared);
}

// One group: the sum of the rows' losses, or their mean; of none, NaN.
[[kernel]] void cross_entropy_total(device const float* losses [[buffer(0)]],
                                    device const long* target [[buffer(1)]],
                                    device char* loss [[buffer(2)]],
                                    constant LossShape& shape [[buffer(3)]],
                                    uint thread_index [[thread_index_in_threadgroup]]) {
  threadgroup float shared[kGroup];
  threadgroup long shared_count[kGroup];
  Tile tile = tile_of(thread_index, 1, kGroup);
  float total = 0.0f, error = 0.0f;
  for (long row = tile.lane; row < shape.count; row += tile.lanes)
    add_exactly(total, error, losses[row]);
  total = fold<Sum>(with_error(total, error), tile, shared);
  if (averaged) total /= float(count_rows(target, shape, tile, shared_count));
  if (tile.lane == 0) store(loss, 0, out_type, total);
}

// One group: 1 / the number of rows that count, by which the gradient of a mean is scaled.
[[kernel]] void cross_entropy_scale(device const long* target [[buffer(0)]],
                                    device float* scale [[buffer(1)]],
                                    constant LossShape& shape [[buffer(2)]],
                                    uint thread_index [[thread_index_in_threadgroup]]) {
  threadgroup long shared[kGroup];
  Tile tile = tile_of(thread_index, 1, kGroup);
  long n = count_rows(target, shape, tile, shared);
  if (tile.lane == 0) scale[0] = 1.0f / float(n);
}

// A thread for each element.
template <class T>
[[kernel]] void cross_entropy_backward(device const T* logits [[buffer(0)]],
                                       device const long* target [[buffer(1)]],
                                       device const T* lse [[buffer(2)]],
                                       device const T* g [[buffer(3)]],
                                       device const float* scale [[buffer(4)]],
                                       device T* dx [[buffer(5)]],
                                       constant LossShape& shape [[buffer(6)]],
                                       uint2 position [[thread_position_in_grid]]) {
  long row = position.y, i = position.x, at = row * shape.classes + i, t = target[row];
  if (t == shape.ignore) {
    dx[at] = T(0.0f);
    return;
  }
  float gr = float(g[each ? row : 0]);
  if (averaged) gr *= scale[0];
  float p = prim::exp(float(logits[at]) - float(lse[2 * row]) - float(lse[2 * row + 1]));
  float d = (p - shape.smoothing / float(shape.classes)) * gr;
  dx[at] = T(i == t ? d - (1.0f - shape.smoothing) * gr : d);
}

VEEM_KERNEL("cross_entropy_float", cross_entropy<float>)
VEEM_KERNEL("cross_entropy_half", cross_entropy<half>)
VEEM_KERNEL("cross_entropy_bfloat", cross_entropy<bfloat>)
VEEM_KERNEL("cross_entropy_backward_float", cross_entropy_backward<float>)
VEEM_KERNEL("cross_entropy_backward_half", cross_entropy_backward<half>)
VEEM_KERNEL("cross_entropy_backward_bfloat", cross_entropy_backward<bfloat>)
