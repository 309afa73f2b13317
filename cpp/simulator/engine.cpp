// Runs a launch: threadgroup by threadgroup, each thread a fiber that goes on until it ends or
// waits at a barrier or a collective. When all wait, whoever can be released goes on.
#include "simulator/engine.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <numeric>
#include <random>
#include <sstream>

#include "simulator/fault.h"
#include "simulator/fiber.h"
#include "simulator/grid.h"

namespace veem::simulator {

namespace {

// "checks=off order=reverse seed=7 fast_math=on": any of them.
Options parse(const char* text) {
  Options o;
  std::istringstream words(text ? text : "");
  for (std::string word; words >> word;) {
    if (word == "checks=on" || word == "checks=off") o.checks = word == "checks=on";
    else if (word == "fast_math=on" || word == "fast_math=off") o.fast_math = word.back() == 'n';
    else if (word == "order=forward") o.order = Options::Forward;
    else if (word == "order=reverse") o.order = Options::Reverse;
    else if (word == "order=shuffled") o.order = Options::Shuffled;
    else if (word.rfind("seed=", 0) == 0) {
      o.order = Options::Shuffled;
      o.seed = std::strtoull(word.c_str() + 5, nullptr, 10);
    } else {
      throw std::invalid_argument("VEEM_SIMULATOR: '" + word + "' is none of checks=on|off, " +
                                  "order=forward|reverse|shuffled, seed=N, fast_math=on|off");
    }
  }
  return o;
}

}  // namespace

Options& options() {
  static Options o = parse(std::getenv("VEEM_SIMULATOR"));
  return o;
}

namespace {
Grid* grid;  // of the launch that runs; one at a time
StackPool stacks;

std::vector<int> in_order(int64_t n, uint64_t salt) {
  std::vector<int> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  const Options& o = options();
  if (o.order == Options::Reverse) std::reverse(order.begin(), order.end());
  if (o.order == Options::Shuffled)
    std::shuffle(order.begin(), order.end(), std::mt19937_64(o.seed * 1000003 + salt));
  return order;
}

Size at(int64_t index, Size extent) {
  return {index % extent.x, index / extent.x % extent.y, index / (extent.x * extent.y)};
}

}  // namespace

Grid::Grid(const Launch& l) : launch(l), module(*l.library->module) {
  const Kernel& kernel = *l.kernel;
  arguments.resize(kernel.arguments.size());
  std::vector<Segment*> bound(arguments.size());
  for (size_t i = 0; i < kernel.arguments.size(); ++i) {
    int a = kernel.arguments[i];
    if (a < 0) {
      arguments[i] = values[-1 - a];
      continue;
    }
    const Parameter& p = kernel.parameters[size_t(a)];
    if (p.kind == Parameter::Threadgroup) {
      int64_t bytes = l.threadgroup_bytes[p.index];
      std::string name = "[[threadgroup(" + std::to_string(p.index) + ")]] " + p.name;
      arguments[i] = memory.allocate(bytes, p.alignment);
      memory.add(Segment::Threadgroup, static_cast<char*>(arguments[i]), bytes, true,
                 int(p.alignment), name);
    } else {
      const Binding& b = l.buffers[p.index];
      std::string name = "[[buffer(" + std::to_string(p.index) + ")]] " + p.name;
      if (!b.label.empty()) name += " (\"" + b.label + "\")";
      bound[i] = &memory.add(Segment::Buffer, b.data, b.bytes, p.writable, int(p.alignment), name);
    }
  }
  if (options().checks) memory.move_apart();
  for (size_t i = 0; i < bound.size(); ++i)
    if (bound[i]) arguments[i] = bound[i]->begin;
  for (auto& c : l.library->constants) *c.defined = false;
  for (auto& v : l.constants)
    for (auto& c : l.library->constants)
      if (c.index == v.index) {
        std::memcpy(c.value, v.bytes.data(), std::min(v.bytes.size(), size_t(c.size)));
        *c.defined = true;
      }
  for (auto* d = module.raw->derived; d; d = d->next) d->compute();
}

std::string Grid::run() {
  auto count = [](int64_t n, int64_t by) { return (n + by - 1) / by; };
  groups = {count(launch.threads.x, launch.group.x), count(launch.threads.y, launch.group.y),
            count(launch.threads.z, launch.group.z)};
  set(veem_msl::kThreadsPerGrid, launch.threads);
  set(veem_msl::kDispatchThreadsPerThreadgroup, launch.group);
  set(veem_msl::kThreadgroupsPerGrid, groups);
  set(veem_msl::kThreadsPerSimdgroup, {kSimdWidth, 1, 1});
  for (int index : in_order(groups.x * groups.y * groups.z, 1)) {
    run_group(index);
    for (Thread& t : threads)
      if (t.stack) stacks.give_back(t.stack), t.stack = nullptr;
    if (!report.empty()) break;
  }
  memory.move_back();
  return report;
}

void Grid::run_group(int64_t index) {
  group = at(index, groups);
  Size first = {group.x * launch.group.x, group.y * launch.group.y, group.z * launch.group.z};
  size = {std::min(launch.group.x, launch.threads.x - first.x),
          std::min(launch.group.y, launch.threads.y - first.y),
          std::min(launch.group.z, launch.threads.z - first.z)};
  int64_t n = size.x * size.y * size.z;
  set(veem_msl::kThreadgroupPositionInGrid, group);
  set(veem_msl::kThreadsPerThreadgroup, size);
  set(veem_msl::kSimdgroupsPerThreadgroup, {(n + kSimdWidth - 1) / kSimdWidth, 1, 1});
  group_time = ++time;
  group_starts.push_back({time, index});
  device_fence = threadgroup_fence = time;
  threads.assign(size_t(n), Thread());
  simdgroups.assign(size_t((n + kSimdWidth - 1) / kSimdWidth), SimdGroup());
  spins = 0;
  std::vector<int> order = in_order(n, uint64_t(index) + 2);
  for (int left = int(n); left;) {
    for (int t : order) {
      if (threads[size_t(t)].state != Thread::Ready) continue;
      resume(t);
      if (!report.empty()) return;
      if (threads[size_t(t)].state == Thread::Finished) --left, spins = 0;
    }
    if (left && !release()) return;
  }
}

// Goes on with a thread until it waits or ends.
void Grid::resume(int index) {
  Thread& t = threads[size_t(index)];
  current = index;
  if (!t.stack) {
    t.stack = stacks.take();
    t.saved = prepare_stack(t.stack, [] {
      grid->start_thread();
      grid->leave();
    });
  }
  stack = t.stack;
  accesses = 0;
  veem_switch_stack(&scheduler, t.saved);
  if (t.state == Thread::Finished) stacks.give_back(t.stack), t.stack = nullptr;
}

void Grid::start_thread() {
  Size p = at(current, size);
  set(veem_msl::kThreadPositionInThreadgroup, p);
  set(veem_msl::kThreadPositionInGrid, position(current));
  set(veem_msl::kThreadIndexInThreadgroup, {current, 1, 1});
  set(veem_msl::kThreadIndexInSimdgroup, {current % kSimdWidth, 1, 1});
  set(veem_msl::kSimdgroupIndexInThreadgroup, {current / kSimdWidth, 1, 1});
  set(veem_msl::kThreadIndexInQuadgroup, {current % 4, 1, 1});
  set(veem_msl::kQuadgroupIndexInThreadgroup, {current / 4, 1, 1});
  launch.kernel->entry(arguments.data());
  threads[size_t(current)].state = Thread::Finished;
}

// From a thread back to resume().
void Grid::leave() { veem_switch_stack(&threads[size_t(current)].saved, scheduler); }

Size Grid::position(int index) const {
  Size p = at(index, size);
  return {group.x * launch.group.x + p.x, group.y * launch.group.y + p.y,
          group.z * launch.group.z + p.z};
}

void Grid::wait(Thread::State state, int flags, const void* pc) {
  Thread& t = threads[size_t(current)];
  t.state = state;
  t.flags = flags;
  t.pc = pc;
  leave();
}

// Two returns from calls are the same place if they are one instruction or one line.
bool Grid::same_place(const void* a, const void* b) {
  if (a == b) return true;
  Line x = module.line(a), y = module.line(b);
  return x.line == y.line && x.file == y.file;
}

// Every thread waits or has ended: lets those go on that have all they waited for.
bool Grid::release() {
  bool released = false;
  for (Thread& t : threads) released |= t.state == Thread::Ready;  // gave way at an atomic
  for (size_t s = 0; s < simdgroups.size(); ++s) released |= release_collective(int(s));
  if (released) return true;
  for (size_t s = 0; s < simdgroups.size(); ++s) {
    released |= release_simdgroup(int(s));
    if (!report.empty()) return false;
  }
  if (released) return true;
  return release_threadgroup();
}

// The lanes that wait at one collective together see each other's values.
bool Grid::release_collective(int s) {
  SimdGroup& simd = simdgroups[size_t(s)];
  size_t first = size_t(s) * kSimdWidth, last = std::min(first + kSimdWidth, threads.size());
  const Thread* leader = nullptr;
  simd.lanes.active = 0;
  for (size_t i = first; i < last; ++i) {
    Thread& t = threads[i];
    if (t.state != Thread::Collective) continue;
    if (!leader) leader = &t;
    else if (!same_place(t.pc, leader->pc)) continue;
    std::memcpy(simd.lanes.value[i - first], t.value, sizeof t.value);
    simd.lanes.active |= 1u << (i - first);
    t.state = Thread::Ready;
  }
  return leader;
}

bool Grid::release_simdgroup(int s) {
  SimdGroup& simd = simdgroups[size_t(s)];
  size_t first = size_t(s) * kSimdWidth, last = std::min(first + kSimdWidth, threads.size());
  Thread* waiting = nullptr;
  for (size_t i = first; i < last; ++i)
    if (threads[i].state == Thread::SimdBarrier) waiting = &threads[i];
  if (!waiting) return false;
  for (size_t i = first; i < last; ++i) {
    Thread& t = threads[i];
    if (t.state == Thread::SimdBarrier && same_place(t.pc, waiting->pc)) continue;
    diverged("simdgroup_barrier", int(waiting - threads.data()), int(i));
    return false;
  }
  ++simd.time;
  if (waiting->flags & 1) simd.device_fence = simd.time;
  if (waiting->flags & 2) simd.threadgroup_fence = simd.time;
  for (size_t i = first; i < last; ++i) threads[i].state = Thread::Ready;
  return true;
}

bool Grid::release_threadgroup() {
  auto waits = [](const Thread& t) { return t.state == Thread::Barrier; };
  Thread& leader = *std::find_if(threads.begin(), threads.end(), waits);
  for (Thread& t : threads)
    if (!waits(t) || !same_place(t.pc, leader.pc)) {
      diverged("threadgroup_barrier", int(&leader - threads.data()), int(&t - threads.data()));
      return false;
    }
  ++time;
  if (leader.flags & 1) device_fence = time;
  if (leader.flags & 2) threadgroup_fence = time;
  for (Thread& t : threads) t.state = Thread::Ready;
  return true;
}

std::string run(const Launch& given) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  Launch launch = given;  // with the library's variant that the options ask for, now
  std::shared_ptr<Library> library;
  try {
    library = Library::load(given.library->module->source);
  } catch (const CompileError& error) {
    return error.what();
  }
  launch.library = library.get();
  launch.kernel = library->find(given.kernel->name);
  Grid g(launch);
  grid = &g;
  FaultGuard guard([](const char* what, const void* pc) { grid->fault(what, pc); });
  std::string report = g.run();
  grid = nullptr;
  return report;
}

veem_msl::Hooks hooks() {
  veem_msl::Hooks h;
  h.access = [](const void* p, long bytes, int access, const void* pc) {
    if (grid) grid->access(static_cast<char*>(const_cast<void*>(p)), bytes, access, pc);
  };
  h.barrier = [](bool simdgroup, int flags, const void* pc) {
    grid->wait(simdgroup ? Thread::SimdBarrier : Thread::Barrier, flags, pc);
  };
  h.exchange = [](const void* value, int bytes, const void* pc) -> const veem_msl::Lanes* {
    return grid->exchange(value, bytes, pc);
  };
  h.variable = [](int id, const char* name, long bytes, long alignment) {
    return grid->variable(id, name, bytes, alignment);
  };
  h.fault = [](const char* what, const void* pc) { grid->fault(what, pc); };
  return h;
}

}  // namespace veem::simulator
