// Runs a Metal kernel on the CPU: its source translated to C++, a fiber for each thread, every
// access to memory checked. The classes of software Metal (classes.cpp) stand on this.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace veem::simulator {

// How kernels run; VEEM_SIMULATOR="checks=off order=reverse seed=7 fast_math=on" sets them.
struct Options {
  enum Order { Forward, Reverse, Shuffled };
  bool checks = true;
  Order order = Forward;
  uint64_t seed = 0;  // of Shuffled
  bool fast_math = false;
};
Options& options();

// What a kernel's source says of one parameter that is bound.
struct Parameter {
  enum Kind { Device, Constant, Threadgroup } kind;
  int index;                // [[buffer(index)]] or [[threadgroup(index)]]
  const char* name;         // as in the source
  const char* type;         // of an element, as in the source
  int64_t size, alignment;  // bytes of an element
  bool reference;           // one element, all of which must be bound
  bool writable;
};

struct FunctionConstant {
  const char* name;
  int index;
  int64_t size;
  void* value;  // where the translated code reads it
  bool* defined;
};

struct Kernel {
  const char* name;
  const char* file;  // the .metal file, from #line
  int line;
  std::vector<Parameter> parameters;
  std::vector<int> arguments;             // of entry: an index of parameters, or -1 - an attribute
  void (*entry)(void* const* arguments);  // one thread's run: a pointer to each argument
};

std::string& python();  // the interpreter that translates; "python3" if not set

struct CompileError : std::runtime_error {
  using runtime_error::runtime_error;
};

// The translation of one source. Those of veem's own kernels are made when it is built and found
// by the hash of their text; others are compiled on first use, and kept in the user's cache.
class Library {
 public:
  static std::shared_ptr<Library> load(const std::string& source);  // CompileError
  const Kernel* find(const std::string& name) const;                // null when absent
  std::vector<Kernel> kernels;
  std::vector<FunctionConstant> constants;
  std::shared_ptr<struct Module> module;  // the shared object
};

struct Size {
  int64_t x = 1, y = 1, z = 1;
};
struct ConstantValue {
  int index;
  std::vector<char> bytes;
};
// Memory that a parameter sees: exactly these bytes, from `data` on.
struct Binding {
  char* data = nullptr;
  int64_t bytes = 0;
  std::string label;  // of the MTL::Buffer, for reports
};
struct Launch {
  const Library* library;
  const Kernel* kernel;
  std::vector<ConstantValue> constants;
  Binding buffers[31];
  int64_t threadgroup_bytes[31] = {};
  Size threads, group;  // the grid in threads: whole groups, or with the last ones cut
};

// Runs it to its end. Returns "" or, at the first wrong access, the report.
std::string run(const Launch& launch);

constexpr int64_t kMaxThreadgroupMemory = 32768;
constexpr int64_t kMaxGroupThreads = 1024;
constexpr int kSimdWidth = 32;

}  // namespace veem::simulator
