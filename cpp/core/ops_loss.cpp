#include "core/ops_loss.h"

#include "core/backend.h"
#include "core/indexed.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

void check_classes(const Array& target, int64_t classes, int64_t ignore) {
  int64_t bad;
  bool found = find_outside(target, 0, classes, "cross_entropy", 1, &bad, &ignore);
  VEEM_CHECK_AS(Index, !found, "cross_entropy", "Target ", bad, " is out of bounds for ", classes,
                " classes");
}

CrossEntropyArgs plan(const Array& logits, const Array& target, int64_t ignore, double smoothing,
                      Reduction reduction) {
  Input both[] = {logits, target};
  common_backend(both, 2, "cross_entropy");
  VEEM_CHECK(logits.ndim() == 2 && target.ndim() == 1 && target.shape[0] == logits.shape[0],
             "cross_entropy", "expected logits (N, C) and targets (N), got ", logits.shape, " and ",
             target.shape);
  VEEM_CHECK(target.dtype == DType::Int64, "cross_entropy", "expected targets of int64, got ",
             name(target.dtype), "; use target.long()");
  VEEM_CHECK_AS(NotImplemented, is_float(logits.dtype), "cross_entropy", "not implemented for ",
                name(logits.dtype), "; convert to float32 first, e.g. x.float()");
  CrossEntropyArgs args;
  args.dtype = logits.dtype;
  args.rows = logits.shape[0];
  args.classes = logits.shape[1];
  args.ignore = ignore;
  args.smoothing = smoothing;
  args.reduction = reduction;
  set_operand(&args.logits, logits), set_operand(&args.target, target);
  return args;
}

}  // namespace

std::tuple<Array, Array> cross_entropy(const Array& logits, const Array& target, int64_t ignore,
                                       double smoothing, Reduction reduction) {
  Array x = contiguous(logits), t = contiguous(target);
  CrossEntropyArgs args = plan(x, t, ignore, smoothing, reduction);
  check_classes(t, args.classes, ignore);
  Dims rows{args.rows};
  Array lse = empty({args.rows, 2}, x.dtype, x.backend());
  Array loss = empty(reduction == Reduction::None ? rows : Dims(), x.dtype, x.backend());
  set_operand(&args.loss, loss), set_operand(&args.lse, lse);
  VEEM_LAUNCH(x.backend(), cross_entropy, args);
  return {loss, lse};
}

Array cross_entropy_backward(const Array& g, const Array& logits, const Array& target,
                             const Array& lse, int64_t ignore, double smoothing,
                             Reduction reduction) {
  Array x = contiguous(logits), t = contiguous(target), grad = contiguous(g);
  CrossEntropyArgs args = plan(x, t, ignore, smoothing, reduction);
  Array dx = empty(x.shape, x.dtype, x.backend());
  set_operand(&args.g, grad), set_operand(&args.lse, lse), set_operand(&args.dlogits, dx);
  VEEM_LAUNCH(x.backend(), cross_entropy_backward, args);
  return dx;
}

}  // namespace veem
