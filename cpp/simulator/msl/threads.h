// Threads that meet: barriers, atomics, and the collectives of SIMD-groups and quad-groups.
#pragma once
#include "math.h"
#include "runtime.h"

namespace metal {

enum class mem_flags { mem_none = 0, mem_device = 1, mem_threadgroup = 2, mem_texture = 4 };
VEEM_INLINE constexpr mem_flags operator|(mem_flags a, mem_flags b) {
  return mem_flags(int(a) | int(b));
}
enum memory_order { memory_order_relaxed };

// Neither copied into branches nor merged with another: the engine tells barriers by their place.
__attribute__((convergent, nomerge)) VEEM_RUNTIME inline void threadgroup_barrier(mem_flags flags) {
  veem_msl::library.hooks.barrier(false, int(flags), VEEM_HERE);
}
__attribute__((convergent, nomerge)) VEEM_RUNTIME inline void simdgroup_barrier(mem_flags flags) {
  veem_msl::library.hooks.barrier(true, int(flags), VEEM_HERE);
}

// Atomics. Fibers run one at a time, so they need no more than a mark.

template <class T> struct atomic {
  T value;
};
}  // namespace metal

namespace veem_msl {
template <class T>
VEEM_RUNTIME T* atomic_access(const volatile void* p, int access, const void* pc) {
#if defined(VEEM_CHECKS) && !defined(VEEM_STRICT)
  veem_msl::library.hooks.access(const_cast<const void*>(p), sizeof(T),
                                 access | veem_msl::kAtomic, pc);
#endif
  return static_cast<T*>(const_cast<void*>(p));
}
template <class T>
VEEM_RUNTIME T atomic_read(const volatile void* p) {
  return *atomic_access<T>(p, veem_msl::kRead, VEEM_HERE);
}
template <class T>
VEEM_RUNTIME void atomic_write(const volatile void* p, T value) {
  *atomic_access<T>(p, veem_msl::kWrite, VEEM_HERE) = value;
}
template <class T, class Op>
VEEM_RUNTIME T atomic_update(const volatile void* p, T value, Op op) {
  T* place = atomic_access<T>(p, veem_msl::kRead, VEEM_HERE);
  atomic_access<T>(p, veem_msl::kWrite, VEEM_HERE);
  T old = *place;
  *place = op(old, value);
  return old;
}
template <class T>
VEEM_RUNTIME bool atomic_replace(const volatile void* p, T& expected, T desired) {
  T* place = atomic_access<T>(p, veem_msl::kRead, VEEM_HERE);
  atomic_access<T>(p, veem_msl::kWrite, VEEM_HERE);
  T old = *place;
  bool same = __builtin_memcmp(&old, &expected, sizeof(T)) == 0;
  if (same) *place = desired;
  expected = old;
  return same;
}

struct Add { template <class T> T operator()(T a, T b) const { return T(a + b); } };
struct Sub { template <class T> T operator()(T a, T b) const { return T(a - b); } };
struct Mul { template <class T> T operator()(T a, T b) const { return T(a * b); } };
struct Min { template <class T> T operator()(T a, T b) const { return metal::min(a, b); } };
struct Max { template <class T> T operator()(T a, T b) const { return metal::max(a, b); } };
struct And { template <class T> T operator()(T a, T b) const { return a & b; } };
struct Or { template <class T> T operator()(T a, T b) const { return a | b; } };
struct Xor { template <class T> T operator()(T a, T b) const { return a ^ b; } };
struct Second { template <class T> T operator()(T, T b) const { return b; } };

}  // namespace veem_msl

