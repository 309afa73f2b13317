// Layer norm: y = (x - mean) / sqrt(variance + eps) * weight + bias, row by row.
//
// Memory is the bound. A threadgroup is a tile of rows times lanes (fold.h), which keep a row in
// registers (`held` values each) while it is walked for the mean, for the variance about that
// mean (E[x^2] - E[x]^2 loses all digits where the mean is large), and to write the result; a
// row too long for that is read three times.
//
// Backward, with xhat = (x - mean) * rstd and gw = g * weight:
//   dx      = rstd * (gw - mean(gw) - xhat * mean(gw * xhat))
//   dweight = sum over rows of g * xhat        dbias = sum over rows of g
// The sums over rows are made by pieces of rows, whose totals the host has reduced in turn.
#include "kernels/common.h"
#include "kernels/convert.h"
#include "kernels/fold.h"

// 0, 1 in fold.h
constant int held [[function_constant(2)]];  // values that a lane keeps; 0: too many
constant int has_weight [[function_constant(3)]];
constant int has_bias [[function_constant(4)]];
constant int out_type [[function_constant(5)]];  // of dweight and dbias: a DType

inline int steps_of(Tile tile, constant NormShape& shape) {
  return held ? held : int((shape.n + tile.lanes - 1) / tile.lanes);
}

template <class T>
[[kernel]] void layer_norm(device const T* x [[buffer(0)]],
                           device const T* weight [[buffer(1)]],
                           device const T* bias [[buffer(2)]],
                           device T* out [[buffer(3)]],
                           device T* mean_out [[buffer(4)]],
                           device T* rstd_out [[buffer(5)]],
                           constant NormShape& shape [[buffer(6)]],
                           uint thread_index [[thread_index_in_threadgroup]],
                           uint group [[threadgroup_position_in_grid]]) {
  threadgroup float shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  long row = long(group) * tile.rows + tile.row, first = row * shape.n;
  long n = row < shape.count ? shape.n : 0;
  int steps = steps_of(tile, shape);
  float xs[kHeld], sum = 0.0f;
  for (int j = 0; j < steps; ++j) {
    long i = tile.lane + long(j) * tile.lanes;
    if (i >= n) break;
    float v = float(x[first + i]);
    if (held) xs[j] = v;
    sum += v;
  }
  float mean = fold<Sum>(sum, tile, shared) / float(shape.n);
  sum = 0.0f;
  for (int j = 0; j < steps; ++j) {
    long i = tile.lane + long(j) * tile.lanes;
    if (i >= n) break;
    float d = (held ? xs[j] : float(x[first + i])) - mean;
    sum += d * d;
  }
  float variance = fold<Sum>(sum, tile, shared) / float(shape.n);
  float rstd = 1.0f / prim::sqrt(variance + shape.eps);
  for (int j = 0; j < steps; ++j) {
    long i = tile.lane + long(j) * tile.lanes;
    if (i >= n) break;
    float y = ((held ? xs[j] : float(x[first + i])) - mean) * rstd;
    if (has_weight) y *= float(weight[i]);
    if (has_bias) y += float(bias[i]);
    out[first + i] = T(y);
  }
  if (tile.lane > 0 || row >= shape.count) return;
  mean_out[row] = T(mean);
  rstd_out[row] = T(rstd);
}

template <class T>
[[kernel]] void layer_norm_backward(device const T* g [[buffer(0)]],
                                    device const T* x [[buffer(1)]],
                                    device const T* weight [[buffer(2)]],
                                    device const T* mean [[buffer(3)]],
                                    device const T* rstd [[buffer(4)]],
                                    device T* dx [[buffer(5)]],
                                    constant NormShape& shape [[buffer(6)]],
                                    uint thread_index [[thread_index_in_threadgroup]],
                                    uint group [[threadgroup_position_in_grid]]) {
  threadgroup float shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  long row = long(group) * tile.rows + tile.row, first = row * shape.n;
  bool exists = row < shape.count;
  long n = exists ? shape.n : 0;
  float m = exists ? float(mean[row]) : 0.0f, r = exists ? float(rstd[row]) : 0.0f;
  int steps = steps_of(tile, shape);
  float gws[kHeld], xhats[kHeld], a = 0.0f, b = 0.0f;
  for (int j = 0; j < steps; ++j) {
    long i = tile.lane + long(j) * tile.lanes;
    if (i >= n) break;
    float gw = float(g[first + i]), xhat = (float(x[first + i]) - m) * r;
    if (has_weight) gw *= float(weight[i]);
    if (held) gws[j] = gw, xhats[j] = xhat;
    a += gw;
    b += gw * xhat;
  }
  a = fold<Sum>(a, tile, shared) / float(shape.n);
  b = fold<Sum>(b, tile, shared) / float(shape.n);
  for (int j = 0; j < steps; ++j) {
    long i = tile.lane + long(j) * tile.lanes;
    if (i >= n) break;
    float gw, xhat;
    if (held) {
      gw = gws[j], xhat = xhats[j];
    } else {
      gw = float(g[first + i]), xhat = (float(x[first + i]) - m) * r;
      if (has_weight) gw *= float(weight[i]);
    }
    dx[first + i] = T(r * (gw - a - xhat * b));
  }
}

// dweight and dbias, or what a piece of the rows adds to them. Here the features are the tile's
// rows, and its lanes share the rows of x.
template <class T>
[[kernel]] void layer_norm_parameters(device const T* g [[buffer(0)]],
                                      device const T* x [[buffer(1)]],
                                      device const T* mean [[buffer(2)]],
                                      device const T* rstd [[buffer(3)]],
                                      device char* dweight [[buffer(4)]],
                                      device char* dbias [[buffer(5)]],
                                      constant NormShape& shape [[buffer(6)]],
                                      uint thread_index [[thread_index_in_threadgroup]],
                                      uint2 group [[threadgroup_position_in_grid]]) {
  threadgroup float shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  long i = long(group.x) * tile.rows + tile.row;
  long begin = long(group.y) * shape.piece;
  long end = i < shape.n ? smaller(begin + shape.piece, shape.count) : 0;
  float dw = 0.0f, db = 0.0f;
  for (long row = begin + tile.lane; row < end; row += tile.lanes) {
    long at = row * shape.n + i;
    float gi = float(g[at]);
    dw += gi * ((float(x[at]) - float(mean[row])) * float(rstd[row]));
    db += gi;
  }
  dw = fold<Sum>(dw, tile, shared);
  db = fold<Sum>(db, tile, shared);
  if (tile.lane > 0 || i >= shape.n) return;
  store(dweight, long(group.y) * shape.n + i, out_type, dw);
  store(dbias, long(group.y) * shape.n + i, out_type, db);
}

VEEM_KERNEL("layer_norm_float", layer_norm<float>)
VEEM_KERNEL("layer_norm_half", layer_norm<half>)
VEEM_KERNEL("layer_norm_bfloat", layer_norm<bfloat>)
VEEM_KERNEL("layer_norm_backward_float", layer_norm_backward<float>)
VEEM_KERNEL("layer_norm_backward_half", layer_norm_backward<half>)
VEEM_KERNEL("layer_norm_backward_bfloat", layer_norm_backward<bfloat>)
VEEM_KERNEL("layer_norm_parameters_float", layer_norm_parameters<float>)
VEEM_KERNEL("layer_norm_parameters_half", layer_norm_parameters<half>)
VEEM_KERNEL("layer_norm_parameters_bfloat", layer_norm_parameters<bfloat>)
