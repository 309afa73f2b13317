// Launches the reductions: which tile, and how many pieces (kernels/reduce.metal).
#include "core/backend.h"
#include "core/plan.h"
#include "metal/kernels.h"
#include "metal/tile.h"

namespace veem::metal {

namespace {

int64_t product(const int64_t* shape, int n) {
  int64_t out = 1;
  for (int d = 0; d < n; ++d) out *= shape[d];
  return out;
}

ReduceKind kind(const ReduceArgs& a) {
  bool truth = a.compute == DType::Bool;
  switch (a.op) {
    case Op::sum: return truth ? kReduceMax : kReduceSum;
    case Op::prod: return truth ? kReduceMin : kReduceProduct;
    case Op::amax:
    case Op::any:
    case Op::argmax: return kReduceMax;
    default: return kReduceMin;
  }
}

// Are elements read as float? Otherwise as long, which would make 0.5 false.
bool in_floats(const ReduceArgs& a) {
  return is_float(a.compute) || (a.compute == DType::Bool && is_float(a.in.dtype));
}

Tile tile_of(const ReduceArgs& a, int64_t count, int64_t length) {
  return a.columns ? tile_columns(count, a.kept_shape[a.kept - 1], length)
                   : tile_rows(count, length);
}

ReduceShape shape_of(const ReduceArgs& a, int64_t count, int64_t length, int64_t pieces) {
  ReduceShape s = {};
  s.count = count;
  s.length = length;
  s.piece = parts(length, pieces);
  s.divisor = static_cast<float>(a.divisor);
  for (int d = 0; d < a.kept; ++d) {
    s.kept_shape[d] = a.kept_shape[d];
    s.in_strides[d] = a.in.strides[d];
    s.out_strides[d] = a.out.strides[d];
  }
  for (int d = 0; d < a.reduced; ++d) {
    s.reduced_shape[d] = a.reduced_shape[d];
    s.reduced_strides[d] = a.in_reduced_strides[d];
  }
  return s;
}

// Bytes of `in`, over both nests of loops.
int64_t in_extent(const ReduceArgs& a) {
  Operand in = a.in;
  int64_t shape[kMaxDims];
  int n = 0;
  for (int d = 0; d < a.kept; ++d) shape[n++] = a.kept_shape[d];
  for (int d = 0; d < a.reduced; ++d) {
    in.strides[n] = a.in_reduced_strides[d];
    shape[n++] = a.reduced_shape[d];
  }
  return extent(in, shape, n);
}

// What launches of one reduction have in common.
struct Reduction {
  const ReduceArgs& a;
  bool index = a.op == Op::argmax || a.op == Op::argmin;
  int64_t count = product(a.kept_shape, a.kept), length = product(a.reduced_shape, a.reduced);

  // Reduces a.in to a.out and a.values, in so many pieces. `indices` lie beside the elements
  // where these are the results of pieces.
  void launch(int64_t pieces, int64_t out_piece, const Memory& indices) const {
    Tile tile = tile_of(a, count, length);
    ReduceShape shape = shape_of(a, count, length, pieces);
    shape.out_piece = out_piece;
    shape.rows = tile.rows;
    shape.lanes = tile.lanes;
    bool wide = count * length > INT32_MAX || count * pieces > INT32_MAX;
    DType written = index ? a.values.dtype : a.out.dtype;
    std::string kernel =
        std::string(index ? "arg_" : "") + "reduce_" + (in_floats(a) ? "float" : "long");
    Encoder e("reduce", kernel,
              {has_simd_reductions(), a.columns, kind(a), static_cast<int>(a.in.dtype),
               static_cast<int>(written), a.compute == DType::Bool, wide, a.kept, a.reduced,
               a.values.data != nullptr, indices.data != nullptr});
    e.buffer(a.in, in_extent(a));
    if (index) e.buffer(indices, indices.data ? length * count * 8 : 0);
    e.buffer(a.out, out_bytes(a.out, pieces, out_piece));
    if (index) e.buffer(a.values, a.values.data ? out_bytes(a.values, pieces, out_piece) : 0);
    e.args(shape).groups({tile.groups(count), pieces}, {tile.threads()});
  }
  int64_t out_bytes(const Operand& out, int64_t pieces, int64_t out_piece) const {
    return extent(out, a.kept_shape, a.kept) + (pieces - 1) * out_piece * item_size(out.dtype);
  }
};

// Where the results of pieces go: (pieces, kept), contiguous.
Operand partial_operand(const Array& partial, const ReduceArgs& a) {
  Operand out;
  set_operand(&out, partial);
  int64_t stride = 1;
  for (int d = a.kept - 1; d >= 0; --d) {
    out.strides[d] = stride;
    stride *= a.kept_shape[d];
  }
  return out;
}

}  // namespace

void reduce(const ReduceArgs& a) {
  Reduction all{a};
  int64_t pieces = pieces_of(tile_of(a, all.count, all.length), all.count, all.length);
  if (pieces == 1) return all.launch(1, 0, {});

  // Pieces of so many elements, of which the last may have fewer.
  pieces = parts(all.length, parts(all.length, pieces));
  Backend& backend = *a.in.storage->backend;
  DType exact = in_floats(a) ? DType::Float32 : DType::Int64;
  Array totals = empty({pieces, all.count}, exact, backend);
  ReduceArgs first = a, rest = a;
  first.divisor = 1;
  Array indices;
  if (all.index) {
    indices = empty({pieces, all.count}, DType::Int64, backend);
    first.out = partial_operand(indices, a);
    first.values = partial_operand(totals, a);
  } else {
    first.out = partial_operand(totals, a);
  }
  Reduction{first}.launch(pieces, all.count, {});

  rest.in = partial_operand(totals, a);
  rest.columns = all.count > 1;
  rest.reduced = 1;
  rest.reduced_shape[0] = pieces;
  rest.in_reduced_strides[0] = all.count;
  Reduction{rest}.launch(1, 0, all.index ? memory_of(indices) : Memory{});
}

}  // namespace veem::metal
