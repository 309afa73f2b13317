// Device memory, shared by the arrays that view it, and the allocator that keeps freed blocks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace veem {

class Backend;

struct MemoryStats {
  int64_t live = 0;    // bytes in use by storages
  int64_t peak = 0;    // the most that live ever was
  int64_t cached = 0;  // bytes kept for reuse
};

// Keeps freed blocks by size class. An allocation of a training loop's second step finds the
// block that the first step freed: no page faults, no trips to the operating system.
class CachingAllocator {
 public:
  explicit CachingAllocator(Backend& backend) : backend_(backend) {}
  void* allocate(size_t bytes);
  void release(void* block, size_t bytes);
  void empty_cache();
  MemoryStats stats() const;
  void reset_peak();
  void adopt(int64_t bytes);  // counts memory that somebody else allocated; negative at its end

  // For a device that checks every access: blocks of just the size asked for, freed at once.
  bool exact = false;

  // Sizes are rounded up to a quarter of a power of two, so that at most 20 % is wasted.
  static size_t size_class(size_t bytes);

 private:
  struct Bin {  // free blocks of one size
    size_t size = 0;
    std::vector<void*> blocks;
  };
  static int bin_of(size_t size);
  size_t size_of(size_t bytes) const;
  void* reuse(size_t size);
  void trim(std::vector<std::pair<void*, size_t>>* blocks);
  Backend& backend_;
  mutable std::mutex mutex_;
  Bin bins_[256];
  MemoryStats stats_;
};

struct Storage {
  std::atomic<int64_t> refs{1};
  Backend* backend;
  void* block;  // what the backend allocated, in its own words; null for borrowed memory
  void* data;   // where the host sees it
  size_t bytes;
  void (*owner_free)(void*) = nullptr;  // set for memory that is not the allocator's
  void* owner = nullptr;
};

// Counted pointer to a Storage.
class StoragePtr {
 public:
  StoragePtr() = default;
  explicit StoragePtr(Storage* s) : s_(s) {}  // takes over one reference
  StoragePtr(const StoragePtr& o) : s_(o.s_) {
    if (s_) s_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  StoragePtr(StoragePtr&& o) noexcept : s_(o.s_) { o.s_ = nullptr; }
  StoragePtr& operator=(StoragePtr o) noexcept {
    std::swap(s_, o.s_);
    return *this;
  }
  ~StoragePtr() {
    if (s_ && s_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(s_);
  }
  Storage* get() const { return s_; }
  Storage* operator->() const { return s_; }
  explicit operator bool() const { return s_ != nullptr; }

 private:
  static void destroy(Storage* s);
  Storage* s_ = nullptr;
};

StoragePtr make_storage(Backend& backend, size_t bytes);
// Memory that stays another owner's, who is told through free(owner) when the last array is gone.
StoragePtr borrow_storage(Backend& backend, void* data, size_t bytes, void* owner,
                          void (*free)(void*));

}  // namespace veem
