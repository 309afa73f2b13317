#include "core/storage.h"

#include "core/array.h"
#include "core/backend.h"
#include "test.h"

using namespace veem;

namespace {

Array floats(int64_t n) { return empty({n}, DType::Float32, cpu()); }

}  // namespace

TEST("storage: a freed block serves the next of its size") {
  void* first = floats(1000).data();
  CHECK(floats(1000).data() == first);
  CHECK(floats(990).data() == first);  // the same size class
}

TEST("storage: blocks are aligned, their sizes rounded up by a fifth at most") {
  for (int64_t n : {1, 17, 1000, 1 << 20})
    CHECK(reinterpret_cast<uintptr_t>(floats(n).data()) % 64 == 0);
  for (size_t bytes = 1024; bytes < (1 << 22); bytes = bytes * 9 / 8 + 1) {
    size_t size = CachingAllocator::size_class(bytes);
    CHECK(size >= bytes && size <= bytes * 5 / 4);
  }
}

TEST("storage: live, peak and cached bytes add up") {
  CachingAllocator& allocator = cpu().allocator;
  allocator.empty_cache();
  MemoryStats before = allocator.stats();
  allocator.reset_peak();
  {
    Array x = floats(1 << 20);
    CHECK_EQUAL(allocator.stats().live - before.live, 4 << 20);
    Array view = slice(x, 0, 0, 10, 1);
    CHECK_EQUAL(allocator.stats().live - before.live, 4 << 20);
  }
  CHECK_EQUAL(allocator.stats().live, before.live);
  CHECK_EQUAL(allocator.stats().peak - before.live, 4 << 20);
  CHECK_EQUAL(allocator.stats().cached, 4 << 20);
  allocator.empty_cache();
  CHECK_EQUAL(allocator.stats().cached, 0);
}

TEST("storage: more than there is raises MemoryError and leaves the counters right") {
  int64_t live = cpu().allocator.stats().live;
  CHECK_RAISES(Memory, "out of memory on cpu", floats(1ll << 55));
  CHECK_EQUAL(cpu().allocator.stats().live, live);
}

TEST("storage: borrowed memory goes back to its owner when the last array is gone") {
  float values[4] = {};
  int freed = 0;
  {
    Array x;
    x.shape = {4}, x.strides = {1};
    x.storage = borrow_storage(cpu(), values, sizeof values, &freed,
                               [](void* n) { ++*static_cast<int*>(n); });
    Array y = x;
    x = Array();
    CHECK_EQUAL(freed, 0);
  }
  CHECK_EQUAL(freed, 1);
}
