#include "bindings/node.h"

#include <structmember.h>

#include <cstddef>

#include "bindings/inplace.h"

namespace veem {

namespace {

PyTypeObject* node_class = nullptr;  // veem.autograd.Node, once Python has registered it
int64_t last_number = 0;             // under the GIL
constexpr int kMaxRuleArguments = 24;

PyObject* new_ref(PyObject* o) {
  Py_XINCREF(o);
  return o;
}

// ---- life cycle -----------------------------------------------------------------------------

PyObject* make(PyTypeObject* type, PyObject* op, PyObject* inputs, PyObject* edges,
               PyObject* versions, PyObject* out) {
  PyObject* o = type->tp_alloc(type, 0);
  if (!o) return nullptr;
  NodeObject* n = as_node(o);
  n->op = new_ref(op);
  n->inputs = new_ref(inputs);
  n->edges = new_ref(edges);
  n->versions = new_ref(versions);
  n->out = new_ref(out);
  n->number = ++last_number;
  if (where_are_we && !(n->made_at = PyObject_CallNoArgs(where_are_we))) Py_CLEAR(o);
  return o;
}

PyObject* node_new(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject *op, *inputs, *edges, *versions, *out;
  if (!PyArg_ParseTuple(args, "OOOOO", &op, &inputs, &edges, &versions, &out)) return nullptr;
  return make(type, op, inputs, edges, versions, out);
}

int node_traverse(PyObject* self, visitproc visit, void* arg) {
  NodeObject* n = as_node(self);
  for (PyObject* field :
       {n->op, n->inputs, n->edges, n->versions, n->out, n->hooks, n->tensor_hooks, n->made_at})
    Py_VISIT(field);
  return 0;
}

int node_clear(PyObject* self) {
  NodeObject* n = as_node(self);
  Py_CLEAR(n->op);
  Py_CLEAR(n->inputs);
  Py_CLEAR(n->edges);
  Py_CLEAR(n->versions);
  Py_CLEAR(n->out);
  Py_CLEAR(n->hooks);
  Py_CLEAR(n->tensor_hooks);
  Py_CLEAR(n->made_at);
  return 0;
}

void node_dealloc(PyObject* self) {  // the heap subclass bounds the recursion, as for tensors
  PyObject_GC_UnTrack(self);
  if (as_node(self)->weak_references) PyObject_ClearWeakRefs(self);
  node_clear(self);
  Py_TYPE(self)->tp_free(self);
}

// The walk back takes the latest node first: in its heap that one is the least.
PyObject* node_compare(PyObject* a, PyObject* b, int how) {
  if (how != Py_LT || !PyObject_TypeCheck(b, &NodeType)) Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong(as_node(a)->number > as_node(b)->number);
}

// ---- running the rules ----------------------------------------------------------------------

// Has a saved value been changed in place since it was saved?
bool changed_since(PyObject* value, PyObject* version) {
  return version != Py_None && is_tensor(value) &&
         as_tensor(value)->version.value() != PyLong_AsLongLong(version);
}

bool any_changed(const NodeObject* node) {
  if (node->versions == Py_None) return false;
  Py_ssize_t n = PyTuple_GET_SIZE(node->inputs);
  for (Py_ssize_t i = 0; i < n; ++i)
    if (changed_since(PyTuple_GET_ITEM(node->inputs, i), PyTuple_GET_ITEM(node->versions, i)))
      return true;
  return changed_since(node->out, PyTuple_GET_ITEM(node->versions, n));
}

PyObject* rewrap_one(PyObject* saved, PyObject* node, int32_t nr) {
  if (!is_tensor(saved) || !is_float(as_tensor(saved)->array.dtype)) return new_ref(saved);
  PyObject* out = alias(as_tensor(saved));
  if (!out) return nullptr;
  as_tensor(out)->grad_fn = new_ref(node);
  as_tensor(out)->requires_grad = true;
  as_tensor(out)->output_nr = nr;
  return out;
}

// The saved output with its history, for derivatives of derivatives.
PyObject* rewrap(PyObject* saved, PyObject* node) {
  if (!PyTuple_Check(saved)) return rewrap_one(saved, node, 0);
  Py_ssize_t n = PyTuple_GET_SIZE(saved);
  PyObject* out = PyTuple_New(n);
  for (Py_ssize_t i = 0; out && i < n; ++i) {
    PyObject* item = rewrap_one(PyTuple_GET_ITEM(saved, i), node, static_cast<int32_t>(i));
    if (!item) Py_CLEAR(out);
    else PyTuple_SET_ITEM(out, i, item);
  }
  return out;
}

// [rule(g, out, *inputs) for each edge], or what the one rule for all returns.
PyObject* run_rules(const NodeObject* node, PyObject* g, PyObject* out) {
  PyObject* args[kMaxRuleArguments + 2] = {g, out};
  Py_ssize_t n = PyTuple_GET_SIZE(node->inputs);
  PyObject* rules = reinterpret_cast<OpObject*>(node->op)->rules;
  if (n > kMaxRuleArguments) {  // cat of many
    PyObject* head = PyTuple_Pack(2, g, out);
    PyObject* all = head ? PySequence_Concat(head, node->inputs) : nullptr;
    PyObject* result = all ? PyObject_CallObject(rules, all) : nullptr;
    Py_XDECREF(head);
    Py_XDECREF(all);
    return result;
  }
  for (Py_ssize_t i = 0; i < n; ++i) args[i + 2] = PyTuple_GET_ITEM(node->inputs, i);
  if (!PyTuple_Check(rules)) return PyObject_Vectorcall(rules, args, n + 2, nullptr);
  Py_ssize_t count = PyTuple_GET_SIZE(node->edges);
  PyObject* grads = PyTuple_New(count);
  for (Py_ssize_t i = 0; grads && i < count; ++i) {
    bool wanted = PyTuple_GET_ITEM(node->edges, i) != Py_None;
    PyObject* one = wanted ? PyObject_Vectorcall(PyTuple_GET_ITEM(rules, i), args, n + 2, nullptr)
                           : new_ref(Py_None);
    if (!one) Py_CLEAR(grads);
    else PyTuple_SET_ITEM(grads, i, one);
  }
  return grads;
}

PyObject* node_backward(PyObject* self, PyObject* const* args, Py_ssize_t n) {
  if (n != 2) {
    PyErr_SetString(PyExc_TypeError, "backward takes a gradient and create_graph");
    return nullptr;
  }
  NodeObject* node = as_node(self);
  if (node->inputs == Py_None) return PyObject_CallMethod(self, "_raise_freed", nullptr);
  if (any_changed(node)) return PyObject_CallMethod(self, "_raise_changed", nullptr);
  PyObject* out = args[1] == Py_True ? rewrap(node->out, self) : new_ref(node->out);
  if (!out) return nullptr;
  PyObject* inputs = new_ref(node->inputs);  // a rule may walk back itself, and release them
  PyObject* grads = run_rules(node, args[0], out);
  Py_DECREF(inputs);
  Py_DECREF(out);
  return grads;
}

// Nodes that saved nothing can be walked again.
PyObject* node_release(PyObject* self, PyObject*) {
  NodeObject* n = as_node(self);
  if (n->versions != Py_None && n->inputs != Py_None) {
    PyObject* namer = reinterpret_cast<OpObject*>(n->op)->namer;
    if (namer) {
      PyObject* done = PyObject_CallFunctionObjArgs(namer, self, nullptr);
      if (!done) return nullptr;
      Py_DECREF(done);
    }
    Py_SETREF(n->inputs, new_ref(Py_None));
    Py_SETREF(n->out, new_ref(Py_None));
  }
  Py_RETURN_NONE;
}

#define FIELD(name) {#name, T_OBJECT, offsetof(NodeObject, name), 0, nullptr}
PyMemberDef fields[] = {FIELD(op),
                        FIELD(inputs),
                        FIELD(edges),
                        FIELD(versions),
                        FIELD(out),
                        FIELD(hooks),
                        FIELD(tensor_hooks),
                        FIELD(made_at),
                        {"number", T_LONGLONG, offsetof(NodeObject, number), READONLY, nullptr},
                        {}};
#undef FIELD

PyMethodDef methods[] = {
    {"backward", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(node_backward)),
     METH_FASTCALL, "backward(g, create_graph): the gradient for each edge, or None."},
    {"release", node_release, METH_NOARGS, "Frees what was saved."},
    {}};

PyTypeObject make_type() {
  PyTypeObject t = {PyVarObject_HEAD_INIT(nullptr, 0)};
  t.tp_name = "veem._core.Node";
  t.tp_basicsize = sizeof(NodeObject);
  t.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
  t.tp_doc = "The native part of autograd's Node.";
  t.tp_new = node_new;
  t.tp_dealloc = node_dealloc;
  t.tp_traverse = node_traverse;
  t.tp_clear = node_clear;
  t.tp_richcompare = node_compare;
  t.tp_hash = PyBaseObject_Type.tp_hash;  // by identity: comparing does not equate
  t.tp_weaklistoffset = offsetof(NodeObject, weak_references);
  t.tp_methods = methods;
  t.tp_members = fields;
  return t;
}

}  // namespace

PyTypeObject NodeType = make_type();

PyObject* make_node(PyObject* op, PyObject* inputs, PyObject* edges, PyObject* versions,
                    PyObject* out) {
  return make(node_class, op, inputs, edges, versions, out);
}

void register_node(PyObject* cls) {
  Py_INCREF(cls);
  Py_XSETREF(node_class, reinterpret_cast<PyTypeObject*>(cls));
}

bool add_node_type(PyObject* module) {
  return PyType_Ready(&NodeType) == 0 &&
         PyObject_SetAttrString(module, "Node", reinterpret_cast<PyObject*>(&NodeType)) == 0;
}

}  // namespace veem
