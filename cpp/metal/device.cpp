// The device: libraries and pipelines kept once made, one open command buffer, and the errors of
// those that are done. All of it is behind one lock; Metal runs command buffers in order.
#define NS_PRIVATE_IMPLEMENTATION
#define MTL_PRIVATE_IMPLEMENTATION
#include "metal/device.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "core/backend.h"
#include "core/indexed.h"
#include "metal/args.h"
#include "metal/context.h"
#include "metal/event.h"
#if VEEM_SIMULATED
#include "simulator/limit.h"
#endif

namespace veem::metal {

const char* source(const char* family);  // made by embed.py

namespace {

constexpr int kBatch = 64;            // dispatches of one command buffer
constexpr size_t kMostInFlight = 32;  // command buffers; Metal's queue takes 64

struct Check {
  int id;
  uint64_t serial;  // of its command buffer
  const char* op;
  int dim;
  int64_t size;
  ErrorKind error;
};

struct Sent {
  uint64_t serial;
  MTL::CommandBuffer* buffer;
};

struct State {
  std::recursive_mutex mutex;
  MTL::Device* device = nullptr;
  MTL::CommandQueue* queue = nullptr;
  bool simd = false, matrix = false;
  std::map<std::string, MTL::Library*> libraries;
  std::map<std::string, MTL::ComputePipelineState*> pipelines;

  MTL::CommandBuffer* open = nullptr;  // takes dispatches through `encoder`
  MTL::ComputeCommandEncoder* encoder = nullptr;
  int dispatches = 0;
  uint64_t serial = 1;  // of the open command buffer, or of the next
  std::deque<Sent> sent;
  double gpu_seconds = 0;

