// Launches layer norm and its gradients (kernels/norm.metal).
#include "core/backend.h"
#include "core/plan.h"
#include "metal/kernels.h"
#include "metal/tile.h"

namespace veem::metal {

void layer_norm(const LayerNormArgs& a) {
  int64_t size = item_size(a.dtype);
  Tile tile = tile_rows(a.rows, a.n);
  NormShape shape = {a.rows, a.n, 0, static_cast<float>(a.eps), tile.rows, tile.lanes};
  Encoder e("norm", std::string("layer_norm_") + type_name(a.dtype),
            {has_simd_reductions(), 0, held(tile, a.n), a.weight.data != nullptr,
             a.bias.data != nullptr, static_cast<int>(a.dtype)});
  e.buffer(a.x, a.rows * a.n * size);
  e.buffer(a.weight, a.n * size).buffer(a.bias, a.n * size);
  e.buffer(a.out, a.rows * a.n * size).buffer(a.mean, a.rows * size).buffer(a.rstd, a.rows * size);
  e.args(shape).groups({tile.groups(a.rows)}, {tile.threads()});
}

namespace {

void input_gradient(const LayerNormBackwardArgs& a) {
  int64_t size = item_size(a.dtype), all = a.rows * a.n * size;
  Tile tile = tile_rows(a.rows, a.n);
  NormShape shape = {a.rows, a.n, 0, 0, tile.rows, tile.lanes};
  Encoder e("norm", std::string("layer_norm_backward_") + type_name(a.dtype),
            {has_simd_reductions(), 0, held(tile, a.n), a.weight.data != nullptr, 0,
             static_cast<int>(a.dtype)});
  e.buffer(a.g, all).buffer(a.x, all).buffer(a.weight, a.n * size);
  e.buffer(a.mean, a.rows * size).buffer(a.rstd, a.rows * size).buffer(a.dx, all);
  e.args(shape).groups({tile.groups(a.rows)}, {tile.threads()});
}

// dweight and dbias, as many of each as there are pieces.
void parameter_gradients(const LayerNormBackwardArgs& a, const Tile& tile, int64_t pieces,
                         const Memory& dweight, const Memory& dbias, DType type) {
  int64_t size = item_size(a.dtype), all = a.rows * a.n * size;
  int64_t out = pieces * a.n * item_size(type);
  NormShape shape = {a.rows, a.n, parts(a.rows, pieces), 0, tile.rows, tile.lanes};
  Encoder e("norm", std::string("layer_norm_parameters_") + type_name(a.dtype),
            {has_simd_reductions(), 1, 0, 0, 0, static_cast<int>(type)});
  e.buffer(a.g, all).buffer(a.x, all).buffer(a.mean, a.rows * size).buffer(a.rstd, a.rows * size);
  e.buffer(dweight, out).buffer(dbias, out).args(shape);
  e.groups({tile.groups(a.n), pieces}, {tile.threads()});
}

// out = the sums of the columns of totals (pieces, n).
void add_pieces(const Array& totals, const Operand& out, DType dtype) {
  ReduceArgs r;
  r.op = Op::sum;
  r.compute = dtype;
  r.columns = totals.shape[1] > 1;
  r.kept = r.reduced = 1;
  r.reduced_shape[0] = totals.shape[0];
  r.in_reduced_strides[0] = r.kept_shape[0] = totals.shape[1];
  set_operand(&r.in, totals);
  r.out = out;
  r.in.strides[0] = r.out.strides[0] = 1;
  reduce(r);
}

}  // namespace

void layer_norm_backward(const LayerNormBackwardArgs& a) {
  if (a.n == 0) return;
  if (a.rows > 0) input_gradient(a);
  Tile tile = tile_columns(a.n, a.n, a.rows);
  int64_t pieces = pieces_of(tile, a.n, a.rows);
  if (pieces == 1) return parameter_gradients(a, tile, 1, a.dweight, a.dbias, a.dtype);
  pieces = parts(a.rows, parts(a.rows, pieces));
  Backend& backend = *a.g.storage->backend;
  Array dweight = empty({pieces, a.n}, DType::Float32, backend);
  Array dbias = empty({pieces, a.n}, DType::Float32, backend);
  parameter_gradients(a, tile, pieces, memory_of(dweight), memory_of(dbias), DType::Float32);
  add_pieces(dweight, a.dweight, a.dtype);
  add_pieces(dbias, a.dbias, a.dtype);
}

}  // namespace veem::metal
