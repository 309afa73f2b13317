// While one of these lives, a crash of this thread is handed to a function instead of ending the
// process: an index into a private array that went far astray, a stack that was too small.
#pragma once

#include <csignal>

namespace veem::simulator {

class FaultGuard {
 public:
  // The function gets what happened and the address after the instruction; it does not return.
  using Handler = void (*)(const char* what, const void* pc);
  explicit FaultGuard(Handler handler);
  ~FaultGuard();
  FaultGuard(const FaultGuard&) = delete;

 private:
  static void caught(int signal, siginfo_t*, void* context);
  static constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  struct sigaction before_[4];
  stack_t stack_before_;
  char* stack_;
};

}  // namespace veem::simulator
