// Attention, softmax(q k^T * scale + mask) v, and its gradients, without ever holding the scores of
// all queries and keys. The formulas stand in cpu/attention.cpp.
//
// A threadgroup has 16 rows of one side (queries, or keys for the gradients of keys and values) and
// walks over the other side 16 rows at a time, which it copies to threadgroup memory. 8 threads
// share a row: each computes 2 of its 16 scores, and keeps every eighth number of its result in
// registers. A number that was copied is used 16 times, so threadgroup memory is the bound; no
// score leaves it. Sums are float for every type.
//
// Rows of more than 128 numbers pass through the tiles in chunks of so many; a threadgroup makes
// one chunk of the results, and the scores are computed again for the next.
//
// What dropout keeps is a hash of the weight's number among all (kernels/philox.h), the bit that
// bernoulli_ would draw for it: whichever kernel and thread comes to a weight makes it again.
#include "kernels/common.h"
#include "kernels/philox.h"

constant int has_mask [[function_constant(0)]];
constant int causal [[function_constant(1)]];
constant int dropping [[function_constant(2)]];

constant constexpr int kShare = kHeadThreads / kHeadRows;  // threads of a row
constant constexpr int kEach = kHeadWidth / kShare;        // numbers of a thread
constant constexpr int kPairs = kHeadRows / kShare;        // scores of a thread, of a tile
constant constexpr int kLine = kHeadWidth + 1;             // rows begin in different banks
constant constexpr int kScoreLine = kHeadRows + 1;
constant constexpr int kTileNumbers = kHeadRows * kLine;
constant constexpr int kScores = kHeadRows * kScoreLine;

inline long head_at(constant AttentionShape& s, constant const long* strides, uint head) {
  long at = 0;
  for (int d = s.batch_dims - 1; d >= 0; --d) {
    uint size = uint(s.batch_shape[d]);
    at += long(head % size) * strides[d];
    head /= size;
  }
  return at;
}

// Copies up to 16 rows of `width` numbers; zeros behind the last row.
template <class T>
inline void load_rows(threadgroup float* tile, device const T* from, long row, int rows, int width,
                      int me) {
  for (int i = me; i < kHeadRows * width; i += kHeadThreads) {
    int r = i / width, c = i % width;
    tile[r * kLine + c] = r < rows ? float(from[r * row + c]) : 0.0f;
  }
}

inline float dot(threadgroup const float* a, threadgroup const float* b, int n) {
  float sum = 0.0f;
  for (int e = 0; e < n; ++e) sum += a[e] * b[e];
  return sum;
}
template <class T>
inline float dot(threadgroup const float* a, device const T* b, int n) {
  float sum = 0.0f;
  for (int e = 0; e < n; ++e) sum += a[e] * float(b[e]);
  return sum;
}

// The score of a query and a key from the product of their rows; -inf where it may not look.
template <class T>
inline float score(constant AttentionShape& s, float product, device const T* mask, int query,
                   int key) {
  if (query >= s.queries || key >= s.keys || (causal && key > query)) return -INFINITY;
  float x = product * s.scale;
  if (has_mask) x += float(mask[query * s.mask_row + key * s.mask_column]);
  return x;
}

// What a weight is multiplied by.
inline float kept(constant AttentionShape& s, uint head, int query, int key) {
  if (!dropping) return 1.0f;
  ulong i = (ulong(head) * ulong(s.queries) + ulong(query)) * ulong(s.keys) + ulong(key);
  Words words = philox_words(s.seed, s.offset + i / 4);
  return float(words.w[i % 4] >> 8) * 0x1p-24f < s.keep ? s.share : 0.0f;
}

// The n-th of the chunks of a row that pass through a tile, chunk `last` after all others; empty
// when there are no more.
struct Chunk {
  int from, width;
};
inline int chunks_of(int width) { return (width + kHeadWidth - 1) / kHeadWidth; }
inline Chunk chunk_at(int n, int last, int width) {
  int count = chunks_of(width);
  Chunk c;
  c.from = n < count ? (last + 1 + n) % count * kHeadWidth : width;
  c.width = min(int(kHeadWidth), width - c.from);
  return c;
}
inline Chunk chunk_of(int number, int width) {
  Chunk c;
  c.from = min(number * kHeadWidth, width);
  c.width = min(int(kHeadWidth), width - c.from);
  return c;
}

