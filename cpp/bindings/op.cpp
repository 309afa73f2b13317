// Calling an op, and recording the call: the seam between kernels and autograd.
#include "bindings/op.h"

#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "bindings/inplace.h"
#include "bindings/native.h"
#include "bindings/node.h"

namespace veem {

OpObject* row_ops[kOpCount];
OpObject* inplace_row_ops[kOpCount];

namespace {

PyObject* ops = nullptr;
PyObject* keywords = nullptr;  // takes (op, args, kwargs) for a call with keyword arguments

constexpr uint64_t kSavesOutput = 1;
constexpr uint64_t saves_argument(Py_ssize_t i) { return uint64_t{2} << i; }

bool any_requires_grad(PyObject* const* args, Py_ssize_t n) {
  for (Py_ssize_t i = 0; i < n; ++i)
    if (requires_grad(args[i])) return true;
  return false;
}

// What the rules of those arguments that require grad want to see again; false with a Python
// error where such an argument has no rule.
bool saved_values(const OpObject* op, PyObject* const* args, Py_ssize_t n, uint64_t* mask) {
  *mask = 0;
  bool one_for_all = PyTuple_GET_SIZE(op->saves) == 1 && !PyTuple_Check(op->rules);
  for (Py_ssize_t i = 0; i < n; ++i) {
    if (!requires_grad(args[i])) continue;
    Py_ssize_t rule = one_for_all ? 0 : i;
    bool present =
        rule < PyTuple_GET_SIZE(op->saves) && PyTuple_GET_ITEM(op->saves, rule) != Py_None;
    if (!present) {
      PyErr_Format(PyExc_RuntimeError,
                   "%s: the derivative for argument %zd is not implemented; "
                   "detach() it if no gradient should flow there",
                   op->name, i + 1);
      return false;
    }
    *mask |= PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(op->saves, rule));
  }
  for (Py_ssize_t i = 0; i < n; ++i)  // numbers, sizes, dtypes need no saving
    if (!is_tensor(args[i])) *mask &= ~saves_argument(i);
  return true;
}

PyObject* hollow_tensor(PyObject* t) { return wrap(hollow(as_tensor(t)->array)); }

// (target, output number) for an argument that requires grad: the node that made it, or the
// leaf itself.
PyObject* edge(PyObject* arg) {
  TensorObject* t = as_tensor(arg);
  if (!refresh(t)) return nullptr;
  PyObject* nr = PyLong_FromLong(t->output_nr);
  PyObject* out = nr ? PyTuple_Pack(2, t->grad_fn ? t->grad_fn : arg, nr) : nullptr;
  Py_XDECREF(nr);
  return out;
}

template <class Each>
PyObject* tuple_of(Py_ssize_t n, const Each& each) {
  PyObject* out = PyTuple_New(n);
  for (Py_ssize_t i = 0; out && i < n; ++i) {
    PyObject* item = each(i);
    if (!item) Py_CLEAR(out);
    else PyTuple_SET_ITEM(out, i, item);
  }
  return out;
}

PyObject* new_ref(PyObject* o) {
  Py_INCREF(o);
  return o;
}

// The tape's entry for one call, in the making. The parts that an in-place op would overwrite
// are taken before the op runs.
struct Recording {
  PyObject *inputs = nullptr, *edges = nullptr, *versions = nullptr;
  uint64_t mask = 0;

  ~Recording() {
    Py_XDECREF(inputs);
    Py_XDECREF(edges);
    Py_XDECREF(versions);
  }

  bool begin(const OpObject* op, PyObject* const* args, Py_ssize_t n) {
    if (!saved_values(op, args, n, &mask)) return false;
    edges = tuple_of(
        n, [&](Py_ssize_t i) { return requires_grad(args[i]) ? edge(args[i]) : new_ref(Py_None); });
    inputs = tuple_of(n, [&](Py_ssize_t i) -> PyObject* {
      if (!is_tensor(args[i])) return new_ref(args[i]);
      if (!(mask & saves_argument(i))) return hollow_tensor(args[i]);
      if (as_tensor(args[i])->inference) return refuse_inference(op);
      if (op->kind == OpKind::Inplace && args[i] == args[0]) return clone(args[i]);
      return new_ref(args[i]);
    });
    if (!inputs || !edges) return false;
    if (mask == 0) return (versions = new_ref(Py_None));
    versions = tuple_of(n + 1, [&](Py_ssize_t i) {
      if (i == n || !is_tensor(args[i]) || !(mask & saves_argument(i))) return new_ref(Py_None);
      return PyLong_FromLongLong(as_tensor(PyTuple_GET_ITEM(inputs, i))->version.value());
    });
    return versions;
  }

