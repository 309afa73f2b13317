// What software Metal says of wrong use, through Apple's own headers: each rule once, then that
// right use leaves nothing behind.
#include <math.h>

#include <Metal/Metal.hpp>

#include "../cpp/test.h"
#include "simulator/engine.h"
#include "simulator/limit.h"
#include "simulator/live.h"

namespace {

const char* const kSource = R"(#include <metal_stdlib>
using namespace metal;
constant int amount [[function_constant(0)]];
kernel void add(device float* x   [[buffer(0)]],
                constant int& n   [[buffer(1)]],
                uint i [[thread_position_in_grid]]) {
  if (int(i) < n) x[i] += float(amount);
}
kernel void reverse(device float* x [[buffer(0)]],
                    threadgroup float* t [[threadgroup(0)]],
                    uint i [[thread_position_in_threadgroup]],
                    uint n [[threads_per_threadgroup]]) {
  t[i] = x[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  x[i] = t[n - 1 - i];
}
)";

// Everything that a dispatch needs.
struct Bench {
  Bench() {
    NS::Error* error = nullptr;
    library = NS::TransferPtr(device->newLibrary(string(kSource), options.get(), &error));
    if (!library) throw std::runtime_error(error->localizedDescription()->utf8String());
    int amount = 1;
    constants->setConstantValue(&amount, MTL::DataTypeInt, NS::UInteger(0));
    add = pipeline("add");
    reverse = pipeline("reverse");
    x = NS::TransferPtr(device->newBuffer(40, MTL::ResourceStorageModeShared));
    for (int i = 0; i < 10; ++i) values()[i] = static_cast<float>(i);
  }
  static NS::String* string(const char* s) { return NS::String::string(s, NS::UTF8StringEncoding); }
  NS::SharedPtr<MTL::ComputePipelineState> pipeline(const char* name) {
    NS::Error* error = nullptr;
    auto f = NS::TransferPtr(library->newFunction(string(name), constants.get(), &error));
    return NS::TransferPtr(device->newComputePipelineState(f.get(), &error));
  }
  float* values() { return static_cast<float*>(x->contents()); }
  void bind(int n = 10) {
    encoder->setComputePipelineState(add.get());
    encoder->setBuffer(x.get(), 0, 0);
    encoder->setBytes(&n, sizeof n, 1);
  }
  void dispatch(int threads = 10, int group = 10) {
    encoder->dispatchThreads(MTL::Size(threads, 1, 1), MTL::Size(group, 1, 1));
  }
  std::string run() {
    encoder->endEncoding();
    commands->commit();
    commands->waitUntilCompleted();
    NS::Error* error = commands->error();
    return error ? error->localizedDescription()->utf8String() : "";
  }

  NS::SharedPtr<NS::AutoreleasePool> pool = NS::TransferPtr(NS::AutoreleasePool::alloc()->init());
  NS::SharedPtr<MTL::Device> device = NS::TransferPtr(MTL::CreateSystemDefaultDevice());
  NS::SharedPtr<MTL::CompileOptions> options =
      NS::TransferPtr(MTL::CompileOptions::alloc()->init());
  NS::SharedPtr<MTL::FunctionConstantValues> constants =
      NS::TransferPtr(MTL::FunctionConstantValues::alloc()->init());
  NS::SharedPtr<MTL::Library> library;
  NS::SharedPtr<MTL::ComputePipelineState> add, reverse;
  NS::SharedPtr<MTL::Buffer> x;
  NS::SharedPtr<MTL::CommandQueue> queue = NS::TransferPtr(device->newCommandQueue());
  MTL::CommandBuffer* commands = queue->commandBuffer();
  MTL::ComputeCommandEncoder* encoder = commands->computeCommandEncoder();
};

#define MISUSE(part, ...) CHECK_RAISES(Runtime, part, __VA_ARGS__)

}  // namespace

