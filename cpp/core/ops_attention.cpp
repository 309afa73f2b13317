#include "core/ops_attention.h"

#include <cstring>
#include <mutex>
#include <vector>

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

const char* const kOp = "scaled_dot_product_attention";

// The dimensions before the last two.
Dims leading(const Dims& d) {
  Dims out;
  for (int i = 0; i + 2 < d.size(); ++i) out.push_back(d[i]);
  return out;
}

// Its rows at any distance, but each of one piece.
Array with_rows(const Array& x) { return x.strides.back() == 1 ? x : contiguous(x); }

void check(const Array& q, const Array& k, const Array& v, const Array* mask) {
  for (const Array* x : {&k, &v, mask}) {
    if (!x) continue;
    VEEM_CHECK(x->dtype == q.dtype, kOp, "query is ", name(q.dtype), " and another argument ",
               name(x->dtype), "; convert one, e.g. x.to(y.dtype)");
    Input both[] = {q, *x};
    common_backend(both, 2, kOp);
    VEEM_CHECK(x->ndim() >= 2, kOp, "expected at least 2 dimensions, got shape ", x->shape);
  }
  VEEM_CHECK_AS(NotImplemented, is_float(q.dtype), kOp, "not implemented for ", name(q.dtype),
                "; convert to float32 first, e.g. x.float()");
  int n = q.ndim();
  bool fits =
      n >= 2 && q.shape[n - 1] == k.shape.back() && k.shape[k.ndim() - 2] == v.shape[v.ndim() - 2];
  VEEM_CHECK(fits, kOp, "expected query (..., L, E), key (..., S, E) and value (..., S, V), got ",
             q.shape, ", ", k.shape, " and ", v.shape);
}

int64_t product(const Dims& d) {
  int64_t n = 1;
  for (int64_t size : d) n *= size;
  return n;
}

// Everything but the results.
struct Setting {
  Array q, k, v, mask, states;
  Dims batch;  // leading dimensions
};

// Strides over the last two dimensions, where those of size 1 broadcast.
void set_plane(const Array& x, int64_t rows, int64_t columns, int64_t* row, int64_t* column) {
  int n = x.ndim();
  Dims at = broadcast_strides({x.shape[n - 2], x.shape[n - 1]},
                              {x.strides[n - 2], x.strides[n - 1]}, {rows, columns});
  *row = at[0], *column = at[1];
}

Setting set(AttentionArgs* args, const Attended& a) {
  check(a.q, a.k, a.v, a.mask);
  VEEM_CHECK(a.drop >= 0 && a.drop < 1, kOp, "expected a share to drop in [0, 1), got ", a.drop);
  Setting s{with_rows(a.q), with_rows(a.k), with_rows(a.v), a.mask ? *a.mask : Array(), {}, {}};
  int64_t L = a.q.shape[a.q.ndim() - 2], S = a.k.shape[a.k.ndim() - 2];
  for (const Array* x : {&a.q, &a.k, &a.v, a.mask})
    if (x) s.batch = broadcast(s.batch, leading(x->shape), kOp);
  args->dtype = a.q.dtype;
  args->queries = L, args->keys = S;
  args->width = a.q.shape.back(), args->value_width = a.v.shape.back();
  args->scale = a.scale, args->causal = a.causal, args->drop = a.drop;
  const Array* arrays[] = {&s.q, &s.k, &s.v, &s.mask};
  Operand* operands[] = {&args->q, &args->k, &args->v, &args->mask};
  for (int i = 0; i < 3 + (a.mask != nullptr); ++i) {
    const Array& x = *arrays[i];
    set_operand(operands[i], x, broadcast_strides(leading(x.shape), leading(x.strides), s.batch));
  }
  args->q_row = s.q.strides[a.q.ndim() - 2];
  args->k_row = s.k.strides[a.k.ndim() - 2];
  args->v_row = s.v.strides[a.v.ndim() - 2];
  if (a.mask) set_plane(*a.mask, L, S, &args->mask_row, &args->mask_column);
  args->batch_dims = s.batch.size();
  for (int i = 0; i < s.batch.size(); ++i) args->batch_shape[i] = s.batch[i];
  if (a.drop > 0 && &a.q.backend() == &cpu()) {
    int64_t blocks = product(s.batch) * ((L + kDrawnRows - 1) / kDrawnRows);
    s.states = empty({blocks, static_cast<int64_t>(sizeof(Mt19937))}, DType::UInt8, cpu());
    set_operand(&args->states, s.states);
  }
  return s;
}