  void note_output_version(PyObject* result) {
    if (!(mask & kSavesOutput) || !is_tensor(result)) return;  // tuples are new: version 0
    Py_ssize_t last = PyTuple_GET_SIZE(versions) - 1;
    PyObject* old = PyTuple_GET_ITEM(versions, last);
    PyTuple_SET_ITEM(versions, last, PyLong_FromLongLong(as_tensor(result)->version.value()));
    Py_DECREF(old);
  }

  // The value before the change, with the history that it had.
  static PyObject* clone(PyObject* t) {
    try {
      PyObject* out = wrap(unary(Op::copy, as_tensor(t)->array));
      if (out && as_tensor(t)->grad_fn) {
        as_tensor(out)->grad_fn = new_ref(as_tensor(t)->grad_fn);
        as_tensor(out)->output_nr = as_tensor(t)->output_nr;
        as_tensor(out)->requires_grad = true;
      }
      return out;
    } catch (...) {
      set_python_error();
      return nullptr;
    }
  }

  static PyObject* refuse_inference(const OpObject* op) {
    PyErr_Format(PyExc_RuntimeError,
                 "%s: Inference tensors cannot be saved for backward. To work around this, make a "
                 "clone() to get a normal tensor, or use veem.no_grad() instead of "
                 "veem.inference_mode()",
                 op->name);
    return nullptr;
  }

  // Outputs are saved as aliases without history: a node that held its own output would be a
  // cycle, which only the garbage collector could free.
  PyObject* saved_output(PyObject* result) const {
    bool saved = mask & kSavesOutput;
    auto save = [&](PyObject* t) {
      return !is_tensor(t) ? new_ref(t) : saved ? alias(as_tensor(t)) : hollow_tensor(t);
    };
    if (!saved && !PyTuple_Check(result)) return new_ref(Py_None);
    if (PyTuple_Check(result))
      return tuple_of(PyTuple_GET_SIZE(result),
                      [&](Py_ssize_t i) { return save(PyTuple_GET_ITEM(result, i)); });
    return save(result);
  }

  bool finish(OpObject* op, PyObject* result) {
    PyObject* out = saved_output(result);
    if (!out) return false;
    note_output_version(result);
    PyObject* node = make_node(reinterpret_cast<PyObject*>(op), inputs, edges, versions, out);
    Py_DECREF(out);
    if (!node) return false;
    bool done = attach(node, result);
    Py_DECREF(node);
    return done &&
           (op->kind != OpKind::Inplace || !as_tensor(result)->base || rebase(as_tensor(result)));
  }

  static bool attach(PyObject* node, PyObject* result) {
    Py_ssize_t n = PyTuple_Check(result) ? PyTuple_GET_SIZE(result) : 1;
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* o = PyTuple_Check(result) ? PyTuple_GET_ITEM(result, i) : result;
      if (is_tensor(o) && is_float(as_tensor(o)->array.dtype) &&
          !set_history(as_tensor(o), node, static_cast<int32_t>(i)))
        return false;
    }
    return true;
  }
};

PyObject* op_vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* names) {
  auto* op = reinterpret_cast<OpObject*>(self);
  Py_ssize_t n = PyVectorcall_NARGS(nargsf);
  if (!names || PyTuple_GET_SIZE(names) == 0) return call_op(op, args, n);
  PyObject* positional = tuple_of(n, [&](Py_ssize_t i) { return new_ref(args[i]); });
  PyObject* named = PyDict_New();
  for (Py_ssize_t i = 0; named && i < PyTuple_GET_SIZE(names); ++i)
    PyDict_SetItem(named, PyTuple_GET_ITEM(names, i), args[n + i]);
  PyObject* result =
      named ? PyObject_CallFunctionObjArgs(keywords, self, positional, named, nullptr) : nullptr;
  Py_XDECREF(positional);
  Py_XDECREF(named);
  return result;
}

PyObject* op_get(PyObject* self, PyObject* object, PyObject*) {  // as a method of Tensor
  if (!object || object == Py_None) return new_ref(self);
  return PyMethod_New(self, object);
}

PyObject* op_repr(PyObject* self) {
  return PyUnicode_FromFormat("<op %s>", reinterpret_cast<OpObject*>(self)->name);
}
PyObject* op_name(PyObject* self, void*) {
  return PyUnicode_FromString(reinterpret_cast<OpObject*>(self)->name);
}
PyObject* op_kind(PyObject* self, void*) {
  constexpr const char* kinds[] = {"plain", "view", "inplace"};
  return PyUnicode_FromString(kinds[static_cast<int>(reinterpret_cast<OpObject*>(self)->kind)]);
}

