// What a translated kernel and the engine know of each other: plain data, included by both. A
// library is a shared object with three lists and a place for the engine's functions.
#pragma once

namespace veem_msl {

// Attributes of a thread in a grid, each three uints: [[thread_position_in_grid]] and so on.
enum Attribute {
  kThreadPositionInGrid,
  kThreadPositionInThreadgroup,
  kThreadgroupPositionInGrid,
  kThreadsPerGrid,
  kThreadsPerThreadgroup,
  kDispatchThreadsPerThreadgroup,
  kThreadgroupsPerGrid,
  kThreadIndexInThreadgroup,
  kThreadIndexInSimdgroup,
  kSimdgroupIndexInThreadgroup,
  kThreadsPerSimdgroup,
  kSimdgroupsPerThreadgroup,
  kThreadIndexInQuadgroup,
  kQuadgroupIndexInThreadgroup,
  kAttributes
};

// Spaces of a parameter; what is not bound memory is an attribute.
enum Space { kDevice, kConstant, kThreadgroup, kAttribute };

struct Parameter {
  const char* name;
  const char* type;
  Space space;
  int index;  // of the buffer, or the Attribute
  long size, alignment;
  bool reference, writable;
};

struct Kernel {
  const char *name, *file;
  int line;
  const Parameter* parameters;
  int count;
  void (*entry)(void* const* arguments);  // one pointer per parameter
  Kernel* next;
};

struct Constant {
  const char* name;
  int index;
  long size;
  void* value;
  bool* defined;
  Constant* next;
};

// A constant computed from others, after these are set.
struct Derived {
  void (*compute)();
  Derived* next;
};

constexpr int kLanes = 32;

// What the lanes of a SIMD-group gave to a collective.
struct Lanes {
  unsigned active;  // a bit per lane that takes part
  unsigned lane;    // this thread's
  alignas(16) char value[kLanes][16];
};

enum Access { kRead = 0, kWrite = 1, kAtomic = 2, kAnyAlignment = 4, kWriteAnyAlignment = 5 };

struct Hooks {
  // Before each access to memory that other threads may see. Does not return from a wrong one.
  void (*access)(const void* address, long bytes, int access, const void* pc);
  // Waits for the threads of the threadgroup or SIMD-group; flags are mem_flags.
  void (*barrier)(bool simdgroup, int flags, const void* pc);
  const Lanes* (*exchange)(const void* value, int bytes, const void* pc);
  // The place of a threadgroup variable; `id` is its number in the library.
  void* (*variable)(int id, const char* name, long bytes, long alignment);
  // A fault found by code in the kernel, described; does not return.
  void (*fault)(const char* what, const void* pc);
};

struct Library {
  Kernel* kernels;
  Constant* constants;
  Derived* derived;
  Hooks hooks;
};

}  // namespace veem_msl
