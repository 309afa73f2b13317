// Random fills. One Mersenne Twister feeds them all, so they run on one thread; the words of the
// stream (mersenne.h) are turned into numbers by blocks, in loops that the compiler vectorises.
// Bound: arithmetic, some 20 integer operations a word.
//
// Which bits of which words make a number, and in which order, is PyTorch's.
#include "core/random.h"
#include "core/scratch.h"
#include "cpu/kernels.h"
#include "cpu/mersenne.h"

namespace veem {
namespace VEEM_ISA {

#include "cpu/primitives.h"
#include "kernels/math.h"

namespace {

constexpr int64_t kBlock = 512;  // numbers drawn at a time; a multiple of kNormals
constexpr int kNormals = 16;     // numbers that Box-Muller makes at a time, from 8 pairs
constexpr double kTwoPi = 6.283185307179586476925;
// From here on 32 bits no longer choose fairly among the places of a permutation.
constexpr int64_t kLargePermutation = 0xffffffffu / 20;

// ---- words ----------------------------------------------------------------------------------

// Uniform in [0, 1), from one word or from two.
inline float unit(const uint32_t* w, float) {
  return static_cast<float>(static_cast<int32_t>(w[0] & 0xffffffu)) * 0x1p-24f;
}
inline double unit(const uint32_t* w, double) { return static_cast<double>(word53(w)) * 0x1p-53; }
template <class T> constexpr int words_of() { return sizeof(T) == 8 ? 2 : 1; }

inline double draw_unit(Mt19937* e) {
  uint32_t w[2];
  read(e, w, 2);
  return unit(w, 0.0);
}

// ---- fills ----------------------------------------------------------------------------------

int64_t numel(const RandomArgs& args) {
  int64_t n = 1;
  for (int d = 0; d < args.ndim; ++d) n *= args.shape[d];
  return n;
}

// Where element i of the loop shape lies.
inline int64_t place(int64_t i, const RandomArgs& args, const int64_t* strides) {
  int64_t at = 0;
  for (int d = args.ndim - 1; d >= 0; --d) {
    at += i % args.shape[d] * strides[d];
    i /= args.shape[d];
  }
  return at;
}

// out[i] = f(the i-th group of `per` words, i)
template <class T, int per, class F>
inline void fill(const RandomArgs& args, const F& f) {
  alignas(64) uint32_t words[kBlock * per];
  T block[kBlock];
  T* out = reinterpret_cast<T*>(args.out.data);
  bool direct = args.ndim == 1 && args.out.strides[0] == 1;
  int64_t total = numel(args);
  for (int64_t at = 0; at < total; at += kBlock) {
    int64_t n = total - at < kBlock ? total - at : kBlock;
    read(&args.state->engine, words, n * per);
    T* __restrict to = direct ? out + at : block;
    for (int64_t i = 0; i < n; ++i) to[i] = f(words + i * per, at + i);
    if (direct) continue;
    for (int64_t i = 0; i < n; ++i) out[place(at + i, args, args.out.strides)] = block[i];
  }
}

// In one rounding, so that the last bit does not depend on the processor.
inline float multiply_add(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double multiply_add(double a, double b, double c) { return __builtin_fma(a, b, c); }

template <class T>
void uniform(const RandomArgs& args) {
  using W = Computed<T>;
  W from = static_cast<W>(args.a), range = static_cast<W>(args.b) - from;
  T first = static_cast<T>(args.a), end = static_cast<T>(args.b);
  fill<T, words_of<T>()>(args, [=](const uint32_t* w, int64_t) {
    T x = static_cast<T>(multiply_add(unit(w, W()), range, from));
    return x == end ? first : x;  // rounding may reach the end, which is not in the range
  });
}

template <class T>
void exponential(const RandomArgs& args) {
  double scale = -1 / args.a;
  fill<T, 2>(args, [=](const uint32_t* w, int64_t) {
    return static_cast<T>(scale * math::log1p(-unit(w, 0.0)));
  });
}

template <class T>
void bernoulli(const RandomArgs& args) {
  int64_t below = words_below(args.a);
  fill<T, 2>(args, [=](const uint32_t* w, int64_t) { return static_cast<T>(word53(w) < below); });
}

template <class T, class P>
void bernoulli_each(const RandomArgs& args) {
  const P* p = reinterpret_cast<const P*>(args.p.data);
  const RandomArgs* a = &args;
  fill<T, words_of<P>()>(args, [=](const uint32_t* w, int64_t i) {
    return static_cast<T>(unit(w, P()) < p[place(i, *a, a->p.strides)]);
  });
}

template <class T>
void integer(const RandomArgs& args) {
  uint64_t range = args.range;
  int64_t base = args.base;
  if (args.wide)
    fill<T, 2>(args, [=](const uint32_t* w, int64_t) {
      uint64_t x = word64(w);
      return static_cast<T>(static_cast<int64_t>((range ? x % range : x) + base));
    });
  else
    fill<T, 1>(args, [=](const uint32_t* w, int64_t) {
      return static_cast<T>(static_cast<int64_t>(w[0] % static_cast<uint32_t>(range) + base));
    });
}

// ---- normals --------------------------------------------------------------------------------

// Box and Muller's transform of n / 2 pairs: in each 16 uniforms the first 8 give the radius and
// the last 8 the angle; cosines take the places of the first, sines of the last. `n` is a
// multiple of 16, up to kBlock.
template <class T, class W>
void box_muller(const uint32_t* words, T* out, int64_t n, W mean, W std) {
  constexpr int kHalf = kNormals / 2;
  W first[kBlock / 2], second[kBlock / 2];
  for (int64_t i = 0; i < n; ++i) {
    W* to = i % kNormals < kHalf ? first : second;
    to[i / kNormals * kHalf + i % kHalf] = unit(words + i * words_of<W>(), W());
  }
  for (int64_t i = 0; i < n / 2; ++i) {
    W radius = math::sqrt(W(-2) * math::log(1 - first[i]));  // of (0, 1]
    W angle = static_cast<W>(kTwoPi) * second[i];
    first[i] = multiply_add(radius * math::cos(angle), std, mean);
    second[i] = multiply_add(radius * math::sin(angle), std, mean);
  }
  for (int64_t i = 0; i < n; ++i) {
    const W* from = i % kNormals < kHalf ? first : second;
    out[i] = static_cast<T>(from[i / kNormals * kHalf + i % kHalf]);
  }
}

// The last 16 numbers are made anew where a part of fewer than 16 is left. Its words are drawn in
// vain, but not those of halves.
template <class T>
void normal_blocks(const RandomArgs& args) {
  alignas(64) uint32_t words[kBlock * words_of<T>()];
  Mt19937* e = &args.state->engine;
  T* out = reinterpret_cast<T*>(args.out.data);
  using W = Computed<T>;
  W mean = static_cast<W>(args.a), std = static_cast<W>(args.b);
  int64_t total = numel(args);
  for (int64_t at = 0; at < total; at += kBlock) {
    int64_t n = total - at < kBlock ? total - at : kBlock, whole = n / kNormals * kNormals;
    read(e, words, (sizeof(T) < 4 ? whole : n) * words_of<T>());
    box_muller(words, out + at, whole, mean, std);
  }
  if (total % kNormals == 0) return;
  read(e, words, kNormals * words_of<T>());
  box_muller(words, out + total - kNormals, kNormals, mean, std);
}

double next_normal(RandomState* state) {
  if (state->has_next_normal) {
    state->has_next_normal = false;
    return state->next_normal;
  }
  double angle = kTwoPi * draw_unit(&state->engine);
  double radius = __builtin_sqrt(-2 * __builtin_log1p(-draw_unit(&state->engine)));
  state->next_normal = radius * __builtin_sin(angle);
  state->has_next_normal = true;
  return radius * __builtin_cos(angle);
}

template <class T>
void normal(const RandomArgs& args) {
  if (args.blocks) return normal_blocks<T>(args);
  T* out = reinterpret_cast<T*>(args.out.data);
  int64_t total = numel(args);
  for (int64_t i = 0; i < total; ++i)
    out[place(i, args, args.out.strides)] =
        static_cast<T>(next_normal(args.state) * args.b + args.a);
}

// ---- choices --------------------------------------------------------------------------------

// Fisher and Yates's shuffle. A small one swaps each place with one behind it, a large one is
// built "inside out" from 64-bit words.
template <class T>
void permutation(const RandomArgs& args) {
  T* out = reinterpret_cast<T*>(args.out.data);
  Mt19937* e = &args.state->engine;
  int64_t n = args.shape[0];
  uint32_t words[kBlock * 2];
  if (n < kLargePermutation) {
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(i);
    for (int64_t i = 0; i < n - 1; ++i) {
      if (i % kBlock == 0) read(e, words, n - 1 - i < kBlock ? n - 1 - i : kBlock);
      int64_t other = i + words[i % kBlock] % static_cast<uint32_t>(n - i);
      T kept = out[i];
      out[i] = out[other];
      out[other] = kept;
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    if (i % kBlock == 0) read(e, words, 2 * (n - i < kBlock ? n - i : kBlock));
    uint64_t other = word64(words + i % kBlock * 2) % static_cast<uint64_t>(i + 1);
    out[i] = static_cast<T>(i);
    out[i] = out[other];
    out[other] = static_cast<T>(i);
  }
}

// The first category whose cumulative share reaches a uniform number.
template <class T>
void categories(const RandomArgs& args) {
  T* reached = scratch<T>(args.categories);
  int64_t* out = reinterpret_cast<int64_t*>(args.out.data);
  int64_t count = args.categories;
  for (int64_t row = 0; row < args.shape[0]; ++row) {
    const T* p = reinterpret_cast<const T*>(args.p.data) + row * args.p.strides[0];
    T sum = 0;
    for (int64_t i = 0; i < count; ++i) reached[i] = sum += p[i * args.p.strides[1]];
    for (int64_t i = 0; i < count; ++i) reached[i] /= sum;
    reached[count - 1] = 1;
    for (int64_t s = 0; s < args.shape[1]; ++s) {
      double u = draw_unit(&args.state->engine);
      int64_t low = 0, high = count;
      while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (reached[middle] < u) low = middle + 1;
        else high = middle;
      }
      *out++ = low;
    }
  }
}

// ---- until one is accepted ------------------------------------------------------------------

constexpr float kThird = 1.0f / 3.0f, kSqueeze = 0.0331f;  // float32s, as in PyTorch

#include "cpu/rejection.h"

// ---- by dtype -------------------------------------------------------------------------------

template <class T>
void run_float(const RandomArgs& args) {
  switch (args.draw) {
    case Draw::Uniform: return uniform<T>(args);
    case Draw::Normal: return normal<T>(args);
    default: return exponential<T>(args);
  }
}

template <class T>
void run_any(const RandomArgs& args) {
  switch (args.draw) {
    case Draw::Bernoulli: return bernoulli<T>(args);
    case Draw::BernoulliEach:
      return args.p.dtype == DType::Float64 ? bernoulli_each<T, double>(args)
                                            : bernoulli_each<T, float>(args);
    case Draw::Integer: return integer<T>(args);
    default: return permutation<T>(args);
  }
}

}  // namespace

void random(const RandomArgs& args) {
  switch (args.draw) {
    case Draw::Uniform:
    case Draw::Normal:
    case Draw::Exponential:
      switch (args.out.dtype) {
        case DType::Float16: return run_float<Float16>(args);
        case DType::BFloat16: return run_float<BFloat16>(args);
        case DType::Float32: return run_float<float>(args);
        default: return run_float<double>(args);
      }
    case Draw::Categories:
      return args.p.dtype == DType::Float64 ? categories<double>(args) : categories<float>(args);
    case Draw::Poisson:
    case Draw::Binomial:
    case Draw::Gamma:
      return args.p.dtype == DType::Float64 ? run_rejection<double>(args)
                                            : run_rejection<float>(args);
    default: break;
  }
  switch (args.out.dtype) {
#define VEEM_CASE(T, D) \
  case DType::D: return run_any<T>(args);
    VEEM_ALL_TYPES(VEEM_CASE)
#undef VEEM_CASE
    default: return;
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
