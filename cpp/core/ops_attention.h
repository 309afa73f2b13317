// Attention.
#pragma once

#include <tuple>

#include "core/ops.h"
#include "core/random.h"

namespace veem {

struct Attended {
  const Array &q, &k, &v;
  const Array* mask;  // may be null
  double scale;
  bool causal;
  double drop;
};

// (out, lse, stream): softmax(q k^T * scale + mask) v for q (*, L, E), k (*, S, E), v (*, S, V) and
// mask (*, L, S), which broadcasts as the other leading dimensions do; and the logarithms of the
// softmax's divisors. With causal, query i sees the keys up to i. A row that sees nothing is 0.
//
// A share `drop` of the weights is dropped; which ones, the generator says, as for a tensor of all
// weights. `stream` is its state before, as int64; nothing where drop is 0.
std::tuple<Array, Array, Array> attention(const Attended& x, Generator* g);

// What forward left for the gradients.
struct AttentionSaved {
  const Array &out, &lse, &stream;
};

// The gradients of q, k and v, each with all leading dimensions, from that of out.
std::tuple<Array, Array, Array> attention_backward(const Array& g, const Attended& x,
                                                   const AttentionSaved& saved);

// The gradient of the mask, of its shape.
Array attention_mask_backward(const Array& g, const Attended& x, const AttentionSaved& saved);

}  // namespace veem
