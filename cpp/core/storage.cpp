#include "core/storage.h"

#include <algorithm>

#include "core/backend.h"

namespace veem {

namespace {
constexpr size_t kSmallest = 64;             // one cache line
constexpr int64_t kCacheSlack = 64ll << 20;  // bytes kept beyond what is live
}  // namespace

size_t CachingAllocator::size_class(size_t bytes) {
  if (bytes <= kSmallest) return kSmallest;
  int log2 = 63 - __builtin_clzll(bytes - 1);  // 2^log2 < bytes <= 2^(log2 + 1)
  size_t step = std::max<size_t>(kSmallest, size_t{1} << (log2 - 2));
  return (bytes + step - 1) / step * step;
}

size_t CachingAllocator::size_of(size_t bytes) const { return exact ? bytes : size_class(bytes); }

// Four bins between two powers of two.
int CachingAllocator::bin_of(size_t size) {
  int log2 = 63 - __builtin_clzll(size - 1);
  return log2 * 4 + static_cast<int>((size - (size_t{1} << log2)) >> (log2 - 2)) - 1;
}

void* CachingAllocator::reuse(size_t size) {
  std::vector<void*>& blocks = bins_[bin_of(size)].blocks;
  if (blocks.empty()) return nullptr;
  void* block = blocks.back();
  blocks.pop_back();
  stats_.cached -= static_cast<int64_t>(size);
  return block;
}

void* CachingAllocator::allocate(size_t bytes) {
  size_t size = size_of(bytes);
  void* block;
  std::vector<std::pair<void*, size_t>> stale;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    block = exact ? nullptr : reuse(size);
    // A miss with much cached means that the sizes have changed: let the old ones go.
    if (!block && stats_.cached > stats_.live + kCacheSlack) trim(&stale);
    stats_.live += static_cast<int64_t>(size);
    stats_.peak = std::max(stats_.peak, stats_.live);
  }
  for (auto& [old, old_size] : stale) backend_.free_raw(old, old_size);
  if (!block) block = backend_.allocate_raw(size);
  if (!block) {
    empty_cache();
    block = backend_.allocate_raw(size);
  }
  if (!block) {
    adopt(-static_cast<int64_t>(size));
    raise(ErrorKind::Memory, "allocate", "out of memory on ", backend_.name(),
          ": you tried to allocate ", bytes, " bytes while ", stats().live, " are in use");
  }
  return block;
}

void CachingAllocator::release(void* block, size_t bytes) {
  size_t size = size_of(bytes);
  if (exact) {
    backend_.free_raw(block, size);
    adopt(-static_cast<int64_t>(size));
    return;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  Bin& bin = bins_[bin_of(size)];
  bin.size = size;
  bin.blocks.push_back(block);
  stats_.live -= static_cast<int64_t>(size);
  stats_.cached += static_cast<int64_t>(size);
}

void CachingAllocator::trim(std::vector<std::pair<void*, size_t>>* blocks) {
  for (Bin& bin : bins_) {
    for (void* block : bin.blocks) blocks->emplace_back(block, bin.size);
    bin.blocks.clear();
  }
  stats_.cached = 0;
}

void CachingAllocator::empty_cache() {
  std::vector<std::pair<void*, size_t>> stale;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    trim(&stale);
  }
  for (auto& [block, size] : stale) backend_.free_raw(block, size);
}

MemoryStats CachingAllocator::stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

void CachingAllocator::reset_peak() {
  std::lock_guard<std::mutex> lock(mutex_);
  stats_.peak = stats_.live;
}

void CachingAllocator::adopt(int64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  stats_.live += bytes;
  stats_.peak = std::max(stats_.peak, stats_.live);
}

StoragePtr make_storage(Backend& backend, size_t bytes) {
  void* block = backend.allocator.allocate(bytes);
  auto* s = new Storage;
  s->backend = &backend;
  s->block = block;
  s->data = backend.address(block);
  s->bytes = bytes;
  return StoragePtr(s);
}

StoragePtr borrow_storage(Backend& backend, void* data, size_t bytes, void* owner,
                          void (*free)(void*)) {
  auto* s = new Storage;
  s->backend = &backend;
  s->block = nullptr;
  s->data = data;
  s->bytes = bytes;
  s->owner = owner;
  s->owner_free = free;
  return StoragePtr(s);
}

void StoragePtr::destroy(Storage* s) {
  if (s->owner_free) s->owner_free(s->owner);
  else s->backend->allocator.release(s->block, s->bytes);
  delete s;
}

}  // namespace veem
