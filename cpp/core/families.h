// The families of kernels: a name and the struct that its kernel takes.
#pragma once

#include "core/args.h"

#define VEEM_FAMILIES(F)          \
  F(elementwise, ElementwiseArgs) \
  F(matmul, MatmulArgs)           \
  F(reduce, ReduceArgs)           \
  F(copy, CopyArgs)               \
  F(probe, ProbeArgs)             \
  F(random, RandomArgs)           \
  F(layer_norm, LayerNormArgs)    \
  F(layer_norm_backward, LayerNormBackwardArgs)

namespace veem {

// The table of a backend. An empty entry raises "softmax: not implemented on metal".
struct Kernels {
#define VEEM_FAMILY(name, Args) void (*name)(const Args&) = nullptr;
  VEEM_FAMILIES(VEEM_FAMILY)
#undef VEEM_FAMILY
};

}  // namespace veem
