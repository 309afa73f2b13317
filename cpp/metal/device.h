// What launches Metal kernels: libraries of source compiled on first use, pipelines kept by name
// and constants, and one open command buffer that takes dispatches until somebody waits.
//
//   Encoder e("softmax", "softmax_float", {looped});      // family, kernel, function constants
//   e.buffer(args.in, bytes).buffer(args.out, bytes).args(SoftmaxShape{n, inner});
//   e.groups({rows}, {256});                              // [[buffer(0)]], (1), (2)
#pragma once

#include <initializer_list>
#include <mutex>
#include <string>

#include "core/args.h"

namespace MTL { class ComputePipelineState; }

namespace veem::metal {

struct Grid {
  int64_t x = 1, y = 1, z = 1;
};

// Binds what a kernel takes, in the order of its [[buffer(i)]], then dispatches it once.
class Encoder {
 public:
  // The constants are ints: [[function_constant(i)]] is the i-th of them.
  Encoder(const char* family, const std::string& kernel, std::initializer_list<int> constants = {});
  explicit Encoder(MTL::ComputePipelineState* pipeline);  // of a user's kernel
  Encoder(const Encoder&) = delete;
  ~Encoder();

  // Memory from its first element on; the kernel touches at most `bytes` of it. Memory without
  // data binds a stand-in, which the kernel must not touch.
  Encoder& buffer(const Memory& memory, int64_t bytes);
  template <class T>
  Encoder& args(const T& value) {  // constant T& name [[buffer(i)]]; at most 4096 bytes
    return bytes(&value, sizeof value);
  }
  Encoder& bytes(const void* value, int64_t size);
  Encoder& threadgroup(int64_t bytes);  // [[threadgroup(0)]], then (1) ...
  Encoder& at(int index) {  // goes on from this index, of buffers or of threadgroup memory
    next_ = next_threadgroup_ = index;
    return *this;
  }

  void threads(Grid grid, Grid group);  // so many threads in all; the last groups are cut
  void groups(Grid count, Grid group);  // so many whole threadgroups
  void threads(int64_t n);              // in one dimension, in groups as large as useful
  int64_t max_group() const;            // threads that a group of this kernel can have

 private:
  std::unique_lock<std::recursive_mutex> lock_;  // one dispatch is encoded at a time
  MTL::ComputePipelineState* pipeline_;
  int next_ = 0, next_threadgroup_ = 0;
};

// What the GPU has: kernels that use it have a plain variant beside them. VEEM_METAL_PLAIN=1
// chooses the plain ones everywhere.
bool has_simd_reductions();   // simd_sum and its like
bool has_simdgroup_matrix();  // simdgroup_float8x8
constexpr int kSimdWidth = 32;

// "float", "half", "bfloat", "long", "int", "short", "char", "uchar", "bool": MSL's name.
const char* type_name(DType t);

// Bytes from the first element to the last of a strided operand.
int64_t extent(const Operand& o, const int64_t* shape, int ndim);

// Faults found on the GPU. A kernel that meets a bad index calls record_fault (kernels/fault.h)
// with this memory and the number that note_check gave; the host raises it when it next waits.
Memory fault_memory();
int64_t fault_bytes();
int note_check(const IndexCheckArgs& args);

}  // namespace veem::metal
