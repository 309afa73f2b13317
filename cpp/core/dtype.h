// Element types: names, sizes, and PyTorch's promotion between them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/error.h"

namespace veem {

// In order of promotion within a category. Float16 and BFloat16 have their places here.
enum class DType : uint8_t {
  Bool,
  UInt8,
  Int8,
  Int16,
  Int32,
  Int64,
  Float16,
  BFloat16,
  Float32,
  Float64
};
constexpr int kDTypes = 10;

enum class Category : uint8_t { Bool, Integer, Float };

constexpr Category category(DType t) {
  return t == DType::Bool     ? Category::Bool
         : t < DType::Float16 ? Category::Integer
                              : Category::Float;
}
constexpr bool is_float(DType t) { return category(t) == Category::Float; }

constexpr int64_t item_size(DType t) {
  constexpr int8_t sizes[kDTypes] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8};
  return sizes[static_cast<int>(t)];
}

const char* name(DType t);  // "float32"

// The dtype that both convert to: PyTorch's promote_types.
DType promote(DType a, DType b);

// A Python number among the operands. It is weak: it takes part in promotion only when its
// category is above that of every tensor.
struct Scalar {
  Category kind = Category::Float;
  union {
    double d = 0;
    int64_t i;  // integers and bools
  };
  static Scalar of(double v) {
    Scalar s;
    s.kind = Category::Float;
    s.d = v;
    return s;
  }
  static Scalar of(int64_t v) {
    Scalar s;
    s.kind = Category::Integer;
    s.i = v;
    return s;
  }
  static Scalar of(bool v) {
    Scalar s;
    s.kind = Category::Bool;
    s.i = v;
    return s;
  }
  template <class T>
  T to() const {
    return kind == Category::Float ? static_cast<T>(d) : static_cast<T>(i);
  }
};

// Types that kernels are compiled for. A kernel for "all dtypes" is stamped out from this list.
#define VEEM_FLOAT_TYPES(X) X(float, Float32) X(double, Float64)
#define VEEM_INTEGER_TYPES(X) X(uint8_t, UInt8) X(int32_t, Int32) X(int64_t, Int64)
#define VEEM_ALL_TYPES(X) X(bool, Bool) VEEM_INTEGER_TYPES(X) VEEM_FLOAT_TYPES(X)

bool is_supported(DType t);  // has kernels

template <class T> struct Tag {
  using type = T;
};

// dispatch(dtype, "op", [&](auto tag) { using T = typename decltype(tag)::type; ... })
#define VEEM_CASE(T, D) \
  case DType::D: return f(Tag<T>{});
template <class F>
inline auto dispatch(DType t, const char* op, F&& f) {
  switch (t) {
    VEEM_ALL_TYPES(VEEM_CASE)
    default: raise(ErrorKind::NotImplemented, op, "not implemented for ", name(t));
  }
}
template <class F>
inline auto dispatch_float(DType t, const char* op, F&& f) {
  switch (t) {
    VEEM_FLOAT_TYPES(VEEM_CASE)
    default:
      raise(ErrorKind::NotImplemented, op, "not implemented for ", name(t),
            "; convert to float32 or float64 first, e.g. x.float()");
  }
}
template <class F>
inline auto dispatch_integer(DType t, const char* op, F&& f) {
  switch (t) {
    VEEM_INTEGER_TYPES(VEEM_CASE)
    default: raise(ErrorKind::NotImplemented, op, "takes integers, not ", name(t));
  }
}
#undef VEEM_CASE

}  // namespace veem
