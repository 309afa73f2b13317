// Attention, softmax(q k^T * scale + mask) v, without ever holding the L x S scores.
//
// A block of queries goes over the keys block by block. Of each row it keeps the largest score so
// far and the sum of exp(score - largest); when a larger score comes, both the sum and the row of
// the result made so far are scaled down. The products are gemm.h's, so arithmetic is the bound,
// at the price of one exp for each score. (Dao et al., "FlashAttention", 2022; Milakov and
// Gimelshein, "Online normalizer calculation for softmax", 2018.)
//
// Backward, the probabilities are computed again from the logarithms of the divisors:
//   p = exp(s - lse)      dv = p^T g      dp = g v^T      ds = p * (dp - rowsum(g * out)) * scale
//   dq = ds k             dk = ds^T q
// All of one head are done by one thread, in order: no two threads add to one gradient.
#include "core/scratch.h"
#include "cpu/fold.h"
#include "cpu/gemm.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kQueries = 64, kKeys = 128;  // of a block: its scores are 32 KiB of floats

// One of the batch, as pointers.
template <class T> struct Head {
  const T *q, *k, *v, *mask;
  int64_t at;  // its number
};

inline int64_t heads_of(const AttentionArgs& args) {
  int64_t count = 1;
  for (int d = 0; d < args.batch_dims; ++d) count *= args.batch_shape[d];
  return count;
}

template <class T>
Head<T> head_of(const AttentionArgs& args, int64_t b) {
  const Operand* operands[] = {&args.q, &args.k, &args.v, &args.mask};
  const T* data[4];
  for (int i = 0; i < 4; ++i) {
    data[i] = reinterpret_cast<const T*>(operands[i]->data);
    if (!data[i]) continue;
    int64_t rest = b;
    for (int d = args.batch_dims - 1; d >= 0; --d) {
      data[i] += rest % args.batch_shape[d] * operands[i]->strides[d];
      rest /= args.batch_shape[d];
    }
  }
  return {data[0], data[1], data[2], data[3], b};
}

template <class T>
RightMatrix<T> transposed(const T* rows, int64_t row) {
  return {View<T>{rows, 1, row}, false};
}
template <class T>
RightMatrix<T> upright(const T* rows, int64_t row) {
  return {View<T>{rows, row, 1}, true};
}

template <class T>
void product(int64_t m, int64_t n, int64_t k, View<T> left, const RightMatrix<T>& right, T* out,
             int64_t row, bool add) {
  Result<T> result{out, row};
  result.add = add;
  gemm<T>(m, n, k, LeftMatrix<T>{left, true}, right, result);
}

// A tile of queries from i on and keys from j on.
struct Tile {
  int64_t i, rows, j, columns;
};

// Its scores: -inf where a query may not look.
template <class T>
void score(const AttentionArgs& args, const Head<T>& head, const Tile& t, T* scores) {
  product<T>(t.rows, t.columns, args.width, {head.q + t.i * args.q_row, args.q_row, 1},
             transposed(head.k + t.j * args.k_row, args.k_row), scores, kKeys, false);
  T scale = static_cast<T>(args.scale);
  for (int64_t r = 0; r < t.rows; ++r) {
    T* s = scores + r * kKeys;
    for (int64_t c = 0; c < t.columns; ++c) s[c] *= scale;
    if (head.mask) {
      const T* mask = head.mask + (t.i + r) * args.mask_row + t.j * args.mask_column;
      for (int64_t c = 0; c < t.columns; ++c) s[c] += mask[c * args.mask_column];
    }
    if (args.causal)
      for (int64_t c = larger(t.i + r - t.j + 1, 0); c < t.columns; ++c) s[c] = lowest<T>();
  }
}

inline bool is_ahead(const AttentionArgs& args, const Tile& t) {
  return args.causal && t.j > t.i + t.rows - 1;
}

// The scores of a row become exp(score - peak), and what was made so far is scaled to the peak.
template <class T>
void add_row(int64_t columns, T* s, T* peak, T* sum, T* out, int64_t width) {
  T top = math::maximum(*peak, fold<Max>(s, columns));
  if (top == lowest<T>()) {  // nothing seen yet, and -inf - -inf is NaN
    for (int64_t c = 0; c < columns; ++c) s[c] = 0;
    return;
  }
  VEEM_VECTORIZE
  for (int64_t c = 0; c < columns; ++c) s[c] = math::exp(s[c] - top);
  if (top != *peak) {
    T less = math::exp(*peak - top);
    *sum *= less;
    for (int64_t e = 0; e < width; ++e) out[e] *= less;
    *peak = top;
  }
  *sum += fold<Sum>(s, columns);
}

