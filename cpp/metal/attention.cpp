// Launches attention and its gradients (kernels/attention.metal).
#include "core/backend.h"
#include "core/plan.h"
#include "core/random.h"
#include "metal/args.h"
#include "metal/kernels.h"
#include "metal/tile.h"

namespace veem::metal {
namespace {

int64_t heads_of(const AttentionArgs& a) {
  int64_t count = 1;
  for (int d = 0; d < a.batch_dims; ++d) count *= a.batch_shape[d];
  return count;
}

AttentionShape shape_of(const AttentionArgs& a) {
  for (int64_t n : {a.queries, a.keys, a.width, a.value_width, heads_of(a)})
    VEEM_CHECK(n < INT32_MAX, "attention", "more than 2^31 queries, keys, numbers or heads; ",
               "cut them into parts");
  AttentionShape s{};
  s.batch_dims = a.batch_dims;
  for (int d = 0; d < a.batch_dims; ++d) {
    s.batch_shape[d] = a.batch_shape[d];
    s.q_batch[d] = a.q.strides[d], s.k_batch[d] = a.k.strides[d], s.v_batch[d] = a.v.strides[d];
    s.mask_batch[d] = a.mask.data ? a.mask.strides[d] : 0;
  }
  s.q_row = a.q_row, s.k_row = a.k_row, s.v_row = a.v_row;
  s.mask_row = a.mask_row, s.mask_column = a.mask_column;
  s.queries = static_cast<int>(a.queries), s.keys = static_cast<int>(a.keys);
  s.width = static_cast<int>(a.width), s.value_width = static_cast<int>(a.value_width);
  s.scale = static_cast<float>(a.scale);
  if (!a.random) return s;
  s.seed = a.random->seed, s.offset = a.random->offset;
  s.keep = static_cast<float>(1 - a.drop), s.share = static_cast<float>(1 / (1 - a.drop));
  a.random->offset += static_cast<uint64_t>(parts(heads_of(a) * a.queries * a.keys, 4));
  return s;
}

// Binds q, k, v and mask.
void bind_inputs(Encoder& e, const AttentionArgs& a) {
  int64_t size = item_size(a.dtype);
  auto bind = [&](const Operand& x, int64_t rows, int64_t row, int64_t columns, int64_t column) {
    int64_t plane = ((rows - 1) * row + (columns - 1) * column) * size;
    e.buffer(x, x.data ? extent(x, a.batch_shape, a.batch_dims) + plane : 0);
  };
  bind(a.q, a.queries, a.q_row, a.width, 1);
  bind(a.k, a.keys, a.k_row, a.width, 1);
  bind(a.v, a.keys, a.v_row, a.value_width, 1);
  bind(a.mask, a.queries, a.mask_row, a.keys, a.mask_column);
}

// Threadgroups: a block of rows each, of each head, for each chunk of the columns that they make.
Grid blocks(int64_t rows, int64_t heads, int64_t width) {
  return {parts(rows, kHeadRows), heads, width < 1 ? 1 : parts(width, kHeadWidth)};
}

// The kernel of this name, with its inputs bound.
struct Attention : Encoder {
  Attention(const std::string& name, const AttentionArgs& a)
      : Encoder("attention", name + type_name(a.dtype),
                {a.mask.data != nullptr, a.causal, a.random != nullptr}) {
    bind_inputs(*this, a);
  }
};

}  // namespace

void attention(const AttentionArgs& a) {
  int64_t size = item_size(a.dtype), heads = heads_of(a);
  AttentionShape shape = shape_of(a);
  Attention e("attention_", a);
  e.buffer(a.out, heads * a.queries * a.value_width * size).buffer(a.lse, heads * a.queries * 4);
  e.args(shape).groups(blocks(a.queries, heads, a.value_width), {kHeadThreads});
}

void attention_backward(const AttentionBackwardArgs& a) {
  int64_t size = item_size(a.dtype), heads = heads_of(a), rows = heads * a.queries;
  AttentionShape shape = shape_of(a);
  Array shared = empty({rows}, DType::Float32, *a.q.storage->backend);
  {
    Attention e("attention_backward_queries_", a);
    e.buffer(a.g, rows * a.value_width * size).buffer(a.out, rows * a.value_width * size);
    e.buffer(a.lse, rows * 4).buffer(memory_of(shared), rows * 4);
    e.buffer(a.dq, rows * a.width * size);
    e.args(shape).groups(blocks(a.queries, heads, a.width), {kHeadThreads});
  }
  Attention e("attention_backward_keys_", a);
  e.buffer(a.g, rows * a.value_width * size);
  e.buffer(a.lse, rows * 4).buffer(memory_of(shared), rows * 4);
  e.buffer(a.dk, heads * a.keys * a.width * size);
  e.buffer(a.dv, heads * a.keys * a.value_width * size);
  int64_t wider = a.width > a.value_width ? a.width : a.value_width;
  e.args(shape).groups(blocks(a.keys, heads, wider), {kHeadThreads});
}

void attention_mask_backward(const AttentionBackwardArgs& a) {
  int64_t size = item_size(a.dtype), rows = heads_of(a) * a.queries, groups = 1;
  AttentionShape shape = shape_of(a);
  for (int d = 0; d < a.batch_dims; ++d) {
    shape.dmask_batch[d] = a.dmask.strides[d];
    if (shape.dmask_batch[d] != 0) groups *= a.batch_shape[d];
  }
  shape.dmask_row = a.dmask_row, shape.dmask_column = a.dmask_column;
  int64_t plane = ((a.queries - 1) * a.dmask_row + (a.keys - 1) * a.dmask_column) * size;
  Attention e("attention_backward_mask_", a);
  e.buffer(a.g, rows * a.value_width * size).buffer(a.out, rows * a.value_width * size);
  e.buffer(a.lse, rows * 4);
  e.buffer(a.dmask, extent(a.dmask, a.batch_shape, a.batch_dims) + plane);
  Grid grid{a.dmask_row ? parts(a.queries, kHeadRows) : 1,
            a.dmask_column ? parts(a.keys, kHeadRows) : 1, groups};
  e.args(shape).groups(grid, {kHeadThreads});
}

}  // namespace veem::metal
