// Attention.
#pragma once

#include <tuple>

#include "core/ops.h"

namespace veem {

// (out, lse): softmax(q k^T * scale + mask) v for q (*, L, E), k (*, S, E), v (*, S, V) and, where
// it is not null, mask (*, L, S), whose leading dimensions broadcast; and the logarithms of the
// softmax's divisors. With causal, query i sees the keys up to i. A row that sees nothing is 0.
std::tuple<Array, Array> attention(const Array& q, const Array& k, const Array& v,
                                   const Array* mask, double scale, bool causal);

// The gradients of q, k and v, each with all leading dimensions, from that of out.
std::tuple<Array, Array, Array> attention_backward(const Array& g, const Array& q, const Array& k,
                                                   const Array& v, const Array* mask,
                                                   const Array& out, const Array& lse, double scale,
                                                   bool causal);

}  // namespace veem
