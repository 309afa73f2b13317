// The elementwise rows of ops.def as ops, each with its in-place twin: add and add_.
#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

namespace {

Op op_of(const OpObject* op) { return static_cast<Op>(reinterpret_cast<intptr_t>(op->context)); }

void read_inputs(const OpObject* op, PyObject* const* args, Py_ssize_t n, Input* inputs) {
  const OpRow& r = row(op_of(op));
  if (n != r.arity) raise(ErrorKind::Type, op->name, "takes ", r.arity, " arguments, got ", n);
  for (int i = 0; i < r.arity; ++i) inputs[i] = From<Input>::get(args[i], op->name, i);
}

PyObject* forward(const OpObject* op, PyObject* const* args, Py_ssize_t n) {
  try {
    Input inputs[kMaxInputs];
    read_inputs(op, args, n, inputs);
    ReleaseGil release(is_heavy(args, n));
    Array out = elementwise(op_of(op), inputs, static_cast<int>(n));
    release.now();
    return wrap(std::move(out));
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* inplace_forward(const OpObject* op, PyObject* const* args, Py_ssize_t n) {
  try {
    Input inputs[kMaxInputs];
    read_inputs(op, args, n, inputs);
    const Array& out = From<Array>::get(args[0], op->name, 0);
    {
      ReleaseGil release(is_heavy(args, n));
      elementwise(op_of(op), inputs, static_cast<int>(n), &out);
    }
    Py_INCREF(args[0]);
    return args[0];
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

// into(out, op, *inputs): what op gives, written into out.
PyObject* into_forward(const OpObject* self, PyObject* const* args, Py_ssize_t n) {
  try {
    if (n < 2 || Py_TYPE(args[1]) != &OpType) wrong_argument(self->name, 1, "an op", args[1]);
    auto* op = reinterpret_cast<OpObject*>(args[1]);
    if (op->forward != forward) wrong_argument(self->name, 1, "an elementwise op", args[1]);
    Input inputs[kMaxInputs];
    read_inputs(op, args + 2, n - 2, inputs);
    const Array& out = From<Array>::get(args[0], op->name, static_cast<int>(n) - 2);
    {
      ReleaseGil release(is_heavy(args, n));
      elementwise(op_of(op), inputs, static_cast<int>(n) - 2, &out);
    }
    Py_INCREF(args[0]);
    return args[0];
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

}  // namespace

void bind_elementwise() {
#define VEEM_ELEMENTWISE(name, arity, takes, gives)                                        \
  row_ops[static_cast<int>(Op::name)] =                                                    \
      define_op(#name, forward, reinterpret_cast<void*>(static_cast<intptr_t>(Op::name))); \
  inplace_row_ops[static_cast<int>(Op::name)] =                                            \
      define_op(#name "_", inplace_forward,                                                \
                reinterpret_cast<void*>(static_cast<intptr_t>(Op::name)), OpKind::Inplace);
#include "ops.def"
  define_op("into", into_forward, nullptr, OpKind::Inplace);
  def("cast", [](const Array& x, DType dtype) { return cast(x, dtype); });
}

}  // namespace veem
