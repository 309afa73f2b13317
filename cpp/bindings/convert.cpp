// Python values to C++ ones and back: dtypes, numbers, shapes, exceptions.
#include <pybind11/pybind11.h>

#include <new>
#include <string>

#include "bindings/tensor.h"
#include "core/defaults.h"

namespace veem {

namespace {

struct DTypeObject {
  PyObject_HEAD
  DType value;
};

DType dtype_of(PyObject* o) { return reinterpret_cast<DTypeObject*>(o)->value; }

std::string prefix = "veem.";

PyObject* dtype_repr(PyObject* o) {
  return PyUnicode_FromFormat("%s%s", prefix.c_str(), name(dtype_of(o)));
}
PyObject* dtype_name(PyObject* o, void*) { return PyUnicode_FromString(name(dtype_of(o))); }
PyObject* dtype_size(PyObject* o, void*) { return PyLong_FromLongLong(item_size(dtype_of(o))); }
PyObject* dtype_is_float(PyObject* o, void*) { return PyBool_FromLong(is_float(dtype_of(o))); }
PyObject* dtype_is_signed(PyObject* o, void*) {
  return PyBool_FromLong(dtype_of(o) != DType::Bool && dtype_of(o) != DType::UInt8);
}
PyObject* dtype_is_complex(PyObject*, void*) { Py_RETURN_FALSE; }
PyObject* dtype_reduce(PyObject* o, PyObject*) {  // pickled by name: veem.float32
  return PyUnicode_FromString(name(dtype_of(o)));
}

PyGetSetDef dtype_fields[] = {
    {"name", dtype_name, nullptr, "The name, as NumPy spells it.", nullptr},
    {"itemsize", dtype_size, nullptr, "Bytes per element.", nullptr},
    {"is_floating_point", dtype_is_float, nullptr, "True for float dtypes.", nullptr},
    {"is_signed", dtype_is_signed, nullptr, "True when it has negative values.", nullptr},
    {"is_complex", dtype_is_complex, nullptr, "False: there are no complex dtypes.", nullptr},
    {}};
PyMethodDef dtype_methods[] = {{"__reduce__", dtype_reduce, METH_NOARGS, nullptr}, {}};

PyTypeObject make_dtype_type() {
  PyTypeObject t = {PyVarObject_HEAD_INIT(nullptr, 0)};
  t.tp_name = "veem._core.dtype";
  t.tp_basicsize = sizeof(DTypeObject);
  t.tp_flags = Py_TPFLAGS_DEFAULT;
  t.tp_doc = "The type of a tensor's elements.";
  t.tp_repr = dtype_repr;
  t.tp_getset = dtype_fields;
  t.tp_methods = dtype_methods;
  return t;
}
PyTypeObject DTypeType = make_dtype_type();
PyObject* dtypes[kDTypes];
PyTypeObject* size_class = nullptr;

}  // namespace

void set_dtype_prefix(const std::string& text) { prefix = text; }

void set_size_class(PyObject* size) {
  Py_INCREF(size);
  size_class = reinterpret_cast<PyTypeObject*>(size);
}

bool add_dtypes(PyObject* module) {
  if (PyType_Ready(&DTypeType) < 0) return false;
  for (int i = 0; i < kDTypes; ++i) {
    auto* o = PyObject_New(DTypeObject, &DTypeType);
    if (!o) return false;
    o->value = static_cast<DType>(i);
    dtypes[i] = reinterpret_cast<PyObject*>(o);
    if (PyObject_SetAttrString(module, name(o->value), dtypes[i]) < 0) return false;
  }
  return PyObject_SetAttrString(module, "dtype", reinterpret_cast<PyObject*>(&DTypeType)) == 0;
}

PyObject* dtype_object(DType t) {
  PyObject* o = dtypes[static_cast<int>(t)];
  Py_INCREF(o);
  return o;
}

bool dtype_from(PyObject* o, DType* out) {
  if (Py_TYPE(o) == &DTypeType) {
    *out = dtype_of(o);
    return true;
  }
  // Python's own types stand for the default of their kind, as in PyTorch.
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) *out = default_dtype();
  else if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) *out = DType::Bool;
  else if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) *out = DType::Int64;
  else return false;
  return true;
}

