// Fibers: stacks of their own, and a switch from one to another in a few instructions. A GPU
// thread is a fiber, as thousands of them wait for each other at barriers.
#pragma once

#include <cstdint>
#include <vector>

namespace veem::simulator {

constexpr int64_t kStackBytes = 128 << 10;

// Saves the registers that a call keeps and the stack pointer, then goes on where `to` was saved.
extern "C" void veem_switch_stack(void** save, void* to);

// A stack that starts in function() when it is switched to.
void* prepare_stack(char* stack, void (*function)());

// Stacks that are used again, with a page below each that must not be touched.
class StackPool {
 public:
  char* take();
  void give_back(char* stack) { free_.push_back(stack); }

 private:
  std::vector<char*> free_;
};

}  // namespace veem::simulator
