#include "core/ops.h"

#include <atomic>

#include "core/backend.h"
#include "core/defaults.h"
#include "core/ops_copy.h"

namespace veem {

namespace {

std::atomic<DType> default_float{DType::Float32};

// The way out for dtypes that a row does not take.
const char* wanted(Takes takes) {
  switch (takes) {
    case Takes::Bits: return "it takes integers and bools, e.g. x.long()";
    case Takes::Integer: return "it takes integers, e.g. x.long()";
    default: return "convert to a number first, e.g. x.float()";
  }
}

void check_no_bools(const Input* inputs, int n) {
  for (int i = 0; i < n; ++i) {
    const Array* a = inputs[i].array;
    VEEM_CHECK(a ? a->dtype != DType::Bool : inputs[i].scalar.kind != Category::Bool, "sub",
               "subtraction, the `-` operator, with a bool tensor is not supported; to invert a "
               "mask, use the `~` or `logical_not()` operator, for two of them `^`");
  }
}

// The dtype of the tensors alone: numbers among the operands are parameters.
DType tensors_type(const Input* inputs, int n) {
  Input tensors[kMaxInputs];
  int count = 0;
  for (int i = 0; i < n; ++i)
    if (inputs[i].array) tensors[count++] = inputs[i];
  return result_type(tensors, count);
}

// The dtype in which a row is computed for these inputs, or a RuntimeError where the row does
// not take them.
DType compute_dtype(Op op, const Input* inputs, int n) {
  const OpRow& r = row(op);
  bool where = op == Op::where;
  DType t =
      r.takes == Takes::Exact ? tensors_type(inputs, n) : result_type(inputs + where, n - where);
  if (r.takes == Takes::Float && !is_float(t)) return default_float;
  if (op == Op::sub) check_no_bools(inputs, n);
  VEEM_CHECK_AS(NotImplemented, accepts(r.takes, t), r.name, "not implemented for '", name(t),
                "'; ", wanted(r.takes));
  return t;
}

bool divides(Op op) {
  return op == Op::floor_divide || op == Op::trunc_divide || op == Op::remainder || op == Op::fmod;
}

// An integer division by zero would stop the process.
void check_divisor(Op op, const Input& divisor) {
  bool zero = false;
  if (!divisor.array) {
    zero = divisor.scalar.i == 0;
  } else if (divisor.array->numel() > 0) {
    Array found = binary(Op::eq, *divisor.array, Scalar::of(int64_t{0}));
    auto* flags = new bool[found.numel()];
    found.backend().copy_to_host(flags, found);
    for (int64_t i = 0; i < found.numel() && !zero; ++i) zero = flags[i];
    delete[] flags;
  }
  VEEM_CHECK(!zero, row(op).name, "ZeroDivisionError: integer division by zero");
}

// Bytes [first, last) that an array may touch.
void extent(const Array& a, int64_t* first, int64_t* last) {
  int64_t reach = 0;
  for (int i = 0; i < a.ndim(); ++i) reach += (a.shape[i] - 1) * a.strides[i];
  *first = a.offset * item_size(a.dtype);
  *last = *first + (reach + 1) * item_size(a.dtype);
}

void run(Op op, DType compute, const Array& out, const Input* inputs, int n) {
  if (out.numel() == 0) return;
  Backend& b = out.backend();
  VEEM_LAUNCH(b, elementwise, plan_elementwise(op, compute, out, inputs, n));
}

}  // namespace

DType default_dtype() { return default_float; }

void set_default_dtype(DType t) {
  VEEM_CHECK_AS(Type, is_float(t), "set_default_dtype",
                "only floating-point types are supported as the default type, got ", name(t));
  default_float = t;
}

Backend& common_backend(const Input* inputs, int n, const char* op) {
  Backend* common = nullptr;
  for (int i = 0; i < n; ++i) {
    if (!inputs[i].array) continue;
    Backend& b = inputs[i].array->backend();
    VEEM_CHECK(!common || common == &b, op,
               "expected all tensors to be on the same device, but "
               "found at least two devices, ",
               common->name(), " and ", b.name());
    common = &b;
  }
  VEEM_CHECK_AS(Type, common, op, "expected at least one tensor among the arguments");
  return *common;
}

bool same_memory(const Array& a, const Array& b) {
  return a.storage.get() == b.storage.get() && a.offset == b.offset && a.dtype == b.dtype &&
         a.shape == b.shape && a.strides == b.strides;
}

bool overlaps(const Array& a, const Array& b) {
  if (a.storage.get() != b.storage.get() || a.numel() == 0 || b.numel() == 0) return false;
  int64_t a0, a1, b0, b1;
  extent(a, &a0, &a1);
  extent(b, &b0, &b1);
  return a0 < b1 && b0 < a1;
}

void check_writable(const Array& out, const char* op) {
  if (out.numel() == 0) return;  // NumPy gives empty arrays strides of 0
  for (int i = 0; i < out.ndim(); ++i)
    VEEM_CHECK(out.shape[i] <= 1 || out.strides[i] != 0, op,
               "unsupported operation: more than "
               "one element of the written-to tensor refers to a single memory location. Please "
               "clone() the tensor before performing the operation.");
}

namespace {

// The backend on which a 0-d tensor of the CPU takes part like a number; null where there is
// no such tensor.
Backend* joined_backend(const Input* inputs, int n) {
  Backend* found = nullptr;
  bool joins = false;
  for (int i = 0; i < n; ++i) {
    if (!inputs[i].array) continue;
    Backend& b = inputs[i].array->backend();
    if (&b != &cpu()) found = &b;
    else if (inputs[i].array->ndim() == 0) joins = true;
  }
  return joins ? found : nullptr;
}

// The inputs with those tensors sent there. Their dtype changes nothing any more.
Array join(Op op, const Input* inputs, int n, const Array* out, Backend& backend) {
  DType compute = compute_dtype(op, inputs, n);
  Input sent[kMaxInputs];
  Array moved[kMaxInputs];
  for (int i = 0; i < n; ++i) {
    sent[i] = inputs[i];
    const Array* a = inputs[i].array;
    if (!a || a->ndim() > 0 || &a->backend() != &cpu()) continue;
    bool condition = op == Op::where && i == 0;
    moved[i] = to_backend(condition ? *a : cast(*a, compute), backend);
    sent[i] = moved[i];
  }
  return elementwise(op, sent, n, out);
}

}  // namespace

Array elementwise(Op op, const Input* inputs, int n, const Array* out) {
  const OpRow& r = row(op);
  if (Backend* there = joined_backend(inputs, n)) return join(op, inputs, n, out, *there);
  Backend& backend = common_backend(inputs, n, r.name);
  DType compute = compute_dtype(op, inputs, n);
  if (!is_float(compute) && divides(op)) check_divisor(op, inputs[1]);
  if (!is_float(compute) && op == Op::pow && !inputs[1].array)
    VEEM_CHECK(inputs[1].scalar.i >= 0, "pow",
               "integers to negative integer powers are not allowed; convert to floating point "
               "first, e.g. x.float()");
  Dims shape;
  bool first = true;
  for (int i = 0; i < n; ++i) {
    if (!inputs[i].array) continue;
    shape = first ? inputs[i].array->shape : broadcast(shape, inputs[i].array->shape, r.name);
    first = false;
  }
  DType result = r.gives == Gives::Bool ? DType::Bool : compute;
  if (!out) {
    Array made = empty(shape, result, backend);
    run(op, compute, made, inputs, n);
    return made;
  }
  VEEM_CHECK(&out->backend() == &backend, r.name, "the output is on ", out->backend().name(),
             " and the inputs are on ", backend.name());
  VEEM_CHECK(out->shape == shape, r.name, "output with shape ", out->shape,
             " doesn't match the broadcast shape ", shape);
  VEEM_CHECK(category(result) <= category(out->dtype), r.name, "result type ", name(result),
             " can't be cast to the desired output type ", name(out->dtype));
  check_writable(*out, r.name);
  Input safe[kMaxInputs];
  Array copies[kMaxInputs];
  for (int i = 0; i < n; ++i) {
    safe[i] = inputs[i];
    if (!inputs[i].array || !overlaps(*inputs[i].array, *out)) continue;
    if (same_memory(*inputs[i].array, *out)) continue;
    const Array& x = *inputs[i].array;  // read it whole before its memory is written
    copies[i] = empty(x.shape, x.dtype, backend);
    Input self[] = {x};
    run(Op::copy, x.dtype, copies[i], self, 1);
    safe[i] = copies[i];
  }
  run(op, compute, *out, safe, n);
  return *out;
}

Array cast(const Array& x, DType dtype) {
  if (x.dtype == dtype) return x;
  Array out = empty(x.shape, dtype, x.backend());
  Input in[] = {x};
  run(Op::copy, dtype, out, in, 1);
  return out;
}

bool widens(const Array& x) { return x.backend().takes(x.dtype) != x.dtype; }
Array widened(const Array& x) { return cast(x, x.backend().takes(x.dtype)); }

}  // namespace veem