  StoragePtr fault, nothing;
  int next_check = 1;
  std::vector<Check> checks;
};

State& state() {
  static State* s = [] {
    auto* made = new State;
    Pool pool;
    made->device = MTL::CreateSystemDefaultDevice();
    if (!made->device) return made;
    made->queue = made->device->newCommandQueue();
    const char* plain = std::getenv("VEEM_METAL_PLAIN");
    bool apple7 = made->device->supportsFamily(MTL::GPUFamilyApple7);
    if (plain && *plain && *plain != '0') return made;
    made->simd = apple7 || made->device->supportsFamily(MTL::GPUFamilyMac2);
    made->matrix = apple7;
    return made;
  }();
  return *s;
}

NS::String* string(const std::string& text) {
  return NS::String::string(text.c_str(), NS::UTF8StringEncoding);
}

[[noreturn]] void fail(const std::string& what, NS::Error* error) {
  raise(ErrorKind::Runtime, "metal", what, ": ",
        error ? error->localizedDescription()->utf8String() : "no reason was given");
}

// ---- libraries and pipelines ------------------------------------------------------------------

MTL::Library* library(const char* family) {
  State& s = state();
  MTL::Library*& kept = s.libraries[family];
  if (kept) return kept;
  const char* text = source(family);
  VEEM_CHECK(text, "metal", "there are no kernels of the family ", family);
  auto options = NS::TransferPtr(MTL::CompileOptions::alloc()->init());
  options->setFastMathEnabled(false);  // NaN and infinity are kept, sums in their order
  NS::Error* error = nullptr;
  kept = s.device->newLibrary(string(text), options.get(), &error);
  if (!kept) fail(std::string("the kernels of ") + family + " do not compile", error);
  return kept;
}

MTL::ComputePipelineState* pipeline(const char* family, const std::string& kernel,
                                    std::initializer_list<int> constants) {
  State& s = state();
  std::string key = kernel;
  for (int c : constants) key += ' ' + std::to_string(c);
  MTL::ComputePipelineState*& kept = s.pipelines[key];
  if (kept) return kept;
  auto values = NS::TransferPtr(MTL::FunctionConstantValues::alloc()->init());
  NS::UInteger index = 0;
  for (int c : constants) values->setConstantValue(&c, MTL::DataTypeInt, index++);
  NS::Error* error = nullptr;
  auto function =
      NS::TransferPtr(library(family)->newFunction(string(kernel), values.get(), &error));
  if (!function) fail("no kernel " + kernel, error);
  kept = s.device->newComputePipelineState(function.get(), &error);
  if (!kept) fail("no pipeline for " + kernel, error);
  return kept;
}

// ---- command buffers --------------------------------------------------------------------------

MTL::ComputeCommandEncoder* open_encoder() {
  State& s = state();
  if (s.open) return s.encoder;
  s.open = s.queue->commandBuffer()->retain();
  s.encoder = s.open->computeCommandEncoder()->retain();
  s.dispatches = 0;
  return s.encoder;
}

void commit() {
  State& s = state();
  if (!s.open) return;
  s.encoder->endEncoding();
  s.encoder->release();
  s.open->commit();
  s.sent.push_back({s.serial++, s.open});
  s.open = nullptr;
  s.encoder = nullptr;
}

// Takes the oldest command buffer off the list, done; returns its error.
std::string take_oldest() {
  State& s = state();
  MTL::CommandBuffer* buffer = s.sent.front().buffer;
  s.sent.pop_front();
  buffer->waitUntilCompleted();
  s.gpu_seconds += buffer->GPUEndTime() - buffer->GPUStartTime();
  NS::Error* error = buffer->error();
  std::string text = error ? error->localizedDescription()->utf8String() : "";
  buffer->release();
  return text;
}

// Raises the bad index that a kernel has met, once the checks are done.
void raise_fault() {
  State& s = state();
  std::vector<Check> checks;
  checks.swap(s.checks);
  auto* fault = static_cast<Fault*>(s.fault->data);
  Fault found = *fault;
  *fault = {};
  for (const Check& c : checks) {
    if (c.id != found.id) continue;
    auto bits = static_cast<uint64_t>(static_cast<uint32_t>(found.high)) << 32 |
                static_cast<uint32_t>(found.low);
    raise_out_of_bounds(c.error, c.op, static_cast<int64_t>(bits), c.dim, c.size);
  }
}

void wait_until(uint64_t serial) {
  State& s = state();
  std::lock_guard<std::recursive_mutex> lock(s.mutex);
  Pool pool;
  // All checks share one word: who waits for one of them waits for all.
  bool checked = !s.checks.empty() && s.checks.front().serial <= serial;
  if (checked) serial = std::max(serial, s.checks.back().serial);
  if (s.open && s.serial <= serial) commit();
  std::string error;
  while (!s.sent.empty() && s.sent.front().serial <= serial) {
    std::string text = take_oldest();
    if (error.empty()) error = text;
  }
  if (!error.empty()) {  // what was checked after it says nothing
    while (!s.sent.empty()) take_oldest();
    s.checks.clear();
    if (s.fault) *static_cast<Fault*>(s.fault->data) = {};
    raise(ErrorKind::Runtime, "metal", error);
  }
  if (checked) raise_fault();
}

// Called where errors may be raised: the oldest commands are surely done by now.
void limit_in_flight() {
  State& s = state();
  if (s.sent.size() > kMostInFlight) wait_until(s.sent.front().serial);
}

}  // namespace

MTL::Device* find_device() { return state().device; }

MTL::Device* device() {
  VEEM_CHECK(state().device, "metal", "this computer has no GPU that Metal runs on");
  return state().device;
}

void wait_for(Block* block) {
  if (block) wait_until(block->last_use);
}
void synchronize() { wait_until(UINT64_MAX); }
double gpu_seconds() { return state().gpu_seconds; }

// ---- events -----------------------------------------------------------------------------------

Event::~Event() {
  if (buffer_) buffer_->release();
}

void Event::record() {
  device();
  State& s = state();
  std::lock_guard<std::recursive_mutex> lock(s.mutex);
  Pool pool;
  limit_in_flight();
  open_encoder();  // nothing in it is fine: its end is a time too
  if (buffer_) buffer_->release();
  buffer_ = s.open->retain();
  serial_ = s.serial;
  commit();
}

void Event::synchronize() const {
  if (buffer_) wait_until(serial_);
}

bool Event::query() const {
  Pool pool;
  return !buffer_ || buffer_->status() >= MTL::CommandBufferStatusCompleted;
}

double Event::seconds() const {
  VEEM_CHECK(buffer_, "metal.Event", "elapsed_time of an event that was not recorded");
  synchronize();
  return buffer_->GPUEndTime();
}

bool has_simd_reductions() { return state().simd; }
bool has_simdgroup_matrix() { return state().matrix; }

// ---- faults -----------------------------------------------------------------------------------

Memory fault_memory() {
  State& s = state();
  if (!s.fault) {
    s.fault = make_storage(backend("metal"), sizeof(Fault));
    *static_cast<Fault*>(s.fault->data) = {};
  }
  return {static_cast<char*>(s.fault->data), s.fault.get()};
}
int64_t fault_bytes() { return sizeof(Fault); }

int note_check(const IndexCheckArgs& args) {
  State& s = state();
  std::lock_guard<std::recursive_mutex> lock(s.mutex);
  s.checks.push_back({s.next_check, s.serial, args.op, args.dim, args.high, args.error});
  s.next_check = s.next_check == INT32_MAX ? 1 : s.next_check + 1;
  return s.checks.back().id;
}

// ---- the encoder ------------------------------------------------------------------------------

Encoder::Encoder(const char* family, const std::string& kernel,
                 std::initializer_list<int> constants)
    : Encoder([&] {
        std::lock_guard<std::recursive_mutex> lock(state().mutex);
        Pool pool;
        return pipeline(family, kernel, constants);
      }()) {}

Encoder::Encoder(MTL::ComputePipelineState* pipeline) : lock_(state().mutex), pipeline_(pipeline) {
  Pool pool;
  limit_in_flight();
  open_encoder()->setComputePipelineState(pipeline);
}

Encoder::~Encoder() {
  if (++state().dispatches < kBatch) return;
  Pool pool;
  commit();
}

Encoder& Encoder::buffer(const Memory& memory, [[maybe_unused]] int64_t bytes) {
  State& s = state();
  Memory bound = memory;
  // An empty view may begin past the end of what it views.
  if (!memory.data || memory.data - static_cast<char*>(memory.storage->data) >=
                          static_cast<int64_t>(memory.storage->bytes)) {
    if (!s.nothing) s.nothing = make_storage(backend("metal"), 1);
    bound = {static_cast<char*>(s.nothing->data), s.nothing.get()};
    bytes = 0;
  }
  auto* block = static_cast<Block*>(bound.storage->block);
  block->last_use = s.serial;
  auto offset = static_cast<NS::UInteger>(bound.data - static_cast<char*>(bound.storage->data));
  s.encoder->setBuffer(block->buffer, offset, static_cast<NS::UInteger>(next_));
#if VEEM_SIMULATED
  simulator::limit_binding(s.encoder, next_, bytes);
#endif
  ++next_;
  return *this;
}

Encoder& Encoder::bytes(const void* value, int64_t size) {
  state().encoder->setBytes(value, static_cast<NS::UInteger>(size),
                            static_cast<NS::UInteger>(next_++));
  return *this;
}

Encoder& Encoder::threadgroup(int64_t bytes) {
  state().encoder->setThreadgroupMemoryLength(static_cast<NS::UInteger>((bytes + 15) / 16 * 16),
                                              static_cast<NS::UInteger>(next_threadgroup_++));
  return *this;
}

static MTL::Size size(Grid g) {
  return MTL::Size(static_cast<NS::UInteger>(g.x), static_cast<NS::UInteger>(g.y),
                   static_cast<NS::UInteger>(g.z));
}

void Encoder::threads(Grid grid, Grid group) {
  state().encoder->dispatchThreads(size(grid), size(group));
}
void Encoder::groups(Grid count, Grid group) {
  state().encoder->dispatchThreadgroups(size(count), size(group));
}
void Encoder::threads(int64_t n) { threads({n}, {n < 256 ? n : 256}); }

int64_t Encoder::max_group() const {
  return static_cast<int64_t>(pipeline_->maxTotalThreadsPerThreadgroup());
}

const char* type_name(DType t) {
  constexpr const char* names[kDTypes] = {"bool", "uchar", "char",   "short", "int",
                                          "long", "half",  "bfloat", "float", "double"};
  return names[static_cast<int>(t)];
}

int64_t extent(const Operand& o, const int64_t* shape, int ndim) {
  int64_t reach = 1;
  for (int d = 0; d < ndim; ++d) reach += (shape[d] - 1) * o.strides[d];
  return reach * item_size(o.dtype);
}

}  // namespace veem::metal