namespace metal {
#ifdef VEEM_STRICT
#define VEEM_PLACE(p) nullptr
#else
#define VEEM_PLACE(p) p
#endif
#define VEEM_ATOMIC_UPDATE(space, name, Op)                                                     \
  template <class T>                                                                            \
  VEEM_INLINE T name(volatile space atomic<T>* p, remove_const_t<decltype(T())> value,          \
                     memory_order) {                                                            \
    return veem_msl::atomic_update<T>(VEEM_PLACE(p), value, veem_msl::Op());                                        \
  }
#define VEEM_ATOMICS(space)                                                                     \
  template <class T>                                                                            \
  VEEM_INLINE T atomic_load_explicit(const volatile space atomic<T>* p, memory_order) {         \
    return veem_msl::atomic_read<T>(VEEM_PLACE(p));                                                       \
  }                                                                                             \
  template <class T>                                                                            \
  VEEM_INLINE void atomic_store_explicit(volatile space atomic<T>* p, decltype(T()) value,      \
                                         memory_order) {                                        \
    veem_msl::atomic_write<T>(VEEM_PLACE(p), value);                                                      \
  }                                                                                             \
  template <class T>                                                                            \
  VEEM_INLINE bool atomic_compare_exchange_weak_explicit(                                       \
      volatile space atomic<T>* p, thread T* expected, decltype(T()) desired, memory_order,     \
      memory_order) {                                                                           \
    return veem_msl::atomic_replace<T>(VEEM_PLACE(p), *expected, desired);                                \
  }                                                                                             \
  VEEM_ATOMIC_UPDATE(space, atomic_exchange_explicit, Second)                                   \
  VEEM_ATOMIC_UPDATE(space, atomic_fetch_add_explicit, Add)                                     \
  VEEM_ATOMIC_UPDATE(space, atomic_fetch_sub_explicit, Sub)                                     \
  VEEM_ATOMIC_UPDATE(space, atomic_fetch_min_explicit, Min)                                     \
  VEEM_ATOMIC_UPDATE(space, atomic_fetch_max_explicit, Max)                                     \
  VEEM_ATOMIC_UPDATE(space, atomic_fetch_and_explicit, And)                                     \
  VEEM_ATOMIC_UPDATE(space, atomic_fetch_or_explicit, Or)                                       \
  VEEM_ATOMIC_UPDATE(space, atomic_fetch_xor_explicit, Xor)
VEEM_SPACES(VEEM_ATOMICS)
#undef VEEM_ATOMICS
#undef VEEM_ATOMIC_UPDATE
}  // namespace metal

namespace veem_msl {
// Collectives: each lane gives a value and sees those of the lanes that are there with it.

struct Given {
  const veem_msl::Lanes& lanes;
  template <class T> VEEM_RUNTIME T get(uint lane, const void* pc) const {
    if (lane >= veem_msl::kLanes || !(lanes.active >> lane & 1))
      veem_msl::library.hooks.fault("a value of a lane that is not active", pc);
    T x;
    __builtin_memcpy(&x, lanes.value[lane], sizeof(T));
    return x;
  }
};
template <class T>
VEEM_RUNTIME Given give(const T& value, const void* pc) {
  static_assert(sizeof(T) <= 16, "collectives take values of up to 16 bytes");
  return {*veem_msl::library.hooks.exchange(&value, sizeof(T), pc)};
}

// All active lanes from `first` to `last`, in pairs of neighbours first, as a tree.
template <class T, class Op>
VEEM_RUNTIME T fold(Given given, Op op, uint first, uint last, const void* pc) {
  T values[veem_msl::kLanes];
  int n = 0;
  for (uint i = first; i < last; ++i)
    if (given.lanes.active >> i & 1) values[n++] = given.get<T>(i, pc);
  for (; n > 1; n = (n + 1) / 2)
    for (int i = 0; i < n; i += 2)
      values[i / 2] = i + 1 < n ? op(values[i], values[i + 1]) : values[i];
  return values[0];
}
template <class T, class Op>
VEEM_RUNTIME T simd_fold(T value, Op op) {
  return fold<T>(give(value, VEEM_HERE), op, 0, veem_msl::kLanes, VEEM_HERE);
}
template <class T, class Op>
VEEM_RUNTIME T quad_fold(T value, Op op) {
  Given given = give(value, VEEM_HERE);
  uint first = given.lanes.lane & ~3u;
  return fold<T>(given, op, first, first + 4, VEEM_HERE);
}
template <class T, class Op>
VEEM_RUNTIME T simd_scan(T value, Op op, bool inclusive, T start) {
  Given given = give(value, VEEM_HERE);
  T sum = start;
  for (uint i = 0; i < given.lanes.lane + inclusive; ++i)
    if (given.lanes.active >> i & 1) sum = op(sum, given.get<T>(i, VEEM_HERE));
  return sum;
}

// Shuffles. `from` tells the lane to read; a lane outside of the group leaves the value.
enum class Shuffle { At, Xor, Up, Down, RotateUp, RotateDown };
template <class T>
VEEM_RUNTIME T shuffle(T value, Shuffle how, uint by, uint width) {
  Given given = give(value, VEEM_HERE);
  uint at = given.lanes.lane & (width - 1), first = given.lanes.lane - at;
  int from = how == Shuffle::At ? int(by)
             : how == Shuffle::Xor ? int(at ^ by)
             : how == Shuffle::Up || how == Shuffle::RotateUp ? int(at) - int(by)
                                                              : int(at + by);
  if (how >= Shuffle::RotateUp) from = from & int(width - 1);
  else if (how >= Shuffle::Up && (from < 0 || from >= int(width))) return value;
  return given.get<T>(from < 0 || from >= int(width) ? 99 : first + uint(from), VEEM_HERE);
}

// A bit for each active lane, or for those that give true.
template <class T>
VEEM_RUNTIME ulong ballot(T x, bool active) {
  Given given = give(x, VEEM_HERE);
  ulong bits = 0;
  for (uint i = 0; i < veem_msl::kLanes; ++i)
    if (given.lanes.active >> i & 1 && (active || given.get<T>(i, VEEM_HERE))) bits |= 1ul << i;
  return bits;
}
}  // namespace veem_msl

