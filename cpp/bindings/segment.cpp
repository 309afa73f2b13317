// Tensors in memory that several processes see; veem/multiprocessing.py sends them.
#include <pybind11/pybind11.h>

#include "bindings/families.h"
#include "bindings/native.h"
#include "core/backend.h"
#include "core/shared.h"
#include "cpu/backend.h"

namespace py = pybind11;

namespace veem {
namespace {

const Array& on_cpu(const py::object& x, const char* op) {
  const Array& a = From<Array>::get(x.ptr(), op, 0);
  VEEM_CHECK(&a.backend() == &cpu(), op, "only the CPU's memory is shared, this tensor is on ",
             a.backend().name(), "; use x.cpu()");
  return a;
}

const Storage& in_segment(const py::object& x, const char* op) {
  const Storage& s = *From<Array>::get(x.ptr(), op, 0).storage.get();
  VEEM_CHECK(is_shared(s), op, "expected a tensor in shared memory");
  return s;
}

py::object flat(StoragePtr storage, int64_t n, DType dtype) {
  Array out;
  out.storage = std::move(storage);
  out.shape.push_back(n);
  out.strides.push_back(1);
  out.dtype = dtype;
  return py::reinterpret_steal<py::object>(wrap(std::move(out)));
}

size_t bytes_of(int64_t n, DType dtype) { return static_cast<size_t>(n * item_size(dtype)); }

DType dtype_from(const py::object& o) { return From<DType>::get(o.ptr(), "shared memory", 1); }

}  // namespace

void bind_segment(PyObject* module) {
  auto m = py::reinterpret_borrow<py::module_>(module);
  // n elements in a new segment, whose descriptor is kept.
  m.def("empty_shared", [](int64_t n, const py::object& dtype) {
    DType t = dtype_from(dtype);
    return flat(new_shared(cpu(), bytes_of(n, t)), n, t);
  });
  // n elements of the segment that a descriptor stands for, which belongs to the tensor then.
  m.def("map_shared", [](int fd, int64_t n, const py::object& dtype, bool keep) {
    DType t = dtype_from(dtype);
    return flat(map_shared(cpu(), fd, bytes_of(n, t), keep), n, t);
  });
  m.def("move_to_shared",
        [](const py::object& x) { move_to_shared(*on_cpu(x, "share_memory_").storage.get()); });
  m.def("is_shared", [](const py::object& x) {
    return is_shared(*From<Array>::get(x.ptr(), "is_shared", 0).storage.get());
  });
  m.def("lend", [](const py::object& x) { lend(in_segment(x, "lend")); });
  m.def("loan", [](const py::object& x) {
    constexpr const char* names[] = {"free", "lent", "kept"};
    return names[static_cast<int>(loan(in_segment(x, "loan")))];
  });
  m.def("shared_descriptor", [](const py::object& x) {
    return shared_descriptor(*From<Array>::get(x.ptr(), "shared_descriptor", 0).storage.get());
  });
}

}  // namespace veem
