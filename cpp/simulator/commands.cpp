// MTLCommandQueue and MTLCommandBuffer. Nothing runs at commit: a queue's command buffers run in
// order when somebody waits for one of them, or looks whether it is done.
#include <algorithm>
#include <chrono>
#include <mutex>

#include "simulator/metal.h"

extern "C" void* _Block_copy(const void*);
extern "C" void _Block_release(const void*);

namespace veem::software {

namespace {
// Metal may be called from several threads; here one runs and the others wait.
std::recursive_mutex& running() {
  static auto* mutex = new std::recursive_mutex;
  return *mutex;
}

double seconds() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}
}  // namespace

CommandBuffer::CommandBuffer(CommandQueue* queue, bool retains)
    : Object(type()), queue(queue), keeps(queue), retains(retains) {}

ComputeCommandEncoder* CommandBuffer::encoder() {
  if (status >= MTL::CommandBufferStatusCommitted) misuse("it was committed before");
  if (open) misuse("its compute encoder is still open; call endEncoding first");
  open = autoreleased(new ComputeCommandEncoder(this));
  return open;
}
ComputeCommandEncoder* CommandBuffer::encoder_of(MTL::DispatchType) { return encoder(); }

void CommandBuffer::enqueue() {
  if (status != MTL::CommandBufferStatusNotEnqueued) misuse("it was enqueued before");
  status = MTL::CommandBufferStatusEnqueued;
}

void CommandBuffer::commit() {
  std::lock_guard<std::recursive_mutex> lock(running());
  if (status >= MTL::CommandBufferStatusCommitted) misuse("it was committed before");
  if (open) misuse("its compute encoder is still open; call endEncoding first");
  if (lost_encoder) misuse("its compute encoder was released before endEncoding");
  status = MTL::CommandBufferStatusCommitted;
  hides = simulator::options().checks;
  if (hides)
    for (auto [buffer, written] : buffers()) buffer->commit(written);
  queue->committed.emplace_back(this);
  keeps = nullptr;
}

void CommandBuffer::wait() {
  std::lock_guard<std::recursive_mutex> lock(running());
  if (status < MTL::CommandBufferStatusCommitted) misuse("it was not committed");
  while (status < MTL::CommandBufferStatusCompleted) queue->run_next();
}

MTL::CommandBufferStatus CommandBuffer::get_status() {
  if (status == MTL::CommandBufferStatusCommitted) wait();
  return status;
}

std::vector<std::pair<Buffer*, bool>> CommandBuffer::buffers() const {
  std::map<Buffer*, bool> all;
  for (const Dispatch& d : dispatches)
    for (auto& [buffer, written] : d.buffers) all[buffer.get()] |= written;
  return {all.begin(), all.end()};
}

// Of commandBufferWithUnretainedReferences: the program must keep what it uses.
std::string CommandBuffer::lost() const {
  for (const Dispatch& d : dispatches) {
    bool gone = !d.pipeline->refs;
    for (auto& [buffer, written] : d.buffers) gone |= !buffer->refs;
    if (gone)
      return std::string("kernel ") + d.launch.kernel->name + ": its pipeline or a buffer was " +
             "released while a command buffer that does not retain them was in flight";
  }
  return "";
}

void CommandBuffer::run() {
  status = MTL::CommandBufferStatusScheduled;
  std::string report = retains ? "" : lost();
  auto used = buffers();
  if (hides)
    for (auto [buffer, written] : used) report += buffer->before_run();
  start = seconds();
  for (size_t i = 0; i < dispatches.size() && report.empty(); ++i)
    report = simulator::run(dispatches[i].launch);
  end = seconds();
  if (hides)
    for (auto [buffer, written] : used) buffer->after_run(written);
  dispatches.clear();
  status = MTL::CommandBufferStatusCompleted;
  if (!report.empty()) {
    status = MTL::CommandBufferStatusError;
    error = new Error("MTLCommandBufferErrorDomain", MTL::CommandBufferErrorPageFault,
                      "simulated Metal: " + report);
    error->release();
  }
  for (MTL::CommandBufferHandler handler : std::exchange(handlers, {})) {
    handler(reinterpret_cast<MTL::CommandBuffer*>(this));
    _Block_release(handler);
  }
}

void CommandBuffer::add_handler(MTL::CommandBufferHandler handler) {
  if (status >= MTL::CommandBufferStatusCommitted) misuse("it was committed before");
  handlers.push_back((MTL::CommandBufferHandler)_Block_copy(handler));
}

const Class& CommandBuffer::type() {
  static const Class c(
      "MTLCommandBuffer", &Object::type(), nullptr,
      {method<&CommandBuffer::encoder>("computeCommandEncoder"),
       method<&CommandBuffer::encoder_of>("computeCommandEncoderWithDispatchType:"),
       method<&CommandBuffer::enqueue>("enqueue"), method<&CommandBuffer::commit>("commit"),
       method<&CommandBuffer::wait>("waitUntilCompleted"),
       method<&CommandBuffer::get_status>("status"), method<&CommandBuffer::get_error>("error"),
       method<&CommandBuffer::start_time>("GPUStartTime"),
       method<&CommandBuffer::end_time>("GPUEndTime"),
       method<&CommandBuffer::add_handler>("addCompletedHandler:"),
       method<&CommandBuffer::get_queue>("commandQueue"),
       method<&CommandBuffer::retained_references>("retainedReferences"),
       method<&CommandBuffer::get_label>("label"), method<&CommandBuffer::set_label>("setLabel:")});
  return c;
}

void CommandQueue::run_next() {
  std::lock_guard<std::recursive_mutex> lock(running());
  Ref<CommandBuffer> next = committed.front();
  committed.erase(committed.begin());
  next->run();
}

CommandQueue::~CommandQueue() {  // a GPU would run what was committed, also if nobody looks
  while (!committed.empty()) run_next();
}

const Class& CommandQueue::type() {
  static const Class c(
      "MTLCommandQueue", &Object::type(), nullptr,
      {method<&CommandQueue::command_buffer>("commandBuffer"),
       method<&CommandQueue::unretained>("commandBufferWithUnretainedReferences"),
       method<&CommandQueue::get_label>("label"), method<&CommandQueue::set_label>("setLabel:")});
  return c;
}

}  // namespace veem::software
