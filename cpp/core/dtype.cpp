#include "core/dtype.h"

#include <algorithm>

namespace veem {

const char* name(DType t) {
  constexpr const char* names[kDTypes] = {"bool",  "uint8",   "int8",     "int16",   "int32",
                                          "int64", "float16", "bfloat16", "float32", "float64"};
  return names[static_cast<int>(t)];
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);
  // The two pairs in which neither type holds the other's values.
  if (a == DType::UInt8 && b == DType::Int8) return DType::Int16;
  if (a == DType::Float16 && b == DType::BFloat16) return DType::Float32;
  return b;
}

bool is_supported(DType t) {
  switch (t) {
#define VEEM_CASE(T, D) case DType::D:
    VEEM_ALL_TYPES(VEEM_CASE)
#undef VEEM_CASE
    return true;
    default: return false;
  }
}

}  // namespace veem
