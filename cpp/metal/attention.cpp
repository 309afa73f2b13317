// Launches attention and its gradients (kernels/attention.metal).
#include "core/backend.h"
#include "core/plan.h"
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
  VEEM_CHECK(a.width <= kHeadWidth && a.value_width <= kHeadWidth, "attention", "heads of ",
             a.width, " and ", a.value_width, " numbers; the kernel takes at most ",
             int64_t{kHeadWidth});
  VEEM_CHECK(a.queries < INT32_MAX && a.keys < INT32_MAX && heads_of(a) < INT32_MAX, "attention",
             "more than 2^31 queries, keys or heads; cut them into parts");
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

Grid blocks(int64_t rows, int64_t heads) { return {parts(rows, kHeadRows), heads}; }

}  // namespace

void attention(const AttentionArgs& a) {
  int64_t size = item_size(a.dtype), heads = heads_of(a);
  AttentionShape shape = shape_of(a);
  Encoder e("attention", std::string("attention_") + type_name(a.dtype),
            {a.mask.data != nullptr, a.causal});
  bind_inputs(e, a);
  e.buffer(a.out, heads * a.queries * a.value_width * size).buffer(a.lse, heads * a.queries * 4);
  e.args(shape).groups(blocks(a.queries, heads), {kHeadThreads});
}

void attention_backward(const AttentionBackwardArgs& a) {
  int64_t size = item_size(a.dtype), heads = heads_of(a), rows = heads * a.queries;
  AttentionShape shape = shape_of(a);
  Array shared = empty({rows}, DType::Float32, *a.q.storage->backend);
  std::string type = type_name(a.dtype);
  {
    Encoder e("attention", "attention_backward_queries_" + type,
              {a.mask.data != nullptr, a.causal});
    bind_inputs(e, a);
    e.buffer(a.g, rows * a.value_width * size).buffer(a.out, rows * a.value_width * size);
    e.buffer(a.lse, rows * 4).buffer(memory_of(shared), rows * 4);
    e.buffer(a.dq, rows * a.width * size);
    e.args(shape).groups(blocks(a.queries, heads), {kHeadThreads});
  }
  Encoder e("attention", "attention_backward_keys_" + type, {a.mask.data != nullptr, a.causal});
  bind_inputs(e, a);
  e.buffer(a.g, rows * a.value_width * size);
  e.buffer(a.lse, rows * 4).buffer(memory_of(shared), rows * 4);
  e.buffer(a.dk, heads * a.keys * a.width * size);
  e.buffer(a.dv, heads * a.keys * a.value_width * size);
  e.args(shape).groups(blocks(a.keys, heads), {kHeadThreads});
}

}  // namespace veem::metal
