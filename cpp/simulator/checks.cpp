// What is wrong with an access or a barrier, and the report of it.
#include <algorithm>
#include <cstring>

#include "simulator/fiber.h"
#include "simulator/grid.h"

namespace veem::simulator {
using namespace veem_msl;
namespace {

std::string text(Size s) {
  return "(" + std::to_string(s.x) + ", " + std::to_string(s.y) + ", " + std::to_string(s.z) + ")";
}
std::string bytes_text(int64_t n) { return std::to_string(n) + (n == 1 ? " byte" : " bytes"); }
const char* verb(int access) {
  return access & kAtomic ? "accesses atomically" : access & kWrite ? "writes" : "reads";
}

}  // namespace

std::string Grid::place(const void* pc) {
  Line at = module.line(pc);
  return at.file + ":" + std::to_string(at.line);
}

std::string Grid::thread_name(int index) const {
  return "thread " + text(position(index)) + " of the grid";
}

// The first fault ends the launch: all fibers are left where they are.
void Grid::fault(const std::string& what, const void* pc) {
  Size local = {current % size.x, current / size.x % size.y, current / (size.x * size.y)};
  report = place(pc) + ": " + what + "\n  kernel " + launch.kernel->name + ", " +
           thread_name(current) + ": " + text(local) + " of threadgroup " + text(group);
  leave();
}

void Grid::access(char* p, int64_t bytes, int access, const void* pc) {
  if (p >= stack && p < stack + kStackBytes) return;
  if (!options().checks) return;
  bool write = access & kWrite;
  Segment* s = memory.find(p, bytes, write);
  if (!s || (write && !s->writable)) {
    if (module.holds(p) && !write) {  // a constant of the program
      for (const FunctionConstant& c : launch.library->constants)
        if (!*c.defined && p - static_cast<char*>(c.value) < c.size && p >= c.value)
          fault(std::string("function constant ") + std::to_string(c.index) + ", " + c.name +
                    ", was given no value",
                pc);
      return;
    }
    if (s) fault("a write to " + s->name + ", which is constant", pc);
    fault("out of bounds: " + std::string(verb(access)) + " " + bytes_text(bytes) + " at " +
              memory.describe(p),
          pc);
  }
  if (!(access & kAnyAlignment) && reinterpret_cast<uintptr_t>(p) % uintptr_t(bytes))
    fault("misaligned: " + std::string(verb(access)) + " " + bytes_text(bytes) + " at " +
              memory.describe(p),
          pc);
  if (s->shadow) check_cells(*s, p, bytes, access, pc);
  constexpr int64_t kEndless = int64_t(1) << 28;
  if (++accesses > kEndless) fault("an endless loop: no barrier in 2^28 accesses to memory", pc);
  if (access & kAtomic && accesses % 256 == 0) {  // may wait for another thread: let it run
    if (++spins > 100000) fault("an endless loop: it waits for a value that nobody writes", pc);
    wait(Thread::Ready, 0, pc);
  }
}

// Whether an access now is not ordered after one that was.
bool Grid::races(const Segment& s, const Record& before, bool atomic) const {
  if (!before.time || (atomic && before.atomic)) return false;
  bool local = s.kind == Segment::Threadgroup;
  if (before.time < group_time) return !local;  // another threadgroup's
  if (before.thread == current) return false;
  if (before.time < (local ? threadgroup_fence : device_fence)) return false;
  if (before.thread / kSimdWidth != current / kSimdWidth) return true;
  const SimdGroup& simd = simdgroups[size_t(current / kSimdWidth)];
  return before.simd_time >= (local ? simd.threadgroup_fence : simd.device_fence);
}

bool Grid::check_cells(Segment& s, char* p, int64_t bytes, int access, const void* pc) {
  Shadow& shadow = *s.shadow;
  int64_t offset = p - shadow.begin;
  while (offset % shadow.unit || bytes % shadow.unit) shadow.refine(shadow.unit / 2);
  bool write = access & kWrite, atomic = access & kAtomic;
  Record now{time, uint32_t(reinterpret_cast<uint64_t>(pc) - module.base), uint16_t(current),
             atomic, simdgroups[size_t(current / kSimdWidth)].time};
  for (int64_t i = offset; i < offset + bytes; i += shadow.unit) {
    Cell& cell = shadow.cells[i / shadow.unit];
    char* at = shadow.begin + i;
    if (races(s, cell.writer, atomic)) race(s, at, access, pc, cell.writer, true);
    if (write) {
      for (Record& r : cell.readers)
        if (races(s, r, atomic)) race(s, at, access, pc, r, false);
      cell.writer = now;
    } else {
      if (s.kind == Segment::Threadgroup && cell.writer.time < group_time)
        fault("uninitialised: reads " + bytes_text(bytes) + " at " + memory.describe(at, false) +
                  ", which no thread of this threadgroup has written so far" +
                  (time == group_time ? "; no barrier was passed yet" : ""),
              pc);
      Record& r = cell.readers[races(s, cell.readers[0], false)];
      if (!races(s, r, false)) r = now;  // else two are there that this one is not ordered after
    }
  }
  return true;
}

void Grid::race(const Segment& s, char* p, int access, const void* pc, const Record& before,
                bool wrote) {
  std::string other, why;
  const void* before_pc = reinterpret_cast<const void*>(module.base + before.pc);
  if (before.time < group_time) {
    auto after = std::upper_bound(group_starts.begin(), group_starts.end(), before.time,
                                  [](uint32_t t, const Start& start) { return t < start.time; });
    int64_t g = after[-1].group;
    other = "thread " + std::to_string(before.thread) + " of threadgroup " +
            text({g % groups.x, g / groups.x % groups.y, g / (groups.x * groups.y)});
    why = "threadgroups run in any order";
  } else {
    other = thread_name(before.thread);
    const char* flag = s.kind == Segment::Threadgroup ? "mem_threadgroup" : "mem_device";
    why = before.time < time
              ? std::string("the barrier between them does not have mem_flags::") + flag
              : "no barrier between them";
  }
  fault("data race: " + std::string(verb(access)) + " " + memory.describe(p, false) + ", which " +
            other +
            (before.atomic ? " has accessed atomically"
             : wrote       ? " has written"
                           : " has read") +
            " at " + place(before_pc) + ": " + why,
        pc);
}

void Grid::diverged(const char* barrier, int waiting, int other) {
  const Thread& t = threads[size_t(other)];
  std::string does = t.state == Thread::Finished ? "has returned" : "waits at " + place(t.pc);
  Line at = module.line(threads[size_t(waiting)].pc);
  report = at.file + ":" + std::to_string(at.line) +
           ": divergent barrier: " + thread_name(waiting) + " waits at " + barrier + ", while " +
           thread_name(other) + " " + does + "\n  kernel " + launch.kernel->name +
           ", threadgroup " + text(group) + ": all threads of the " +
           (std::strncmp(barrier, "simd", 4) == 0 ? "SIMD-group" : "threadgroup") +
           " must come to the same barrier";
}

const Lanes* Grid::exchange(const void* value, int bytes, const void* pc) {
  Thread& t = threads[size_t(current)];
  std::memcpy(t.value, value, size_t(bytes));
  wait(Thread::Collective, 0, pc);
  Lanes& lanes = simdgroups[size_t(current / kSimdWidth)].lanes;
  lanes.lane = uint32_t(current % kSimdWidth);
  return &lanes;
}

void* Grid::variable(int id, const char* name, int64_t bytes, int64_t alignment) {
  void*& place = variables[id];
  if (!place) {
    place = memory.allocate(bytes, alignment);
    memory.add(Segment::Threadgroup, static_cast<char*>(place), bytes, true, int(alignment),
               std::string("threadgroup variable ") + name);
    if (memory.threadgroup_bytes() > kMaxThreadgroupMemory)
      fault("the kernel's threadgroup memory is over " + std::to_string(kMaxThreadgroupMemory) +
                " bytes",
            __builtin_return_address(0));
  }
  return place;
}

}  // namespace veem::simulator
