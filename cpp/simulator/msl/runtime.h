// What a translated library carries besides its kernels: the lists that the engine reads, and the
// calls that the compiler puts before each access (-fsanitize=thread), sent on to the engine.
#pragma once
#include "types.h"
#include "abi.h"

// Neither checked nor inlined, so that the return address is in the kernel.
#define VEEM_RUNTIME __attribute__((noinline, nodebug, no_sanitize("thread")))
#define VEEM_HERE __builtin_return_address(0)

#ifdef VEEM_STRICT
namespace veem_msl {
extern Library library;
template <class T> threadgroup T& variable(int id, const char* name);
}
#define is_function_constant_defined(name) (sizeof(name) != 0)
#else
#define is_function_constant_defined(name) (veem_constant_##name.is_defined)
extern "C" __attribute__((visibility("default"), used)) veem_msl::Library veem_library;
VEEM_RUNTIME inline void veem_ignore(const void*, long, int, const void*) {}  // while loading
veem_msl::Library veem_library = {nullptr, nullptr, nullptr, {veem_ignore, 0, 0, 0, 0}};

namespace veem_msl {
constexpr Library& library = veem_library;

// Where `threadgroup T name;` lives: the engine keeps such memory apart, to see it unwritten.
template <class T> VEEM_INLINE T& variable(int id, const char* name) {
  return *static_cast<T*>(library.hooks.variable(id, name, sizeof(T), alignof(T)));
}

// A kernel's function as the engine calls it: with a pointer to each argument.
template <class P> struct Argument {  // an attribute: as many uints as it has elements
  VEEM_INLINE static P get(void* p) {
    const uint* value = static_cast<const uint*>(p);
    if constexpr (elements<P>::count == 1) {
      return P(value[0]);
    } else {
      P v = {};
      for (int i = 0; i < elements<P>::count; ++i) v[i] = value[i];
      return v;
    }
  }
  using type = void;
  static constexpr long size = 0, alignment = 1;
  static constexpr bool reference = false, writable = false;
};
template <class T> struct Argument<T*> {
  VEEM_INLINE static T* get(void* p) { return static_cast<T*>(p); }
  using type = metal::remove_cv_t<T>;
  static constexpr long size = sizeof(T), alignment = alignof(T);
  static constexpr bool reference = false, writable = !metal::is_const<T>::value;
};
template <class T> struct Argument<T&> {
  VEEM_INLINE static T& get(void* p) { return *static_cast<T*>(p); }
  using type = metal::remove_cv_t<T>;
  static constexpr long size = sizeof(T), alignment = alignof(T);
  static constexpr bool reference = true, writable = !metal::is_const<T>::value;
};

// A type's name in MSL, where a template's parameter stands in the source.
template <class T> constexpr const char* type_name = nullptr;
#define VEEM_NAME(T) template <> constexpr const char* type_name<T> = #T;
#define VEEM_NAMES(T) VEEM_NAME(T) VEEM_NAME(T##2) VEEM_NAME(T##3) VEEM_NAME(T##4)
VEEM_NAMES(char) VEEM_NAMES(uchar) VEEM_NAMES(short) VEEM_NAMES(ushort)
VEEM_NAMES(int) VEEM_NAMES(uint) VEEM_NAMES(long) VEEM_NAMES(ulong)
VEEM_NAMES(float) VEEM_NAMES(half) VEEM_NAMES(bfloat) VEEM_NAME(bool)
#undef VEEM_NAMES
#undef VEEM_NAME

template <class F, F* f> struct Entry;
template <class... P, void (*f)(P...)> struct Entry<void(P...), f> {
  template <int... I> struct Indices {};
  template <int N, int... I> struct Make : Make<N - 1, N - 1, I...> {};
  template <int... I> struct Make<0, I...> { using type = Indices<I...>; };
  template <int... I>
  VEEM_RUNTIME static void call(void* const* arguments, Indices<I...>) {
    f(Argument<P>::get(arguments[I])...);
  }
  static void entry(void* const* arguments) {
    call(arguments, typename Make<sizeof...(P)>::type());
  }
  template <int... I> static void types(Parameter* out, Indices<I...>) {
    int unused[] = {0, (describe<Argument<P>>(out[I]), 0)...};
    (void)unused;
  }
  template <class A> static void describe(Parameter& p) {
    p.size = A::size, p.alignment = A::alignment;
    p.reference = A::reference, p.writable = A::writable;
    if (type_name<typename A::type>) p.type = type_name<typename A::type>;
  }
  static void types(Parameter* out) { types(out, typename Make<sizeof...(P)>::type()); }
};

template <class F, F* f, int parameters_> struct Registered : Kernel {
  Parameter storage[parameters_ + 1];
  template <class... P>
  Registered(const char* name, const char* file, int line, P... p) : storage{p..., {}} {
    Entry<F, f>::types(storage);
    *static_cast<Kernel*>(this) =
        Kernel{name, file, line, storage, parameters_, &Entry<F, f>::entry, library.kernels};
    library.kernels = this;
  }
};
struct RegisteredConstant : Constant {
  bool is_defined = false;
  template <class T>
  RegisteredConstant(const char* name, int index, T& value)
      : Constant{name, index, sizeof(T), &value, &is_defined, library.constants} {
    library.constants = this;
  }
};
struct RegisteredDerived : Derived {
  explicit RegisteredDerived(void (*compute)()) : Derived{compute, nullptr} {
    Derived** last = &library.derived;  // in the order of the source
    while (*last) last = &(*last)->next;
    *last = this;
  }
};

}  // namespace veem_msl