namespace metal {
#define VEEM_FOLD(name, Op)                                                                        \
  template <class T> VEEM_INLINE T simd_##name(T x) { return veem_msl::simd_fold(x, veem_msl::Op()); } \
  template <class T> VEEM_INLINE T quad_##name(T x) { return veem_msl::quad_fold(x, veem_msl::Op()); }
VEEM_FOLD(sum, Add) VEEM_FOLD(product, Mul) VEEM_FOLD(min, Min) VEEM_FOLD(max, Max)
VEEM_FOLD(and, And) VEEM_FOLD(or, Or) VEEM_FOLD(xor, Xor)
#undef VEEM_FOLD
template <class T> VEEM_INLINE T simd_prefix_inclusive_sum(T x) {
  return veem_msl::simd_scan(x, veem_msl::Add(), true, T(0));
}
template <class T> VEEM_INLINE T simd_prefix_exclusive_sum(T x) {
  return veem_msl::simd_scan(x, veem_msl::Add(), false, T(0));
}
template <class T> VEEM_INLINE T simd_prefix_inclusive_product(T x) {
  return veem_msl::simd_scan(x, veem_msl::Mul(), true, T(1));
}
template <class T> VEEM_INLINE T simd_prefix_exclusive_product(T x) {
  return veem_msl::simd_scan(x, veem_msl::Mul(), false, T(1));
}

#define VEEM_SHUFFLE(name, how)                                                 \
  template <class T> VEEM_INLINE T simd_##name(T x, ushort n) {                 \
    return veem_msl::shuffle(x, veem_msl::Shuffle::how, n, 32);                                     \
  }                                                                             \
  template <class T> VEEM_INLINE T quad_##name(T x, ushort n) {                 \
    return veem_msl::shuffle(x, veem_msl::Shuffle::how, n, 4);                                      \
  }
VEEM_SHUFFLE(shuffle, At) VEEM_SHUFFLE(broadcast, At) VEEM_SHUFFLE(shuffle_xor, Xor)
VEEM_SHUFFLE(shuffle_up, Up) VEEM_SHUFFLE(shuffle_down, Down)
VEEM_SHUFFLE(shuffle_rotate_up, RotateUp) VEEM_SHUFFLE(shuffle_rotate_down, RotateDown)
#undef VEEM_SHUFFLE

struct simd_vote {
  using vote_t = ulong;
  vote_t bits;
  explicit simd_vote(vote_t v = 0) : bits(v) {}
  explicit operator vote_t() const { return bits; }
  bool all() const { return bits == 0xffffffff; }
  bool any() const { return bits != 0; }
};
VEEM_INLINE simd_vote simd_ballot(bool x) { return simd_vote(veem_msl::ballot(x, false)); }
VEEM_INLINE simd_vote simd_active_threads_mask() { return simd_vote(veem_msl::ballot(true, true)); }
VEEM_INLINE bool simd_any(bool x) { return veem_msl::simd_fold(uint(x), veem_msl::Or()); }
VEEM_INLINE bool simd_all(bool x) { return veem_msl::simd_fold(uint(x), veem_msl::And()); }
VEEM_INLINE bool quad_any(bool x) { return veem_msl::quad_fold(uint(x), veem_msl::Or()); }
VEEM_INLINE bool quad_all(bool x) { return veem_msl::quad_fold(uint(x), veem_msl::And()); }
VEEM_RUNTIME inline bool simd_is_first() {
  veem_msl::Given given = veem_msl::give(0u, VEEM_HERE);
  return uint(__builtin_ctz(given.lanes.active)) == given.lanes.lane;
}
template <class T>
VEEM_RUNTIME T simd_broadcast_first(T x) {
  veem_msl::Given given = veem_msl::give(x, VEEM_HERE);
  return given.get<T>(uint(__builtin_ctz(given.lanes.active)), VEEM_HERE);
}

}  // namespace metal

using atomic_int = metal::atomic<int>;
using atomic_uint = metal::atomic<uint>;
using atomic_bool = metal::atomic<bool>;
using atomic_float = metal::atomic<float>;
using atomic_ulong = metal::atomic<ulong>;
using metal::mem_flags;
using metal::memory_order;
using metal::memory_order_relaxed;
