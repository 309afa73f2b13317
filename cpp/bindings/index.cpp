// Indexing: subscripts, and ops that take index tensors.
#include <pybind11/pybind11.h>

#include "bindings/families.h"
#include "bindings/native.h"
#include "core/ops_index.h"

namespace veem {

namespace {

OpObject *getitem_op, *setitem_op, *index_op, *index_put_op;
PyObject* normalize;  // of indexing.py

enum class IndexKind { Basic, Tensors, Other };

// NumPy's integers count, its arrays and bools do not.
bool is_integer(PyObject* o) {
  if (PyLong_Check(o)) return !PyBool_Check(o);
  return PyIndex_Check(o) && !is_tensor(o) && !PySequence_Check(o);
}

IndexKind kind_of_item(PyObject* o) {
  if (PySlice_Check(o) || o == Py_None || o == Py_Ellipsis) return IndexKind::Basic;
  if (PyBool_Check(o)) return IndexKind::Tensors;
  if (!is_tensor(o)) return is_integer(o) ? IndexKind::Basic : IndexKind::Other;
  const Array& a = as_tensor(o)->array;
  bool usable = a.dtype == DType::Int64 || a.dtype == DType::Int32 || a.dtype == DType::Bool;
  return usable && a.ndim() > 0 ? IndexKind::Tensors : IndexKind::Other;
}

// Is it made of numbers, slices, None and ... alone; of tensors and bools too; or of what
// indexing.py must translate first?
IndexKind kind_of(PyObject* o) {
  if (!PyTuple_Check(o)) return kind_of_item(o);
  IndexKind kind = IndexKind::Basic;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) {
    IndexKind item = kind_of_item(PyTuple_GET_ITEM(o, i));
    if (item > kind) kind = item;
  }
  return kind;
}

IndexItem item_from(PyObject* o) {
  if (o == Py_None) return {IndexItem::NewAxis};
  if (o == Py_Ellipsis) return {IndexItem::Ellipsis};
  if (PyBool_Check(o)) return {IndexItem::Flag, o == Py_True};
  if (is_tensor(o)) return {IndexItem::Tensor, 0, 0, 1, &as_tensor(o)->array};
  if (!PySlice_Check(o)) {
    Scalar s;
    scalar_from(o, &s);
    return {IndexItem::Select, s.i};
  }
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(o, &start, &stop, &step) < 0) throw pybind11::error_already_set();
  return {IndexItem::Slice, start, stop, step};
}

}  // namespace

template <> struct From<Index> {
  static Index get(PyObject* o, const char* op, int i) {
    if (kind_of(o) == IndexKind::Other) wrong_argument(op, i, "an index", o);
    if (!PyTuple_Check(o)) return {item_from(o)};
    Index index;
    index.reserve(static_cast<size_t>(PyTuple_GET_SIZE(o)));
    for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(o); ++j)
      index.push_back(item_from(PyTuple_GET_ITEM(o, j)));
    return index;
  }
};

namespace {

// Calls op(args..., index tensors...): named as arguments, changes of them are seen.
PyObject* call_with_tensors(OpObject* op, std::vector<PyObject*> args, PyObject* index) {
  if (is_tensor(index)) args.push_back(index);
  for (Py_ssize_t i = 0; PyTuple_Check(index) && i < PyTuple_GET_SIZE(index); ++i)
    if (is_tensor(PyTuple_GET_ITEM(index, i))) args.push_back(PyTuple_GET_ITEM(index, i));
  return call_op(op, args.data(), static_cast<Py_ssize_t>(args.size()));
}

PyObject* get(PyObject* x, PyObject* index) {
  PyObject* args[] = {x, index};
  IndexKind kind = kind_of(index);
  if (kind == IndexKind::Basic) return call_op(getitem_op, args, 2);
  if (kind == IndexKind::Tensors) return call_with_tensors(index_op, {x, index}, index);
  PyObject* plain = PyObject_Vectorcall(normalize, args, 2, nullptr);
  PyObject* out = plain ? get(x, plain) : nullptr;
  Py_XDECREF(plain);
  return out;
}

PyObject* set(PyObject* x, PyObject* index, PyObject* value) {
  PyObject* args[] = {x, index, value};
  IndexKind kind = kind_of(index);
  if (kind == IndexKind::Basic) return call_op(setitem_op, args, 3);
  if (kind == IndexKind::Tensors)
    return call_with_tensors(index_put_op, {x, index, value, Py_False}, index);
  PyObject* plain = PyObject_Vectorcall(normalize, args, 2, nullptr);
  PyObject* out = plain ? set(x, plain, value) : nullptr;
  Py_XDECREF(plain);
  return out;
}

}  // namespace

