// One launch as it runs: the threads of a threadgroup, its barriers, and what checks need.
#pragma once

#include <map>
#include <vector>

#include "simulator/memory.h"
#include "simulator/module.h"

namespace veem::simulator {

struct Thread {
  enum State { Ready, Barrier, SimdBarrier, Collective, Finished } state = Ready;
  int flags = 0;             // of the barrier it waits at
  const void* pc = nullptr;  // where it waits
  char* stack = nullptr;
  void* saved = nullptr;  // its stack pointer while others run
  char value[16] = {};    // that it gives to a collective
};

struct SimdGroup {
  uint32_t time = 0;  // barriers so far, and the last that ordered each memory
  uint32_t device_fence = 0, threadgroup_fence = 0;
  veem_msl::Lanes lanes;
};

struct Grid {
  explicit Grid(const Launch& launch);
  std::string run();  // the report

  // What kernels call; the current thread is that which runs.
  void access(char* p, int64_t bytes, int access, const void* pc);
  void wait(Thread::State state, int flags, const void* pc);
  const veem_msl::Lanes* exchange(const void* value, int bytes, const void* pc);
  void* variable(int id, const char* name, int64_t bytes, int64_t alignment);
  void fault(const std::string& what, const void* pc);

  void run_group(int64_t index);
  void resume(int index);
  void start_thread();
  void leave();

  bool release();
  bool release_collective(int simdgroup);
  bool release_simdgroup(int simdgroup);
  bool release_threadgroup();
  bool same_place(const void* a, const void* b);
  void diverged(const char* barrier, int waiting, int other);

  bool check_cells(Segment& s, char* p, int64_t bytes, int access, const void* pc);
  bool races(const Segment& s, const Record& before, bool atomic) const;
  void race(const Segment& s, char* p, int access, const void* pc, const Record& before,
            bool wrote);
  std::string place(const void* pc);
  std::string thread_name(int index) const;
  Size position(int index) const;
  void set(veem_msl::Attribute a, Size s) {
    values[a][0] = uint32_t(s.x), values[a][1] = uint32_t(s.y), values[a][2] = uint32_t(s.z);
  }

  const Launch& launch;
  Module& module;
  Memory memory;
  std::vector<void*> arguments;
  uint32_t values[veem_msl::kAttributes][3] = {};  // of the thread that starts
  std::map<int, void*> variables;                  // of the threadgroup, by number

  Size groups, group, size;  // how many; this one's position and its threads
  std::vector<Thread> threads;
  std::vector<SimdGroup> simdgroups;
  int current = 0;            // thread
  char* stack = nullptr;      // of the current thread
  void* scheduler = nullptr;  // resume()'s stack pointer while a thread runs
  int64_t accesses = 0;       // of the current thread since it was resumed
  int64_t spins = 0;          // times that a thread gave way at an atomic

  uint32_t time = 0, group_time = 0;  // barriers so far, and at the threadgroup's start
  uint32_t device_fence = 0, threadgroup_fence = 0;
  struct Start {
    uint32_t time;
    int64_t group;
  };
  std::vector<Start> group_starts;
  std::string report;
};

}  // namespace veem::simulator
