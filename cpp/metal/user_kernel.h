// Kernels that a user writes: their source is compiled while the program runs, and what they
// take is asked of the pipeline.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/array.h"
#include "metal/device.h"

namespace MTL { class ComputePipelineState; }

namespace veem::metal {

// A [[function_constant]], by its index or its name.
struct Constant {
  int index = -1;
  std::string name;
  Scalar value;
};

// What a kernel takes at one index.
struct Parameter {
  std::string name, type;  // "x", "float"; "struct" for every type that is no number
  int index;               // [[buffer(index)]] or [[threadgroup(index)]]
  bool threadgroup, writable;
  int64_t size;  // bytes of an element
};

class UserKernel {
 public:
  UserKernel(const std::string& source, const std::string& name,
             const std::vector<Constant>& constants);
  UserKernel(const UserKernel&) = delete;
  ~UserKernel();

  // Tensors, numbers, or the bytes of a struct, in the order of the buffers' indices; the sizes
  // of threadgroup memory in theirs. The grid counts threads.
  using Argument = std::variant<Array, Scalar, std::string>;
  void run(Grid grid, Grid group, const std::vector<Argument>& arguments,
           const std::vector<int64_t>& threadgroup_bytes);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  int64_t max_group() const;

 private:
  void bind(Encoder* encoder, const Parameter& p, const Argument& a) const;
  std::string name_;
  MTL::ComputePipelineState* pipeline_;
  std::vector<Parameter> parameters_;
};

std::string device_name();

// The kernels in a source.
std::vector<std::string> kernel_names(const std::string& source);

}  // namespace veem::metal
