// Element types: names, sizes, and PyTorch's promotion between them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "core/half.h"

namespace veem {

// In order of promotion within a category.
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

// The dtype in which elements of t are computed on the CPU, and in elementwise ops and reductions
// everywhere: halves are widened as they are read and rounded once, where the result is written.
// Integers wrap around to the same bits.
constexpr DType compute_type(DType t) {
  return t == DType::Float16 || t == DType::BFloat16                  ? DType::Float32
         : t == DType::UInt8 || t == DType::Int8 || t == DType::Int16 ? DType::Int32
                                                                      : t;
}

const char* name(DType t);  // "float32"

double largest_finite(DType t);  // of a float dtype

// Of an integer dtype or bool.
struct WholeRange {
  int64_t least, most;
};
constexpr WholeRange whole_range(DType t) {
  if (t == DType::Bool) return {0, 1};
  if (t == DType::UInt8) return {0, 255};
  int64_t most = static_cast<int64_t>((uint64_t{1} << (8 * item_size(t) - 1)) - 1);
  return {-most - 1, most};
}

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

// Types that elements are stored in, and those that they are computed in. What is needed for each
// dtype is stamped out from these lists.
#define VEEM_FLOAT_TYPES(X) X(float, Float32) X(double, Float64)
#define VEEM_INTEGER_TYPES(X) X(int32_t, Int32) X(int64_t, Int64)
#define VEEM_COMPUTE_TYPES(X) X(bool, Bool) VEEM_INTEGER_TYPES(X) VEEM_FLOAT_TYPES(X)
#define VEEM_ALL_TYPES(X) \
  VEEM_COMPUTE_TYPES(X)   \
  X(uint8_t, UInt8) X(int8_t, Int8) X(int16_t, Int16) X(Float16, Float16) X(BFloat16, BFloat16)

template <class T> struct Tag {
  using type = T;
};

// dispatch(dtype, [&](auto tag) { using T = typename decltype(tag)::type; ... })
#define VEEM_CASE(T, D) \
  case DType::D: return f(Tag<T>{});
template <class F>
inline auto dispatch(DType t, F&& f) {
  switch (t) { VEEM_ALL_TYPES(VEEM_CASE) }
  __builtin_unreachable();
}
#undef VEEM_CASE

}  // namespace veem