template <class T>
[[kernel]] void attention(device const T* q [[buffer(0)]], device const T* k [[buffer(1)]],
                          device const T* v [[buffer(2)]], device const T* mask [[buffer(3)]],
                          device T* out [[buffer(4)]], device float* lse [[buffer(5)]],
                          constant AttentionShape& s [[buffer(6)]],
                          uint3 group [[threadgroup_position_in_grid]],
                          uint thread_at [[thread_index_in_threadgroup]]) {
  threadgroup float q_tile[kTileNumbers], k_tile[kTileNumbers], v_tile[kTileNumbers];
  threadgroup float scores[kScores], weights[kScores];
  int me = int(thread_at), row = me / kShare, part = me % kShare;
  int top = int(group.x) * kHeadRows, rows = min(int(kHeadRows), s.queries - top);
  Chunk mine = chunk_of(int(group.z), s.value_width);
  q += head_at(s, s.q_batch, group.y) + top * s.q_row;
  k += head_at(s, s.k_batch, group.y);
  v += head_at(s, s.v_batch, group.y) + mine.from;
  if (has_mask) mask += head_at(s, s.mask_batch, group.y);

  float sums[kEach], peak = -INFINITY, total = 0.0f;
  for (int e = 0; e < kEach; ++e) sums[e] = 0.0f;
  int end = causal ? min(s.keys, top + kHeadRows) : s.keys;
  for (int j = 0; j < end; j += kHeadRows) {
    load_rows(v_tile, v + j * s.v_row, s.v_row, s.keys - j, mine.width, me);
    float products[kPairs];
    for (int i = 0; i < kPairs; ++i) products[i] = 0.0f;
    for (int n = 0; n < chunks_of(s.width); ++n) {
      Chunk c = chunk_of(n, s.width);
      if (n > 0) threadgroup_barrier(mem_flags::mem_threadgroup);  // the last chunk is used
      if (j == 0 || s.width > kHeadWidth)
        load_rows(q_tile, q + c.from, s.q_row, rows, c.width, me);
      load_rows(k_tile, k + j * s.k_row + c.from, s.k_row, s.keys - j, c.width, me);
      threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there
      for (int i = 0; i < kPairs; ++i)
        products[i] += dot(q_tile + row * kLine, k_tile + (part + i * kShare) * kLine, c.width);
    }
    for (int i = 0, c = part; i < kPairs; ++i, c += kShare)
      scores[row * kScoreLine + c] = score(s, products[i], mask, top + row, j + c);
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and the scores
    float highest = peak;
    for (int c = 0; c < kHeadRows; ++c)
      highest = math::maximum(highest, scores[row * kScoreLine + c]);
    bool blind = highest == -INFINITY;  // nothing seen yet, and -inf - -inf is NaN
    for (int c = part; c < kHeadRows; c += kShare) {
      float weight = blind ? 0.0f : prim::exp(scores[row * kScoreLine + c] - highest);
      // What is dropped counts in the divisor alone: its sign says so.
      weights[row * kScoreLine + c] =
          kept(s, group.y, top + row, j + c) == 0.0f ? -weight : weight;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and the weights
    float less = highest == peak ? 1.0f : prim::exp(peak - highest);
    peak = highest;
    total *= less;
    for (int e = 0; e < kEach; ++e) sums[e] *= less;
    for (int c = 0; c < kHeadRows; ++c) {
      float weight = weights[row * kScoreLine + c];
      total += prim::abs(weight);
      if (weight < 0.0f) weight = 0.0f;
      for (int e = 0; e < kEach && part + e * kShare < mine.width; ++e)
        sums[e] += weight * v_tile[c * kLine + part + e * kShare];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // all used: the next may come
  }
  if (row >= rows) return;
  long at = long(group.y) * s.queries + top + row;
  bool blind = total == 0.0f;
  float scale = blind ? 0.0f : (dropping ? s.share : 1.0f) / total;
  for (int e = 0; e < kEach && part + e * kShare < mine.width; ++e)
    out[at * s.value_width + mine.from + part + e * kShare] = T(sums[e] * scale);
  if (part == 0 && group.z == 0) lse[at] = blind ? INFINITY : peak + prim::log(total);
}

// dq; and for the other kernel `shared`, each row's sum of g * out.
template <class T>
[[kernel]] void attention_backward_queries(
    device const T* q [[buffer(0)]], device const T* k [[buffer(1)]],
    device const T* v [[buffer(2)]], device const T* mask [[buffer(3)]],
    device const T* g [[buffer(4)]], device const T* out [[buffer(5)]],
    device const float* lse [[buffer(6)]], device float* shared [[buffer(7)]],
    device T* dq [[buffer(8)]], constant AttentionShape& s [[buffer(9)]],
    uint3 group [[threadgroup_position_in_grid]],
    uint thread_at [[thread_index_in_threadgroup]]) {
  threadgroup float q_tile[kTileNumbers], k_tile[kTileNumbers], v_tile[kTileNumbers];
  threadgroup float slopes[kScores];
  int me = int(thread_at), row = me / kShare, part = me % kShare;
  int top = int(group.x) * kHeadRows, rows = min(int(kHeadRows), s.queries - top);
  Chunk mine = chunk_of(int(group.z), s.width);
  q += head_at(s, s.q_batch, group.y) + top * s.q_row;
  k += head_at(s, s.k_batch, group.y);
  v += head_at(s, s.v_batch, group.y);
  if (has_mask) mask += head_at(s, s.mask_batch, group.y);
  long at = long(group.y) * s.queries + top + min(row, rows - 1);  // the last again past the end
  g += at * s.value_width;
  out += at * s.value_width;
  float less = 0.0f, divisor = lse[at];
  for (int e = 0; e < s.value_width; ++e) less += float(g[e]) * float(out[e]);

  float sums[kEach];
  for (int e = 0; e < kEach; ++e) sums[e] = 0.0f;
  int end = causal ? min(s.keys, top + kHeadRows) : s.keys;
  int steps = max(chunks_of(s.width), chunks_of(s.value_width));
  for (int j = 0; j < end; j += kHeadRows) {
    float products[kPairs], dp[kPairs];
    for (int i = 0; i < kPairs; ++i) products[i] = dp[i] = 0.0f;
    for (int n = 0; n < steps; ++n) {
      Chunk a = chunk_at(n, int(group.z), s.width), b = chunk_at(n, 0, s.value_width);
      if (n > 0) threadgroup_barrier(mem_flags::mem_threadgroup);  // the last chunk is used
      if (j == 0 || s.width > kHeadWidth)
        load_rows(q_tile, q + a.from, s.q_row, rows, a.width, me);
      load_rows(k_tile, k + j * s.k_row + a.from, s.k_row, s.keys - j, a.width, me);
      load_rows(v_tile, v + j * s.v_row + b.from, s.v_row, s.keys - j, b.width, me);
      threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there
      for (int i = 0, c = part; i < kPairs; ++i, c += kShare) {
        products[i] += dot(q_tile + row * kLine, k_tile + c * kLine, a.width);
        dp[i] += dot(v_tile + c * kLine, g + b.from, b.width);
      }
    }
    for (int i = 0, c = part; i < kPairs; ++i, c += kShare) {
      float p = prim::exp(score(s, products[i], mask, top + row, j + c) - divisor);
      float share = kept(s, group.y, top + row, j + c);
      slopes[row * kScoreLine + c] = p * (dp[i] * share - less) * s.scale;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and the slopes
    for (int c = 0; c < kHeadRows; ++c)
      for (int e = 0; e < kEach && part + e * kShare < mine.width; ++e)
        sums[e] += slopes[row * kScoreLine + c] * k_tile[c * kLine + part + e * kShare];
    threadgroup_barrier(mem_flags::mem_threadgroup);  // all used: the next may come
  }
  if (row >= rows) return;
  for (int e = 0; e < kEach && part + e * kShare < mine.width; ++e)
    dq[at * s.width + mine.from + part + e * kShare] = T(sums[e]);
  if (part == 0 && group.z == 0) shared[at] = less;
}

// dk and dv: the rows are keys, and the queries pass by.
template <class T>
[[kernel]] void attention_backward_keys(
    device const T* q [[buffer(0)]], device const T* k [[buffer(1)]],
    device const T* v [[buffer(2)]], device const T* mask [[buffer(3)]],
    device const T* g [[buffer(4)]], device const float* lse [[buffer(5)]],
    device const float* shared [[buffer(6)]], device T* dk [[buffer(7)]],
    device T* dv [[buffer(8)]], constant AttentionShape& s [[buffer(9)]],
    uint3 group [[threadgroup_position_in_grid]],
    uint thread_at [[thread_index_in_threadgroup]]) {
  threadgroup float q_tile[kTileNumbers], k_tile[kTileNumbers], g_tile[kTileNumbers];
  threadgroup float weights[kScores], slopes[kScores];
  int me = int(thread_at), row = me / kShare, part = me % kShare;
  int top = int(group.x) * kHeadRows, rows = min(int(kHeadRows), s.keys - top);
  Chunk mine = chunk_of(int(group.z), s.width), values = chunk_of(int(group.z), s.value_width);
  q += head_at(s, s.q_batch, group.y);
  k += head_at(s, s.k_batch, group.y) + top * s.k_row;
  v += head_at(s, s.v_batch, group.y) + (top + min(row, rows - 1)) * s.v_row;
  if (has_mask) mask += head_at(s, s.mask_batch, group.y);
  long first = long(group.y) * s.queries;
  g += first * s.value_width;

  float k_sums[kEach], v_sums[kEach];
  for (int e = 0; e < kEach; ++e) k_sums[e] = v_sums[e] = 0.0f;
  int start = causal ? top : 0;
  int steps = max(chunks_of(s.width), chunks_of(s.value_width));
  for (int i = start; i < s.queries; i += kHeadRows) {
    float products[kPairs], dp[kPairs];
    for (int e = 0; e < kPairs; ++e) products[e] = dp[e] = 0.0f;
    for (int n = 0; n < steps; ++n) {
      Chunk a = chunk_at(n, int(group.z), s.width), b = chunk_at(n, int(group.z), s.value_width);
      if (n > 0) threadgroup_barrier(mem_flags::mem_threadgroup);  // the last chunk is used
      if (i == start || s.width > kHeadWidth)
        load_rows(k_tile, k + a.from, s.k_row, rows, a.width, me);
      load_rows(q_tile, q + i * s.q_row + a.from, s.q_row, s.queries - i, a.width, me);
      load_rows(g_tile, g + long(i) * s.value_width + b.from, s.value_width, s.queries - i,
                b.width, me);
      threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there
      for (int e = 0, c = part; e < kPairs; ++e, c += kShare) {
        products[e] += dot(q_tile + c * kLine, k_tile + row * kLine, a.width);
        dp[e] += dot(g_tile + c * kLine, v + b.from, b.width);
      }
    }
    for (int e = 0, c = part; e < kPairs; ++e, c += kShare) {
      float p = 0.0f, slope = 0.0f;
      if (i + c < s.queries) {
        float share = kept(s, group.y, i + c, top + row);
        p = prim::exp(score(s, products[e], mask, i + c, top + row) - lse[first + i + c]);
        slope = p * (dp[e] * share - shared[first + i + c]) * s.scale;
        p *= share;
      }
      weights[row * kScoreLine + c] = p;
      slopes[row * kScoreLine + c] = slope;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and the weights and slopes
    for (int c = 0; c < kHeadRows; ++c) {
      float p = weights[row * kScoreLine + c], slope = slopes[row * kScoreLine + c];
      for (int e = 0; e < kEach && part + e * kShare < values.width; ++e)
        v_sums[e] += p * g_tile[c * kLine + part + e * kShare];
      for (int e = 0; e < kEach && part + e * kShare < mine.width; ++e)
        k_sums[e] += slope * q_tile[c * kLine + part + e * kShare];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // all used: the next may come
  }
  if (row >= rows) return;
  long at = long(group.y) * s.keys + top + row;
  for (int e = 0; e < kEach && part + e * kShare < mine.width; ++e)
    dk[at * s.width + mine.from + part + e * kShare] = T(k_sums[e]);
  for (int e = 0; e < kEach && part + e * kShare < values.width; ++e)
    dv[at * s.value_width + values.from + part + e * kShare] = T(v_sums[e]);
}

// The number of a head among all, from its group's number and its own among those that share the
// group's mask.
inline uint head_number(constant AttentionShape& s, uint group, uint member) {
  uint head = 0, step = 1;
  for (int d = s.batch_dims - 1; d >= 0; --d) {
    uint size = uint(s.batch_shape[d]);
    uint at = s.dmask_batch[d] != 0 ? group % size : member % size;
    if (s.dmask_batch[d] != 0) group /= size;
    else member /= size;
    head += at * step;
    step *= size;
  }
  return head;
}

// The gradient of the mask: a tile of its own for each threadgroup, which goes over the heads that
// share it, and over the queries or keys where those do.
template <class T>
[[kernel]] void attention_backward_mask(
    device const T* q [[buffer(0)]], device const T* k [[buffer(1)]],
    device const T* v [[buffer(2)]], device const T* mask [[buffer(3)]],
    device const T* g [[buffer(4)]], device const T* out [[buffer(5)]],
    device const float* lse [[buffer(6)]], device T* dmask [[buffer(7)]],
    constant AttentionShape& s [[buffer(8)]], uint3 group [[threadgroup_position_in_grid]],
    uint thread_at [[thread_index_in_threadgroup]]) {
  threadgroup float q_tile[kTileNumbers], k_tile[kTileNumbers], v_tile[kTileNumbers];
  threadgroup float slopes[kScores];
  int me = int(thread_at), row = me / kShare, part = me % kShare;
  int top = int(group.x) * kHeadRows, left = int(group.y) * kHeadRows;
  int bottom = s.dmask_row != 0 ? min(top + kHeadRows, s.queries) : s.queries;
  int right = s.dmask_column != 0 ? min(left + kHeadRows, s.keys) : s.keys;
  uint members = 1;
  for (int d = 0; d < s.batch_dims; ++d)
    if (s.dmask_batch[d] == 0) members *= uint(s.batch_shape[d]);
  int steps = max(chunks_of(s.width), chunks_of(s.value_width));
  float sums[kPairs];
  for (int e = 0; e < kPairs; ++e) sums[e] = 0.0f;
  for (uint member = 0; member < members; ++member) {
    uint head = head_number(s, group.z, member);
    device const T* its_q = q + head_at(s, s.q_batch, head);
    device const T* its_k = k + head_at(s, s.k_batch, head);
    device const T* its_v = v + head_at(s, s.v_batch, head);
    device const T* its_mask = mask;
    if (has_mask) its_mask += head_at(s, s.mask_batch, head);
    for (int i = top; i < bottom; i += kHeadRows) {
      long at = long(head) * s.queries + min(i + row, s.queries - 1);
      device const T* its_g = g + at * s.value_width;
      device const T* its_out = out + at * s.value_width;
      float less = 0.0f, divisor = lse[at];
      for (int e = 0; e < s.value_width; ++e) less += float(its_g[e]) * float(its_out[e]);
      for (int j = left; j < right; j += kHeadRows) {
        if (causal && j > i + kHeadRows - 1) break;
        float products[kPairs], dp[kPairs];
        for (int e = 0; e < kPairs; ++e) products[e] = dp[e] = 0.0f;
        for (int n = 0; n < steps; ++n) {
          Chunk a = chunk_at(n, 0, s.width), b = chunk_at(n, 0, s.value_width);
          load_rows(q_tile, its_q + i * s.q_row + a.from, s.q_row, s.queries - i, a.width, me);
          load_rows(k_tile, its_k + j * s.k_row + a.from, s.k_row, s.keys - j, a.width, me);
          load_rows(v_tile, its_v + j * s.v_row + b.from, s.v_row, s.keys - j, b.width, me);
          threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there
          for (int e = 0, c = part; e < kPairs; ++e, c += kShare) {
            products[e] += dot(q_tile + row * kLine, k_tile + c * kLine, a.width);
            dp[e] += dot(v_tile + c * kLine, its_g + b.from, b.width);
          }
          threadgroup_barrier(mem_flags::mem_threadgroup);  // all used: the next may come
        }
        for (int e = 0, c = part; e < kPairs; ++e, c += kShare) {
          float p = prim::exp(score(s, products[e], its_mask, i + row, j + c) - divisor);
          sums[e] += p * (dp[e] * kept(s, head, i + row, j + c) - less);
        }
      }
    }
  }
  for (int e = 0; e < kPairs; ++e) slopes[row * kScoreLine + part + e * kShare] = sums[e];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (int c = part; c < kHeadRows; c += kShare) {
    bool folded = (s.dmask_row == 0 && row > 0) || (s.dmask_column == 0 && c > 0);
    if (folded || top + row >= s.queries || left + c >= s.keys) continue;
    float sum = 0.0f;
    for (int i = row; i < (s.dmask_row == 0 ? int(kHeadRows) : row + 1); ++i)
      for (int j = c; j < (s.dmask_column == 0 ? int(kHeadRows) : c + 1); ++j)
        sum += slopes[i * kScoreLine + j];
    long at = (top + row) * s.dmask_row + (left + c) * s.dmask_column;
    dmask[head_at(s, s.dmask_batch, head_number(s, group.z, 0)) + at] = T(sum);
  }
}

#define VEEM_FLOAT(T)                                                            \
  VEEM_KERNEL("attention_" #T, attention<T>)                                     \
  VEEM_KERNEL("attention_backward_queries_" #T, attention_backward_queries<T>)   \
  VEEM_KERNEL("attention_backward_keys_" #T, attention_backward_keys<T>)         \
  VEEM_KERNEL("attention_backward_mask_" #T, attention_backward_mask<T>)
VEEM_FLOAT(float)
VEEM_FLOAT(half)
VEEM_FLOAT(bfloat)
