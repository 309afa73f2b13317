#include "simulator/fiber.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace veem::simulator {

#if defined(__x86_64__)
constexpr int kSaved = 6;
asm(R"(
.text
.hidden veem_switch_stack
.globl veem_switch_stack
.type veem_switch_stack, @function
veem_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size veem_switch_stack, . - veem_switch_stack
)");
#elif defined(__aarch64__)
asm(R"(
.text
.hidden veem_switch_stack
.globl veem_switch_stack
.type veem_switch_stack, %function
veem_switch_stack:
  sub sp, sp, #160
  stp x29, x30, [sp]
  stp x19, x20, [sp, #16]
  stp x21, x22, [sp, #32]
  stp x23, x24, [sp, #48]
  stp x25, x26, [sp, #64]
  stp x27, x28, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x29, x30, [sp]
  ldp x19, x20, [sp, #16]
  ldp x21, x22, [sp, #32]
  ldp x23, x24, [sp, #48]
  ldp x25, x26, [sp, #64]
  ldp x27, x28, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size veem_switch_stack, . - veem_switch_stack
)");
#else
#error "the Metal simulator runs on x86-64 and arm64"
#endif

void* prepare_stack(char* stack, void (*function)()) {
  void** top = reinterpret_cast<void**>(stack + kStackBytes);
#if defined(__x86_64__)
  top -= 2;  // the function's return address, aligned as after a call
  top[0] = reinterpret_cast<void*>(function);
  top[1] = nullptr;
  top -= kSaved;
  std::memset(top, 0, kSaved * sizeof(void*));
#else
  top -= 20;
  std::memset(top, 0, 160);
  top[1] = reinterpret_cast<void*>(function);
#endif
  return top;
}

char* StackPool::take() {
  if (free_.empty()) {
    constexpr int64_t kGuard = 64 << 10;  // a page, however large pages are
    void* p = mmap(nullptr, kStackBytes + kGuard, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    mprotect(p, kGuard, PROT_NONE);
    return static_cast<char*>(p) + kGuard;
  }
  char* stack = free_.back();
  free_.pop_back();
  return stack;
}

}  // namespace veem::simulator