template <class T>
void forward(const AttentionArgs& args) {
  int64_t L = args.queries, S = args.keys, V = args.value_width;
  int64_t blocks = parts_of(L, kQueries);
  int64_t work = at_most(L, kQueries) * S * (args.width + V) + 1;
  parallel_for(heads_of(args) * blocks, parts_of(kGrainOps, work), [&](int64_t begin, int64_t end) {
    T* scores = scratch<T>(kQueries * kKeys);
    T peaks[kQueries], sums[kQueries];
    for (int64_t task = begin; task < end; ++task) {
      Head<T> head = head_of<T>(args, task / blocks);
      int64_t i = task % blocks * kQueries, rows = at_most(kQueries, L - i);
      T* out = reinterpret_cast<T*>(args.out.data) + (head.at * L + i) * V;
      T* lse = reinterpret_cast<T*>(args.lse.data) + head.at * L + i;
      for (int64_t e = 0; e < rows * V; ++e) out[e] = 0;
      for (int64_t r = 0; r < rows; ++r) peaks[r] = lowest<T>(), sums[r] = 0;
      for (int64_t j = 0; j < S; j += kKeys) {
        Tile tile{i, rows, j, at_most(kKeys, S - j)};
        if (is_ahead(args, tile)) break;
        score(args, head, tile, scores);
        for (int64_t r = 0; r < rows; ++r)
          add_row(tile.columns, scores + r * kKeys, peaks + r, sums + r, out + r * V, V);
        product<T>(rows, V, tile.columns, {scores, kKeys, 1},
                   upright(head.v + j * args.v_row, args.v_row), out, V, true);
      }
      for (int64_t r = 0; r < rows; ++r) {
        bool blind = sums[r] == 0;  // of what it sees, it takes nothing: also backward
        lse[r] = blind ? highest<T>() : peaks[r] + math::log(sums[r]);
        T scale = blind ? T(0) : T(1) / sums[r];
        for (int64_t e = 0; e < V; ++e) out[r * V + e] *= scale;
      }
    }
  });
}

template <class T>
void backward_head(const AttentionBackwardArgs& args, int64_t b) {
  int64_t L = args.queries, S = args.keys, E = args.width, V = args.value_width;
  Head<T> head = head_of<T>(args, b);
  const T* g = reinterpret_cast<const T*>(args.g.data) + b * L * V;
  const T* out = reinterpret_cast<const T*>(args.out.data) + b * L * V;
  const T* lse = reinterpret_cast<const T*>(args.lse.data) + b * L;
  T* dq = reinterpret_cast<T*>(args.dq.data) + b * L * E;
  T* dk = reinterpret_cast<T*>(args.dk.data) + b * S * E;
  T* dv = reinterpret_cast<T*>(args.dv.data) + b * S * V;
  for (int64_t i = 0; i < L * E; ++i) dq[i] = 0;
  for (int64_t i = 0; i < S * E; ++i) dk[i] = 0;
  for (int64_t i = 0; i < S * V; ++i) dv[i] = 0;
  T* p = scratch<T>(2 * kQueries * kKeys + L);
  T *dp = p + kQueries * kKeys, *shared = dp + kQueries * kKeys;
  for (int64_t i = 0; i < L; ++i) {
    shared[i] = 0;
    for (int64_t e = 0; e < V; ++e) shared[i] += g[i * V + e] * out[i * V + e];
  }
  for (int64_t j = 0; j < S; j += kKeys)
    for (int64_t i = 0; i < L; i += kQueries) {
      Tile t{i, at_most(kQueries, L - i), j, at_most(kKeys, S - j)};
      if (is_ahead(args, t)) continue;
      score(args, head, t, p);
      product<T>(t.rows, t.columns, V, {g + i * V, V, 1},
                 transposed(head.v + j * args.v_row, args.v_row), dp, kKeys, false);
      T scale = static_cast<T>(args.scale);
      for (int64_t r = 0; r < t.rows; ++r) {
        T *pr = p + r * kKeys, *dpr = dp + r * kKeys, divisor = lse[i + r], less = shared[i + r];
        VEEM_VECTORIZE
        for (int64_t c = 0; c < t.columns; ++c) {
          pr[c] = math::exp(pr[c] - divisor);
          dpr[c] = pr[c] * (dpr[c] - less) * scale;
        }
      }
      product<T>(t.columns, V, t.rows, {p, 1, kKeys}, upright(g + i * V, V), dv + j * V, V, true);
      product<T>(t.columns, E, t.rows, {dp, 1, kKeys}, upright(head.q + i * args.q_row, args.q_row),
                 dk + j * E, E, true);
      product<T>(t.rows, E, t.columns, {dp, kKeys, 1}, upright(head.k + j * args.k_row, args.k_row),
                 dq + i * E, E, true);
    }
}

template <class T>
void backward(const AttentionBackwardArgs& args) {
  int64_t work = args.queries * args.keys * (args.width + args.value_width) + 1;
  parallel_for(heads_of(args), parts_of(kGrainOps, work), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) backward_head<T>(args, b);
  });
}

}  // namespace

void attention(const AttentionArgs& args) {
  if (args.dtype == DType::Float32) return forward<float>(args);
  forward<double>(args);
}

void attention_backward(const AttentionBackwardArgs& args) {
  if (args.dtype == DType::Float32) return backward<float>(args);
  backward<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
