// The default floating-point dtype: what numbers and integer tensors become in float ops.
#pragma once

#include "core/dtype.h"

namespace veem {

DType default_dtype();
void set_default_dtype(DType t);  // TypeError unless it is floating point

}  // namespace veem
