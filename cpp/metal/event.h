// The GPU's clock: what work took, and events between.
#pragma once

#include <cstdint>

namespace MTL { class CommandBuffer; }

namespace veem::metal {

double gpu_seconds();  // that command buffers have taken on the GPU so far

// A place in the order of all work: the end of a command buffer.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  ~Event();
  void record();
  void synchronize() const;
  bool query() const;      // is all work before it done?
  double seconds() const;  // on the GPU's clock; waits

 private:
  MTL::CommandBuffer* buffer_ = nullptr;
  uint64_t serial_ = 0;
};

}  // namespace veem::metal
