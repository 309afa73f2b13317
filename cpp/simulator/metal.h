// Metal's own classes, as far as computing needs them.
#pragma once

#include <Metal/Metal.hpp>

#include <memory>
#include <string>
#include <vector>

#include "simulator/engine.h"
#include "simulator/foundation.h"

namespace veem::software {

struct CompileOptions : Object {
  CompileOptions() : Object(type()) {}
  void set_fast_math(bool on) { math = on ? MTL::MathModeFast : MTL::MathModeSafe; }
  bool fast_math() { return math == MTL::MathModeFast; }
  void set_math_mode(MTL::MathMode mode) { math = mode; }
  MTL::MathMode math_mode() { return math; }
  void set_language_version(MTL::LanguageVersion v) { version = v; }
  MTL::LanguageVersion language_version() { return version; }
  static const Class& type();

  MTL::MathMode math = MTL::MathModeFast;  // Metal's own default
  MTL::LanguageVersion version = MTL::LanguageVersion3_1;
};

struct Function;
struct Library : Object {
  explicit Library(std::shared_ptr<simulator::Library> code)
      : Object(type()), code(std::move(code)) {}
  Array* function_names();
  Function* new_function(const String* name);
  Function* new_specialized(const String* name, const struct FunctionConstantValues* values,
                            Error** error);
  static const Class& type();

  std::shared_ptr<simulator::Library> code;
};

struct FunctionConstantValues : Object {
  FunctionConstantValues() : Object(type()) {}
  void set(const void* value, MTL::DataType type, NS::UInteger index);
  void set_range(const void* values, MTL::DataType type, NS::Range range);
  void set_named(const void* value, MTL::DataType type, const String* name);
  void reset() { values.clear(); }
  static const Class& type();

  struct Value {
    int index;  // -1: by name
    std::string name;
    MTL::DataType type;
    std::vector<char> bytes;
  };
  std::vector<Value> values;
};

struct Function : Object {
  Function(const simulator::Kernel& kernel, std::shared_ptr<simulator::Library> library,
           std::vector<simulator::ConstantValue> constants)
      : Object(type()),
        kernel(kernel),
        library(std::move(library)),
        constants(std::move(constants)) {}
  String* name() { return autoreleased(new String(kernel.name)); }
  MTL::FunctionType function_type() { return MTL::FunctionTypeKernel; }
  static const Class& type();

  const simulator::Kernel& kernel;  // in library
  std::shared_ptr<simulator::Library> library;
  std::vector<simulator::ConstantValue> constants;
};

struct ComputePipelineState : Object {
  explicit ComputePipelineState(Function* f) : Object(type()), function(f) {}
  NS::UInteger max_threads() { return simulator::kMaxGroupThreads; }
  NS::UInteger simd_width() { return simulator::kSimdWidth; }
  static const Class& type();

  Ref<Function> function;
};

// What a kernel takes at one index: an MTLBufferBinding or MTLThreadgroupBinding.
struct Binding : Object {
  Binding(Function* f, const simulator::Parameter& p) : Object(type()), parameter(p), function(f) {}
  String* name() { return autoreleased(new String(parameter.name)); }
  NS::UInteger index() { return static_cast<NS::UInteger>(parameter.index); }
  MTL::BindingType binding_type();
  MTL::BindingAccess access();
  bool is_used() { return true; }
  MTL::DataType data_type();
  NS::UInteger size() { return static_cast<NS::UInteger>(parameter.size); }
  NS::UInteger alignment() { return static_cast<NS::UInteger>(parameter.alignment); }
  static const Class& type();

  const simulator::Parameter& parameter;  // in function
  Ref<Function> function;
};

struct PipelineReflection : Object {
  explicit PipelineReflection(Function* f) : Object(type()), function(f) {}
  Array* bindings();
  static const Class& type();

  Ref<Function> function;
};

struct Buffer : Object {
  // Of `length` bytes: its own, or at `memory`, which stays another's.
  Buffer(NS::UInteger length, MTL::ResourceOptions options, void* memory = nullptr);
  ~Buffer() override;
  void* contents();
  NS::UInteger length() { return bytes; }
  void did_modify(NS::Range) {}
  String* get_label() { return label.get(); }
  void set_label(const String* text) { label = const_cast<String*>(text); }
  MTL::StorageMode storage_mode();
  static const Class& type();

  // From a command buffer's commit to its run the host does not see what is in here: it reads
  // 0xA5 where a kernel will write, and what it writes is found out (in_flight.cpp).
  void commit(bool written);
  std::string before_run();  // the report, or ""
  void after_run(bool written);

  char* data;
  NS::UInteger bytes;
  MTL::ResourceOptions options;
  bool owned;
  Ref<String> label;

