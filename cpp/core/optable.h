// ops.def as C++: the enum of ops and what a row says about each.
#pragma once

#include "core/dtype.h"

namespace veem {

enum class Op : uint8_t {
#define VEEM_ELEMENTWISE(name, ...) name,
#define VEEM_REDUCTION(name, ...) name,
#include "ops.def"
};

enum class Takes : uint8_t { Any, Number, Float, Bits, Integer, Exact };
enum class Gives : uint8_t { Same, Bool, Int64, Wide };

struct OpRow {
  const char* name;
  int arity;  // 0 for a reduction
  Takes takes;
  Gives gives;
};

inline constexpr OpRow kOps[] = {
#define VEEM_ELEMENTWISE(name, arity, takes, gives) {#name, arity, Takes::takes, Gives::gives},
#define VEEM_REDUCTION(name, takes, gives) {#name, 0, Takes::takes, Gives::gives},
#include "ops.def"
};
inline constexpr int kOpCount = sizeof(kOps) / sizeof(kOps[0]);

inline constexpr const OpRow& row(Op op) { return kOps[static_cast<int>(op)]; }

// Does a formula with these `takes` get compiled for T?
constexpr bool accepts(Takes takes, DType t) {
  switch (takes) {
    case Takes::Any: return true;
    case Takes::Number: return t != DType::Bool;
    case Takes::Bits: return !is_float(t);
    case Takes::Integer: return category(t) == Category::Integer;
    default: return is_float(t);
  }
}

}  // namespace veem
