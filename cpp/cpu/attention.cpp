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
// All of one head are done by one thread, in order: no two threads add to one gradient. So are all
// heads that share a mask, where its gradient ds / scale is wanted: by a walk of its own.
//
// Dropout takes weights out of p, after the divisors have been summed. Which ones, PyTorch's stream
// says: 53 bits of two words for each weight of all, row by row. The stream is sequential, so one
// thread first runs through it and keeps the twister's state before each block of queries (2.5 KB
// for 64 rows); whoever comes to a block draws its rows again from there. A run without reading
// costs 0.17 ns a weight, drawing 0.68 ns, beside 5 to 15 for its products in heads of 64 numbers.
// What is kept as bits instead, L x S / 8 bytes, costs one thread 0.69 ns and all 0.2 ns for each
// use: no faster by more than a few percent, and no longer linear in L.
#include "core/scratch.h"
#include "cpu/fold.h"
#include "cpu/gemm.h"
#include "cpu/kernels.h"
#include "cpu/mersenne.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kQueries = 64, kKeys = 128;  // of a block: its scores are 32 KiB of floats
static_assert(kQueries == kDrawnRows, "a block of queries draws from a state of its own");

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

// ---- dropout --------------------------------------------------------------------------------

// The state before each block of queries; the generator has then passed all weights.
void note_states(const AttentionArgs& args) {
  if (!args.random) return;
  Mt19937* engine = &args.random->engine;
  auto* to = reinterpret_cast<Mt19937*>(args.states.data);
  for (int64_t b = 0; b < heads_of(args); ++b)
    for (int64_t i = 0; i < args.queries; i += kQueries) {
      *to++ = *engine;
      skip(engine, 2 * at_most(kQueries, args.queries - i) * args.keys);
    }
}

// Numbers of T that hold a byte for each weight of a block.
template <class T>
int64_t room_for_kept(const AttentionArgs& args) {
  return args.random ? parts_of(kQueries * args.keys, sizeof(T)) : 0;
}

// 1 for each weight of the block from query i on that is kept, 0 for the others; null for all.
const uint8_t* draw_kept(const AttentionArgs& args, int64_t b, int64_t i, void* room) {
  if (!args.random) return nullptr;
  constexpr int64_t kDrawn = 512;
  uint32_t words[2 * kDrawn];
  auto* kept = static_cast<uint8_t*>(room);
  int64_t block = b * parts_of(args.queries, kQueries) + i / kQueries;
  Mt19937 engine = reinterpret_cast<const Mt19937*>(args.states.data)[block];
  int64_t count = at_most(kQueries, args.queries - i) * args.keys;
  int64_t below = words_below(1 - args.drop);
  for (int64_t at = 0; at < count; at += kDrawn) {
    int64_t n = at_most(kDrawn, count - at);
    read(&engine, words, 2 * n);
    for (int64_t c = 0; c < n; ++c) kept[at + c] = word53(words + 2 * c) < below;
  }
  return kept;
}

template <class T>
void drop(int64_t columns, const uint8_t* kept, T scale, T* weights) {
  VEEM_VECTORIZE
  for (int64_t c = 0; c < columns; ++c) weights[c] *= static_cast<T>(kept[c]) * scale;
}

// ---- forward --------------------------------------------------------------------------------

