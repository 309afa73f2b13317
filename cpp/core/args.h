// What the ops hand to a backend: one plain struct per family, filled and checked in core/ops,
// read by the kernels. No functions here: these structs are seen by code that is compiled for
// several instruction sets.
#pragma once

#include "core/optable.h"
#include "core/shape.h"

namespace veem {

struct Storage;
struct RandomState;

// A place in memory: where element 0 lies, and the storage that it lies in, by which a GPU finds
// its buffer.
struct Memory {
  char* data = nullptr;
  Storage* storage = nullptr;
};

// A tensor as a kernel sees it; an immediate number has no data. Strides count elements and
// belong to the loop shape of the args that hold the operand.
struct Operand : Memory {
  DType dtype = DType::Float32;
  int64_t strides[kMaxDims];
};

constexpr int kMaxInputs = 4;

// out[i] = op(in[0][i], in[1][i], ...) over a collapsed loop shape. Inputs are converted to
// `compute` as they are read; `out` from the op's result type as it is written.
struct ElementwiseArgs {
  Op op;
  DType compute;
  DType result;  // what the formula returns: compute, or bool
  int inputs = 0;
  int ndim = 0;
  int64_t shape[kMaxDims];
  Operand out;
  Operand in[kMaxInputs];
  int64_t immediate[kMaxInputs];  // 8 bytes for each number among the inputs, already `compute`
};

// How the two sides of a copy lie to each other; cpu/copy.cpp has a loop for each.
enum class CopyKind : uint8_t {
  Rows,    // both walk the last dimension in steps of 1
  Tiles,   // `to` walks the last dimension fastest, `from` the one before it
  Strided  // anything else; the last dimension is a long one
};

// to[i] = from[i], of one dtype, over a collapsed loop shape.
struct CopyArgs {
  CopyKind kind;
  DType dtype;
  int ndim = 0;
  int64_t shape[kMaxDims];
  Operand to, from;
};

// A table addressed through indices: element i of the loop shape is values[i] on one side and
// table[i + sum over k of index[k][i] * step[k]] on the other, where a negative index counts
// from size[k]. Indices are int64 and in range. Dimensions in which only indices move have a
// table stride of 0; where it is not 0, different positions are different elements of the table.
enum class IndexedKind : uint8_t {
  Read,   // values = table
  Write,  // table = values; where an element is named twice, the last in order wins
  Add,    // table += values, in order
  Mul,    // table *= values, in order
  Max,    // table = the larger one; NaN is the largest
  Min     // table = the smaller one; NaN is the smallest
};
struct IndexedArgs {
  IndexedKind kind;
  DType dtype;
  int ndim = 0, indices = 0;
  int free = 0;       // all but Read: the first dimensions, which can be done in any order
  bool rows = false;  // no index moves along the last dimension
  int64_t shape[kMaxDims];
  Operand table, values, index[kMaxDims];
  int64_t step[kMaxDims], size[kMaxDims];
};

// Looks for an index outside of [low, high) in a loop shape, and puts one into *bad. A GPU keeps
// what it finds and raises it, with the words of op and dim, when the host next waits for it.
struct IndexCheckArgs {
  const char* op;
  int dim;
  int64_t low, high;
  bool skips = false;  // `skip` is let pass wherever it lies
  int64_t skip = 0;
  int ndim = 0;
  int64_t shape[kMaxDims];
  Operand index;
  bool* found;
  int64_t* bad;
  ErrorKind error = ErrorKind::Index;  // what a GPU raises
};

// The positions of the true elements of a contiguous bool tensor. First, with out.data null,
// counts[b] becomes their number in block b of kNonzeroBlock elements; then, with the sums of
// the counts before each block in counts, out (n, ndim) is filled.
constexpr int64_t kNonzeroBlock = 4096;
struct NonzeroArgs {
  int ndim = 0;
  int64_t shape[kMaxDims];
  Operand in, counts, out;
};

// out[kept] = reduce(in[kept, reduced]). argmax and argmin number the elements of a row of
// `reduced` in order. Inputs are converted to `compute` as they are read; out is of `compute`
// too, or int64 for indices.
struct ReduceArgs {
  Op op;
  DType compute;
  double divisor = 1;  // float sums are divided by it at their end (mean)
  // Does memory run along a kept dimension (columns), the last, or along a reduced one (rows)?
  bool columns = false;
  int kept = 0, reduced = 0;  // numbers of dimensions; no reduced one is empty unless all are
  int64_t kept_shape[kMaxDims], reduced_shape[kMaxDims];
  int64_t in_reduced_strides[kMaxDims];
  Operand in;      // strides over the kept dimensions
  Operand out;     // likewise
  Operand values;  // beside indices: what they point to; likewise; data is null where not wanted
};

// Running results along the middle dimension of (outer, n, inner), all contiguous: out[i] is the
// sum, the product, the extreme or log(sum(exp)) of in[0] ... in[i], or from in[i] to the end in
// `reverse`. Long dimensions are cut into pieces of kScanPiece; a piece is scanned by itself, and
// what lies before it is added to its results.
constexpr int64_t kScanPiece = 64 * 1024;
enum class Scan : uint8_t { Sum, Prod, Max, Min, LogSumExp };
struct ScanArgs {
  Scan scan;
  DType dtype;
  bool reverse = false;
  int64_t outer, n, inner;
  Operand in, out;
  Operand index;  // Max, Min: where the extreme lies, the last of equals; int64
};

// Of each row of (rows, n) the elements whose ranks are first, ..., first + count - 1, in order,
// and their indices in the row, both (rows, count). Equal elements keep their order; NaN is the
// largest. All contiguous. Rows of more than kLongRow have memory for 2 n records in `work`.
constexpr int64_t kLongRow = 64 * 1024;
inline int64_t sort_record(DType t, int64_t n) {  // bytes: of a key and an index
  return item_size(t) < 8 && n <= INT32_MAX ? 8 : 16;
}
struct SortArgs {
  DType dtype;
  bool descending;
  int64_t rows, n, first, count;
  Operand in, values, indices;  // indices are int64
  Memory work;
};

// How many elements of a sorted row lie before each value: those smaller, or (right) not larger.
// sequence is (rows, n), or (n) for all rows; values is (rows, m). All contiguous.
struct SearchArgs {
  DType dtype;
  bool right, shared;
  int64_t rows, n, m;
  Operand sequence, values;
  Operand sorter;  // int64 like sequence: its order; data is null where it lies in order
  Operand out;     // int64 or int32
};

// Softmax along the middle dimension of (outer, n, inner), or its logarithm; all contiguous.
// Backward, `in` is the gradient of the output and y the output, which is null in forward.
struct SoftmaxArgs {
  DType dtype;
  bool log;
  int64_t outer, n, inner;
  Operand in, y, out;
};

// What a product of floats goes through last, by the formula of that name in kernels/math.h.
enum class Activation : uint8_t { None, Relu, Gelu, GeluTanh, Silu, Sigmoid, Tanh };

// out[b] = activation(a[b] @ w[b] + bias), for b over the batch shape. a is (m, k), w is (k, n);
// each has one stride of 1 or is copied before. out is contiguous.
struct MatmulArgs {
  DType dtype;
  int64_t m, n, k;
  int batch_dims = 0;
  int64_t batch_shape[kMaxDims];
  Operand a, w;  // strides over the batch dimensions
  int64_t a_row, a_col, w_row, w_col;
  Operand out;
  Operand bias;             // (n), contiguous; data is null where there is none
  bool accumulate = false;  // out += instead of out =; not with an activation
  Activation activation = Activation::None;
};

// One step of an optimizer over a list of tensors, all contiguous and of one dtype.
enum class Optim : uint8_t { Sgd, Adam };
struct OptimItem {
  int64_t n;
  Memory param, grad;
  Memory first;                  // momentum; null without. Adam's mean of gradients
  Memory second;                 // Adam's mean of their squares
  Memory largest;                // of `second` so far; null unless amsgrad
  double step_size, root_scale;  // Adam's lr / (1 - beta1^t) and 1 / sqrt(1 - beta2^t)
};
struct OptimArgs {
  Optim optim;
  DType dtype;
  int count;
  const OptimItem* items;
  double sign = 1;    // -1 goes uphill
  double l2 = 0;      // times the parameter, added to its gradient
  double shrink = 1;  // times the parameter, before the step
  double lr = 0, momentum = 0, dampening = 0;
  bool nesterov = false;
  double beta1 = 0, beta2 = 0, eps = 0;
};

// Measures the device itself, for bench/: multiply-adds, or traffic over buffers of a given
// size. Each of `parts` threads works on its own `bytes`, `rounds` times; done[part] becomes
// the operations or the bytes moved.
enum class Probe : uint8_t { Float32, Float64, Read, Copy, Stream };
constexpr int64_t kProbeSink = 64;  // bytes after each part's, for a result nobody reads

struct ProbeArgs {
  Probe probe;
  int64_t parts, bytes, rounds;
  Memory buffer;
  double* done;
};

// Fills out with numbers drawn from a generator, in the order of the loop shape, which is the
// order of memory. Serial on the CPU, where the next number depends on all before.
enum class Draw : uint8_t {
  Uniform,        // a + u (b - a)
  Normal,         // mean a, standard deviation b
  Exponential,    // rate a
  Bernoulli,      // 1 with probability a
  BernoulliEach,  // 1 with the probability that p holds for the element
  Integer,        // base + word % range
  Permutation,    // of 0 ... shape[0] - 1
  Categories,     // shape is rows, samples; indices into rows of p, weights of `categories`
  Poisson,        // these three are of the CPU alone: out is float64, p float32 or it;
  Binomial,       // a row of p has the parameters of one number
  Gamma,
};
struct RandomArgs {
  Draw draw;
  RandomState* state;
  double a = 0, b = 1;
  uint64_t range = 0;  // 0: all of a word
  int64_t base = 0;
  bool wide = false;    // words of 64 bits
  bool blocks = false;  // normals by blocks of 16, else by pairs with one kept for the next call
  int64_t categories = 0;
  int ndim = 0;
  int64_t shape[kMaxDims];
  Operand out;
  Operand p;
};

// Rows of n elements brought to mean 0 and variance 1, then weight * x + bias. All contiguous, of
// one dtype; weight and bias (n) may be null. The moments are kept for the gradient.
struct LayerNormArgs {
  DType dtype;
  int64_t rows, n;
  double eps;
  Operand x, weight, bias;
  Operand out, mean, rstd;
};

// The gradients of x, weight and bias from g, the gradient of out.
struct LayerNormBackwardArgs {
  DType dtype;
  int64_t rows, n;
  Operand g, x, weight, mean, rstd;
  Operand dx, dweight, dbias;
};

// x is (outer, channels, inner). Its elements are brought to mean 0 and variance 1 within rows: all
// of a channel where groups is 0 (batch norm), else a group of channels of one of the outer (group
// norm; instance norm where each channel is a group). Then weight[channel] * x + bias[channel],
// either of which may be null. All contiguous, of one dtype.
struct ChannelNormArgs {
  DType dtype;
  int64_t outer, channels, inner, groups;
  double eps;
  bool given = false;  // mean and var are known, and only used
  Operand x, weight, bias;
  Operand out;
  Operand mean, var;  // of rows, float32 or float64; var divides by the number of elements
};

// The gradients of x, weight and bias from g, the gradient of out.
struct ChannelNormBackwardArgs {
  DType dtype;
  int64_t outer, channels, inner, groups;
  double eps;
  Operand g, x, weight, mean, var;
  Operand dx, dweight, dbias;
};

// How windows lie on planes of (depth, height, width), all of them contiguous: element j of window
// i is at i * stride + j * dilation - pad, along each dimension. What has fewer dimensions is 1
// deep, and perhaps 1 high.
constexpr int kSpace = 3;
struct WindowArgs {
  int64_t in[kSpace], out_size[kSpace];  // elements of a plane, windows on it
  int64_t kernel[kSpace], stride[kSpace], pad[kSpace], dilation[kSpace];
};

// out[n, o, p] = bias[o] + sum of weight[o, c, j] * x[n, c, p * stride + j * dilation - pad] over
// c and j, where p and j are places in the three dimensions. The other ways take the same struct:
// conv_transpose writes x (and adds bias to it), the weight's gradient writes weight, and both
// read out.
struct ConvArgs : WindowArgs {
  DType dtype;
  int64_t batch, groups;
  int64_t channels, filters;  // of one group: of x, of out
  Operand x, weight, bias, out;
};

// The largest element of every window of `planes` planes, and where in its plane it lies; or the
// mean of every window. Backward, x is the gradient of the input and out that of the output; a GPU
// looks for each element through the windows that it lies in.
struct PoolArgs : WindowArgs {
  DType dtype;
  int64_t planes;
  bool adaptive = false;  // window i is [i * in / out_size, (i + 1) * in / out_size rounded up)
  bool count_pad = true;  // a mean counts the padding too
  int64_t divisor = 0;    // of every mean, or 0 for the count
  int64_t least = 0;      // of integers: what a window in the padding alone has
  Operand x, out, index;  // index is int64
};

// out[plane, j, p] = x[plane, p * stride + j * dilation - pad], or 0 in the padding; and back:
// fold writes x, the sum of what lies there.
struct FoldArgs : WindowArgs {
  DType dtype;
  int64_t planes;
  Operand x, out;
};

// out[a, i, b] = sum over t in [first[i], first[i + 1]) of weight[t] * x[a, index[t], b]: sparse
// rows of weights, applied along the middle dimension of (outer, n, inner). All contiguous.
struct ResampleArgs {
  DType dtype;
  int64_t outer, n, out_n, inner;
  int64_t taps;                          // weights in all
  Operand x, first, index, weight, out;  // first and index are int64
};

// out = softmax(q k^T * scale + mask) v for each of a batch of heads: q (queries, width), k (keys,
// width), v (keys, value_width). The columns of q, k and v are contiguous, the strides of all four
// are over the batch; mask.data may be null. out and lse, the logarithms of the softmax's divisors,
// are contiguous. lse is float32, or float64 like the rest.
//
// Of the softmax's weights a share is dropped, and the others are divided by 1 - drop. Whether a
// weight is kept is what bernoulli_ of 1 - drop would draw for it in a tensor (*batch, queries,
// keys): `random` is the generator's state before, and is moved on past them all.
constexpr int64_t kDrawnRows = 64;
struct AttentionArgs {
  DType dtype;
  int batch_dims = 0;
  int64_t batch_shape[kMaxDims];
  int64_t queries, keys, width, value_width;
  double scale;
  bool causal;  // a query sees the keys up to its own number
  double drop = 0;
  RandomState* random = nullptr;  // null where drop is 0
  Operand states;  // of the CPU: room for a generator's state for each kDrawnRows rows of a head
  Operand q, k, v, mask;
  int64_t q_row, k_row, v_row, mask_row = 0, mask_column = 0;
  Operand out, lse;
};

// The gradients of q, k and v, contiguous, from g, that of out. Or that of the mask, which begins
// as zeros: strides of 0 say what the scores share, and gets their sum.
struct AttentionBackwardArgs : AttentionArgs {
  Operand g, dq, dk, dv;
  Operand dmask;
  int64_t dmask_row = 0, dmask_column = 0;
};

// The cross entropy of rows of logits with one class each. Forward fills loss (rows, or one
// element) and lse, the rows' log(sum(exp)) as maximum and rest; backward reads lse and g and fills
// dlogits.
enum class Reduction : uint8_t { None, Mean, Sum };
struct CrossEntropyArgs {
  DType dtype;
  int64_t rows, classes;
  int64_t ignore;    // rows of this class count nothing
  double smoothing;  // this part of the target is spread evenly over the classes
  Reduction reduction;
  Operand logits, target;  // target is int64
  Operand loss, lse;
  Operand g, dlogits;
};

}  // namespace veem
