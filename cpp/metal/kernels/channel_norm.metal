// Batch, group and instance norm, y = (x - mean) / sqrt(variance + eps) * weight + bias, and their
// gradients. The formulas, and what rows, runs and channels are, stand in cpu/channel_norm.cpp.
//
// A tile's lanes share the elements of a row, which is read once where they can keep their values
// in registers, else three times. Sums are float for every type. The parameters' gradients
// are sums over channels, whatever the rows: a kernel of its own.
#include "kernels/common.h"
#include "kernels/fold.h"

// 0, 1 in fold.h
constant int held [[function_constant(2)]];  // values that a lane keeps; 0: too many
constant int has_weight [[function_constant(3)]];
constant int has_bias [[function_constant(4)]];
constant int given [[function_constant(5)]];  // the moments are known

// A row, or a channel in all images: runs of `inner` elements.
struct Runs {
  long first, step;  // of the runs
  int channel, channel_step;
};

inline Runs runs_of(constant ChannelNormShape& s, long row) {
  Runs r;
  if (s.groups == 0) {
    r.first = row * s.inner, r.step = s.channels * s.inner;
    r.channel = int(row), r.channel_step = 0;
  } else {
    int runs = s.n / s.inner;
    r.first = row * s.n, r.step = s.inner;
    r.channel = int(row % s.groups) * runs, r.channel_step = 1;
  }
  return r;
}

inline long place(Runs r, int run, int i, constant ChannelNormShape& s) {
  return r.first + run * r.step + (i - run * s.inner);
}

inline int steps_of(Tile tile, constant ChannelNormShape& s) {
  return held ? held : (s.n + int(tile.lanes) - 1) / int(tile.lanes);
}

inline float rstd_of(float var, constant ChannelNormShape& s) {
  return 1.0f / prim::sqrt(var + s.eps);
}

template <class T>
[[kernel]] void channel_norm(device const T* x [[buffer(0)]],
                             device const T* weight [[buffer(1)]],
                             device const T* bias [[buffer(2)]],
                             device T* out [[buffer(3)]],
                             device float* mean_out [[buffer(4)]],
                             device float* var_out [[buffer(5)]],
                             constant ChannelNormShape& shape [[buffer(6)]],
                             uint thread_index [[thread_index_in_threadgroup]],
                             uint group [[threadgroup_position_in_grid]]) {
  threadgroup float shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  long row = long(group) * tile.rows + tile.row;
  int n = row < shape.count ? shape.n : 0, steps = steps_of(tile, shape);
  Runs runs = runs_of(shape, row);
  float xs[kHeld], mean = 0.0f, var = 0.0f;
  if (given) {
    if (row < shape.count) mean = mean_out[row], var = var_out[row];
  } else {
    float sum = 0.0f;
    for (int j = 0; j < steps; ++j) {
      int i = int(tile.lane) + j * int(tile.lanes);
      if (i >= n) break;
      float v = float(x[place(runs, i / shape.inner, i, shape)]);
      if (held) xs[j] = v;
      sum += v;
    }
    mean = fold<Sum>(sum, tile, shared) / float(shape.n);
    sum = 0.0f;
    for (int j = 0; j < steps; ++j) {
      int i = int(tile.lane) + j * int(tile.lanes);
      if (i >= n) break;
      float d = (held ? xs[j] : float(x[place(runs, i / shape.inner, i, shape)])) - mean;
      sum += d * d;
    }
    var = fold<Sum>(sum, tile, shared) / float(shape.n);
  }
  float rstd = rstd_of(var, shape);
  for (int j = 0; j < steps; ++j) {
    int i = int(tile.lane) + j * int(tile.lanes);
    if (i >= n) break;
    int run = i / shape.inner, channel = runs.channel + run * runs.channel_step;
    long at = place(runs, run, i, shape);
    float y = ((held && !given ? xs[j] : float(x[at])) - mean) * rstd;
    if (has_weight) y *= float(weight[channel]);
    if (has_bias) y += float(bias[channel]);
    out[at] = T(y);
  }
  if (given || tile.lane > 0 || row >= shape.count) return;
  mean_out[row] = mean;
  var_out[row] = var;
}