 private:
  void hide();
  void show(std::string* report);
  int pending_ = 0, pending_writes_ = 0;
  std::vector<char> aside_;
};

struct CommandQueue;
struct Device : Object {
  Device() : Object(type()) {}
  static Device* shared();  // retained
  ~Device() override;
  String* name();
  bool supports_family(MTL::GPUFamily family);
  bool has_unified_memory() { return true; }
  uint64_t registry_id() { return 1; }
  NS::UInteger max_buffer_length();
  uint64_t working_set() { return max_buffer_length(); }
  NS::UInteger allocated();
  NS::UInteger max_threadgroup_memory() { return simulator::kMaxThreadgroupMemory; }
  MTL::Size max_threads();
  Buffer* new_buffer(NS::UInteger length, MTL::ResourceOptions options);
  Buffer* new_buffer_with(const void* bytes, NS::UInteger length, MTL::ResourceOptions options);
  Library* new_library(const String* source, const CompileOptions* options, Error** error);
  ComputePipelineState* new_pipeline(const Function* function, Error** error);
  ComputePipelineState* new_reflected(const Function* function, MTL::PipelineOption options,
                                      PipelineReflection** reflection, Error** error);
  CommandQueue* new_queue();
  CommandQueue* new_queue_of(NS::UInteger max_buffers);
  static const Class& type();
};

struct Dispatch {
  Ref<ComputePipelineState> pipeline;
  simulator::Launch launch;
  std::vector<std::pair<Ref<Buffer>, bool>> buffers;  // and whether the kernel may write it
  std::vector<std::shared_ptr<std::vector<char>>> bytes;
};

struct ComputeCommandEncoder;
struct CommandBuffer : Object {
  CommandBuffer(CommandQueue* queue, bool retains);
  ComputeCommandEncoder* encoder();
  ComputeCommandEncoder* encoder_of(MTL::DispatchType type);
  void enqueue();
  void commit();
  void wait();
  MTL::CommandBufferStatus get_status();
  Error* get_error() { return error.get(); }
  double start_time() { return start; }
  double end_time() { return end; }
  void add_handler(MTL::CommandBufferHandler handler);
  CommandQueue* get_queue() { return queue; }
  String* get_label() { return label.get(); }
  void set_label(const String* text) { label = const_cast<String*>(text); }
  bool retained_references() { return retains; }
  static const Class& type();

  void run();
  std::string lost() const;
  std::vector<std::pair<Buffer*, bool>> buffers() const;  // each once

  CommandQueue* queue;
  Ref<CommandQueue> keeps;  // the queue; until commit, from where the queue keeps this
  MTL::CommandBufferStatus status = MTL::CommandBufferStatusNotEnqueued;
  ComputeCommandEncoder* open = nullptr;
  bool retains, lost_encoder = false, hides = false;
  std::vector<Dispatch> dispatches;
  std::vector<MTL::CommandBufferHandler> handlers;
  Ref<Error> error;
  Ref<String> label;
  double start = 0, end = 0;
};

struct CommandQueue : Object {
  CommandQueue() : Object(type()) {}
  ~CommandQueue() override;
  void run_next();
  CommandBuffer* command_buffer() { return autoreleased(new CommandBuffer(this, true)); }
  CommandBuffer* unretained() { return autoreleased(new CommandBuffer(this, false)); }
  String* get_label() { return label.get(); }
  void set_label(const String* text) { label = const_cast<String*>(text); }
  static const Class& type();

  std::vector<Ref<CommandBuffer>> committed;  // in order, not run yet
  Ref<String> label;
};

struct ComputeCommandEncoder : Object {
  explicit ComputeCommandEncoder(CommandBuffer* buffer) : Object(type()), target(buffer) {}
  ~ComputeCommandEncoder() override;
  void set_pipeline(const ComputePipelineState* state);
  void set_buffer(const Buffer* buffer, NS::UInteger offset, NS::UInteger index);
  void set_offset(NS::UInteger offset, NS::UInteger index);
  void set_bytes(const void* bytes, NS::UInteger length, NS::UInteger index);
  void set_threadgroup_memory(NS::UInteger length, NS::UInteger index);
  void dispatch_threads(MTL::Size threads, MTL::Size group);
  void dispatch_groups(MTL::Size groups, MTL::Size group);
  void barrier(MTL::BarrierScope) { need_open(); }
  void barrier_on(const MTL::Resource* const*, NS::UInteger) { need_open(); }
  void use(const Buffer*, MTL::ResourceUsage) { need_open(); }
  void end();
  String* get_label() { return label.get(); }
  void set_label(const String* text) { label = const_cast<String*>(text); }
  static const Class& type();

  struct Binding {
    Ref<Buffer> buffer;
    std::shared_ptr<std::vector<char>> bytes;
    int64_t offset = 0, limit = INT64_MAX;
  };
  static constexpr int kBindings = 31;
  Binding& binding(NS::UInteger index);

  Ref<CommandBuffer> target;  // null once ended
  Ref<ComputePipelineState> pipeline;
  Binding bindings[kBindings];
  int64_t threadgroup[kBindings] = {};
  Ref<String> label;

 private:
  void need_open() const;
  simulator::Binding bind(const simulator::Parameter& p, Dispatch* d);
  int64_t threadgroup_bytes(const simulator::Kernel& kernel, Dispatch* d);
  void dispatch(MTL::Size threads, MTL::Size group);
};

}  // namespace veem::software
