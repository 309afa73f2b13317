// The families of kernels: a name and the struct that its kernel takes.
#pragma once

#include "core/args.h"

#define VEEM_FAMILIES(F)                            \
  F(elementwise, ElementwiseArgs)                   \
  F(matmul, MatmulArgs)                             \
  F(reduce, ReduceArgs)                             \
  F(scan, ScanArgs)                                 \
  F(sort, SortArgs)                                 \
  F(search, SearchArgs)                             \
  F(softmax, SoftmaxArgs)                           \
  F(copy, CopyArgs)                                 \
  F(indexed, IndexedArgs)                           \
  F(index_check, IndexCheckArgs)                    \
  F(nonzero, NonzeroArgs)                           \
  F(optim, OptimArgs)                               \
  F(probe, ProbeArgs)                               \
  F(random, RandomArgs)                             \
  F(layer_norm, LayerNormArgs)                      \
  F(layer_norm_backward, LayerNormBackwardArgs)     \
  F(channel_norm, ChannelNormArgs)                  \
  F(channel_norm_backward, ChannelNormBackwardArgs) \
  F(conv, ConvArgs)                                 \
  F(conv_transpose, ConvArgs)                       \
  F(conv_backward_weight, ConvArgs)                 \
  F(max_pool, PoolArgs)                             \
  F(max_pool_backward, PoolArgs)                    \
  F(avg_pool, PoolArgs)                             \
  F(avg_pool_backward, PoolArgs)                    \
  F(unfold, FoldArgs)                               \
  F(resample, ResampleArgs)                         \
  F(fold, FoldArgs)                                 \
  F(cross_entropy, CrossEntropyArgs)                \
  F(attention, AttentionArgs)                       \
  F(attention_backward, AttentionBackwardArgs)      \
  F(attention_mask_backward, AttentionBackwardArgs) \
  F(cross_entropy_backward, CrossEntropyArgs)

namespace veem {

// The table of a backend. An empty entry raises "softmax: not implemented on metal".
struct Kernels {
#define VEEM_FAMILY(name, Args) void (*name)(const Args&) = nullptr;
  VEEM_FAMILIES(VEEM_FAMILY)
#undef VEEM_FAMILY
};

}  // namespace veem
