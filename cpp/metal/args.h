// The structs that a kernel and its launcher share.
#pragma once

// A bad index that a kernel has met: which check's (0: none), and the index in two halves.
struct Fault {
  int id, low, high;
};

// ---- elementwise ------------------------------------------------------------------------------

struct ElementwiseShape {
  long n;
  long shape[16], out_strides[16], in_strides[4][16];
  float real[4];    // numbers among the inputs, for float
  long integer[4];  // and for integers
  int ndim;
};

// ---- reduce, softmax, norm, loss: groups as tiles of rows times lanes (kernels/fold.h) --------

enum { kGroup = 256 };  // threads of a tile at most
enum { kHeld = 16 };    // elements that a lane keeps in registers at most

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

struct ChannelNormShape {
  long count;                    // of rows, or of channels for channel_norm_parameters
  long outer, channels, groups;  // groups 0: batch norm
  int n, inner;                  // elements of a row, and of a run of one channel in it
  float eps;
  int rows, lanes;  // of a tile
};

struct LossShape {
  long count, classes, ignore;
  float smoothing;
  int rows, lanes;  // of a tile
};

// ---- scan, sort ---------------------------------------------------------------------------------

enum ScanKind { kScanSum, kScanProduct, kScanLargest, kScanSmallest, kScanLogSum };
enum { kScanEach = 4 };  // elements of a thread, in a step of its group along a row
struct ScanShape {
  long count, n, inner;  // outer * inner lines of n elements, `inner` apart
  long piece, pieces;    // elements of a piece, and how many a line has
};

enum { kSortBlock = 1024 };  // elements that a group sorts; kSortBlock / 2 threads
struct SortShape {
  long n, width;      // of a row, and of the runs that are in order
  long limit;         // elements of a run that can be wanted
  long runs;          // of a row
  long first, count;  // ranks that are wanted
};

struct SearchShape {
  long count, n, m;  // values in all, elements of a sequence, values for each
  int shared;        // one sequence for all
};

// ---- attention --------------------------------------------------------------------------------

enum { kHeadRows = 16 };      // of a threadgroup, and of a tile that it walks over
enum { kHeadThreads = 128 };  // of a threadgroup
enum { kHeadWidth = 128 };    // numbers of a row that a tile has; wide heads pass in chunks

struct AttentionShape {
  long batch_shape[16], q_batch[16], k_batch[16], v_batch[16], mask_batch[16];
  long q_row, k_row, v_row, mask_row, mask_column;
  long dmask_batch[16], dmask_row, dmask_column;
  unsigned long seed, offset;  // of what dropout keeps: the hash of the first four weights
  int batch_dims;
  int queries, keys, width, value_width;
  float scale;
  float keep, share;  // the chance of a weight, and what it is multiplied by if kept
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

// ---- matmul ---------------------------------------------------------------------------------

// The order of core/args.h; a function constant of the kernels.
enum ActivationKind {
  kNoActivation,
  kActivationRelu,
  kActivationGelu,
  kActivationGeluTanh,
  kActivationSilu,
  kActivationSigmoid,
  kActivationTanh
};

struct MatmulShape {
  long m, n, k;
  long a_row, a_col, w_row, w_col;  // steps between rows and columns
  long batch_shape[16], a_batch[16], w_batch[16];
  int batch_dims;
  int has_bias, bias_step, accumulate;
};

// ---- conv -----------------------------------------------------------------------------------

// Index ((outer * slices + z) * rows + y) * columns + x means the place (z0 + z dz, y0 + y dy,
// x0 + x dx) of a plane, and `outer` planes begin `step` apart.
struct Walk {
  long step;
  int slices, rows, columns;
  int z0, dz, y0, dy, x0, dx;
};

// A product (m, k) @ (k, n) whose factors are read from planes: see kernels/conv.metal.
struct ConvProduct {
  long left_row, out_row;                   // from one of the m to the next
  long left_group, right_group, out_group;  // from one group to the next
  long out_part;                            // from one part of k to the next
  int m, n, k;
  int parts, part;                                     // of k, and how much of it is a part
  int depth, height, width;                            // of the planes of the right
  int left_height, left_width, out_height, out_width;  // of the left and out
  int has_bias;
  Walk left, right_k, right_n, out;  // of k, k, n, n
};

struct ConvSum {
  long n;
  int parts;
};

// ---- pool -----------------------------------------------------------------------------------

// Windows over planes, in (depth, height, width).
struct PoolShape {
  int in[3], out[3], window[3], stride[3], pad[3], dilation[3];
  int adaptive, count_pad;
  long divisor;  // of every mean, or 0
};

// ---- resample -------------------------------------------------------------------------------

struct ResampleShape {
  long n, out_n, inner;  // along the dimension, and behind it
};

// ---- copy, index ------------------------------------------------------------------------------

enum { kThreadLine = 1 << 30 };  // thread (x, y) of a grid has element y * kThreadLine + x

struct CopyShape {
  long count;  // of all; bytes for copy_flat
  long shape[16], to[16], from[16];
};

enum IndexedWork {
  kIndexedRead,
  kIndexedWrite,
  kIndexedAdd,
  kIndexedMul,
  kIndexedMax,
  kIndexedMin
};
enum { kMaxIndices = 16 };
struct IndexedShape {
  long count, steps;  // positions in the free dimensions, and in those that go in order
  long shape[16], table[16], values[16];
  long index[kMaxIndices][16];
  long step[kMaxIndices], size[kMaxIndices];
  int parts;  // of the table, by its first index; a power of two
};

struct IndexCheckShape {
  long count;
  long shape[16], strides[16];
  long low, high, skip;
  int skips, id;
};

enum { kNonzeroEach = 16 };  // elements of a thread: kGroup threads have a block
struct NonzeroShape {
  long count;
  long shape[16];
};

// ---- random ---------------------------------------------------------------------------------

enum DrawKind {
  kDrawUniform,
  kDrawNormal,
  kDrawExponential,
  kDrawBernoulli,
  kDrawBernoulliEach,
  kDrawInteger
};
struct RandomShape {
  unsigned long seed, offset;  // of the words (kernels/philox.h)
  unsigned long range;
  long base;
  long first, n;  // number of the first thread's first element; of all elements
  long shape[16], out_strides[16], p_strides[16];
  float a, b;
};

struct CategoriesShape {
  unsigned long seed, offset;
  long first, n;             // as above, of samples
  long samples, categories;  // of a row
  long row_stride, stride;   // of the weights
};
