// The tensor type: life cycle, fields, and operators as type slots.
#include "bindings/tensor.h"

#include <pybind11/pybind11.h>

#include <new>

#include "bindings/inplace.h"
#include "bindings/op.h"
#include "core/backend.h"

namespace veem {

thread_local bool grad_mode = true, inference_mode = false;

namespace {

PyTypeObject* tensor_class = nullptr;  // veem.Tensor, once Python has registered it

// ---- life cycle -----------------------------------------------------------------------------

PyObject* make(Array array, PyTypeObject* type) {
  PyObject* o = type->tp_alloc(type, 0);
  if (!o) return nullptr;
  TensorObject* t = as_tensor(o);
  new (&t->array) Array(std::move(array));
  new (&t->version) VersionPtr;
  t->inference = inference_mode;
  return o;
}

int tensor_traverse(PyObject* self, visitproc visit, void* arg) {
  TensorObject* t = as_tensor(self);
  Py_VISIT(t->grad_fn);
  Py_VISIT(t->grad);
  Py_VISIT(t->base);
  Py_VISIT(t->hooks);
  return 0;
}

int tensor_clear(PyObject* self) {
  TensorObject* t = as_tensor(self);
  Py_CLEAR(t->grad_fn);
  Py_CLEAR(t->grad);
  Py_CLEAR(t->base);
  Py_CLEAR(t->hooks);
  return 0;
}

void tensor_dealloc(PyObject* self) {
  // The class is a heap type below this static one: its own dealloc drops the reference to it,
  // and bounds the recursion through long graphs.
  PyObject_GC_UnTrack(self);
  tensor_clear(self);
  as_tensor(self)->array.~Array();
  as_tensor(self)->version.~VersionPtr();
  Py_TYPE(self)->tp_free(self);
}

Py_hash_t tensor_hash(PyObject* self) {  // by identity: == is elementwise
  return static_cast<Py_hash_t>(reinterpret_cast<uintptr_t>(self) >> 4);
}

// ---- fields ---------------------------------------------------------------------------------

PyObject* new_ref(PyObject* o) {
  PyObject* out = o ? o : Py_None;
  Py_INCREF(out);
  return out;
}

PyObject* fail(PyObject* type, const char* message) {
  PyErr_SetString(type, message);
  return nullptr;
}

PyObject* get_shape(PyObject* o, void*) { return shape_tuple(as_tensor(o)->array.shape); }
PyObject* get_dtype(PyObject* o, void*) { return dtype_object(as_tensor(o)->array.dtype); }
PyObject* get_ndim(PyObject* o, void*) { return PyLong_FromLong(as_tensor(o)->array.ndim()); }
PyObject* get_grad(PyObject* o, void*) { return new_ref(as_tensor(o)->grad); }
PyObject* get_grad_fn(PyObject* o, void*) {
  return refresh(as_tensor(o)) ? new_ref(as_tensor(o)->grad_fn) : nullptr;
}
PyObject* get_base(PyObject* o, void*) { return new_ref(as_tensor(o)->base); }
PyObject* get_hooks(PyObject* o, void*) { return new_ref(as_tensor(o)->hooks); }
PyObject* get_output_nr(PyObject* o, void*) { return PyLong_FromLong(as_tensor(o)->output_nr); }
PyObject* get_version(PyObject* o, void*) {
  if (as_tensor(o)->inference)
    return fail(PyExc_RuntimeError, "Inference tensors do not track version counter.");
  return PyLong_FromLongLong(as_tensor(o)->version.value());
}
PyObject* get_changed_at(PyObject* o, void*) { return new_ref(as_tensor(o)->version.changed_at()); }
PyObject* get_is_leaf(PyObject* o, void*) {
  return refresh(as_tensor(o)) ? PyBool_FromLong(!as_tensor(o)->grad_fn) : nullptr;
}
PyObject* get_requires_grad(PyObject* o, void*) { return PyBool_FromLong(requires_grad(o)); }
PyObject* get_device_name(PyObject* o, void*) {
  return PyUnicode_FromString(as_tensor(o)->array.backend().name());
}

int set_requires_grad(PyObject* o, PyObject* value, void*) {
  TensorObject* t = as_tensor(o);
  int wanted = value ? PyObject_IsTrue(value) : -1;
  if (!value) fail(PyExc_AttributeError, "requires_grad cannot be deleted");
  if (wanted < 0) return -1;
  if (t->grad_fn && !wanted)
    return fail(PyExc_RuntimeError,
                "you can only change requires_grad flags of leaf variables. If "
                "you want to use a computed variable in a subgraph that doesn't require "
                "differentiation use var_no_grad = var.detach()."),
           -1;
  if (wanted && !is_float(t->array.dtype))
    return fail(PyExc_RuntimeError, "only Tensors of floating point dtype can require gradients; "
                                    "convert it first, e.g. x.float()"),
           -1;
  if (wanted && t->inference && !inference_mode)
    return fail(PyExc_RuntimeError, "Setting requires_grad=True on inference tensor outside "
                                    "InferenceMode is not allowed; clone() it first."),
           -1;
  t->requires_grad = wanted;
  return 0;
}

int set_hooks(PyObject* o, PyObject* value, void*) {
  PyObject* old = as_tensor(o)->hooks;
  as_tensor(o)->hooks = value && value != Py_None ? new_ref(value) : nullptr;
  Py_XDECREF(old);
  return 0;
}

int set_grad(PyObject* o, PyObject* value, void*) {
  TensorObject* t = as_tensor(o);
  if (!value || value == Py_None) {
    Py_CLEAR(t->grad);
    return 0;
  }
  if (!is_tensor(value)) return fail(PyExc_TypeError, "expected a Tensor or None as grad"), -1;
  const Array& g = as_tensor(value)->array;
  if (value == o) return fail(PyExc_RuntimeError, "can't assign a tensor as its own grad"), -1;
  if (g.shape != t->array.shape || g.dtype != t->array.dtype) {
    std::ostringstream text;
    text << "grad: assigned a gradient of shape " << g.shape << " and dtype " << name(g.dtype)
         << " to a tensor of shape " << t->array.shape << " and dtype " << name(t->array.dtype);
    return fail(PyExc_RuntimeError, text.str().c_str()), -1;
  }
  Py_INCREF(value);
  Py_XSETREF(t->grad, value);
  return 0;
}

// .data shows the same memory with a version counter of its own: changes go unseen.
PyObject* get_data(PyObject* o, void*) { return wrap(as_tensor(o)->array); }

int set_data(PyObject* o, PyObject* value, void*) {
  if (!value || !is_tensor(value)) return fail(PyExc_TypeError, "data must be a Tensor"), -1;
  if (as_tensor(o)->requires_grad && !is_float(as_tensor(value)->array.dtype))
    return fail(PyExc_RuntimeError, "data set to a tensor that requires gradients must be "
                                    "floating point"),
           -1;
  as_tensor(o)->array = as_tensor(value)->array;
  return 0;
}

PyGetSetDef fields[] = {
    {"shape", get_shape, nullptr, "The size of each dimension.", nullptr},
    {"dtype", get_dtype, nullptr, "The type of the elements.", nullptr},
    {"ndim", get_ndim, nullptr, "The number of dimensions.", nullptr},
    {"grad", get_grad, set_grad, "The gradient that backward() has accumulated.", nullptr},
    {"grad_fn", get_grad_fn, nullptr, "The tape's node that made this tensor.", nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad, "Record ops on it?", nullptr},
    {"is_leaf", get_is_leaf, nullptr, "True when no recorded op made it.", nullptr},
    {"output_nr", get_output_nr, nullptr, "Which output of grad_fn it is.", nullptr},
    {"data", get_data, set_data, "The same memory, unknown to autograd.", nullptr},
    {"_base", get_base, nullptr, "Of a view, the tensor that it shows.", nullptr},
    {"_version", get_version, nullptr, "How often it was changed in place.", nullptr},
    {"_changed_at", get_changed_at, nullptr, "Where, if anomalies are looked for.", nullptr},
    {"_hooks", get_hooks, set_hooks, "Of a leaf: its hooks by kind, or None.", nullptr},
    {"_device_name", get_device_name, nullptr, nullptr, nullptr},
    {}};

// ---- methods --------------------------------------------------------------------------------

PyObject* numel_method(PyObject* o, PyObject*) {
  return PyLong_FromLongLong(as_tensor(o)->array.numel());
}
PyObject* dim_method(PyObject* o, PyObject*) { return get_ndim(o, nullptr); }
PyObject* strides_method(PyObject* o, PyObject*) {
  return shape_tuple(as_tensor(o)->array.strides);
}
PyObject* offset_method(PyObject* o, PyObject*) {
  return PyLong_FromLongLong(as_tensor(o)->array.offset);
}
PyObject* contiguous_method(PyObject* o, PyObject*) {
  return PyBool_FromLong(as_tensor(o)->array.is_contiguous());
}
PyObject* data_ptr_method(PyObject* o, PyObject*) {
  return PyLong_FromVoidPtr(as_tensor(o)->array.data());
}
PyObject* detach_method(PyObject* o, PyObject*) { return alias(as_tensor(o)); }

PyObject* item_method(PyObject* o, PyObject*) {
  const Array& a = as_tensor(o)->array;
  try {
    VEEM_CHECK(a.numel() == 1, "item", "a Tensor with ", a.numel(),
               " elements cannot be converted to Scalar");
    VEEM_CHECK(!a.is_hollow(), "item", "this tensor has a shape but no data");
    alignas(8) char bytes[8];
    a.backend().copy_to_host(bytes, a);
    return dispatch(a.dtype, [&](auto tag) -> PyObject* {
      using T = typename decltype(tag)::type;
      T value;
      std::memcpy(&value, bytes, sizeof(T));
      if (a.dtype == DType::Bool) return PyBool_FromLong(static_cast<long>(value));
      if (is_float(a.dtype)) return PyFloat_FromDouble(static_cast<double>(value));
      return PyLong_FromLongLong(static_cast<long long>(value));
    });
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* bump_version(PyObject* o, PyObject*) {
  as_tensor(o)->version.bump();
  Py_RETURN_NONE;
}

// _set_history(node, output_nr): for nodes that are recorded in Python.
PyObject* set_history_method(PyObject* o, PyObject* args) {
  PyObject* node;
  int nr;
  if (!PyArg_ParseTuple(args, "Oi", &node, &nr)) return nullptr;
  if (!set_history(as_tensor(o), node == Py_None ? nullptr : node, nr)) return nullptr;
  Py_RETURN_NONE;
}

PyObject* rebase_method(PyObject* o, PyObject*) {
  if (as_tensor(o)->base && !rebase(as_tensor(o))) return nullptr;
  Py_RETURN_NONE;
}

PyObject* is_inference(PyObject* o, PyObject*) { return PyBool_FromLong(as_tensor(o)->inference); }

PyObject* make_subclass(PyObject*, PyObject* args) {
  PyObject *cls, *data;
  int requires_grad = 0;
  if (!PyArg_ParseTuple(args, "O!O!|p", &PyType_Type, &cls, &TensorType, &data, &requires_grad))
    return nullptr;
  if (!PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls), &TensorType))
    return fail(PyExc_TypeError, "_make_subclass: cls must be a subclass of Tensor");
  PyObject* out = make(as_tensor(data)->array, reinterpret_cast<PyTypeObject*>(cls));
  if (!out) return nullptr;
  as_tensor(out)->version = as_tensor(data)->version.share();
  PyObject* flag = PyBool_FromLong(requires_grad);
  int status = set_requires_grad(out, flag, nullptr);
  Py_DECREF(flag);
  if (status < 0) Py_CLEAR(out);
  return out;
}

PyMethodDef methods[] = {
    {"numel", numel_method, METH_NOARGS, "The number of elements."},
    {"nelement", numel_method, METH_NOARGS, "The number of elements."},
    {"dim", dim_method, METH_NOARGS, "The number of dimensions."},
    {"_strides", strides_method, METH_NOARGS, nullptr},
    {"storage_offset", offset_method, METH_NOARGS, "Elements of the storage before the first."},
    {"is_contiguous", contiguous_method, METH_NOARGS, "Does it lie in memory row by row?"},
    {"data_ptr", data_ptr_method, METH_NOARGS, "The address of the first element."},
    {"detach", detach_method, METH_NOARGS, "The same memory without history."},
    {"item", item_method, METH_NOARGS, "The one element as a Python number."},
    {"_bump_version", bump_version, METH_NOARGS, nullptr},
    {"_set_history", set_history_method, METH_VARARGS, nullptr},
    {"_rebase", rebase_method, METH_NOARGS, nullptr},
    {"is_inference", is_inference, METH_NOARGS, "Was it made in inference mode?"},
    {"_make_subclass", make_subclass, METH_VARARGS | METH_STATIC, nullptr},
    {}};

// ---- operators ------------------------------------------------------------------------------

bool is_operand(PyObject* o) {
  if (is_tensor(o) || PyFloat_Check(o) || PyLong_Check(o)) return true;
  PyNumberMethods* number = Py_TYPE(o)->tp_as_number;
  return number && (number->nb_index || number->nb_float) && !PySequence_Check(o);
}

PyObject* run_binary(OpObject* op, PyObject* a, PyObject* b) {
  if (!is_operand(a) || !is_operand(b)) Py_RETURN_NOTIMPLEMENTED;
  PyObject* args[] = {a, b};
  return call_op(op, args, 2);
}
template <Op op> PyObject* binary_slot(PyObject* a, PyObject* b) {
  return run_binary(row_ops[static_cast<int>(op)], a, b);
}
template <Op op> PyObject* inplace_slot(PyObject* a, PyObject* b) {
  return run_binary(inplace_row_ops[static_cast<int>(op)], a, b);
}
template <Op op> PyObject* unary_slot(PyObject* a) {
  return call_op(row_ops[static_cast<int>(op)], &a, 1);
}
PyObject* pow_slot(PyObject* a, PyObject* b, PyObject*) { return binary_slot<Op::pow>(a, b); }
PyObject* ipow_slot(PyObject* a, PyObject* b, PyObject*) { return inplace_slot<Op::pow>(a, b); }
PyObject* matmul_slot(PyObject* a, PyObject* b) {
  if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
  PyObject* op = PyDict_GetItemString(all_ops(), "matmul");
  PyObject* args[] = {a, b};
  return call_op(reinterpret_cast<OpObject*>(op), args, 2);
}
PyObject* pos_slot(PyObject* a) { return new_ref(a); }

PyObject* compare_slot(PyObject* a, PyObject* b, int how) {
  constexpr Op ops[] = {Op::lt, Op::le, Op::eq, Op::ne, Op::gt, Op::ge};
  if (b == Py_None && how == Py_EQ) Py_RETURN_FALSE;
  if (b == Py_None && how == Py_NE) Py_RETURN_TRUE;
  return run_binary(row_ops[static_cast<int>(ops[how])], a, b);
}

int bool_slot(PyObject* o) {
  int64_t n = as_tensor(o)->array.numel();
  if (n != 1) {
    fail(PyExc_RuntimeError, n ? "Boolean value of Tensor with more than one value is ambiguous"
                               : "Boolean value of Tensor with no values is ambiguous");
    return -1;
  }
  PyObject* item = item_method(o, nullptr);
  int truth = item ? PyObject_IsTrue(item) : -1;
  Py_XDECREF(item);
  return truth;
}

template <PyObject* (*convert)(PyObject*)> PyObject* number_slot(PyObject* o) {
  if (as_tensor(o)->array.numel() != 1)
    return fail(PyExc_ValueError, "only one element tensors can be converted to Python scalars");
  PyObject* item = item_method(o, nullptr);
  if (!item) return nullptr;
  PyObject* out = convert(item);
  Py_DECREF(item);
  return out;
}
PyObject* index_slot(PyObject* o) {
  const Array& a = as_tensor(o)->array;
  if (is_float(a.dtype) || a.numel() != 1)
    return fail(PyExc_TypeError,
                "only integer tensors of a single element can be converted to an index");
  return number_slot<PyNumber_Long>(o);
}

Py_ssize_t length_slot(PyObject* o) {
  const Array& a = as_tensor(o)->array;
  if (a.ndim()) return a.shape[0];
  fail(PyExc_TypeError, "len() of a 0-d tensor");
  return -1;
}

PyNumberMethods number_slots() {
  PyNumberMethods n = {};
  n.nb_add = binary_slot<Op::add>;
  n.nb_subtract = binary_slot<Op::sub>;
  n.nb_multiply = binary_slot<Op::mul>;
  n.nb_true_divide = binary_slot<Op::div>;
  n.nb_floor_divide = binary_slot<Op::floor_divide>;
  n.nb_remainder = binary_slot<Op::remainder>;
  n.nb_and = binary_slot<Op::bitwise_and>;
  n.nb_or = binary_slot<Op::bitwise_or>;
  n.nb_xor = binary_slot<Op::bitwise_xor>;
  n.nb_lshift = binary_slot<Op::bitwise_left_shift>;
  n.nb_rshift = binary_slot<Op::bitwise_right_shift>;
  n.nb_power = pow_slot;
  n.nb_inplace_add = inplace_slot<Op::add>;
  n.nb_inplace_subtract = inplace_slot<Op::sub>;
  n.nb_inplace_multiply = inplace_slot<Op::mul>;
  n.nb_inplace_true_divide = inplace_slot<Op::div>;
  n.nb_inplace_floor_divide = inplace_slot<Op::floor_divide>;
  n.nb_inplace_remainder = inplace_slot<Op::remainder>;
  n.nb_inplace_and = inplace_slot<Op::bitwise_and>;
  n.nb_inplace_or = inplace_slot<Op::bitwise_or>;
  n.nb_inplace_xor = inplace_slot<Op::bitwise_xor>;
  n.nb_inplace_lshift = inplace_slot<Op::bitwise_left_shift>;
  n.nb_inplace_rshift = inplace_slot<Op::bitwise_right_shift>;
  n.nb_inplace_power = ipow_slot;
  n.nb_negative = unary_slot<Op::neg>;
  n.nb_positive = pos_slot;
  n.nb_absolute = unary_slot<Op::abs>;
  n.nb_invert = unary_slot<Op::bitwise_not>;
  n.nb_matrix_multiply = matmul_slot;
  n.nb_bool = bool_slot;
  n.nb_int = number_slot<PyNumber_Long>;
  n.nb_float = number_slot<PyNumber_Float>;
  n.nb_index = index_slot;
  return n;
}
PyNumberMethods numbers = number_slots();
PyMappingMethods mapping = {length_slot, subscript, assign_subscript};

PyTypeObject make_type() {
  PyTypeObject t = {PyVarObject_HEAD_INIT(nullptr, 0)};
  t.tp_name = "veem._core.Tensor";
  t.tp_basicsize = sizeof(TensorObject);
  t.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
  t.tp_doc = "The native part of veem.Tensor.";
  t.tp_dealloc = tensor_dealloc;
  t.tp_traverse = tensor_traverse;
  t.tp_clear = tensor_clear;
  t.tp_hash = tensor_hash;
  t.tp_richcompare = compare_slot;
  t.tp_as_number = &numbers;
  t.tp_as_mapping = &mapping;
  t.tp_as_buffer = &buffer_slots;
  t.tp_getset = fields;
  t.tp_methods = methods;
  return t;
}

}  // namespace

PyTypeObject TensorType = make_type();

PyObject* wrap(Array array, PyTypeObject* type) {
  return make(std::move(array), type ? type : tensor_class);
}

PyObject* alias(TensorObject* t) {
  PyObject* out = wrap(t->array);
  if (!out) return nullptr;
  as_tensor(out)->version = t->version.share();
  as_tensor(out)->inference = t->inference;
  return out;
}

void register_classes(PyObject* tensor, PyObject* size) {
  Py_INCREF(tensor);
  tensor_class = reinterpret_cast<PyTypeObject*>(tensor);
  set_size_class(size);
}

bool add_tensor_type(PyObject* module) {
  return PyType_Ready(&TensorType) == 0 &&
         PyObject_SetAttrString(module, "Tensor", reinterpret_cast<PyObject*>(&TensorType)) == 0;
}

}  // namespace veem
