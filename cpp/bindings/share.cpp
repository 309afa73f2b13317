// Memory shared with NumPy's arrays, and with whatever reads Python's buffers.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <memory>

#include "bindings/families.h"
#include "bindings/native.h"

namespace py = pybind11;

namespace veem {
namespace {

DType dtype_of(const py::array& a) {
  for (int i = 0; i < kDTypes; ++i) {
    auto t = static_cast<DType>(i);
    if (t == DType::BFloat16) continue;  // which NumPy lacks
    // Equal, not identical: an array from a pickle has a dtype object of its own.
    if (a.dtype().equal(py::dtype(name(t)))) return t;
  }
  VEEM_CHECK_AS(Value, a.dtype().attr("isnative").cast<bool>(), "from_numpy",
                "the array has another byte order than this machine; use "
                "array.astype(array.dtype.newbyteorder('='))");
  raise(ErrorKind::Type, "from_numpy", "can't convert np.ndarray of type ",
        std::string(py::str(a.dtype())), "; convert it first, e.g. array.astype('float32')");
}

// Shares the memory of a NumPy array, which lives as long as a tensor shows it.
py::object from_numpy(const py::array& a) {
  DType dtype = dtype_of(a);
  Array out;
  out.dtype = dtype;
  int64_t reach = 0;  // the furthest element
  for (py::ssize_t i = 0; i < a.ndim(); ++i) {
    VEEM_CHECK_AS(Value, a.strides(i) >= 0, "from_numpy",
                  "at least one stride is negative, which "
                  "tensors do not have; use array.copy()");
    VEEM_CHECK_AS(Value, a.strides(i) % item_size(dtype) == 0, "from_numpy",
                  "the strides must be multiples of the element size; use array.copy()");
    out.shape.push_back(a.shape(i));
    out.strides.push_back(a.strides(i) / item_size(dtype));
    reach += (a.shape(i) - 1) * out.strides.back();
  }
  int64_t bytes = a.size() ? (reach + 1) * item_size(dtype) : 0;
  VEEM_CHECK_AS(Value, reinterpret_cast<uintptr_t>(a.data()) % item_size(dtype) == 0, "from_numpy",
                "the array is not aligned to its elements; use array.copy()");
  auto* owner = new py::object(a);
  out.storage = borrow_storage(cpu(), const_cast<void*>(a.data()), bytes, owner, [](void* o) {
    if (!Py_IsInitialized()) return;  // the interpreter, and the array with it, are gone
    py::gil_scoped_acquire gil;
    delete static_cast<py::object*>(o);
  });
  return py::reinterpret_steal<py::object>(wrap(std::move(out)));
}

// A NumPy array that shows the tensor's memory and keeps it alive.
py::array to_numpy(const py::object& tensor) {
  const Array& a = From<Array>::get(tensor.ptr(), "numpy", 0);
  std::vector<py::ssize_t> shape(a.shape.begin(), a.shape.end()), strides;
  for (int64_t s : a.strides) strides.push_back(s * item_size(a.dtype));
  auto* keep = new Array(a);
  py::capsule owner(keep, [](void* p) { delete static_cast<Array*>(p); });
  return py::array(py::dtype(name(a.dtype)), shape, strides, a.data(), owner);
}

// ---- buffers: memoryview(x) and its kin -----------------------------------------------------

// What a view of the memory points to; the array stays even if the tensor's .data is exchanged.
struct Export {
  Array array;
  Dims byte_strides;
};

// In the letters of the module struct.
const char* format_of(DType t) {
  static_assert(sizeof(long) == 8 || sizeof(long long) == 8, "a letter for int64");
  constexpr const char* letters[kDTypes] = {
      "?", "B", "b", "h", "i", sizeof(long) == 8 ? "l" : "q", "e", nullptr, "f", "d"};
  return letters[static_cast<int>(t)];
}

const char* why_no_buffer(const TensorObject* t) {
  if (t->requires_grad) return "Can't export tensors that require gradient, use tensor.detach()";
  if (&t->array.backend() != &cpu()) return "only memory of the CPU is exported; use x.cpu()";
  if (t->array.is_hollow()) return "this tensor has a shape but no data";
  if (!format_of(t->array.dtype)) return "buffers have no bfloat16; use x.float(), which is exact";
  return nullptr;
}

bool is_fortran(const Array& a) {
  Dims shape = a.shape, strides = a.strides;
  std::reverse(shape.begin(), shape.end());
  std::reverse(strides.begin(), strides.end());
  return is_contiguous(shape, strides);
}

// Is the order of the memory one that the caller can read?
bool readable(const Array& a, int flags) {
  auto asks = [flags](int what) { return (flags & what) == what; };
  bool c = a.is_contiguous();
  if (asks(PyBUF_ANY_CONTIGUOUS)) return c || is_fortran(a);
  if (asks(PyBUF_F_CONTIGUOUS)) return is_fortran(a);
  return (asks(PyBUF_STRIDES) && !asks(PyBUF_C_CONTIGUOUS)) || c;
}

int get_buffer(PyObject* o, Py_buffer* view, int flags) {
  const TensorObject* t = as_tensor(o);
  const Array& a = t->array;
  view->obj = nullptr;
  const char* problem = why_no_buffer(t);
  if (!problem && !readable(a, flags))
    problem = "the tensor is not contiguous as the reader needs it; use x.contiguous()";
  if (problem) {
    PyErr_SetString(PyExc_BufferError, problem);
    return -1;
  }
  auto* e = new (std::nothrow) Export{a, a.strides};
  if (!e) return PyErr_NoMemory(), -1;
  for (int64_t& s : e->byte_strides) s *= item_size(a.dtype);
  static_assert(sizeof(Py_ssize_t) == sizeof(int64_t), "shapes are handed out as they are");
  auto list = [&a](int wanted, int64_t* from) {
    return wanted && a.ndim() ? reinterpret_cast<Py_ssize_t*>(from) : nullptr;
  };
  view->buf = a.data();
  view->len = a.nbytes();
  view->itemsize = item_size(a.dtype);
  view->readonly = 0;
  view->ndim = flags & PyBUF_ND ? a.ndim() : 1;
  view->format = flags & PyBUF_FORMAT ? const_cast<char*>(format_of(a.dtype)) : nullptr;
  view->shape = list(flags & PyBUF_ND, e->array.shape.begin());
  view->strides = list((flags & PyBUF_STRIDES) == PyBUF_STRIDES, e->byte_strides.begin());
  view->suboffsets = nullptr;
  view->internal = e;
  Py_INCREF(o);
  view->obj = o;
  return 0;
}

void release_buffer(PyObject*, Py_buffer* view) { delete static_cast<Export*>(view->internal); }

}  // namespace

PyBufferProcs buffer_slots = {get_buffer, release_buffer};

void bind_share(PyObject* module) {
  py::module_ m = py::reinterpret_borrow<py::module_>(module);
  m.def("from_numpy", from_numpy);
  m.def("to_numpy", to_numpy);
}

}  // namespace veem
