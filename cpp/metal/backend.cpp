// Metal's memory is shared with the host: one address for both, but the host must wait until
// the GPU is done with it. Every block remembers the last command buffer that used it.
#include "metal/backend.h"

#include <cstring>

#include "core/backend.h"
#include "metal/context.h"
#include "metal/kernels.h"

namespace veem {

namespace metal {
namespace {

class MetalBackend final : public Backend {
 public:
  MetalBackend() {
    allocator.exact = VEEM_SIMULATED;  // so that the checks see where a tensor ends
#define VEEM_FAMILY(name, Args) kernels.name = metal::name;
    VEEM_FAMILIES(VEEM_FAMILY)
#undef VEEM_FAMILY
  }
  const char* name() const override { return "metal"; }
  bool has(DType t) const override { return t != DType::Float64; }

  void* allocate_raw(size_t bytes) override {
    size_t size = bytes ? bytes : 1;  // Metal makes no empty buffers
    MTL::Buffer* buffer = device()->newBuffer(size, MTL::ResourceStorageModeShared);
    return buffer ? new Block{buffer} : nullptr;
  }
  // Command buffers hold on to what they use: this cannot pull memory from under them.
  void free_raw(void* block, size_t) override {
    Pool pool;
    static_cast<Block*>(block)->buffer->release();
    delete static_cast<Block*>(block);
  }
  void* address(void* block) override { return static_cast<Block*>(block)->buffer->contents(); }

  void copy_to_host(void* to, const Array& from) override {
    // Nothing to wait for in an empty result; but the indices that made it may have been bad.
    if (from.numel() == 0) return metal::synchronize();
    wait_for(block_of(from));
    std::memcpy(to, from.data(), static_cast<size_t>(from.nbytes()));
  }
  // New memory may be recycled: the GPU may still be reading what it held before.
  void copy_from_host(const Array& to, const void* from) override {
    if (to.numel() == 0) return;
    wait_for(block_of(to));
    std::memcpy(to.data(), from, static_cast<size_t>(to.nbytes()));
  }
  void synchronize() override { metal::synchronize(); }

 private:
  static Block* block_of(const Array& x) { return static_cast<Block*>(x.storage->block); }
};

}  // namespace
}  // namespace metal

Backend* metal_backend() {
  // Never destroyed: tensors may outlive static objects.
  static Backend* backend = metal::find_device() ? new metal::MetalBackend : nullptr;
  return backend;
}

}  // namespace veem
