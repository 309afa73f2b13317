#include "core/ops_softmax.h"

#include "core/backend.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

void check_float(const Array& x, const char* op) {
  VEEM_CHECK_AS(NotImplemented, is_float(x.dtype), op, "not implemented for '", name(x.dtype),
                "'; convert it first, e.g. x.float(), or give dtype=");
}

// Fills out along dimension d of in; y as in SoftmaxArgs.
void run(const Array& in, const Array* y, const Array& out, int d, bool log) {
  SoftmaxArgs args;
  args.dtype = in.dtype;
  args.log = log;
  args.outer = args.inner = 1;
  args.n = in.ndim() ? in.shape[d] : 1;
  for (int i = 0; i < d; ++i) args.outer *= in.shape[i];
  for (int i = d + 1; i < in.ndim(); ++i) args.inner *= in.shape[i];
  set_operand(&args.in, in);
  if (y) set_operand(&args.y, *y);
  set_operand(&args.out, out);
  VEEM_LAUNCH(in.backend(), softmax, args);
}

}  // namespace

Array softmax(const Array& x, int64_t dim, bool log) {
  const char* op = log ? "log_softmax" : "softmax";
  check_float(x, op);
  int d = wrap_dim(dim, x.ndim(), op);
  Array out = empty(x.shape, x.dtype, x.backend());
  if (x.numel() > 0) run(contiguous(x), nullptr, out, d, log);
  return out;
}

Array softmax_backward(const Array& g, const Array& out, int64_t dim, bool log) {
  const char* op = log ? "log_softmax_backward" : "softmax_backward";
  check_float(out, op);
  VEEM_CHECK(g.shape == out.shape && g.dtype == out.dtype, op, "the gradient is ", name(g.dtype),
             " ", g.shape, " and the output ", name(out.dtype), " ", out.shape,
             "; they must be alike");
  int d = wrap_dim(dim, out.ndim(), op);
  Array dx = empty(out.shape, out.dtype, out.backend());
  Array y = contiguous(out);
  if (out.numel() > 0) run(contiguous(g), &y, dx, d, log);
  return dx;
}

}  // namespace veem
