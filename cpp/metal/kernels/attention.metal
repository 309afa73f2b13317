// Attention, softmax(q k^T * scale + mask) v, and its gradients, without ever holding the scores of
// all queries and keys. The formulas stand in cpu/attention.cpp.
//
// A threadgroup has 16 rows of one side (queries, or keys for the gradients of keys and values) and
// walks over the other side 16 rows at a time, which it copies to threadgroup memory. 8 threads
// share a row: each computes 2 of its 16 scores, and keeps every eighth number of its result in
// registers. A number that was copied is used 16 times, so threadgroup memory is the bound; no
// score leaves it. Sums are float for every type.
#include "kernels/common.h"

constant int has_mask [[function_constant(0)]];
constant int causal [[function_constant(1)]];

constant constexpr int kShare = kHeadThreads / kHeadRows;  // threads of a row
constant constexpr int kEach = kHeadWidth / kShare;        // numbers of a thread
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

template <class T>
[[kernel]] void attention(device const T* q [[buffer(0)]], device const T* k [[buffer(1)]],
                          device const T* v [[buffer(2)]], device const T* mask [[buffer(3)]],
                          device T* out [[buffer(4)]], device float* lse [[buffer(5)]],
                          constant AttentionShape& s [[buffer(6)]],
                          uint2 group [[threadgroup_position_in_grid]],
                          uint thread_at [[thread_index_in_threadgroup]]) {
  threadgroup float q_tile[kTileNumbers], k_tile[kTileNumbers], v_tile[kTileNumbers];
  threadgroup float scores[kScores], weights[kScores];
  int me = int(thread_at), row = me / kShare, part = me % kShare;
  int top = int(group.x) * kHeadRows, rows = min(int(kHeadRows), s.queries - top);
  q += head_at(s, s.q_batch, group.y) + top * s.q_row;
  k += head_at(s, s.k_batch, group.y);
  v += head_at(s, s.v_batch, group.y);
  if (has_mask) mask += head_at(s, s.mask_batch, group.y);
  load_rows(q_tile, q, s.q_row, rows, s.width, me);

  float sums[kEach], peak = -INFINITY, total = 0.0f;
  for (int e = 0; e < kEach; ++e) sums[e] = 0.0f;
  int end = causal ? min(s.keys, top + kHeadRows) : s.keys;
  for (int j = 0; j < end; j += kHeadRows) {
    load_rows(k_tile, k + j * s.k_row, s.k_row, s.keys - j, s.width, me);
    load_rows(v_tile, v + j * s.v_row, s.v_row, s.keys - j, s.value_width, me);
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there
    for (int c = part; c < kHeadRows; c += kShare) {
      float product = dot(q_tile + row * kLine, k_tile + c * kLine, s.width);
      scores[row * kScoreLine + c] = score(s, product, mask, top + row, j + c);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and the scores
    float highest = peak;
    for (int c = 0; c < kHeadRows; ++c)
      highest = math::maximum(highest, scores[row * kScoreLine + c]);
    bool blind = highest == -INFINITY;  // nothing seen yet, and -inf - -inf is NaN
    for (int c = part; c < kHeadRows; c += kShare)
      weights[row * kScoreLine + c] =
          blind ? 0.0f : prim::exp(scores[row * kScoreLine + c] - highest);
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and the weights
    float less = highest == peak ? 1.0f : prim::exp(peak - highest);
    peak = highest;
    total *= less;
    for (int e = 0; e < kEach; ++e) sums[e] *= less;
    for (int c = 0; c < kHeadRows; ++c) {
      float weight = weights[row * kScoreLine + c];
      total += weight;
      for (int e = 0; e < kEach && part + e * kShare < s.value_width; ++e)
        sums[e] += weight * v_tile[c * kLine + part + e * kShare];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // all used: the next may come
  }
  if (row >= rows) return;
  long at = long(group.y) * s.queries + top + row;
  bool blind = total == 0.0f;
  float scale = blind ? 0.0f : 1.0f / total;
  for (int e = 0; e < kEach && part + e * kShare < s.value_width; ++e)
    out[at * s.value_width + part + e * kShare] = T(sums[e] * scale);
  if (part == 0) lse[at] = blind ? INFINITY : peak + prim::log(total);
}

// dq; and for the other kernel `shared`, each row's sum of g * out.
template <class T>
[[kernel]] void attention_backward_queries(
    device const T* q [[buffer(0)]], device const T* k [[buffer(1)]],
    device const T* v [[buffer(2)]], device const T* mask [[buffer(3)]],
    device const T* g [[buffer(4)]], device const T* out [[buffer(5)]],
    device const float* lse [[buffer(6)]], device float* shared [[buffer(7)]],
    device T* dq [[buffer(8)]], constant AttentionShape& s [[buffer(9)]],
    uint2 group [[threadgroup_position_in_grid]],
    uint thread_at [[thread_index_in_threadgroup]]) {
  threadgroup float q_tile[kTileNumbers], k_tile[kTileNumbers], v_tile[kTileNumbers];
  threadgroup float slopes[kScores];
  int me = int(thread_at), row = me / kShare, part = me % kShare;
  int top = int(group.x) * kHeadRows, rows = min(int(kHeadRows), s.queries - top);
  q += head_at(s, s.q_batch, group.y) + top * s.q_row;
  k += head_at(s, s.k_batch, group.y);
  v += head_at(s, s.v_batch, group.y);
  if (has_mask) mask += head_at(s, s.mask_batch, group.y);
  long at = long(group.y) * s.queries + top + min(row, rows - 1);  // the last again past the end
  g += at * s.value_width;
  out += at * s.value_width;
  float less = 0.0f, divisor = lse[at];
  for (int e = 0; e < s.value_width; ++e) less += float(g[e]) * float(out[e]);
  load_rows(q_tile, q, s.q_row, rows, s.width, me);

  float sums[kEach];
  for (int e = 0; e < kEach; ++e) sums[e] = 0.0f;
  int end = causal ? min(s.keys, top + kHeadRows) : s.keys;
  for (int j = 0; j < end; j += kHeadRows) {
    load_rows(k_tile, k + j * s.k_row, s.k_row, s.keys - j, s.width, me);
    load_rows(v_tile, v + j * s.v_row, s.v_row, s.keys - j, s.value_width, me);
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there
    for (int c = part; c < kHeadRows; c += kShare) {
      float product = dot(q_tile + row * kLine, k_tile + c * kLine, s.width);
      float p = prim::exp(score(s, product, mask, top + row, j + c) - divisor);
      float dp = dot(v_tile + c * kLine, g, s.value_width);
      slopes[row * kScoreLine + c] = p * (dp - less) * s.scale;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and the slopes
    for (int c = 0; c < kHeadRows; ++c)
      for (int e = 0; e < kEach && part + e * kShare < s.width; ++e)
        sums[e] += slopes[row * kScoreLine + c] * k_tile[c * kLine + part + e * kShare];
    threadgroup_barrier(mem_flags::mem_threadgroup);  // all used: the next may come
  }
  if (row >= rows) return;
  for (int e = 0; e < kEach && part + e * kShare < s.width; ++e)
    dq[at * s.width + part + e * kShare] = T(sums[e]);
  if (part == 0) shared[at] = less;
}

// dk and dv: the rows are keys, and the queries pass by.
template <class T>
[[kernel]] void attention_backward_keys(
    device const T* q [[buffer(0)]], device const T* k [[buffer(1)]],
    device const T* v [[buffer(2)]], device const T* mask [[buffer(3)]],
    device const T* g [[buffer(4)]], device const float* lse [[buffer(5)]],
    device const float* shared [[buffer(6)]], device T* dk [[buffer(7)]],
    device T* dv [[buffer(8)]], constant AttentionShape& s [[buffer(9)]],
    uint2 group [[threadgroup_position_in_grid]],
    uint thread_at [[thread_index_in_threadgroup]]) {
  threadgroup float q_tile[kTileNumbers], k_tile[kTileNumbers], g_tile[kTileNumbers];
  threadgroup float weights[kScores], slopes[kScores];
  int me = int(thread_at), row = me / kShare, part = me % kShare;
  int top = int(group.x) * kHeadRows, rows = min(int(kHeadRows), s.keys - top);
  q += head_at(s, s.q_batch, group.y);
  k += head_at(s, s.k_batch, group.y) + top * s.k_row;
  v += head_at(s, s.v_batch, group.y) + (top + min(row, rows - 1)) * s.v_row;
  if (has_mask) mask += head_at(s, s.mask_batch, group.y);
  long first = long(group.y) * s.queries;
  g += first * s.value_width;
  load_rows(k_tile, k, s.k_row, rows, s.width, me);

  float k_sums[kEach], v_sums[kEach];
  for (int e = 0; e < kEach; ++e) k_sums[e] = v_sums[e] = 0.0f;
  for (int i = causal ? top : 0; i < s.queries; i += kHeadRows) {
    load_rows(q_tile, q + i * s.q_row, s.q_row, s.queries - i, s.width, me);
    load_rows(g_tile, g + long(i) * s.value_width, s.value_width, s.queries - i, s.value_width, me);
    threadgroup_barrier(mem_flags::mem_threadgroup);  // the tiles are there
    for (int c = part; c < kHeadRows; c += kShare) {
      float p = 0.0f, slope = 0.0f;
      if (i + c < s.queries) {
        float product = dot(q_tile + c * kLine, k_tile + row * kLine, s.width);
        float dp = dot(g_tile + c * kLine, v, s.value_width);
        p = prim::exp(score(s, product, mask, i + c, top + row) - lse[first + i + c]);
        slope = p * (dp - shared[first + i + c]) * s.scale;
      }
      weights[row * kScoreLine + c] = p;
      slopes[row * kScoreLine + c] = slope;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // and the weights and slopes
    for (int c = 0; c < kHeadRows; ++c) {
      float p = weights[row * kScoreLine + c], slope = slopes[row * kScoreLine + c];
      for (int e = 0; e < kEach && part + e * kShare < s.value_width; ++e)
        v_sums[e] += p * g_tile[c * kLine + part + e * kShare];
      for (int e = 0; e < kEach && part + e * kShare < s.width; ++e)
        k_sums[e] += slope * q_tile[c * kLine + part + e * kShare];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // all used: the next may come
  }
  if (row >= rows) return;
  long at = long(group.y) * s.keys + top + row;
  for (int e = 0; e < kEach && part + e * kShare < s.width; ++e)
    dk[at * s.width + part + e * kShare] = T(k_sums[e]);
  for (int e = 0; e < kEach && part + e * kShare < s.value_width; ++e)
    dv[at * s.value_width + part + e * kShare] = T(v_sums[e]);
}

#define VEEM_FLOAT(T)                                                            \
  VEEM_KERNEL("attention_" #T, attention<T>)                                     \
  VEEM_KERNEL("attention_backward_queries_" #T, attention_backward_queries<T>)   \
  VEEM_KERNEL("attention_backward_keys_" #T, attention_backward_keys<T>)
VEEM_FLOAT(float)
VEEM_FLOAT(half)
VEEM_FLOAT(bfloat)