TEST("metal: a kernel runs") {
  Bench b;
  b.bind();
  b.dispatch();
  CHECK_EQUAL(b.run(), "");
  for (int i = 0; i < 10; ++i) CHECK_EQUAL(b.values()[i], i + 1.f);
  CHECK(b.commands->status() == MTL::CommandBufferStatusCompleted);
  CHECK(b.commands->GPUEndTime() >= b.commands->GPUStartTime());
}

TEST("metal: threadgroup memory, and whole groups") {
  Bench b;
  b.encoder->setComputePipelineState(b.reverse.get());
  b.encoder->setBuffer(b.x.get(), 0, 0);
  b.encoder->setThreadgroupMemoryLength(48, 0);
  b.encoder->dispatchThreadgroups(MTL::Size(1, 1, 1), MTL::Size(10, 1, 1));
  CHECK_EQUAL(b.run(), "");
  for (int i = 0; i < 10; ++i) CHECK_EQUAL(b.values()[i], 9.f - i);
}

// ---- objects ------------------------------------------------------------------------------

TEST("metal: an unknown selector") {
  Bench b;
  MISUSE("-[MTLDevice newFence]: unknown selector", b.device->newFence());
  MISUSE("+[MTLHeapDescriptor alloc]: software Metal has no such class",
         MTL::HeapDescriptor::alloc());
}

TEST("metal: use after release") {
  Bench b;
  MTL::Buffer* buffer = b.device->newBuffer(16, 0);
  buffer->release();
  MISUSE("the receiver, a MTLBuffer, was released before", buffer->length());
  MISUSE("the receiver, a MTLBuffer, was released before", buffer->release());
  MISUSE("the argument, a MTLBuffer, was released before", b.encoder->setBuffer(buffer, 0, 0));
}

TEST("metal: an object of the wrong class, or none at all") {
  Bench b;
  auto* wrong = reinterpret_cast<MTL::Buffer*>(b.queue.get());
  MISUSE("is a MTLCommandQueue, not a MTLBuffer", b.encoder->setBuffer(wrong, 0, 0));
  int local = 0;
  MISUSE("is not an object", reinterpret_cast<MTL::Buffer*>(&local)->length());
}

TEST("metal: an object autoreleased without a pool") {
  MISUSE("no NSAutoreleasePool is open", Bench::string("text"));
}

TEST("metal: a message to nil does nothing") {
  MTL::Buffer* nil = nullptr;
  CHECK_EQUAL(nil->length(), 0u);
}

// ---- buffers and libraries ----------------------------------------------------------------

TEST("metal: a buffer of no bytes, and one of too many") {
  Bench b;
  MISUSE("the length is zero", b.device->newBuffer(NS::UInteger(0), 0));
  CHECK(b.device->newBuffer(b.device->maxBufferLength() + 1, 0) == nullptr);
}

TEST("metal: private storage has no contents for the host") {
  Bench b;
  auto hidden = NS::TransferPtr(b.device->newBuffer(16, MTL::ResourceStorageModePrivate));
  MISUSE("private storage", hidden->contents());
}

TEST("metal: fresh memory is not zero") {
  Bench b;
  auto fresh = NS::TransferPtr(b.device->newBuffer(16, MTL::ResourceStorageModeShared));
  CHECK_EQUAL(static_cast<unsigned char*>(fresh->contents())[7], 0xA5);
}

TEST("metal: source that does not compile, a function that is not there") {
  Bench b;
  NS::Error* error = nullptr;
  CHECK(!b.device->newLibrary(Bench::string("kernel void f( {}"), b.options.get(), &error));
  CHECK(error && error->localizedDescription()->length() > 0);
  CHECK(!b.library->newFunction(Bench::string("absent")));
  CHECK(!b.library->newFunction(Bench::string("absent"), b.constants.get(), &error));
  CHECK(std::string(error->localizedDescription()->utf8String()).find("'absent'") !=
        std::string::npos);
}

