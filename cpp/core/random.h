// Random numbers: the generator, and the ops that draw from it. On the CPU the stream is
// PyTorch's: the same seed gives the same numbers. On every other device it is Philox's
// (kernels/philox.h), the same on all of them.
#pragma once

#include <mutex>
#include <vector>

#include "core/array.h"

namespace veem {

// The Mersenne Twister with 32-bit words (Matsumoto and Nishimura 1998): a state of 624 words
// that is renewed whole. The kernels renew it, read and temper the words (cpu/mersenne.h).
struct Mt19937 {
  static constexpr int kWords = 624;
  uint32_t words[kWords];
  int32_t left;  // words not yet read; they are the last ones
};
void seed(Mt19937* engine, uint64_t seed);

// What kernels see of a generator.
struct RandomState {
  Mt19937 engine;
  double next_normal = 0;  // the sine half of the last pair, where it is still to be used
  bool has_next_normal = false;
  // Of a device: the key, and how many hashes have been used.
  uint64_t seed = 0, offset = 0;
};

class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721;
  explicit Generator(Backend& backend, uint64_t seed = kDefaultSeed);
  void manual_seed(uint64_t seed);
  uint64_t seed();  // a seed from the operating system
  uint64_t initial_seed() const { return seed_; }
  // The state as bytes, laid out as in PyTorch's get_rng_state; of a device, seed and offset.
  std::vector<uint8_t> state() const;
  void set_state(const std::vector<uint8_t>& bytes);

  Backend& backend;
  RandomState random;
  mutable std::mutex mutex;  // held while an op draws

 private:
  bool on_cpu() const;
  uint64_t seed_;
};

// Fill `out` in place. A float takes 24 bits of one word, a double 53 bits of two. Contiguous or
// not, elements are drawn in the order in which they lie in memory.
void uniform_(const Array& out, double from, double to, Generator& g);
void normal_(const Array& out, double mean, double std, Generator& g);
void exponential_(const Array& out, double lambda, Generator& g);
void bernoulli_(const Array& out, double p, Generator& g);
void bernoulli_(const Array& out, const Array& p, Generator& g);  // p broadcasts to out
void random_(const Array& out, Generator& g);  // from 0 to the largest whole number of the dtype
void random_(const Array& out, int64_t from, int64_t to, Generator& g);  // in [from, to)
void random_from(const Array& out, int64_t from, Generator& g);  // from there to the largest

Array randperm(int64_t n, DType dtype, Generator& g);

// Indices drawn from rows of weights, which need not sum to 1: p (categories) or
// (rows, categories) gives int64 (n) or (rows, n).
Array multinomial(const Array& p, int64_t n, bool replacement, Generator& g);

// Float64 numbers (n) of the CPU, of the distribution that a row of p (n, parameters), float32 or
// float64, describes: a rate >= 0; a number of trials and a chance; a shape >= 0.
Array poisson(const Array& p, Generator& g);
Array binomial(const Array& p, Generator& g);
Array standard_gamma(const Array& p, Generator& g);

}  // namespace veem
