// Random numbers: each thread hashes one counter into four words (kernels/philox.h) and makes of
// them the four numbers, or the two of 64 bits, that are its own.
//
// For float fills the bound is memory, 4 bytes written for each; the hash costs 20 wide
// multiplications for four numbers, the logarithm, sine and cosine of two normal ones as much
// again. Uniform numbers are the upper 24 bits of a word, which a float holds exactly.
#include "kernels/common.h"
#include "kernels/convert.h"
#include "kernels/philox.h"

constant int draw [[function_constant(0)]];      // a Draw
constant int out_type [[function_constant(1)]];  // a DType
constant int p_type [[function_constant(2)]];    // likewise
constant int dims [[function_constant(3)]];      // 0: out, and p, lie as they are counted
constant int pairs_of_words [[function_constant(4)]];  // integers of 64 bits

constant constexpr float kTwoPi = 6.28318530717958647692f;
constant constexpr float kStep = 5.9604644775390625e-8f;  // 2^-24

// Where number i lies.
inline long place(long i, constant const long* shape, constant const long* strides) {
  if (dims == 0) return i;
  long at = 0;
  for (int d = dims - 1; d > 0; --d) {
    long rest = i / shape[d];
    at += (i - rest * shape[d]) * strides[d];
    i = rest;
  }
  return at + i * strides[0];
}

inline float unit(uint w) { return float(w >> 8) * kStep; }  // in [0, 1)

inline float uniform_number(uint w, float from, float to) {
  float x = unit(w) * (to - from) + from;
  return x >= to ? from : x;  // rounding may reach the end, which is not in the range
}

// Never 0, as the CPU's practically is never: half of the smallest step takes its place.
inline float exponential_number(uint w, float rate) {
  float left = float((w >> 8) + 1u) * kStep;  // in (0, 1]
  float x = left == 1.0f ? 0.5f * kStep : -math::log(left);
  return x / rate;
}

// Box and Muller: a radius from one word, of (0, 1] so that its logarithm is finite, and an angle
// from the other.
inline float2 normal_numbers(uint w, uint v, float mean, float spread) {
  float radius = math::sqrt(-2.0f * math::log(1.0f - unit(w))), angle = kTwoPi * unit(v);
  float across = radius * math::cos(angle), up = radius * math::sin(angle);
  return float2(across * spread + mean, up * spread + mean);
}

inline long whole_number(ulong word, ulong range, long base) {
  return long((range == 0 ? word : word % range) + ulong(base));
}

[[kernel]] void random(device char* out [[buffer(0)]],
                       device const char* p [[buffer(1)]],
                       constant RandomShape& shape [[buffer(2)]],
                       uint thread_index [[thread_position_in_grid]]) {
  Words words = philox_words(shape.seed, shape.offset + thread_index);
  int each = pairs_of_words ? 2 : 4;
  long first = shape.first + long(thread_index) * each;
  float2 normals = float2(0.0f, 0.0f);
  for (int k = 0; k < each; ++k) {
    long i = first + k;
    if (i >= shape.n) return;
    long at = place(i, shape.shape, shape.out_strides);
    uint w = words.w[k];
    switch (draw) {
      case kDrawUniform:
        store(out, at, out_type, uniform_number(w, shape.a, shape.b));
        break;
      case kDrawNormal:
        if (k % 2 == 0) normals = normal_numbers(w, words.w[k + 1], shape.a, shape.b);
        store(out, at, out_type, k % 2 == 0 ? normals.x : normals.y);
        break;
      case kDrawExponential:
        store(out, at, out_type, exponential_number(w, shape.a));
        break;
      case kDrawBernoulli:
        store(out, at, out_type, unit(w) < shape.a ? 1.0f : 0.0f);
        break;
      case kDrawBernoulliEach: {
        float chance = load<float>(p, place(i, shape.shape, shape.p_strides), p_type);
        store(out, at, out_type, unit(w) < chance ? 1.0f : 0.0f);
        break;
      }
      default: {
        ulong word = pairs_of_words ? word64(words.w[2 * k], words.w[2 * k + 1]) : ulong(w);
        store(out, at, out_type, whole_number(word, shape.range, shape.base));
      }
    }
  }
}

// ---- categories -------------------------------------------------------------------------------

constant constexpr int kLanes = 256;

// reached[row, i] = p[row, 0] + ... + p[row, i], a threadgroup for each row. A thread sums its
// piece, all add up what lies before it, and it goes through its piece again: both times in the
// same order, so that sums never fall from one element to the next.
[[kernel]] void cumulate(device const char* p [[buffer(0)]],
                         device float* reached [[buffer(1)]],
                         constant CategoriesShape& shape [[buffer(2)]],
                         uint lane [[thread_index_in_threadgroup]],
                         uint row [[threadgroup_position_in_grid]]) {
  threadgroup float totals[kLanes];
  long piece = (shape.categories + kLanes - 1) / kLanes;
  long begin = long(lane) * piece, end = begin + piece;
  if (end > shape.categories) end = shape.categories;
  long from = long(row) * shape.row_stride, to = long(row) * shape.categories;
  float sum = 0.0f;
  for (long i = begin; i < end; ++i) sum += load<float>(p, from + i * shape.stride, p_type);
  totals[lane] = sum;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  float before = 0.0f;
  for (uint other = 0; other < lane; ++other) before += totals[other];
  sum = 0.0f;
  for (long i = begin; i < end; ++i) {
    sum += load<float>(p, from + i * shape.stride, p_type);
    reached[to + i] = before + sum;
  }
}

// The first category whose sum passes a random part of the row's total: none of weight 0 can be.
[[kernel]] void categories(device const float* reached [[buffer(0)]],
                           device long* out [[buffer(1)]],
                           constant CategoriesShape& shape [[buffer(2)]],
                           uint thread_index [[thread_position_in_grid]]) {
  Words words = philox_words(shape.seed, shape.offset + thread_index);
  long first = shape.first + long(thread_index) * 4;
  for (int k = 0; k < 4 && first + k < shape.n; ++k) {
    long row = (first + k) / shape.samples, at = row * shape.categories;
    float target = unit(words.w[k]) * reached[at + shape.categories - 1];
    long low = 0, high = shape.categories - 1;
    while (low < high) {
      long middle = low + (high - low) / 2;
      if (reached[at + middle] <= target) low = middle + 1;
      else high = middle;
    }
    out[first + k] = low;
  }
}