TEST("metal: a function constant of another size") {
  Bench b;
  b.constants->reset();
  bool amount = true;
  b.constants->setConstantValue(&amount, MTL::DataTypeBool, NS::UInteger(0));
  NS::Error* error = nullptr;
  CHECK(!b.library->newFunction(Bench::string("add"), b.constants.get(), &error));
  CHECK(error && std::string(error->localizedDescription()->utf8String()).find("4 bytes") !=
                     std::string::npos);
}

TEST("metal: a function constant without a value") {
  Bench b;
  b.constants->reset();
  b.add = b.pipeline("add");
  b.bind();
  b.dispatch();
  CHECK(b.run().find("function constant 0, amount, was given no value") != std::string::npos);
}

// ---- the order of calls -------------------------------------------------------------------

TEST("metal: commit before endEncoding") {
  Bench b;
  MISUSE("-[MTLCommandBuffer commit]: its compute encoder is still open", b.commands->commit());
  MISUSE("its compute encoder is still open", b.commands->computeCommandEncoder());
}

TEST("metal: an encoder released before endEncoding") {
  Bench b;
  auto inner = NS::TransferPtr(NS::AutoreleasePool::alloc()->init());
  MTL::CommandBuffer* commands = b.queue->commandBuffer();
  commands->retain();
  commands->computeCommandEncoder();
  inner.reset();
  MISUSE("released before endEncoding", commands->commit());
  commands->release();
}

TEST("metal: two commits, a wait without one, an encoder after one") {
  Bench b;
  MISUSE("it was not committed", b.commands->waitUntilCompleted());
  b.encoder->endEncoding();
  b.commands->commit();
  MISUSE("it was committed before", b.commands->commit());
  MISUSE("it was committed before", b.commands->computeCommandEncoder());
}

TEST("metal: an encoder after endEncoding") {
  Bench b;
  b.bind();
  b.encoder->endEncoding();
  MISUSE("sent after endEncoding", b.dispatch());
  MISUSE("sent after endEncoding", b.encoder->setBuffer(b.x.get(), 0, 0));
  MISUSE("sent after endEncoding", b.encoder->endEncoding());
}

// ---- a dispatch ---------------------------------------------------------------------------

TEST("metal: a dispatch without a pipeline") {
  Bench b;
  MISUSE("no pipeline is set", b.dispatch());
}

TEST("metal: a missing binding") {
  Bench b;
  b.encoder->setComputePipelineState(b.add.get());
  b.encoder->setBuffer(b.x.get(), 0, 0);
  MISUSE("kernel 'add', int& n [[buffer(1)]]: nothing is bound there", b.dispatch());
}

TEST("metal: a binding that is too small") {
  Bench b;
  b.bind();
  short n = 10;
  b.encoder->setBytes(&n, sizeof n, 1);
  MISUSE("int& n [[buffer(1)]]: 2 bytes are bound, 4 are needed", b.dispatch());
}

TEST("metal: a binding that is not aligned, or outside its buffer") {
  Bench b;
  b.bind();
  b.encoder->setBufferOffset(2, 0);
  MISUSE("bound at offset 2, which is not a multiple of 4", b.dispatch());
  MISUSE("offset 40 of a buffer of 40 bytes", b.encoder->setBuffer(b.x.get(), 40, 0));
  MISUSE("index 31: there are 31", b.encoder->setBuffer(b.x.get(), 0, 31));
}

TEST("metal: bytes that are too many, or written by the kernel") {
  Bench b;
  std::vector<char> bytes(4097);
  MISUSE("4097 bytes, more than 4096", b.encoder->setBytes(bytes.data(), bytes.size(), 0));
  b.bind();
  b.encoder->setBytes(bytes.data(), 40, 0);
  MISUSE("setBytes is for constants", b.dispatch());
}

TEST("metal: a threadgroup that is too large, or empty") {
  Bench b;
  b.bind();
  MISUSE("a threadgroup of 1025 threads; at most 1024", b.dispatch(2000, 1025));
  MISUSE("nothing to do", b.dispatch(0, 32));
  MISUSE("nothing to do", b.dispatch(32, 0));
}

