// What a pipeline's kernel takes: MTLComputePipelineReflection and its bindings.
#include "simulator/metal.h"

namespace veem::software {

namespace {

const std::map<std::string, MTL::DataType>& data_types() {
  static const std::map<std::string, MTL::DataType> all = {
      {"float", MTL::DataTypeFloat},   {"half", MTL::DataTypeHalf},
      {"bfloat", MTL::DataTypeBFloat}, {"bool", MTL::DataTypeBool},
      {"char", MTL::DataTypeChar},     {"uchar", MTL::DataTypeUChar},
      {"short", MTL::DataTypeShort},   {"ushort", MTL::DataTypeUShort},
      {"int", MTL::DataTypeInt},       {"uint", MTL::DataTypeUInt},
      {"long", MTL::DataTypeLong},     {"ulong", MTL::DataTypeULong},
      {"float2", MTL::DataTypeFloat2}, {"float4", MTL::DataTypeFloat4},
      {"half2", MTL::DataTypeHalf2},   {"half4", MTL::DataTypeHalf4},
      {"int2", MTL::DataTypeInt2},     {"int4", MTL::DataTypeInt4},
      {"uint2", MTL::DataTypeUInt2},   {"uint4", MTL::DataTypeUInt4},
  };
  return all;
}

}  // namespace

MTL::BindingType Binding::binding_type() {
  return parameter.kind == simulator::Parameter::Threadgroup ? MTL::BindingTypeThreadgroupMemory
                                                             : MTL::BindingTypeBuffer;
}
MTL::BindingAccess Binding::access() {
  return parameter.writable ? MTL::BindingAccessReadWrite : MTL::BindingAccessReadOnly;
}
MTL::DataType Binding::data_type() {
  auto found = data_types().find(parameter.type);
  return found == data_types().end() ? MTL::DataTypeStruct : found->second;
}

Array* PipelineReflection::bindings() {
  auto* all = autoreleased(new Array);
  for (const simulator::Parameter& p : function->kernel.parameters) {
    auto* b = new Binding(function.get(), p);
    all->items.emplace_back(b);
    b->release();
  }
  return all;
}

const Class& Binding::type() {
  static const Class c(
      "MTLBufferBinding", &Object::type(), nullptr,
      {method<&Binding::name>("name"), method<&Binding::index>("index"),
       method<&Binding::binding_type>("type"), method<&Binding::access>("access"),
       method<&Binding::is_used>("isUsed"), method<&Binding::is_used>("isArgument"),
       method<&Binding::data_type>("bufferDataType"), method<&Binding::size>("bufferDataSize"),
       method<&Binding::alignment>("bufferAlignment"),
       method<&Binding::size>("threadgroupMemoryDataSize"),
       method<&Binding::alignment>("threadgroupMemoryAlignment")});
  return c;
}

const Class& PipelineReflection::type() {
  static const Class c("MTLComputePipelineReflection", &Object::type(), nullptr,
                       {method<&PipelineReflection::bindings>("bindings")});
  return c;
}

}  // namespace veem::software
