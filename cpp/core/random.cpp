#include "core/random.h"

#include <cstring>
#include <random>

#include "core/backend.h"

namespace veem {

namespace {

constexpr int kWords = Mt19937::kWords;

// PyTorch's layout of a CPU generator's state.
struct StateBytes {
  uint64_t seed;
  int32_t left, seeded;  // left counts one more than we do
  uint64_t next, words[kWords];
  double normal_x, next_normal, normal_rho;
  int64_t has_next_normal;
  float next_float_normal;
  bool has_next_float_normal;
};
static_assert(sizeof(StateBytes) == 5056, "set_rng_state must take what PyTorch saved");

}  // namespace

void seed(Mt19937* e, uint64_t seed) {
  e->words[0] = static_cast<uint32_t>(seed);
  for (uint32_t i = 1; i < kWords; ++i)
    e->words[i] = 1812433253u * (e->words[i - 1] ^ (e->words[i - 1] >> 30)) + i;
  e->left = 0;
}

bool Generator::on_cpu() const { return &backend == &cpu(); }

Generator::Generator(Backend& backend, uint64_t seed) : backend(backend) { manual_seed(seed); }

void Generator::manual_seed(uint64_t seed) {
  std::lock_guard<std::mutex> lock(mutex);
  if (on_cpu()) veem::seed(&random.engine, seed);
  random.has_next_normal = false;
  random.seed = seed;
  random.offset = 0;
  seed_ = seed;
}

uint64_t Generator::seed() {
  std::random_device device;
  uint64_t high = device(), low = device();
  manual_seed(high << 32 | low);
  return seed_;
}

std::vector<uint8_t> Generator::state() const {
  std::lock_guard<std::mutex> lock(mutex);
  if (!on_cpu()) {
    std::vector<uint8_t> bytes(2 * sizeof(uint64_t));
    std::memcpy(bytes.data(), &random.seed, sizeof(uint64_t));
    std::memcpy(bytes.data() + sizeof(uint64_t), &random.offset, sizeof(uint64_t));
    return bytes;
  }
  const Mt19937& e = random.engine;
  StateBytes s{};
  s.seed = seed_;
  s.seeded = 1;
  s.left = e.left + 1;
  // PyTorch writes 0 into `next` when it seeds; the seed itself is then still the first word.
  bool fresh = e.left == 0 && e.words[0] == static_cast<uint32_t>(seed_);
  s.next = fresh ? 0 : kWords - e.left;
  for (int i = 0; i < kWords; ++i) s.words[i] = e.words[i];
  s.has_next_normal = random.has_next_normal;
  if (random.has_next_normal) s.next_normal = random.next_normal;
  std::vector<uint8_t> bytes(sizeof s);
  std::memcpy(bytes.data(), &s, sizeof s);
  return bytes;
}

void Generator::set_state(const std::vector<uint8_t>& bytes) {
  StateBytes s;
  size_t size = on_cpu() ? sizeof s : 2 * sizeof(uint64_t);
  VEEM_CHECK(bytes.size() == size, "set_state", "expected a state of ", size,
             " bytes, as get_state gives it, got ", bytes.size());
  if (!on_cpu()) {
    std::lock_guard<std::mutex> lock(mutex);
    std::memcpy(&random.seed, bytes.data(), sizeof(uint64_t));
    std::memcpy(&random.offset, bytes.data() + sizeof(uint64_t), sizeof(uint64_t));
    seed_ = random.seed;
    return;
  }
  std::memcpy(&s, bytes.data(), offsetof(StateBytes, has_next_float_normal));
  VEEM_CHECK(s.seeded == 1 && s.left >= 1 && s.left <= kWords && s.next <= kWords, "set_state",
             "these bytes are not the state of a CPU generator");
  std::lock_guard<std::mutex> lock(mutex);
  seed_ = s.seed;
  random.engine.left = s.left - 1;
  for (int i = 0; i < kWords; ++i) random.engine.words[i] = static_cast<uint32_t>(s.words[i]);
  random.has_next_normal = static_cast<int32_t>(s.has_next_normal) != 0;
  random.next_normal = s.next_normal;
}

}  // namespace veem