bool scalar_from(PyObject* o, Scalar* out) {
  if (PyFloat_Check(o)) {
    *out = Scalar::of(PyFloat_AS_DOUBLE(o));
    return true;
  }
  if (PyBool_Check(o)) {
    *out = Scalar::of(o == Py_True);
    return true;
  }
  if (is_tensor(o) || PySequence_Check(o)) return false;
  if (PyIndex_Check(o)) {
    PyObject* i = PyNumber_Index(o);
    if (!i) throw pybind11::error_already_set();
    int64_t v = PyLong_AsLongLong(i);
    Py_DECREF(i);
    if (v == -1 && PyErr_Occurred()) {
      PyErr_Clear();
      raise(ErrorKind::Runtime, "number", "the integer does not fit in 64 bits");
    }
    *out = Scalar::of(v);
    return true;
  }
  PyNumberMethods* number = Py_TYPE(o)->tp_as_number;
  if (!number || !number->nb_float) return false;
  PyObject* f = PyNumber_Float(o);  // NumPy's scalars
  if (!f) {
    PyErr_Clear();
    return false;
  }
  *out = Scalar::of(PyFloat_AS_DOUBLE(f));
  Py_DECREF(f);
  return true;
}

bool dims_from(PyObject* o, Dims* out) {
  Scalar s;
  *out = Dims();
  if (!PySequence_Check(o) || is_tensor(o)) {
    if (!scalar_from(o, &s) || s.kind == Category::Float) return false;
    out->push_back(s.i);
    return true;
  }
  PyObject* fast = PySequence_Fast(o, "expected a sequence of ints");
  if (!fast) throw pybind11::error_already_set();
  bool good = true;
  Py_ssize_t n = PySequence_Fast_GET_SIZE(fast);
  if (n > kMaxDims) {
    Py_DECREF(fast);
    raise(ErrorKind::Runtime, "shape", "a tensor can have at most ", kMaxDims, " dimensions");
  }
  for (Py_ssize_t i = 0; i < n && good; ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(fast, i);
    good = scalar_from(item, &s) && s.kind == Category::Integer;
    if (!good && is_tensor(item) && PyIndex_Check(item)) {
      PyObject* index = PyNumber_Index(item);  // a one-element integer tensor
      good = index && scalar_from(index, &s);
      Py_XDECREF(index);
      PyErr_Clear();
    }
    if (good) out->push_back(s.i);
  }
  Py_DECREF(fast);
  return good;
}

PyObject* shape_tuple(const Dims& dims) {
  PyTypeObject* type = size_class ? size_class : &PyTuple_Type;
  PyObject* out = type->tp_alloc(type, dims.size());
  for (int i = 0; out && i < dims.size(); ++i) {
    PyObject* item = PyLong_FromLongLong(dims[i]);
    if (!item) Py_CLEAR(out);
    else PyTuple_SET_ITEM(out, i, item);
  }
  return out;
}

static PyObject* python_type(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Index: return PyExc_IndexError;
    case ErrorKind::Value: return PyExc_ValueError;
    case ErrorKind::Type: return PyExc_TypeError;
    case ErrorKind::NotImplemented: return PyExc_NotImplementedError;
    case ErrorKind::Memory: return PyExc_MemoryError;
    default: return PyExc_RuntimeError;
  }
}

void set_python_error() {
  try {
    throw;
  } catch (pybind11::error_already_set& e) {
    e.restore();
  } catch (const Error& e) {
    PyErr_SetString(python_type(e.kind), e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "an unknown C++ exception was thrown");
  }
}

}  // namespace veem
