#include "metal/user_kernel.h"

#include <algorithm>
#include <cstring>

#include "core/backend.h"
#include "metal/context.h"

namespace veem::metal {

namespace {

template <class T>
using Owned = NS::SharedPtr<T>;

NS::String* string(const std::string& text) {
  return NS::String::string(text.c_str(), NS::UTF8StringEncoding);
}

[[noreturn]] void fail(const char* op, NS::Error* error) {
  raise(ErrorKind::Runtime, op, error->localizedDescription()->utf8String());
}

Owned<MTL::Library> compile(const std::string& source) {
  auto options = NS::TransferPtr(MTL::CompileOptions::alloc()->init());
  options->setFastMathEnabled(false);  // as for veem's own kernels: NaN and infinity are kept
  NS::Error* error = nullptr;
  MTL::Library* library = device()->newLibrary(string(source), options.get(), &error);
  if (!library) fail("metal.kernel", error);
  return NS::TransferPtr(library);
}

std::string names_in(MTL::Library* library) {
  std::string all;
  NS::Array* names = library->functionNames();
  for (NS::UInteger i = 0; i < names->count(); ++i)
    all += (i ? ", " : "") + std::string(names->object<NS::String>(i)->utf8String());
  return all;
}

void set(MTL::FunctionConstantValues* values, const Constant& c) {
  bool b = c.value.to<bool>();
  int i = c.value.to<int>();
  float f = c.value.to<float>();
  const void* value = &i;
  auto type = MTL::DataTypeInt;
  if (c.value.kind == Category::Bool) value = &b, type = MTL::DataTypeBool;
  if (c.value.kind == Category::Float) value = &f, type = MTL::DataTypeFloat;
  if (c.index < 0) values->setConstantValue(value, type, string(c.name));
  else values->setConstantValue(value, type, static_cast<NS::UInteger>(c.index));
}

struct TypeRow {
  MTL::DataType metal;
  const char* name;
  DType dtype;
};
constexpr TypeRow kTypes[] = {
    {MTL::DataTypeFloat, "float", DType::Float32},    {MTL::DataTypeHalf, "half", DType::Float16},
    {MTL::DataTypeBFloat, "bfloat", DType::BFloat16}, {MTL::DataTypeBool, "bool", DType::Bool},
    {MTL::DataTypeChar, "char", DType::Int8},         {MTL::DataTypeUChar, "uchar", DType::UInt8},
    {MTL::DataTypeShort, "short", DType::Int16},      {MTL::DataTypeUShort, "ushort", DType::Int16},
    {MTL::DataTypeInt, "int", DType::Int32},          {MTL::DataTypeUInt, "uint", DType::Int32},
    {MTL::DataTypeLong, "long", DType::Int64},        {MTL::DataTypeULong, "ulong", DType::Int64}};

// A number in a type of the kernel's.
std::string bytes_of(Scalar value, DType t) {
  auto raw = [](auto v) { return std::string(reinterpret_cast<const char*>(&v), sizeof v); };
  switch (t) {
    case DType::Float32: return raw(value.to<float>());
    case DType::Float16: return raw(static_cast<_Float16>(value.to<float>()));
    case DType::BFloat16: {
      uint32_t bits;
      float f = value.to<float>();
      memcpy(&bits, &f, sizeof bits);
      return raw(static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16));  // to nearest
    }
    case DType::Bool: return raw(value.to<bool>());
    case DType::Int64: return raw(value.to<int64_t>());
    case DType::Int32: return raw(value.to<int32_t>());
    case DType::Int16: return raw(value.to<int16_t>());
    default: return raw(value.to<int8_t>());
  }
}

const TypeRow* row_of(const std::string& type) {
  for (const TypeRow& row : kTypes)
    if (type == row.name) return &row;
  return nullptr;
}

Parameter describe(MTL::Binding* binding) {
  Parameter p;
  p.name = binding->name()->utf8String();
  p.index = static_cast<int>(binding->index());
  p.threadgroup = binding->type() == MTL::BindingTypeThreadgroupMemory;
  p.writable = binding->access() != MTL::BindingAccessReadOnly;
  p.type = "struct";
  if (p.threadgroup) {
    auto* b = reinterpret_cast<MTL::ThreadgroupBinding*>(binding);
    p.size = static_cast<int64_t>(b->threadgroupMemoryDataSize());
    return p;
  }
  auto* b = reinterpret_cast<MTL::BufferBinding*>(binding);
  p.size = static_cast<int64_t>(b->bufferDataSize());
  for (const TypeRow& row : kTypes)
    if (b->bufferDataType() == row.metal) p.type = row.name;
  return p;
}

}  // namespace

std::string device_name() {
  Pool pool;
  return device()->name()->utf8String();
}