Dims with_plane(Dims batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

// A generator's state as whole words, which pass unchanged where bytes would be widened.
Array words_of(const Generator& g) {
  std::vector<uint8_t> bytes = g.state();
  Array out = empty({static_cast<int64_t>(bytes.size() / sizeof(int64_t))}, DType::Int64, cpu());
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

// Sets what the gradients are made of, with a generator that draws again what forward drew.
struct Again {
  Setting setting;
  Array g, out, lse;
  Generator generator;

  Again(AttentionBackwardArgs* args, const Array& grad, const Attended& x,
        const AttentionSaved& saved)
      : setting(set(args, x)),
        g(contiguous(grad)),
        out(contiguous(saved.out)),
        lse(contiguous(saved.lse)),
        generator(x.q.backend()) {
    set_operand(&args->g, g), set_operand(&args->out, out), set_operand(&args->lse, lse);
    if (x.drop == 0) return;
    const uint8_t* bytes = saved.stream.as<uint8_t>();
    generator.set_state({bytes, bytes + saved.stream.numel() * sizeof(int64_t)});
    args->random = &generator.random;
  }
};

}  // namespace

std::tuple<Array, Array, Array> attention(const Attended& x, Generator* g) {
  AttentionArgs args;
  Setting s = set(&args, x);
  Backend& backend = x.q.backend();
  Array out = empty(with_plane(s.batch, args.queries, args.value_width), x.q.dtype, backend);
  DType wide = x.q.dtype == DType::Float64 ? DType::Float64 : DType::Float32;
  Array lse = empty(with_plane(s.batch, args.queries, 1), wide, backend);
  set_operand(&args.out, out), set_operand(&args.lse, lse);
  std::unique_lock<std::mutex> lock;
  Array stream = empty({0}, DType::Int64, cpu());
  if (x.drop > 0) {
    VEEM_CHECK(g && &g->backend == &backend, kOp, "expected a generator of ", backend.name());
    lock = std::unique_lock<std::mutex>(g->mutex);
    Generator before(backend);
    before.random = g->random;
    stream = words_of(before);
    args.random = &g->random;
  }
  if (lse.numel() > 0) VEEM_LAUNCH(backend, attention, args);
  return {out, lse, stream};
}

std::tuple<Array, Array, Array> attention_backward(const Array& g, const Attended& x,
                                                   const AttentionSaved& saved) {
  AttentionBackwardArgs args;
  Again again(&args, g, x, saved);
  auto gradient = [&](int64_t rows, int64_t columns) {
    return empty(with_plane(again.setting.batch, rows, columns), x.q.dtype, x.q.backend());
  };
  Array dq = gradient(args.queries, args.width), dk = gradient(args.keys, args.width);
  Array dv = gradient(args.keys, args.value_width);
  set_operand(&args.dq, dq), set_operand(&args.dk, dk), set_operand(&args.dv, dv);
  if (dq.numel() + dk.numel() + dv.numel() > 0)
    VEEM_LAUNCH(x.q.backend(), attention_backward, args);
  return {dq, dk, dv};
}

Array attention_mask_backward(const Array& g, const Attended& x, const AttentionSaved& saved) {
  VEEM_CHECK(x.mask, kOp, "there is no mask");
  AttentionBackwardArgs args;
  Again again(&args, g, x, saved);
  Array dmask = empty(x.mask->shape, x.q.dtype, x.q.backend());
  fill(dmask, Scalar::of(0.0));
  Dims steps = broadcast_strides(leading(dmask.shape), leading(dmask.strides), again.setting.batch);
  set_operand(&args.dmask, dmask, steps);
  set_plane(dmask, args.queries, args.keys, &args.dmask_row, &args.dmask_column);
  if (dmask.numel() > 0 && again.lse.numel() > 0)
    VEEM_LAUNCH(x.q.backend(), attention_mask_backward, args);
  return dmask;
}

}  // namespace veem