template <class T>
void forward(const AttentionArgs& args) {
  int64_t L = args.queries, S = args.keys, V = args.value_width;
  int64_t blocks = parts_of(L, kQueries);
  int64_t work = at_most(L, kQueries) * S * (args.width + V) + 1;
  note_states(args);
  parallel_for(heads_of(args) * blocks, parts_of(kGrainOps, work), [&](int64_t begin, int64_t end) {
    T* scores = scratch<T>(kQueries * kKeys + room_for_kept<T>(args));
    T peaks[kQueries], sums[kQueries], share = static_cast<T>(1 / (1 - args.drop));
    for (int64_t task = begin; task < end; ++task) {
      Head<T> head = head_of<T>(args, task / blocks);
      int64_t i = task % blocks * kQueries, rows = at_most(kQueries, L - i);
      const uint8_t* kept = draw_kept(args, head.at, i, scores + kQueries * kKeys);
      T* out = reinterpret_cast<T*>(args.out.data) + (head.at * L + i) * V;
      T* lse = reinterpret_cast<T*>(args.lse.data) + head.at * L + i;
      for (int64_t e = 0; e < rows * V; ++e) out[e] = 0;
      for (int64_t r = 0; r < rows; ++r) peaks[r] = lowest<T>(), sums[r] = 0;
      for (int64_t j = 0; j < S; j += kKeys) {
        Tile tile{i, rows, j, at_most(kKeys, S - j)};
        if (is_ahead(args, tile)) break;
        score(args, head, tile, scores);
        for (int64_t r = 0; r < rows; ++r) {
          T* s = scores + r * kKeys;
          add_row(tile.columns, s, peaks + r, sums + r, out + r * V, V);
          if (kept) drop(tile.columns, kept + r * S + j, share, s);
        }
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

// ---- backward -------------------------------------------------------------------------------

// Room of a thread: weights and slopes of a tile, and a block's kept weights.
template <class T> T* backward_room(const AttentionArgs& args) {
  return scratch<T>(2 * kQueries * kKeys + room_for_kept<T>(args));
}

// A block of queries of one head, as the gradients see it.
template <class T> struct Block {
  const AttentionBackwardArgs& args;
  Head<T> head;
  int64_t i, rows;
  T *p, *ds;
  const uint8_t* kept;
  const T *g, *lse;
  T shared[kQueries];  // rowsum(g * out)

  Block(const AttentionBackwardArgs& a, const Head<T>& h, int64_t from, T* room)
      : args(a),
        head(h),
        i(from),
        rows(at_most(kQueries, a.queries - from)),
        p(room),
        ds(room + kQueries * kKeys),
        kept(draw_kept(a, h.at, from, room + 2 * kQueries * kKeys)) {
    int64_t V = args.value_width, at = head.at * args.queries + i;
    g = reinterpret_cast<const T*>(args.g.data) + at * V;
    lse = reinterpret_cast<const T*>(args.lse.data) + at;
    const T* out = reinterpret_cast<const T*>(args.out.data) + at * V;
    for (int64_t r = 0; r < rows; ++r) {
      shared[r] = 0;
      for (int64_t e = 0; e < V; ++e) shared[r] += g[r * V + e] * out[r * V + e];
    }
  }

  // p as v was multiplied by it, and ds / scale, for the keys from j on.
  Tile over_keys(int64_t j) {
    Tile t{i, rows, j, at_most(kKeys, args.keys - j)};
    if (is_ahead(args, t)) return {i, rows, j, 0};
    int64_t V = args.value_width;
    score(args, head, t, p);
    product<T>(t.rows, t.columns, V, {g, V, 1}, transposed(head.v + j * args.v_row, args.v_row), ds,
               kKeys, false);
    T share = static_cast<T>(1 / (1 - args.drop));
    for (int64_t r = 0; r < t.rows; ++r) {
      T *pr = p + r * kKeys, *dsr = ds + r * kKeys, divisor = lse[r], less = shared[r];
      const uint8_t* kept_row = kept ? kept + r * args.keys + j : nullptr;
      if (kept) drop(t.columns, kept_row, share, dsr);
      VEEM_VECTORIZE
      for (int64_t c = 0; c < t.columns; ++c) {
        pr[c] = math::exp(pr[c] - divisor);
        dsr[c] = pr[c] * (dsr[c] - less);
      }
      if (kept) drop(t.columns, kept_row, share, pr);
    }
    return t;
  }
};

template <class T>
void backward_head(const AttentionBackwardArgs& args, int64_t b) {
  int64_t L = args.queries, S = args.keys, E = args.width, V = args.value_width;
  Head<T> head = head_of<T>(args, b);
  T* dq = reinterpret_cast<T*>(args.dq.data) + b * L * E;
  T* dk = reinterpret_cast<T*>(args.dk.data) + b * S * E;
  T* dv = reinterpret_cast<T*>(args.dv.data) + b * S * V;
  for (int64_t i = 0; i < L * E; ++i) dq[i] = 0;
  for (int64_t i = 0; i < S * E; ++i) dk[i] = 0;
  for (int64_t i = 0; i < S * V; ++i) dv[i] = 0;
  T *room = backward_room<T>(args), scale = static_cast<T>(args.scale);
  for (int64_t i = 0; i < L; i += kQueries) {
    Block<T> block(args, head, i, room);
    for (int64_t j = 0; j < S; j += kKeys) {
      Tile t = block.over_keys(j);
      if (t.columns == 0) break;
      T *p = block.p, *ds = block.ds;
      for (int64_t r = 0; r < t.rows; ++r)
        for (int64_t c = 0; c < t.columns; ++c) ds[r * kKeys + c] *= scale;
      product<T>(t.columns, V, t.rows, {p, 1, kKeys}, upright(block.g, V), dv + j * V, V, true);
      product<T>(t.columns, E, t.rows, {ds, 1, kKeys}, upright(head.q + i * args.q_row, args.q_row),
                 dk + j * E, E, true);
      product<T>(t.rows, E, t.columns, {ds, kKeys, 1}, upright(head.k + j * args.k_row, args.k_row),
                 dq + i * E, E, true);
    }
  }
}

template <class T>
void backward(const AttentionBackwardArgs& args) {
  int64_t work = args.queries * args.keys * (args.width + args.value_width) + 1;
  note_states(args);
  parallel_for(heads_of(args), parts_of(kGrainOps, work), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) backward_head<T>(args, b);
  });
}

// ---- the mask -------------------------------------------------------------------------------

// Groups of heads that share a mask: how many, and how many heads each has.
struct Sharing {
  int64_t groups = 1, members = 1;
};
Sharing sharing(const AttentionBackwardArgs& args) {
  Sharing s;
  for (int d = 0; d < args.batch_dims; ++d)
    (args.dmask.strides[d] ? s.groups : s.members) *= args.batch_shape[d];
  return s;
}
int64_t head_number(const AttentionBackwardArgs& args, int64_t group, int64_t member) {
  int64_t b = 0, step = 1;
  for (int d = args.batch_dims - 1; d >= 0; --d) {
    int64_t &rest = args.dmask.strides[d] ? group : member, n = args.batch_shape[d];
    b += rest % n * step;
    rest /= n, step *= n;
  }
  return b;
}

template <class T>
void add_to_mask(const AttentionBackwardArgs& args, Block<T>& block) {
  T* dmask = reinterpret_cast<T*>(args.dmask.data);
  int64_t rest = block.head.at, column = args.dmask_column;
  for (int d = args.batch_dims - 1; d >= 0; --d) {
    dmask += rest % args.batch_shape[d] * args.dmask.strides[d];
    rest /= args.batch_shape[d];
  }
  for (int64_t j = 0; j < args.keys; j += kKeys) {
    Tile t = block.over_keys(j);
    for (int64_t r = 0; r < t.rows; ++r) {
      T* to = dmask + (t.i + r) * args.dmask_row + j * column;
      for (int64_t c = 0; c < t.columns; ++c) to[c * column] += block.ds[r * kKeys + c];
    }
  }
}

template <class T>
void mask_backward(const AttentionBackwardArgs& args) {
  Sharing s = sharing(args);
  note_states(args);
  // Rows that share a row of the mask are added up by one thread too.
  int64_t blocks = args.dmask_row ? parts_of(args.queries, kQueries) : 1;
  int64_t queries = args.dmask_row ? kQueries : args.queries;
  int64_t work = s.members * queries * args.keys * (args.width + args.value_width) + 1;
  parallel_for(s.groups * blocks, parts_of(kGrainOps, work), [&](int64_t begin, int64_t end) {
    T* room = backward_room<T>(args);
    for (int64_t task = begin; task < end; ++task)
      for (int64_t member = 0; member < s.members; ++member) {
        Head<T> head = head_of<T>(args, head_number(args, task / blocks, member));
        int64_t first = task % blocks * kQueries, last = at_most(first + queries, args.queries);
        for (int64_t i = first; i < last; i += kQueries) {
          Block<T> block(args, head, i, room);
          add_to_mask(args, block);
        }
      }
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

void attention_mask_backward(const AttentionBackwardArgs& args) {
  if (args.dtype == DType::Float32) return mask_backward<float>(args);
  mask_backward<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
