#include "core/scratch.h"

#include <cstdlib>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "core/error.h"

namespace veem {

namespace {

constexpr int64_t kHugePage = 2 << 20;  // packed panels are read all over: spare the TLB

struct Buffer {
  void* data = nullptr;
  int64_t bytes = 0;
  ~Buffer() { std::free(data); }
};
thread_local Buffer buffers[3];

}  // namespace

void* scratch_bytes(int64_t bytes, ScratchFor user) {
  Buffer& buffer = buffers[static_cast<int>(user)];
  if (bytes <= buffer.bytes) return buffer.data;
  std::free(buffer.data);
  const int64_t page = bytes >= kHugePage / 2 ? kHugePage : 4096;
  buffer.bytes = (bytes + page - 1) / page * page;
  buffer.data = std::aligned_alloc(static_cast<size_t>(page), static_cast<size_t>(buffer.bytes));
#if defined(__linux__)
  if (page == kHugePage && buffer.data)
    madvise(buffer.data, static_cast<size_t>(buffer.bytes), MADV_HUGEPAGE);
#endif
  if (!buffer.data) {
    buffer.bytes = 0;
    raise(ErrorKind::Memory, "scratch", "out of memory: a kernel needs ", bytes,
          " bytes to work in");
  }
  return buffer.data;
}

}  // namespace veem
