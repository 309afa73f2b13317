#include "core/ops_optim.h"

#include <cmath>

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

void check_list(const Arrays& list, const Arrays& params, const char* what, const char* op) {
  VEEM_CHECK(list.size() == params.size(), op, "expected one of ", what, " for each of ",
             params.size(), " parameters, got ", list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const Array &x = *list[i], &p = *params[i];
    VEEM_CHECK(x.shape == p.shape && x.dtype == p.dtype && &x.backend() == &p.backend(), op, what,
               "[", i, "] has shape ", x.shape, " and dtype ", name(x.dtype), " on ",
               x.backend().name(), ", but the parameter has ", p.shape, " and ", name(p.dtype),
               " on ", p.backend().name());
  }
}

// Stand-ins for tensors that are not contiguous, or not of a dtype that kernels take; those that
// are changed are copied back.
class Dense {
 public:
  Memory read(const Array& x) {
    if (x.is_contiguous() && !widens(x)) return memory_of(x);
    copies_.emplace_back(nullptr, widens(x) ? contiguous(widened(x)) : clone(x));
    return memory_of(copies_.back().second);
  }
  Memory change(const Array& x) {
    Memory memory = read(x);
    if (memory.data != x.data()) copies_.back().first = &x;
    return memory;
  }
  void copy_back() {
    for (auto& [original, copy] : copies_)
      if (original) copy_into(*original, copy);
  }

 private:
  std::vector<std::pair<const Array*, Array>> copies_;
};

// Runs the step for all parameters, which the backend takes one dtype at a time.
template <class MakeItem>
void run(OptimArgs args, const Arrays& params, const MakeItem& make_item) {
  Dense dense;
  std::vector<OptimItem> items;
  items.reserve(params.size());
  std::vector<bool> done(params.size());
  for (size_t first = 0; first < params.size(); ++first) {
    if (done[first]) continue;
    Backend& backend = params[first]->backend();
    args.dtype = params[first]->dtype;
    items.clear();
    for (size_t i = first; i < params.size(); ++i) {
      if (done[i] || params[i]->dtype != args.dtype || &params[i]->backend() != &backend) continue;
      done[i] = true;
      items.push_back(make_item(i, dense));
    }
    args.dtype = backend.takes(args.dtype);
    args.items = items.data();
    args.count = static_cast<int>(items.size());
    VEEM_LAUNCH(backend, optim, args);
  }
  dense.copy_back();
}

void check_params(const Arrays& params, const char* op) {
  for (const Array* p : params) {
    VEEM_CHECK(is_float(p->dtype), op, "expected floating point parameters, got ", name(p->dtype));
    check_writable(*p, op);
  }
}

// The step number after this one. The tensor is on the CPU, as PyTorch keeps it.
double count_up(const Array& step, const char* op) {
  VEEM_CHECK(step.numel() == 1 && &step.backend() == &cpu() && is_float(step.dtype), op,
             "steps must be floating point tensors of one element on the CPU");
  if (step.dtype == DType::Float64) return ++*step.as<double>();
  VEEM_CHECK(step.dtype == DType::Float32, op, "not implemented for steps of ", name(step.dtype));
  return static_cast<double>(++*step.as<float>());
}

}  // namespace

void sgd_step(const Arrays& params, const Arrays& grads, const Arrays& buffers,
              const SgdOptions& o) {
  const char* op = "sgd_step";
  check_params(params, op);
  check_list(grads, params, "grads", op);
  bool momentum = !buffers.empty();
  if (momentum) check_list(buffers, params, "momentum_buffers", op);
  OptimArgs args;
  args.optim = Optim::Sgd;
  args.sign = o.maximize ? -1 : 1;
  args.l2 = o.weight_decay;
  args.lr = o.lr;
  args.momentum = o.momentum;
  args.dampening = o.dampening;
  args.nesterov = o.nesterov;
  run(args, params, [&](size_t i, Dense& dense) {
    OptimItem item = {};
    item.n = params[i]->numel();
    item.param = dense.change(*params[i]);
    item.grad = dense.read(*grads[i]);
    item.first = momentum ? dense.change(*buffers[i]) : Memory{};
    return item;
  });
}

void adam_step(const Arrays& params, const Arrays& grads, const Arrays& exp_avgs,
               const Arrays& exp_avg_sqs, const Arrays& max_exp_avg_sqs, const Arrays& steps,
               const AdamOptions& o) {
  const char* op = "adam_step";
  check_params(params, op);
  check_list(grads, params, "grads", op);
  check_list(exp_avgs, params, "exp_avgs", op);
  check_list(exp_avg_sqs, params, "exp_avg_sqs", op);
  bool amsgrad = !max_exp_avg_sqs.empty();
  if (amsgrad) check_list(max_exp_avg_sqs, params, "max_exp_avg_sqs", op);
  VEEM_CHECK(steps.size() == params.size(), op, "expected one of steps for each of ", params.size(),
             " parameters, got ", steps.size());
  OptimArgs args;
  args.optim = Optim::Adam;
  args.sign = o.maximize ? -1 : 1;
  args.l2 = o.decoupled ? 0 : o.weight_decay;
  args.shrink = o.decoupled ? 1 - o.lr * o.weight_decay : 1;
  args.beta1 = o.beta1;
  args.beta2 = o.beta2;
  args.eps = o.eps;
  double t = 0, step_size = 0, root_scale = 0;  // of the last step number: most have the same
  run(args, params, [&](size_t i, Dense& dense) {
    double now = count_up(*steps[i], op);
    if (now != t) {
      t = now;
      step_size = o.lr / (1 - std::pow(o.beta1, t));
      root_scale = 1 / std::sqrt(1 - std::pow(o.beta2, t));
    }
    OptimItem item = {};
    item.n = params[i]->numel();
    item.param = dense.change(*params[i]);
    item.grad = dense.read(*grads[i]);
    item.first = dense.change(*exp_avgs[i]);
    item.second = dense.change(*exp_avg_sqs[i]);
    item.largest = amsgrad ? dense.change(*max_exp_avg_sqs[i]) : Memory{};
    item.step_size = step_size;
    item.root_scale = root_scale;
    return item;
  });
}

}  // namespace veem
