// The families of kernels: a name and the struct that its kernel takes.
#pragma once

#include "core/args.h"

#define VEEM_FAMILIES(F)                        \
  F(elementwise, ElementwiseArgs)               \
  F(matmul, MatmulArgs)                         \
  F(reduce, ReduceArgs)                         \
  F(softmax, SoftmaxArgs)                       \
  F(copy, CopyArgs)                             \
  F(indexed, IndexedArgs)                       \
  F(index_check, IndexCheckArgs)                \
  F(nonzero, NonzeroArgs)                       \
  F(optim, OptimArgs)                           \
  F(probe, ProbeArgs)                           \
  F(random, RandomArgs)                         \
  F(layer_norm, LayerNormArgs)                  \
  F(layer_norm_backward, LayerNormBackwardArgs) \
  F(conv2d, ConvArgs)                           \
  F(conv2d_backward_input, ConvArgs)            \
  F(conv2d_backward_weight, ConvArgs)           \
  F(max_pool2d, PoolArgs)                       \
  F(max_pool2d_backward, PoolArgs)              \
  F(cross_entropy, CrossEntropyArgs)            \
  F(cross_entropy_backward, CrossEntropyArgs)

namespace veem {

// The table of a backend. An empty entry raises "softmax: not implemented on metal".
struct Kernels {
#define VEEM_FAMILY(name, Args) void (*name)(const Args&) = nullptr;
  VEEM_FAMILIES(VEEM_FAMILY)
#undef VEEM_FAMILY
};

}  // namespace veem
