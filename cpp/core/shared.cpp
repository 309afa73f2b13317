#include "core/shared.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/backend.h"
#include "core/error.h"

namespace veem {

namespace {

constexpr size_t kLine = 64;
using Flag = std::atomic<Loan>;  // behind the data, on a line of its own
static_assert(Flag::is_always_lock_free, "processes share it");

std::atomic<int64_t> forks{0};
const int fork_handler = pthread_atfork([] { ++forks; }, nullptr, nullptr);

struct Segment {
  void* data;
  size_t bytes;  // with the flag
  int fd;
  bool borrowed;  // from a process that waits for it to be free
  int64_t forks_before;
  StoragePtr before;  // what the storage was before it was moved here

  Flag& loan() const { return *reinterpret_cast<Flag*>(static_cast<char*>(data) + bytes - kLine); }
};

size_t with_flag(size_t bytes) { return (bytes + kLine - 1) / kLine * kLine + kLine; }

void free_segment(void* owner) {
  auto* s = static_cast<Segment*>(owner);
  if (s->borrowed) s->loan().store(s->forks_before == forks.load() ? Loan::Free : Loan::Kept);
  munmap(s->data, s->bytes);
  if (s->fd >= 0) close(s->fd);
  delete s;
}

const Segment* segment(const Storage& s) {
  return is_shared(s) ? static_cast<const Segment*>(s.owner) : nullptr;
}

[[noreturn]] void fail(int error, size_t bytes) {
  if (error == EMFILE || error == ENFILE)
    raise(ErrorKind::Runtime, "shared memory",
          "too many open files: a shared tensor holds one; share fewer, or raise the limit with "
          "`ulimit -n`");
  ErrorKind kind = error == ENOMEM || error == ENOSPC ? ErrorKind::Memory : ErrorKind::Runtime;
  raise(kind, "shared memory", "no segment of ", bytes, " bytes: ", std::strerror(error));
}

int open_segment() {
#if defined(__linux__)
  return memfd_create("veem", MFD_CLOEXEC);
#else  // named for the moment between two calls
  static std::atomic<int> count{0};
  std::string name = "/veem" + std::to_string(getpid()) + "." + std::to_string(count++);
  int fd = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
  if (fd >= 0) shm_unlink(name.c_str());
  return fd;
#endif
}

#if defined(__linux__)
// Linux hands out more memory than there is, and then kills processes, whichever they are: shared
// memory counts as nobody's. So it is asked first, where the answer could be no.
bool is_there(size_t bytes) {
  constexpr size_t kSmall = 16 << 20;
  std::FILE* file = bytes < kSmall ? nullptr : std::fopen("/proc/meminfo", "r");
  if (!file) return true;
  char line[128];
  unsigned long long kib = ~0ull >> 10;
  while (std::fgets(line, sizeof line, file) &&
         std::sscanf(line, "MemAvailable: %llu", &kib) != 1) {}
  std::fclose(file);
  return bytes < kib << 10;
}

int take_memory(int fd, size_t bytes) {
  return is_there(bytes) ? posix_fallocate(fd, 0, static_cast<off_t>(bytes)) : ENOMEM;
}
#else
int take_memory(int fd, size_t bytes) {
  return ftruncate(fd, static_cast<off_t>(bytes)) ? errno : 0;
}
#endif

}  // namespace

bool is_shared(const Storage& s) { return s.owner_free == free_segment; }

int shared_descriptor(const Storage& s) {
  const Segment* found = segment(s);
  return found ? found->fd : -1;
}

StoragePtr map_shared(Backend& backend, int fd, size_t bytes, bool keep) {
  size_t mapped = with_flag(bytes);
  int flags = MAP_SHARED;
#if defined(__linux__)
  flags |= MAP_POPULATE;
#endif
  void* data = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, flags, fd, 0);
  int error = errno;
  if (data == MAP_FAILED || !keep) close(fd);
  if (data == MAP_FAILED) fail(error, bytes);
  auto* owner = new Segment{data, mapped, keep ? fd : -1, !keep, forks.load(), {}};
  return borrow_storage(backend, data, bytes, owner, free_segment);
}

StoragePtr new_shared(Backend& backend, size_t bytes) {
  int fd = open_segment();
  if (fd < 0) fail(errno, bytes);
  if (int error = take_memory(fd, with_flag(bytes))) {
    close(fd);
    fail(error, bytes);
  }
  return map_shared(backend, fd, bytes, true);
}

void lend(const Storage& storage) { segment(storage)->loan().store(Loan::Lent); }

Loan loan(const Storage& storage) { return segment(storage)->loan().load(); }

void move_to_shared(Storage& storage) {
  if (shared_descriptor(storage) >= 0) return;
  StoragePtr moved = new_shared(*storage.backend, storage.bytes);
  std::memcpy(moved->data, storage.data, storage.bytes);
  // The two change places. Where others may look at the old memory, it lives as long as the new.
  bool watched = storage.refs.load() > 1;
  std::swap(storage.block, moved->block);
  std::swap(storage.data, moved->data);
  std::swap(storage.owner_free, moved->owner_free);
  std::swap(storage.owner, moved->owner);
  if (watched) static_cast<Segment*>(storage.owner)->before = moved;
}

}  // namespace veem