PyObject* subscript(PyObject* x, PyObject* index) { return get(x, index); }

int assign_subscript(PyObject* x, PyObject* index, PyObject* value) {
  Scalar number;
  if (!value) {
    PyErr_SetString(PyExc_TypeError, "Tensor does not support deleting items");
    return -1;
  }
  if (!is_tensor(value) && !scalar_from(value, &number)) {
    PyErr_Format(PyExc_TypeError, "can't assign a %s to a veem.Tensor; use veem.tensor(...)",
                 Py_TYPE(value)->tp_name);
    return -1;
  }
  PyObject* done = set(x, index, value);
  Py_XDECREF(done);
  return done ? 0 : -1;
}

void register_indexing(PyObject* function) {
  Py_INCREF(function);
  Py_XSETREF(normalize, function);
}

void bind_index() {
  constexpr OpKind inplace = OpKind::Inplace;
  getitem_op = def(
      "getitem", [](const Array& x, const Index& index) { return getitem(x, index); },
      OpKind::View);
  setitem_op = def(
      "setitem_",
      [](const Array& x, const Index& index, const Input& value) { setitem_(x, index, value); },
      inplace);
  def("getitem_backward", [](const Array& g, const Dims& shape, const Index& index) {
    return getitem_backward(g, shape, index);
  });

  def(
      "diagonal",
      [](const Array& x, int64_t offset, int64_t a, int64_t b) {
        return diagonal(x, offset, a, b);
      },
      OpKind::View);
  def("diagonal_backward", [](const Array& g, const Dims& shape, int64_t offset, int64_t a,
                              int64_t b) { return diagonal_backward(g, shape, offset, a, b); });

  def("gather",
      [](const Array& x, int64_t dim, const Array& index) { return gather(x, dim, index); });
  def(
      "scatter_",
      [](const Array& x, int64_t dim, const Array& index, const Input& src) {
        scatter_(x, dim, index, src);
      },
      inplace);
  def(
      "scatter_add_",
      [](const Array& x, int64_t dim, const Array& index, const Input& src) {
        scatter_(x, dim, index, src, IndexedKind::Add);
      },
      inplace);
  def(
      "scatter_reduce_",
      [](const Array& x, int64_t dim, const Array& index, const Array& src,
         const std::string& reduce) { scatter_reduce_(x, dim, index, src, reduce); },
      inplace);
  def("index_select",
      [](const Array& x, int64_t dim, const Array& i) { return index_select(x, dim, i); });
  def(
      "index_add_",
      [](const Array& x, int64_t dim, const Array& i, const Array& src) {
        index_copy_(x, dim, i, src, IndexedKind::Add);
      },
      inplace);
  def(
      "index_copy_",
      [](const Array& x, int64_t dim, const Array& i, const Array& src) {
        index_copy_(x, dim, i, src);
      },
      inplace);
  def(
      "index_reduce_",
      [](const Array& x, int64_t dim, const Array& i, const Array& src, const std::string& reduce) {
        index_reduce_(x, dim, i, src, reduce);
      },
      inplace);
  index_op = def("index", [](const Array& x, const Index& i, const Rest&) { return index(x, i); });
  index_put_op = def(
      "index_put_",
      [](const Array& x, const Index& i, const Input& value, bool accumulate, const Rest&) {
        index_put_(x, i, value, accumulate);
      },
      inplace);
  def("nonzero", [](const Array& x) { return nonzero(x); });
  def(
      "masked_fill_",
      [](const Array& x, const Array& mask, const Input& value) { masked_fill_(x, mask, value); },
      inplace);
}

}  // namespace veem
