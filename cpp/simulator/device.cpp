// MTLDevice and what it makes: libraries, functions, pipelines.
#include <unistd.h>

#include <cstring>

#include "simulator/metal.h"

namespace veem::software {

namespace {

void set_error(Error** error, const char* domain, NS::Integer code, const std::string& text) {
  if (error) *error = autoreleased(new Error(domain, code, text));
}

int64_t size_of(MTL::DataType type) {
  switch (type) {
    case MTL::DataTypeBool:
    case MTL::DataTypeChar:
    case MTL::DataTypeUChar: return 1;
    case MTL::DataTypeShort:
    case MTL::DataTypeUShort:
    case MTL::DataTypeHalf: return 2;
    case MTL::DataTypeInt:
    case MTL::DataTypeUInt:
    case MTL::DataTypeFloat: return 4;
    case MTL::DataTypeLong:
    case MTL::DataTypeULong: return 8;
    default: misuse("software Metal knows scalar function constants only");
  }
}

Device* shared_device = nullptr;

}  // namespace

// ---- MTLDevice ----------------------------------------------------------------------------

Device* Device::shared() {
  if (shared_device) shared_device->retain();
  else shared_device = new Device;
  return shared_device;
}
Device::~Device() { shared_device = nullptr; }

String* Device::name() { return autoreleased(new String("veem software Metal (simulated)")); }
bool Device::supports_family(MTL::GPUFamily family) {
  return (family >= MTL::GPUFamilyApple1 && family <= MTL::GPUFamilyApple8) ||
         family == MTL::GPUFamilyMetal3;
}
NS::UInteger Device::max_buffer_length() {
  static const auto bytes =
      static_cast<NS::UInteger>(sysconf(_SC_PHYS_PAGES)) / 2 * sysconf(_SC_PAGE_SIZE);
  return bytes;
}
MTL::Size Device::max_threads() {
  return {simulator::kMaxGroupThreads, simulator::kMaxGroupThreads, simulator::kMaxGroupThreads};
}

Buffer* Device::new_buffer(NS::UInteger length, MTL::ResourceOptions options) {
  if (!length) misuse("the length is zero");
  return length <= max_buffer_length() ? new Buffer(length, options) : nullptr;
}
Buffer* Device::new_buffer_with(const void* bytes, NS::UInteger length,
                                MTL::ResourceOptions options) {
  if (!bytes) misuse("the bytes are null");
  Buffer* b = new_buffer(length, options);
  if (b) memcpy(b->data, bytes, length);
  return b;
}

Library* Device::new_library(const String* source, const CompileOptions*, Error** error) {
  if (!source) misuse("the source is nil");
  try {
    return new Library(simulator::Library::load(source->text));
  } catch (const std::exception& e) {
    set_error(error, "MTLLibraryErrorDomain", MTL::LibraryErrorCompileFailure, e.what());
    return nullptr;
  }
}

ComputePipelineState* Device::new_pipeline(const Function* function, Error**) {
  if (!function) misuse("the function is nil");
  return new ComputePipelineState(const_cast<Function*>(function));
}

ComputePipelineState* Device::new_reflected(const Function* function, MTL::PipelineOption,
                                            PipelineReflection** reflection, Error** error) {
  ComputePipelineState* pipeline = new_pipeline(function, error);
  if (pipeline && reflection)
    *reflection = autoreleased(new PipelineReflection(pipeline->function.get()));
  return pipeline;
}

CommandQueue* Device::new_queue() { return new CommandQueue; }
CommandQueue* Device::new_queue_of(NS::UInteger) { return new CommandQueue; }

const Class& Device::type() {
  static const Class c(
      "MTLDevice", &Object::type(), nullptr,
      {method<&Device::name>("name"), method<&Device::supports_family>("supportsFamily:"),
       method<&Device::has_unified_memory>("hasUnifiedMemory"),
       method<&Device::registry_id>("registryID"),
       method<&Device::max_buffer_length>("maxBufferLength"),
       method<&Device::working_set>("recommendedMaxWorkingSetSize"),
       method<&Device::allocated>("currentAllocatedSize"),
       method<&Device::max_threadgroup_memory>("maxThreadgroupMemoryLength"),
       method<&Device::max_threads>("maxThreadsPerThreadgroup"),
       method<&Device::new_buffer>("newBufferWithLength:options:"),
       method<&Device::new_buffer_with>("newBufferWithBytes:length:options:"),
       method<&Device::new_library>("newLibraryWithSource:options:error:"),
       method<&Device::new_pipeline>("newComputePipelineStateWithFunction:error:"),
       method<&Device::new_reflected>(
           "newComputePipelineStateWithFunction:options:reflection:error:"),
       method<&Device::new_queue>("newCommandQueue"),
       method<&Device::new_queue_of>("newCommandQueueWithMaxCommandBufferCount:")});
  return c;
}

// ---- MTLCompileOptions --------------------------------------------------------------------

const Class& CompileOptions::type() {
  static const Class c("MTLCompileOptions", &Object::type(), &create<CompileOptions>,
                       {method<&CompileOptions::set_fast_math>("setFastMathEnabled:"),
                        method<&CompileOptions::fast_math>("fastMathEnabled"),
                        method<&CompileOptions::set_math_mode>("setMathMode:"),
                        method<&CompileOptions::math_mode>("mathMode"),
                        method<&CompileOptions::set_language_version>("setLanguageVersion:"),
                        method<&CompileOptions::language_version>("languageVersion")});
  return c;
}

// ---- MTLLibrary, MTLFunction --------------------------------------------------------------

Array* Library::function_names() {
  auto* names = autoreleased(new Array);
  for (const simulator::Kernel& k : code->kernels) {
    auto* name = new String(k.name);
    names->items.emplace_back(name);
    name->release();
  }
  return names;
}

Function* Library::new_function(const String* name) {
  if (!name) misuse("the name is nil");
  const simulator::Kernel* kernel = code->find(name->text);
  return kernel ? new Function(*kernel, code, {}) : nullptr;
}

Function* Library::new_specialized(const String* name, const FunctionConstantValues* values,
                                   Error** error) {
  Function* f = new_function(name);
  std::string wrong;
  if (!f) wrong = "there is no function '" + name->text + "' in the library";
  for (const simulator::FunctionConstant& c : code->constants)
    for (const auto& v : values->values) {
      if (v.index != c.index && (v.index >= 0 || v.name != c.name)) continue;
      if (static_cast<int64_t>(v.bytes.size()) != c.size)
        wrong = std::string("function constant '") + c.name + "' has " + std::to_string(c.size) +
                " bytes; the value given has " + std::to_string(v.bytes.size());
      else if (f) f->constants.push_back({c.index, v.bytes});
    }
  if (wrong.empty()) return f;
  if (f) f->release();
  set_error(error, "MTLLibraryErrorDomain", MTL::LibraryErrorFunctionNotFound, wrong);
  return nullptr;
}

const Class& Library::type() {
  static const Class c(
      "MTLLibrary", &Object::type(), nullptr,
      {method<&Library::function_names>("functionNames"),
       method<&Library::new_function>("newFunctionWithName:"),
       method<&Library::new_specialized>("newFunctionWithName:constantValues:error:")});
  return c;
}

const Class& Function::type() {
  static const Class c(
      "MTLFunction", &Object::type(), nullptr,
      {method<&Function::name>("name"), method<&Function::function_type>("functionType")});
  return c;
}

void FunctionConstantValues::set(const void* value, MTL::DataType type, NS::UInteger index) {
  set_range(value, type, NS::Range(index, 1));
}
void FunctionConstantValues::set_range(const void* from, MTL::DataType type, NS::Range range) {
  auto* bytes = static_cast<const char*>(from);
  int64_t size = size_of(type);
  for (NS::UInteger i = 0; i < range.length; ++i, bytes += size)
    values.push_back({static_cast<int>(range.location + i), "", type, {bytes, bytes + size}});
}
void FunctionConstantValues::set_named(const void* value, MTL::DataType type, const String* name) {
  auto* bytes = static_cast<const char*>(value);
  values.push_back({-1, name->text, type, {bytes, bytes + size_of(type)}});
}

const Class& FunctionConstantValues::type() {
  static const Class c(
      "MTLFunctionConstantValues", &Object::type(), &create<FunctionConstantValues>,
      {method<&FunctionConstantValues::set>("setConstantValue:type:atIndex:"),
       method<&FunctionConstantValues::set_named>("setConstantValue:type:withName:"),
       method<&FunctionConstantValues::set_range>("setConstantValues:type:withRange:"),
       method<&FunctionConstantValues::reset>("reset")});
  return c;
}

const Class& ComputePipelineState::type() {
  static const Class c("MTLComputePipelineState", &Object::type(), nullptr,
                       {method<&ComputePipelineState::max_threads>("maxTotalThreadsPerThreadgroup"),
                        method<&ComputePipelineState::simd_width>("threadExecutionWidth")});
  return c;
}

}  // namespace veem::software

extern "C" {

MTL::Device* MTLCreateSystemDefaultDevice() {
  return reinterpret_cast<MTL::Device*>(veem::software::Device::shared());
}
NS::Array* MTLCopyAllDevices() {
  auto* all = new veem::software::Array;
  auto* device = veem::software::Device::shared();
  all->items.emplace_back(device);
  device->release();
  return reinterpret_cast<NS::Array*>(all);
}
NS::Array* MTLCopyAllDevicesWithObserver(NS::Object**, MTL::DeviceNotificationHandlerBlock) {
  return MTLCopyAllDevices();
}
void MTLRemoveDeviceObserver(const NS::Object*) {}
}
