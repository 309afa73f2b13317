#include "bindings/inplace.h"

#include "bindings/node.h"

namespace veem {

PyObject* where_are_we = nullptr;

namespace {

PyObject* new_ref(PyObject* o) {
  Py_XINCREF(o);
  return o;
}

bool refuse(const char* op, const char* message) {
  PyErr_Format(PyExc_RuntimeError, "%s: %s", op, message);
  return false;
}

// A view that was made while nothing was recorded has no history that could be told from b's.
bool refuse_unrecorded(const TensorObject* t, const char* what) {
  bool inference = t->made == Made::Inference;
  const char* mode = inference ? "inference" : "no_grad";
  PyErr_Format(PyExc_RuntimeError,
               "A view was created in %s mode and %s modified inplace %s. Given that this use "
               "case is ambiguous and error-prone, it is forbidden. Move both the view and the "
               "inplace change inside the %s block (to not have the change recorded) or both "
               "outside (to have it recorded).",
               mode, what, inference ? "in normal mode" : "with grad mode enabled", mode);
  return false;
}

bool is_leaf(const TensorObject* t) { return t->requires_grad && !t->grad_fn; }

// Is an element of memory shown twice, as by overlapping windows?
bool shows_twice(const Array& a) {
  Dims order = memory_order(a.shape, a.strides);  // from the largest stride to the smallest
  int64_t reach = 0;
  for (int i = a.ndim() - 1; i >= 0; --i) {
    int64_t n = a.shape[order[i]], stride = a.strides[order[i]];
    if (n <= 1) continue;
    if (stride <= reach) return true;
    reach += (n - 1) * stride;
  }
  return false;
}

OpObject* find_op(const char* name) {
  return reinterpret_cast<OpObject*>(PyDict_GetItemString(all_ops(), name));
}

// (target, output number) of a tensor that requires grad; else None.
PyObject* edge_of(TensorObject* t) {
  if (!t->requires_grad) return new_ref(Py_None);
  return Py_BuildValue("(Oi)", t->grad_fn ? t->grad_fn : reinterpret_cast<PyObject*>(t),
                       t->output_nr);
}

// A node for op(*inputs) whose first arguments have these edges. Takes over all references.
PyObject* node_of(const char* op, PyObject* inputs, PyObject* edge0, PyObject* edge1) {
  PyObject *edges = nullptr, *node = nullptr;
  if (inputs && edge0 && edge1 && (edges = PyTuple_New(PyTuple_GET_SIZE(inputs)))) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(inputs); ++i)
      PyTuple_SET_ITEM(edges, i, new_ref(i == 0 ? edge0 : i == 1 ? edge1 : Py_None));
    node = make_node(reinterpret_cast<PyObject*>(find_op(op)), inputs, edges, Py_None, Py_None);
  }
  Py_XDECREF(edges);
  Py_XDECREF(inputs);
  Py_XDECREF(edge0);
  Py_XDECREF(edge1);
  return node;
}

}  // namespace

bool check_inplace(const OpObject* op, TensorObject* t, bool recorded) {
  if (t->inference && !inference_mode)
    return refuse(op->name,
                  "Inplace update to inference tensor outside InferenceMode is not allowed. "
                  "You can make a clone to get a normal tensor before doing inplace update.");
  if (!recording()) return true;
  TensorObject* base = t->base ? as_tensor(t->base) : nullptr;
  if (base && t->made != Made::Recording && (recorded || base->requires_grad))
    return refuse_unrecorded(t, "is being");
  if (base && is_leaf(base))
    return refuse(op->name, "a view of a leaf Variable that requires grad is being used in an "
                            "in-place operation; wrap it in veem.no_grad()");
  if (!refresh(t)) return false;
  if (is_leaf(t))
    return refuse(op->name, "a leaf Variable that requires grad is being used in an in-place "
                            "operation; wrap it in veem.no_grad() or change its .data");
  if (base && recorded && t->array.dtype != base->array.dtype)
    return refuse(op->name, "a change through a view of another dtype cannot be recorded; change "
                            "the tensor that it shows");
  if (base && recorded && shows_twice(t->array))
    return refuse(op->name, "more than one element of the written-to tensor refers to a single "
                            "memory location. Please clone() the tensor before performing the "
                            "operation.");
  return true;
}

bool note_change(TensorObject* t) {
  t->version.bump();
  if (!where_are_we) return true;
  PyObject* where = PyObject_CallNoArgs(where_are_we);
  if (where) t->version.note_change(where);
  return where;
}

bool set_history(TensorObject* t, PyObject* node, int32_t nr) {
  PyObject* old = t->grad_fn;
  int32_t old_nr = t->output_nr;
  t->grad_fn = new_ref(node);
  t->requires_grad = node;
  t->output_nr = nr;
  bool done = true;
  if (node && old && as_node(old)->tensor_hooks && as_node(old)->tensor_hooks != Py_None) {
    // retain_grad() goes with the tensor; other hooks stay with the value.
    PyObject* result = PyObject_CallMethod(node, "_take_retain_grad", "iOi", nr, old, old_nr);
    done = result;
    Py_XDECREF(result);
  }
  Py_XDECREF(old);
  return done;
}

bool rebase(TensorObject* view) {
  TensorObject* base = as_tensor(view->base);
  const Array &v = view->array, &b = base->array;
  PyObject* inputs =
      Py_BuildValue("(NNNNNL)", wrap(hollow(b)), wrap(hollow(v)), shape_tuple(b.strides),
                    shape_tuple(v.shape), shape_tuple(v.strides), v.offset - b.offset);
  PyObject* node = node_of("copy_slices", inputs, edge_of(base), edge_of(view));
  bool done = node && set_history(base, node, 0);
  Py_XDECREF(node);
  return done;
}

bool refresh(TensorObject* t) {
  if (!t->base || !as_tensor(t->base)->requires_grad) return true;
  TensorObject* base = as_tensor(t->base);
  const Array& v = t->array;
  if (t->view_version == t->version.value() || v.dtype != base->array.dtype) return true;
  if (t->made != Made::Recording)
    return refuse_unrecorded(t, "its base or another view of its base has been");
  t->view_version = t->version.value();
  PyObject* inputs = Py_BuildValue("(NNNL)", wrap(hollow(base->array)), shape_tuple(v.shape),
                                   shape_tuple(v.strides), v.offset);
  PyObject* node = node_of("as_strided", inputs, edge_of(base), new_ref(Py_None));
  bool done = node && set_history(t, node, 0);
  Py_XDECREF(node);
  return done;
}

void become_view(PyObject* view, PyObject* of) {
  TensorObject *v = as_tensor(view), *t = as_tensor(of);
  v->version = t->version.share();
  v->view_version = v->version.value();
  v->base = new_ref(t->base ? t->base : of);
  v->inference = t->inference;
  v->made = t->made != Made::Recording ? t->made
            : inference_mode           ? Made::Inference
            : grad_mode                ? Made::Recording
                                       : Made::NoGrad;
}

}  // namespace veem