template <class T>
[[kernel]] void channel_norm_backward(device const T* g [[buffer(0)]],
                                      device const T* x [[buffer(1)]],
                                      device const T* weight [[buffer(2)]],
                                      device const float* mean [[buffer(3)]],
                                      device const float* var [[buffer(4)]],
                                      device T* dx [[buffer(5)]],
                                      constant ChannelNormShape& shape [[buffer(6)]],
                                      uint thread_index [[thread_index_in_threadgroup]],
                                      uint group [[threadgroup_position_in_grid]]) {
  threadgroup float shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  long row = long(group) * tile.rows + tile.row;
  bool exists = row < shape.count;
  int n = exists ? shape.n : 0, steps = steps_of(tile, shape);
  Runs runs = runs_of(shape, row);
  float m = exists ? mean[row] : 0.0f;
  float rstd = exists ? rstd_of(var[row], shape) : 0.0f;
  float gws[kHeld], xhats[kHeld], a = 0.0f, b = 0.0f;
  for (int j = 0; j < steps; ++j) {
    int i = int(tile.lane) + j * int(tile.lanes);
    if (i >= n) break;
    int run = i / shape.inner;
    long at = place(runs, run, i, shape);
    float gw = float(g[at]), xhat = (float(x[at]) - m) * rstd;
    if (has_weight) gw *= float(weight[runs.channel + run * runs.channel_step]);
    if (held) gws[j] = gw, xhats[j] = xhat;
    a += gw;
    b += gw * xhat;
  }
  a = fold<Sum>(a, tile, shared) / float(shape.n);
  b = fold<Sum>(b, tile, shared) / float(shape.n);
  for (int j = 0; j < steps; ++j) {
    int i = int(tile.lane) + j * int(tile.lanes);
    if (i >= n) break;
    int run = i / shape.inner;
    long at = place(runs, run, i, shape);
    float gw, xhat;
    if (held) {
      gw = gws[j], xhat = xhats[j];
    } else {
      gw = float(g[at]), xhat = (float(x[at]) - m) * rstd;
      if (has_weight) gw *= float(weight[runs.channel + run * runs.channel_step]);
    }
    dx[at] = T(rstd * (gw - a - xhat * b));
  }
}

// dweight and dbias of a channel: its lanes share its elements in all images.
template <class T>
[[kernel]] void channel_norm_parameters(device const T* g [[buffer(0)]],
                                        device const T* x [[buffer(1)]],
                                        device const float* mean [[buffer(2)]],
                                        device const float* var [[buffer(3)]],
                                        device T* dweight [[buffer(4)]],
                                        device T* dbias [[buffer(5)]],
                                        constant ChannelNormShape& shape [[buffer(6)]],
                                        uint thread_index [[thread_index_in_threadgroup]],
                                        uint group [[threadgroup_position_in_grid]]) {
  threadgroup float shared[kGroup];
  Tile tile = tile_of(thread_index, shape.rows, shape.lanes);
  long channel = long(group) * tile.rows + tile.row;
  int n = channel < shape.count ? shape.n : 0;
  float dw = 0.0f, db = 0.0f;
  for (int i = int(tile.lane); i < n; i += int(tile.lanes)) {
    int image = i / shape.inner;
    long at = (image * shape.channels + channel) * shape.inner + (i - image * shape.inner);
    long row = channel;
    if (shape.groups) row = image * shape.groups + channel / (shape.channels / shape.groups);
    float gi = float(g[at]);
    dw += gi * ((float(x[at]) - mean[row]) * rstd_of(var[row], shape));
    db += gi;
  }
  dw = fold<Sum>(dw, tile, shared);
  db = fold<Sum>(db, tile, shared);
  if (tile.lane > 0 || channel >= shape.count) return;
  dweight[channel] = T(dw);
  dbias[channel] = T(db);
}

#define VEEM_FLOAT(T)                                               \
  VEEM_KERNEL("channel_norm_" #T, channel_norm<T>)                  \
  VEEM_KERNEL("channel_norm_backward_" #T, channel_norm_backward<T>) \
  VEEM_KERNEL("channel_norm_parameters_" #T, channel_norm_parameters<T>)
VEEM_FLOAT(float)
VEEM_FLOAT(half)
VEEM_FLOAT(bfloat)
