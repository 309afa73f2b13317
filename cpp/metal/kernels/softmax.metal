// Softmax and log softmax along the middle dimension of (outer, n, inner), and their gradients.
//
//   softmax      y = e / sum(e), where e = exp(x - max(x))     dx = (g - sum(g y)) y
//   log softmax  y = (x - max(x)) - log(sum(e))                dx = g - exp(y) sum(g)
//
// Memory is the bound. A threadgroup is a tile of rows times lanes (fold.h); where n fits into
// the registers of a row's lanes (`held` values each) a row is read once and written once.
// A longer one is read twice: first for its maximum and sum together, the sum being scaled down
// whenever a larger element appears ("online" softmax), then to write the result. Where inner is
// not 1, rows lie across memory and neighbouring threads take neighbouring rows.
#include "kernels/common.h"
#include "kernels/fold.h"

// 0, 1 in fold.h
constant int held [[function_constant(2)]];  // values that a lane keeps; 0: too many
constant int logarithm [[function_constant(3)]];

struct Row {
  bool exists;
  long first, step, n;  // elements; none where the row does not exist
  int steps;            // of a lane
};

inline Row row_of(Tile tile, uint group, constant SoftmaxShape& shape) {
  long row = long(group) * tile.rows + tile.row;
  Row r;
  r.exists = row < shape.count;
  r.first = row / shape.inner * shape.n * shape.inner + row % shape.inner;
  r.step = shape.inner;
  r.n = r.exists ? shape.n : 0;
  r.steps = held ? held : int((shape.n + tile.lanes - 1) / tile.lanes);
  return r;
}

template <class T>
[[kernel]] void softmax(device const T* in [[buffer(0)]],
                        device T* out [[buffer(1)]],
                        constant SoftmaxShape& shape [[buffer(2)]],
                        uint thread_index [[thread_index_in_threadgroup]],
                        uint group [[threadgroup_position_in_grid]]) {
  threadgroup float shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  Row row = row_of(tile, group, shape);
  float x[kHeld], peak = -INFINITY, sum = 0.0f;
  if (held) {
    for (int j = 0; j < held; ++j) {
      long i = tile.lane + long(j) * tile.lanes;
      x[j] = i < row.n ? float(in[row.first + i * row.step]) : -INFINITY;
      peak = math::maximum(peak, x[j]);
    }
    peak = fold<Largest>(peak, tile, shared);
    for (int j = 0; j < held; ++j) {
      float d = x[j] - peak, e = prim::exp(d);
      sum += e;
      x[j] = logarithm ? d : e;
    }
  } else {
    for (long i = tile.lane; i < row.n; i += tile.lanes)
      add_online(peak, sum, float(in[row.first + i * row.step]));
    float top = fold<Largest>(peak, tile, shared);
    sum *= prim::exp(peak - top);
    peak = top;
  }
  sum = fold<Sum>(sum, tile, shared);
  float by = logarithm ? prim::log(sum) : 1.0f / sum;
  for (int j = 0; j < row.steps; ++j) {
    long i = tile.lane + long(j) * tile.lanes;
    if (i >= row.n) break;
    long at = row.first + i * row.step;
    float y;
    if (held) y = x[j];
    else y = logarithm ? float(in[at]) - peak : prim::exp(float(in[at]) - peak);
    out[at] = T(logarithm ? y - by : y * by);
  }
}

template <class T>
[[kernel]] void softmax_backward(device const T* g [[buffer(0)]],
                                 device const T* y [[buffer(1)]],
                                 device T* dx [[buffer(2)]],
                                 constant SoftmaxShape& shape [[buffer(3)]],
                                 uint thread_index [[thread_index_in_threadgroup]],
                                 uint group [[threadgroup_position_in_grid]]) {
  threadgroup float shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  Row row = row_of(tile, group, shape);
  float gs[kHeld], ys[kHeld], sum = 0.0f;
  for (int j = 0; j < row.steps; ++j) {
    long i = tile.lane + long(j) * tile.lanes;
    if (i >= row.n) break;
    long at = row.first + i * row.step;
    float gi = float(g[at]), yi = float(y[at]);
    if (held) gs[j] = gi, ys[j] = yi;
    sum += logarithm ? gi : gi * yi;
  }
  sum = fold<Sum>(sum, tile, shared);
  for (int j = 0; j < row.steps; ++j) {
    long i = tile.lane + long(j) * tile.lanes;
    if (i >= row.n) break;
    long at = row.first + i * row.step;
    float gi = held ? gs[j] : float(g[at]), yi = held ? ys[j] : float(y[at]);
    dx[at] = T(logarithm ? gi - prim::exp(yi) * sum : (gi - sum) * yi);
  }
}

VEEM_KERNEL("softmax_float", softmax<float>)
VEEM_KERNEL("softmax_half", softmax<half>)
VEEM_KERNEL("softmax_bfloat", softmax<bfloat>)
VEEM_KERNEL("softmax_backward_float", softmax_backward<float>)
VEEM_KERNEL("softmax_backward_half", softmax_backward<half>)
VEEM_KERNEL("softmax_backward_bfloat", softmax_backward<bfloat>)
