#include "core/scratch.h"

#include <cstdlib>

#include "core/error.h"

namespace veem {

namespace {

struct Buffer {
  void* data = nullptr;
  int64_t bytes = 0;
  ~Buffer() { std::free(data); }
};
thread_local Buffer buffer;

}  // namespace

void* scratch_bytes(int64_t bytes) {
  if (bytes <= buffer.bytes) return buffer.data;
  std::free(buffer.data);
  buffer.bytes = (bytes + 4095) / 4096 * 4096;
  buffer.data = std::aligned_alloc(4096, static_cast<size_t>(buffer.bytes));
  if (!buffer.data) {
    buffer.bytes = 0;
    raise(ErrorKind::Memory, "scratch", "out of memory: a kernel needs ", bytes,
          " bytes to work in");
  }
  return buffer.data;
}

}  // namespace veem
