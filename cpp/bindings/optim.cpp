// Optimizer steps: functions of lists of tensors, which are changed in place and not recorded.
#include "core/ops_optim.h"

#include <pybind11/pybind11.h>

#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

namespace {

// The arguments of a call, read one after the other.
class Reader {
 public:
  Reader(const char* op, PyObject* const* args, Py_ssize_t n) : op_(op), args_(args), n_(n) {}

  Arrays list() {
    PyObject* o = next();
    if (!PyList_Check(o)) wrong_argument(op_, i_ - 1, "a list of Tensors", o);
    Arrays out(static_cast<size_t>(PyList_GET_SIZE(o)));
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = &From<Array>::get(PyList_GET_ITEM(o, static_cast<Py_ssize_t>(i)), op_, i_ - 1);
    return out;
  }
  Arrays changed_list() {
    Arrays out = list();
    PyObject* o = args_[i_ - 1];
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(o); ++i)
      as_tensor(PyList_GET_ITEM(o, i))->version.bump();
    return out;
  }
  double number() {
    PyObject* o = next();
    return is_tensor(o) ? item(o) : From<double>::get(o, op_, i_ - 1);
  }
  bool flag() { return PyObject_IsTrue(next()) == 1; }

 private:
  PyObject* next() {
    if (i_ == n_) raise(ErrorKind::Type, op_, "missing argument ", i_ + 1);
    return args_[i_++];
  }
  double item(PyObject* o) const {  // a learning rate may be a 0-d tensor
    PyObject* f = PyNumber_Float(o);
    if (!f) throw pybind11::error_already_set();
    double value = PyFloat_AS_DOUBLE(f);
    Py_DECREF(f);
    return value;
  }
  const char* op_;
  PyObject* const* args_;
  Py_ssize_t n_;
  int i_ = 0;
};

bool is_heavy(const Arrays& params) {
  int64_t n = 0;
  for (const Array* p : params) n += p->numel();
  return n >= kHeavy;
}

template <class F>
PyObject* guarded(const F& f) {
  try {
    f();
    Py_RETURN_NONE;
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* sgd(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    Reader read("sgd_step", args, n);
    Arrays params = read.changed_list(), grads = read.list(), buffers = read.changed_list();
    SgdOptions o;
    o.lr = read.number();
    o.momentum = read.number();
    o.dampening = read.number();
    o.weight_decay = read.number();
    o.nesterov = read.flag();
    o.maximize = read.flag();
    ReleaseGil release(is_heavy(params));
    sgd_step(params, grads, buffers, o);
  });
}

PyObject* adam(PyObject*, PyObject* const* args, Py_ssize_t n) {
  return guarded([&] {
    Reader read("adam_step", args, n);
    Arrays params = read.changed_list(), grads = read.list();
    Arrays exp_avgs = read.changed_list(), exp_avg_sqs = read.changed_list();
    Arrays largest = read.changed_list(), steps = read.changed_list();
    AdamOptions o;
    o.lr = read.number();
    o.beta1 = read.number();
    o.beta2 = read.number();
    o.eps = read.number();
    o.weight_decay = read.number();
    o.decoupled = read.flag();
    o.maximize = read.flag();
    ReleaseGil release(is_heavy(params));
    adam_step(params, grads, exp_avgs, exp_avg_sqs, largest, steps, o);
  });
}

PyMethodDef functions[] = {
    {"sgd_step", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(sgd)), METH_FASTCALL,
     "sgd_step(params, grads, momentum_buffers, lr, momentum, dampening, weight_decay, nesterov, "
     "maximize)\n\nChanges lists of tensors in place; momentum_buffers may be empty."},
    {"adam_step", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(adam)), METH_FASTCALL,
     "adam_step(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, lr, beta1, beta2, "
     "eps, weight_decay, decoupled, maximize)\n\nChanges lists of tensors in place and counts "
     "steps up; max_exp_avg_sqs is empty without amsgrad."},
    {}};

}  // namespace

void bind_optim(PyObject* module) { PyModule_AddFunctions(module, functions); }

}  // namespace veem