std::vector<std::string> kernel_names(const std::string& source) {
  Pool pool;
  Owned<MTL::Library> library = compile(source);
  std::vector<std::string> names;
  NS::Array* all = library->functionNames();
  for (NS::UInteger i = 0; i < all->count(); ++i)
    names.emplace_back(all->object<NS::String>(i)->utf8String());
  return names;
}

UserKernel::UserKernel(const std::string& source, const std::string& name,
                       const std::vector<Constant>& constants)
    : name_(name) {
  Pool pool;
  Owned<MTL::Library> library = compile(source);
  auto values = NS::TransferPtr(MTL::FunctionConstantValues::alloc()->init());
  for (const Constant& c : constants) set(values.get(), c);
  NS::Error* error = nullptr;
  auto function = NS::TransferPtr(library->newFunction(string(name), values.get(), &error));
  VEEM_CHECK(function.get(), "metal.kernel", error->localizedDescription()->utf8String(),
             "; the source has the kernels: ", names_in(library.get()));
  MTL::ComputePipelineReflection* reflection = nullptr;
  pipeline_ = device()->newComputePipelineState(
      function.get(), MTL::PipelineOptionBindingInfo | MTL::PipelineOptionBufferTypeInfo,
      &reflection, &error);
  if (!pipeline_) fail("metal.kernel", error);
  NS::Array* bindings = reflection->bindings();
  for (NS::UInteger i = 0; i < bindings->count(); ++i)
    parameters_.push_back(describe(bindings->object<MTL::Binding>(i)));
  std::sort(parameters_.begin(), parameters_.end(), [](const Parameter& a, const Parameter& b) {
    return std::make_pair(a.threadgroup, a.index) < std::make_pair(b.threadgroup, b.index);
  });
}

UserKernel::~UserKernel() { pipeline_->release(); }

int64_t UserKernel::max_group() const {
  return static_cast<int64_t>(pipeline_->maxTotalThreadsPerThreadgroup());
}

// ---- a run --------------------------------------------------------------------------------

void UserKernel::bind(Encoder* encoder, const Parameter& p, const Argument& a) const {
  const TypeRow* row = row_of(p.type);
  const char* op = name_.c_str();
  if (auto* tensor = std::get_if<Array>(&a)) {
    VEEM_CHECK_AS(Value, std::string(tensor->backend().name()) == "metal", op, "'", p.name,
                  "' is on ", tensor->backend().name(), "; move it with .to('metal')");
    VEEM_CHECK_AS(Value, tensor->is_contiguous(), op, "'", p.name,
                  "' is not contiguous; use .contiguous()");
    bool raw = p.type == "char" || p.type == "uchar";  // bytes of anything, as in C
    VEEM_CHECK_AS(Type, !row || raw || row->dtype == tensor->dtype, op, "'", p.name, "' is ",
                  p.type, " in the kernel, and the tensor is ", veem::name(tensor->dtype));
    encoder->buffer({tensor->data(), tensor->storage.get()}, tensor->nbytes());
  } else if (auto* number = std::get_if<Scalar>(&a)) {
    VEEM_CHECK_AS(Type, row && !p.writable, op, "'", p.name, "' (", p.type,
                  p.writable ? ", written by the kernel" : "", ") takes a tensor",
                  row ? "" : " or the bytes of the struct", ", not a number");
    std::string value = bytes_of(*number, row->dtype);
    encoder->bytes(value.data(), static_cast<int64_t>(value.size()));
  } else {
    auto& bytes = std::get<std::string>(a);
    VEEM_CHECK_AS(Type, !p.writable, op, "'", p.name, "' is written by the kernel: it takes a ",
                  "tensor, not bytes");
    encoder->bytes(bytes.data(), static_cast<int64_t>(bytes.size()));
  }
}

void UserKernel::run(Grid grid, Grid group, const std::vector<Argument>& arguments,
                     const std::vector<int64_t>& threadgroup_bytes) {
  size_t buffers = 0, arrays = 0;
  std::string wanted;
  for (const Parameter& p : parameters_) {
    ++(p.threadgroup ? arrays : buffers);
    if (!p.threadgroup) wanted += (wanted.empty() ? "" : ", ") + p.type + " " + p.name;
  }
  VEEM_CHECK_AS(Type, arguments.size() == buffers, name_.c_str(), "takes ", buffers, " arguments (",
                wanted, "), got ", arguments.size());
  VEEM_CHECK_AS(Type, threadgroup_bytes.size() == arrays, name_.c_str(), "takes the sizes of ",
                arrays, " threadgroup arrays, got ", threadgroup_bytes.size());
  Encoder encoder(pipeline_);
  size_t argument = 0, array = 0;
  for (const Parameter& p : parameters_) {
    if (p.threadgroup) encoder.at(p.index).threadgroup(threadgroup_bytes[array++]);
    else bind(&encoder.at(p.index), p, arguments[argument++]);
  }
  encoder.threads(grid, group);
}

}  // namespace veem::metal
