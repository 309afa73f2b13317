#include "simulator/fault.h"

#include <pthread.h>
#include <ucontext.h>

#include <cstddef>

namespace veem::simulator {
namespace {

FaultGuard::Handler handler;
pthread_t guarded;

const void* pc_of(const ucontext_t& context) {
#if defined(__x86_64__)
  return reinterpret_cast<const void*>(context.uc_mcontext.gregs[REG_RIP]);
#else
  return reinterpret_cast<const void*>(context.uc_mcontext.pc);
#endif
}

}  // namespace

void FaultGuard::caught(int signal, siginfo_t*, void* context) {
  if (!handler || !pthread_equal(pthread_self(), guarded)) {  // another thread's own crash
    std::signal(signal, SIG_DFL);
    return;
  }
  // The handler leaves this stack for good, so what its return would do is done here.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  const char* what = signal == SIGFPE ? "an integer division that has no result"
                                      : "a crash: an index far outside of a private array, or "
                                        "too much private memory for the simulator";
  handler(what, static_cast<const char*>(pc_of(*static_cast<ucontext_t*>(context))) + 1);
}

FaultGuard::FaultGuard(Handler h) {
  constexpr size_t kBytes = 64 << 10;
  stack_ = new char[kBytes];
  stack_t stack = {};
  stack.ss_sp = stack_;
  stack.ss_size = kBytes;
  sigaltstack(&stack, &stack_before_);
  struct sigaction action = {};
  action.sa_sigaction = caught;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  guarded = pthread_self();
  handler = h;
  for (size_t i = 0; i < 4; ++i) sigaction(kSignals[i], &action, &before_[i]);
}

FaultGuard::~FaultGuard() {
  handler = nullptr;
  for (size_t i = 0; i < 4; ++i) sigaction(kSignals[i], &before_[i], nullptr);
  sigaltstack(&stack_before_, nullptr);
  delete[] stack_;
}

}  // namespace veem::simulator