// The compiler's calls for arithmetic on 16 bits, which not every runtime library has.
#define VEEM_LIBRARY \
  extern "C" __attribute__((visibility("hidden"), used, nodebug, no_sanitize("thread")))
VEEM_LIBRARY float __extendhfsf2(half h) {
  uint u = __builtin_bit_cast(ushort, h), sign = (u & 0x8000) << 16, e = (u >> 10) & 31;
  uint m = u & 0x3ff;
  if (e == 31) return __builtin_bit_cast(float, sign | 0x7f800000 | m << 13);
  if (e) return __builtin_bit_cast(float, sign | (e + 112) << 23 | m << 13);
  float tiny = float(int(m)) * 0x1p-24f;
  return __builtin_bit_cast(float, sign | __builtin_bit_cast(uint, tiny));
}
VEEM_LIBRARY half __truncsfhf2(float x) {
  uint u = __builtin_bit_cast(uint, x), sign = u >> 16 & 0x8000;
  u &= 0x7fffffff;
  uint r;
  if (u > 0x7f800000) r = 0x7e00 | ((u >> 13) & 0x3ff);
  else if (u >= 0x477ff000) r = 0x7c00;
  else if (u < 0x38800000)  // subnormal: the addition rounds
    r = __builtin_bit_cast(uint, __builtin_bit_cast(float, u) + 0.5f) - 0x3f000000;
  else r = (u - 0x38000000 + 0xfff + ((u >> 13) & 1)) >> 13;
  return __builtin_bit_cast(half, ushort(sign | r));
}
#if __clang_major__ >= 17
VEEM_LIBRARY bfloat __truncsfbf2(float x) {
  uint u = __builtin_bit_cast(uint, x);
  uint r = x != x ? (u >> 16) | 0x40 : (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return __builtin_bit_cast(bfloat, ushort(r));
}
#endif

#ifdef VEEM_CHECKS
#define VEEM_TSAN VEEM_LIBRARY
#define VEEM_ACCESS(name, bytes, kind)                        \
  VEEM_TSAN void __tsan_##name(void* p) {                     \
    veem_library.hooks.access(p, bytes, veem_msl::kind, VEEM_HERE); \
  }
#define VEEM_ACCESSES(bytes)                                                     \
  VEEM_ACCESS(read##bytes, bytes, kRead) VEEM_ACCESS(write##bytes, bytes, kWrite) \
  VEEM_ACCESS(unaligned_read##bytes, bytes, kAnyAlignment)                               \
  VEEM_ACCESS(unaligned_write##bytes, bytes, kWrite)
VEEM_ACCESSES(1) VEEM_ACCESSES(2) VEEM_ACCESSES(4) VEEM_ACCESSES(8) VEEM_ACCESSES(16)
VEEM_TSAN void __tsan_init() {}
VEEM_TSAN void* __tsan_memcpy(void* to, const void* from, size_t n) {
  veem_library.hooks.access(from, n, veem_msl::kRead | veem_msl::kAnyAlignment, VEEM_HERE);
  veem_library.hooks.access(to, n, veem_msl::kWrite | veem_msl::kAnyAlignment, VEEM_HERE);
  return __builtin_memcpy(to, from, n);
}
VEEM_TSAN void* __tsan_memmove(void* to, const void* from, size_t n) {
  veem_library.hooks.access(from, n, veem_msl::kRead | veem_msl::kAnyAlignment, VEEM_HERE);
  veem_library.hooks.access(to, n, veem_msl::kWrite | veem_msl::kAnyAlignment, VEEM_HERE);
  return __builtin_memmove(to, from, n);
}
VEEM_TSAN void* __tsan_memset(void* to, int value, size_t n) {
  veem_library.hooks.access(to, n, veem_msl::kWrite | veem_msl::kAnyAlignment, VEEM_HERE);
  return __builtin_memset(to, value, n);
}
// Bounds of arrays and division by zero (-fsanitize=array-bounds,integer-divide-by-zero).
VEEM_TSAN void __ubsan_handle_out_of_bounds(void*, ulong) {
  veem_library.hooks.fault("an index outside of its array", VEEM_HERE);
}
VEEM_TSAN void __ubsan_handle_divrem_overflow(void*, ulong, ulong) {
  veem_library.hooks.fault("an integer divided by zero", VEEM_HERE);
}
#endif
#endif  // VEEM_STRICT
