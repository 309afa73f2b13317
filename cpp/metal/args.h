// The structs that a kernel and its launcher share.
#pragma once

// ---- reduce, softmax, norm, loss: groups as tiles of rows times lanes (kernels/fold.h) --------

constexpr int kGroup = 256;  // threads of a tile at most
constexpr int kHeld = 16;    // elements that a lane keeps in registers at most

enum ReduceKind { kReduceSum, kReduceProduct, kReduceMax, kReduceMin };
struct ReduceShape {
  long count, length;  // kept elements, reduced ones of each
  long piece;          // reduced elements for one group
  long out_piece;      // elements of out from one piece's results to the next's
  long kept_shape[16], in_strides[16], out_strides[16];
  long reduced_shape[16], reduced_strides[16];
  float divisor;
  int rows, lanes;  // of a tile
};

struct SoftmaxShape {
  long count, n, inner;  // outer * inner rows of n elements, `inner` apart
  int rows, lanes;       // of a tile
};

struct NormShape {
  long count, n;  // rows, and elements of one
  long piece;     // rows for one group of layer_norm_parameters
  float eps;
  int rows, lanes;  // of a tile
};

struct LossShape {
  long count, classes, ignore;
  float smoothing;
  int rows, lanes;  // of a tile
};

// ---- optim ------------------------------------------------------------------------------------

struct SgdStep {
  float sign, l2, lr, momentum;
  float keep;  // 1 - dampening
};
struct AdamStep {
  float sign, l2, shrink;
  float beta1, other1, beta2, other2;  // other: 1 - beta
  float eps, step_size, root_scale;
};

// ---- probe ------------------------------------------------------------------------------------

struct ProbeShape {
  long n, threads;  // vectors of 16 bytes, threads of the launch
  long rounds;
  float factor, term;
};
