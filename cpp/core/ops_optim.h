// One step of an optimizer over a list of parameters. Formulas and their order are PyTorch's.
#pragma once

#include "core/array.h"

namespace veem {

using Arrays = std::vector<const Array*>;  // one for each parameter

struct SgdOptions {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
};
// buffers is empty without momentum.
void sgd_step(const Arrays& params, const Arrays& grads, const Arrays& buffers,
              const SgdOptions& options);

struct AdamOptions {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;  // AdamW: weight decay apart from the gradient
  bool maximize;
};
// max_exp_avg_sqs is empty without amsgrad. steps are 0-d float tensors in host memory, which
// are counted up.
void adam_step(const Arrays& params, const Arrays& grads, const Arrays& exp_avgs,
               const Arrays& exp_avg_sqs, const Arrays& max_exp_avg_sqs, const Arrays& steps,
               const AdamOptions& options);

}  // namespace veem
