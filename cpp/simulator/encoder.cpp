// MTLComputeCommandEncoder: binds arguments and records dispatches, comparing each with what the
// kernel's source says of its parameters.
#include <algorithm>

#include "simulator/limit.h"
#include "simulator/metal.h"

namespace veem::software {

namespace {
constexpr NS::UInteger kMaxBytes = 4096;  // of setBytes
int64_t count(MTL::Size s) { return static_cast<int64_t>(s.width * s.height * s.depth); }
simulator::Size size(MTL::Size s) {
  return {static_cast<int64_t>(s.width), static_cast<int64_t>(s.height),
          static_cast<int64_t>(s.depth)};
}
}  // namespace

ComputeCommandEncoder::~ComputeCommandEncoder() {
  if (!target) return;
  target->open = nullptr;
  target->lost_encoder = true;
}

void ComputeCommandEncoder::need_open() const {
  if (!target) misuse("sent after endEncoding");
}

void ComputeCommandEncoder::end() {
  need_open();
  target->open = nullptr;
  target = nullptr;
  pipeline = nullptr;
  for (Binding& b : bindings) b = {};
}

ComputeCommandEncoder::Binding& ComputeCommandEncoder::binding(NS::UInteger index) {
  need_open();
  if (index >= kBindings) misuse("index ", index, ": there are ", kBindings);
  return bindings[index];
}

void ComputeCommandEncoder::set_pipeline(const ComputePipelineState* state) {
  need_open();
  if (!state) misuse("the pipeline is nil");
  pipeline = const_cast<ComputePipelineState*>(state);
}

void ComputeCommandEncoder::set_buffer(const Buffer* buffer, NS::UInteger offset,
                                       NS::UInteger index) {
  Binding& b = binding(index);
  if (buffer && offset >= buffer->bytes)
    misuse("offset ", offset, " of a buffer of ", buffer->bytes, " bytes");
  b = {const_cast<Buffer*>(buffer), nullptr, static_cast<int64_t>(offset)};
}

void ComputeCommandEncoder::set_offset(NS::UInteger offset, NS::UInteger index) {
  Ref<Buffer> buffer = binding(index).buffer;
  if (!buffer) misuse("no buffer is bound at index ", index);
  set_buffer(buffer.get(), offset, index);
}

void ComputeCommandEncoder::set_bytes(const void* bytes, NS::UInteger length, NS::UInteger index) {
  Binding& b = binding(index);
  if (!length || !bytes) misuse("there are no bytes");
  if (length > kMaxBytes)
    misuse(length, " bytes, more than ", kMaxBytes, "; use an MTLBuffer for them");
  auto* from = static_cast<const char*>(bytes);
  b = {nullptr, std::make_shared<std::vector<char>>(from, from + length)};
}

void ComputeCommandEncoder::set_threadgroup_memory(NS::UInteger length, NS::UInteger index) {
  need_open();
  if (index >= kBindings) misuse("index ", index, ": there are ", kBindings);
  if (length % 16) misuse("the length ", length, " is not a multiple of 16");
  threadgroup[index] = static_cast<int64_t>(length);
}

simulator::Binding ComputeCommandEncoder::bind(const simulator::Parameter& p, Dispatch* d) {
  const Binding& b = bindings[p.index];
  std::ostringstream what;
  what << "kernel '" << d->launch.kernel->name << "', " << p.type << (p.reference ? "& " : "* ")
       << p.name << " [[buffer(" << p.index << ")]]: ";
  simulator::Binding out;
  if (b.buffer) {
    out.data = b.buffer->data + b.offset;
    out.bytes = std::min<int64_t>(b.buffer->bytes - b.offset, b.limit);
    if (b.buffer->label) out.label = b.buffer->label->text;
    d->buffers.emplace_back(b.buffer, p.writable);
  } else if (b.bytes) {
    out.data = b.bytes->data();
    out.bytes = std::min<int64_t>(b.bytes->size(), b.limit);
    d->bytes.push_back(b.bytes);
  } else {
    misuse(what.str(), "nothing is bound there");
  }
  if (p.reference && out.bytes < p.size)
    misuse(what.str(), out.bytes, " bytes are bound, ", p.size, " are needed");
  // Apple GPUs also want 4 bytes for the constant address space.
  int64_t alignment =
      p.kind == simulator::Parameter::Constant ? std::max<int64_t>(p.alignment, 4) : p.alignment;
  if (b.offset % alignment)
    misuse(what.str(), "bound at offset ", b.offset, ", which is not a multiple of ", alignment);
  if (p.writable && b.bytes) misuse(what.str(), "the kernel writes it: setBytes is for constants");
  return out;
}

int64_t ComputeCommandEncoder::threadgroup_bytes(const simulator::Kernel& kernel, Dispatch* d) {
  int64_t total = 0;
  for (const simulator::Parameter& p : kernel.parameters) {
    if (p.kind != simulator::Parameter::Threadgroup) continue;
    if (!threadgroup[p.index])
      misuse("kernel '", kernel.name, "', threadgroup ", p.type, "* ", p.name, ": ",
             "setThreadgroupMemoryLength was not called for index ", p.index);
    total += d->launch.threadgroup_bytes[p.index] = threadgroup[p.index];
  }
  return total;
}

void ComputeCommandEncoder::dispatch(MTL::Size threads, MTL::Size group) {
  need_open();
  if (!pipeline) misuse("no pipeline is set; call setComputePipelineState first");
  if (!count(threads) || !count(group))
    misuse("nothing to do: the grid is ", threads.width, "x", threads.height, "x", threads.depth,
           " threads in groups of ", group.width, "x", group.height, "x", group.depth);
  if (count(group) > simulator::kMaxGroupThreads)
    misuse("a threadgroup of ", count(group), " threads; at most ", simulator::kMaxGroupThreads);
  const Function& f = *pipeline->function.get();
  Dispatch d;
  d.pipeline = pipeline;
  d.launch.library = f.library.get();
  d.launch.kernel = &f.kernel;
  d.launch.constants = f.constants;
  d.launch.threads = size(threads);
  d.launch.group = size(group);
  for (const simulator::Parameter& p : f.kernel.parameters)
    if (p.kind != simulator::Parameter::Threadgroup) d.launch.buffers[p.index] = bind(p, &d);
  if (int64_t bytes = threadgroup_bytes(f.kernel, &d); bytes > simulator::kMaxThreadgroupMemory)
    misuse(bytes, " bytes of threadgroup memory; at most ", simulator::kMaxThreadgroupMemory);
  target->dispatches.push_back(std::move(d));
}

void ComputeCommandEncoder::dispatch_threads(MTL::Size threads, MTL::Size group) {
  dispatch(threads, group);
}
void ComputeCommandEncoder::dispatch_groups(MTL::Size groups, MTL::Size group) {
  dispatch({groups.width * group.width, groups.height * group.height, groups.depth * group.depth},
           group);
}

const Class& ComputeCommandEncoder::type() {
  using E = ComputeCommandEncoder;
  static const Class c("MTLComputeCommandEncoder", &Object::type(), nullptr,
                       {method<&E::set_pipeline>("setComputePipelineState:"),
                        method<&E::set_buffer>("setBuffer:offset:atIndex:"),
                        method<&E::set_offset>("setBufferOffset:atIndex:"),
                        method<&E::set_bytes>("setBytes:length:atIndex:"),
                        method<&E::set_threadgroup_memory>("setThreadgroupMemoryLength:atIndex:"),
                        method<&E::dispatch_threads>("dispatchThreads:threadsPerThreadgroup:"),
                        method<&E::dispatch_groups>("dispatchThreadgroups:threadsPerThreadgroup:"),
                        method<&E::barrier>("memoryBarrierWithScope:"),
                        method<&E::barrier_on>("memoryBarrierWithResources:count:"),
                        method<&E::use>("useResource:usage:"), method<&E::end>("endEncoding"),
                        method<&E::get_label>("label"), method<&E::set_label>("setLabel:")});
  return c;
}

}  // namespace veem::software

void veem::simulator::limit_binding(MTL::ComputeCommandEncoder* encoder, int index, int64_t bytes) {
  auto* e = static_cast<software::ComputeCommandEncoder*>(
      software::checked(encoder, software::ComputeCommandEncoder::type()));
  e->binding(static_cast<NS::UInteger>(index)).limit = bytes;
}
