// The runtime under clang's blocks, ^(T x) { ... }: a block starts on the stack, and _Block_copy
// moves it to the heap with what it captures. The layouts are those of clang's Block ABI.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr int kHasHelpers = 1 << 25, kGlobal = 1 << 28;  // flags of a block or a __block variable
constexpr int kFieldBlock = 7, kFieldByref = 8;          // kinds of a captured value

struct Descriptor {
  uintptr_t reserved, size;
  void (*copy)(void* to, const void* from);
  void (*dispose)(const void*);
};
struct Block {
  void* isa;
  int flags;
  std::atomic<int> refs;  // 0 on the stack
  void (*invoke)();
  Descriptor* descriptor;
};
struct Byref {  // a __block variable, shared by the blocks that capture it
  void* isa;
  Byref* forwarding;  // where it lives now
  int flags;
  int size;
  void (*keep)(Byref* to, Byref* from);
  void (*destroy)(Byref*);
};
// In front of a Byref on the heap: how many blocks, and the frame, refer to it.
struct alignas(16) Count {
  std::atomic<int> refs;
};
Count* count_of(Byref* b) { return reinterpret_cast<Count*>(b) - 1; }
bool on_heap(const Byref* b) { return b->isa != nullptr; }

Byref* keep_byref(Byref* b) {
  b = b->forwarding;
  if (on_heap(b)) {
    ++count_of(b)->refs;
    return b;
  }
  auto* count = new (std::malloc(sizeof(Count) + b->size)) Count{{2}};  // this block, the frame
  auto* copy = reinterpret_cast<Byref*>(count + 1);
  std::memcpy(copy, b, b->size);
  copy->isa = copy;
  copy->forwarding = b->forwarding = copy;
  if (b->flags & kHasHelpers) b->keep(copy, b);
  return copy;
}

void drop_byref(Byref* b) {
  b = b->forwarding;
  if (!on_heap(b) || --count_of(b)->refs > 0) return;
  if (b->flags & kHasHelpers) b->destroy(b);
  std::free(count_of(b));
}

}  // namespace

extern "C" {

// Addresses that tell clang's kinds of blocks apart.
__attribute__((visibility("default"))) void* _NSConcreteStackBlock[32];
__attribute__((visibility("default"))) void* _NSConcreteGlobalBlock[32];

void* _Block_copy(const void* block) {
  auto* from = static_cast<Block*>(const_cast<void*>(block));
  if (!from || from->flags & kGlobal) return from;
  if (from->refs > 0) {
    ++from->refs;
    return from;
  }
  auto* to = static_cast<Block*>(std::malloc(from->descriptor->size));
  std::memcpy(static_cast<void*>(to), from, from->descriptor->size);
  to->refs = 1;
  if (to->flags & kHasHelpers) to->descriptor->copy(to, from);
  return to;
}

void _Block_release(const void* block) {
  auto* b = static_cast<Block*>(const_cast<void*>(block));
  if (!b || b->flags & kGlobal || --b->refs > 0) return;
  if (b->flags & kHasHelpers) b->descriptor->dispose(b);
  std::free(b);
}

void _Block_object_assign(void* to, const void* value, int flags) {
  const void* kept = value;
  if ((flags & 15) == kFieldByref) kept = keep_byref(static_cast<Byref*>(const_cast<void*>(value)));
  else if ((flags & 15) == kFieldBlock) kept = _Block_copy(value);
  *static_cast<const void**>(to) = kept;
}

void _Block_object_dispose(const void* value, int flags) {
  if ((flags & 15) == kFieldByref) drop_byref(static_cast<Byref*>(const_cast<void*>(value)));
  else if ((flags & 15) == kFieldBlock) _Block_release(value);
}
}