TEST("metal: threadgroup memory that is missing, odd, or too large") {
  Bench b;
  b.encoder->setComputePipelineState(b.reverse.get());
  b.encoder->setBuffer(b.x.get(), 0, 0);
  MISUSE("setThreadgroupMemoryLength was not called for index 0", b.dispatch());
  MISUSE("40 is not a multiple of 16", b.encoder->setThreadgroupMemoryLength(40, 0));
  b.encoder->setThreadgroupMemoryLength(32784, 0);
  MISUSE("32784 bytes of threadgroup memory; at most 32768", b.dispatch());
}

// ---- what a run finds ---------------------------------------------------------------------

TEST("metal: an access out of bounds is the command buffer's error") {
  Bench b;
  b.bind(11);
  b.dispatch(11, 11);
  CHECK(b.run().find("add") != std::string::npos);
  CHECK(b.commands->status() == MTL::CommandBufferStatusError);
}

TEST("metal: a limited binding is a smaller buffer") {
  Bench b;
  b.bind();
  veem::simulator::limit_binding(b.encoder, 0, 36);
  b.dispatch();
  CHECK(b.run() != "");
}

TEST("metal: what was not waited for is not seen, nor overwritten") {
  Bench b;
  b.bind();
  b.dispatch();
  b.encoder->endEncoding();
  b.commands->commit();
  CHECK(b.values()[3] != 3.f && b.values()[3] != 4.f);
  b.values()[3] = 100;
  b.commands->waitUntilCompleted();
  std::string said = b.commands->error()->localizedDescription()->utf8String();
  CHECK(said.find("the host wrote byte 12 of buffer") != std::string::npos);
}

TEST("metal: what a command buffer does not retain lives until it ran") {
  for (bool retains : {true, false}) {
    Bench b;
    if (!retains) {
      b.encoder->endEncoding();
      b.commands = b.queue->commandBufferWithUnretainedReferences();
      b.encoder = b.commands->computeCommandEncoder();
    }
    b.bind();
    b.dispatch();
    b.x.reset();
    CHECK((b.run() == "") == retains);
  }
}

TEST("metal: one release too many, while Metal still needs the object") {
  Bench b;
  b.bind();
  MTL::Buffer* x = b.x.get();
  b.x.reset();
  MISUSE("-[MTLBuffer release]: it was released as often as retained", x->release());
}

TEST("metal: command buffers run in the order of commit") {
  Bench b;
  b.bind();
  b.dispatch();
  b.encoder->endEncoding();
  MTL::CommandBuffer* second = b.queue->commandBuffer();
  b.encoder = second->computeCommandEncoder();
  b.bind();
  b.dispatch();
  b.encoder->endEncoding();
  b.commands->commit();
  second->commit();
  int called = 0;
  b.commands->waitUntilCompleted();
  CHECK(b.values()[3] != 4.f);  // the second is still in flight
  second->waitUntilCompleted();
  CHECK_EQUAL(b.values()[3], 5.f);
  MISUSE("it was committed before", second->addCompletedHandler([&](auto*) { ++called; }));
}

TEST("metal: handlers are called once, after the run") {
  Bench b;
  b.bind();
  b.dispatch();
  std::vector<float> seen;
  std::string captured(100, 'x');  // on the heap: the block must keep it
  b.commands->addCompletedHandler([&seen, &b, captured](MTL::CommandBuffer*) {
    if (captured.size() == 100) seen.push_back(b.values()[0]);
  });
  b.run();
  b.commands->waitUntilCompleted();
  CHECK(seen == std::vector<float>{1.f});
}

TEST("metal: all objects are gone after use") {
  auto before = veem::software::live_objects();
  {
    Bench b;
    b.bind();
    b.dispatch();
    b.run();
    CHECK(veem::software::live_objects() != before);
  }
  CHECK(veem::software::live_objects() == before);
}
