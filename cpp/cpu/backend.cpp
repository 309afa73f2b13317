// The CPU: memory from the operating system, and the kernels of the best instruction set that
// this processor has.
#include "core/backend.h"

#include <cstdlib>
#include <cstring>
#include <iterator>

#include "cpu/backend.h"
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace veem {

#define X(isa) \
  namespace isa { void fill(Kernels* table); }
VEEM_ISAS
#undef X

namespace {

constexpr size_t kHugePage = 2 << 20;

struct Isa {
  const char* name;  // "isa_v4"
  void (*fill)(Kernels*);
};
const Isa kIsas[] = {
#define X(isa) {#isa, isa::fill},
    VEEM_ISAS
#undef X
};

// x86-64-v2, v3 or v4.
int processor_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
            __builtin_cpu_supports("bmi2");
  bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512cd");
  return v4 ? 4 : v3 ? 3 : 2;
#else
  return 0;
#endif
}

// How many of kIsas this processor can run: each includes those before it, the first has to run.
int supported_isas() {
  int n = 1, built = static_cast<int>(std::size(kIsas));
  while (n < built && kIsas[n].name[5] - '0' <= processor_level()) ++n;
  return n;
}

// VEEM_ISA=v2 asks for less than the best, to compare or to test.
int choose_isa() {
  int best = supported_isas() - 1;
  const char* wanted = std::getenv("VEEM_ISA");
  if (!wanted || !*wanted) return best;
  for (int i = 0; i <= best; ++i)
    if (std::strcmp(wanted, kIsas[i].name + 4) == 0) return i;
  raise(ErrorKind::Runtime, "VEEM_ISA", "'", wanted, "' is not among the instruction sets that ",
        "this processor runs and this build has; unset it, or set it to at most '",
        kIsas[best].name + 4, "'");
}

class CpuBackend final : public Backend {
 public:
  CpuBackend() : isa_(choose_isa()) { kIsas[isa_].fill(&kernels); }
  const char* name() const override { return "cpu"; }
  DType takes(DType t) const override { return compute_type(t); }
  const char* isa() const { return kIsas[isa_].name + 4; }

  void* allocate_raw(size_t bytes) override {
    void* block = nullptr;
    if (posix_memalign(&block, bytes >= kHugePage ? kHugePage : 64, bytes) != 0) return nullptr;
#if defined(__linux__)
    if (bytes >= kHugePage) madvise(block, bytes, MADV_HUGEPAGE);  // 512 times fewer faults
#endif
    return block;
  }
  void free_raw(void* block, size_t) override { std::free(block); }
  void copy_to_host(void* to, const Array& from) override {
    std::memcpy(to, from.data(), static_cast<size_t>(from.nbytes()));
  }
  void copy_from_host(const Array& to, const void* from) override {
    std::memcpy(to.data(), from, static_cast<size_t>(to.nbytes()));
  }

 private:
  int isa_;
};

CpuBackend& instance() {
  static auto* backend = new CpuBackend;  // never destroyed: tensors may outlive static objects
  return *backend;
}

}  // namespace

Backend& cpu() { return instance(); }
const char* cpu_isa() { return instance().isa(); }

std::vector<std::string> built_isas() {
  std::vector<std::string> out;
  for (const Isa& isa : kIsas) out.emplace_back(isa.name + 4);
  return out;
}
std::vector<std::string> runnable_isas() {
  std::vector<std::string> all = built_isas();
  return {all.begin(), all.begin() + supported_isas()};
}

}  // namespace veem