template <PyObject* OpObject::* member> PyObject* get_member(PyObject* self, void*) {
  PyObject* value = reinterpret_cast<OpObject*>(self)->*member;
  return new_ref(value ? value : Py_None);
}
template <PyObject* OpObject::* member> int set_member(PyObject* self, PyObject* value, void*) {
  PyObject* old = reinterpret_cast<OpObject*>(self)->*member;
  reinterpret_cast<OpObject*>(self)->*member = value && value != Py_None ? new_ref(value) : nullptr;
  Py_XDECREF(old);
  return 0;
}

PyGetSetDef op_fields[] = {
    {"__name__", op_name, nullptr, nullptr, nullptr},
    {"kind", op_kind, nullptr, "plain, view or inplace.", nullptr},
    {"rules", get_member<&OpObject::rules>, set_member<&OpObject::rules>,
     "A gradient rule or None per argument, or one rule for all.", nullptr},
    {"saves", get_member<&OpObject::saves>, set_member<&OpObject::saves>,
     "What each rule wants saved: bit 0 the output, bit i + 1 argument i.", nullptr},
    {"plain", get_member<&OpObject::plain>, set_member<&OpObject::plain>,
     "The same in other ops, run where the call must be recorded.", nullptr},
    {"namer", get_member<&OpObject::namer>, set_member<&OpObject::namer>,
     "Called with a node before what it saved is freed.", nullptr},
    {}};

PyTypeObject make_type() {
  PyTypeObject t = {PyVarObject_HEAD_INIT(nullptr, 0)};
  t.tp_name = "veem._core.Op";
  t.tp_basicsize = sizeof(OpObject);
  t.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR;
  t.tp_doc = "A native op, called with positional arguments.";
  t.tp_vectorcall_offset = offsetof(OpObject, call);
  t.tp_call = PyVectorcall_Call;
  t.tp_repr = op_repr;
  t.tp_descr_get = op_get;
  t.tp_dictoffset = offsetof(OpObject, dict);
  t.tp_getset = op_fields;
  return t;
}

}  // namespace

PyTypeObject OpType = make_type();

PyObject* all_ops() {
  if (!ops) {
    PyType_Ready(&OpType);
    ops = PyDict_New();
  }
  return ops;
}

void register_keywords(PyObject* f) {
  Py_INCREF(f);
  keywords = f;
}

OpObject* define_op(const char* name, Forward forward, void* context, OpKind kind) {
  PyObject* registry = all_ops();
  auto* op = reinterpret_cast<OpObject*>(OpType.tp_alloc(&OpType, 0));  // ops live forever
  op->call = op_vectorcall;
  op->forward = forward;
  op->context = context;
  op->name = name;
  op->kind = kind;
  PyDict_SetItemString(registry, name, reinterpret_cast<PyObject*>(op));
  return op;
}

PyObject* call_op(OpObject* op, PyObject* const* args, Py_ssize_t n) {
  bool inplace = op->kind == OpKind::Inplace;
  bool recorded = recording() && any_requires_grad(args, n);
  if (inplace && n > 0 && is_tensor(args[0]) && !check_inplace(op, as_tensor(args[0]), recorded))
    return nullptr;
  if (recorded && !op->rules && !op->plain) {
    PyErr_Format(PyExc_NotImplementedError, "%s: has no gradient rule", op->name);
    return nullptr;
  }
  recorded = recorded && op->saves;  // else it is stated to have no gradient
  if (recorded && op->plain) return PyObject_Vectorcall(op->plain, args, n, nullptr);

  Recording entry;
  if (recorded && !entry.begin(op, args, n)) return nullptr;
  PyObject* result = op->forward(op, args, n);
  if (!result) return nullptr;
  if (inplace && !note_change(as_tensor(result))) Py_CLEAR(result);
  if (result && op->kind == OpKind::View) become_view(result, args[0]);
  if (result && recorded && !entry.finish(op, result)) Py_CLEAR(result);
  return result;
}

// A thread that comes back after the interpreter's end is made to end by Python, with an exception
// of the system's that must not cross frames of ours. It waits for the end of the process instead.
void take_gil(PyThreadState* state) {
  try {
    PyEval_RestoreThread(state);
  } catch (...) {
    for (;;) pause();
  }
}

}  // namespace veem
