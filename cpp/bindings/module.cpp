// The module _core: the tensor and op types, and what needs no speed.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings/families.h"
#include "bindings/inplace.h"
#include "bindings/native.h"
#include "bindings/node.h"
#include "core/backend.h"
#include "core/defaults.h"
#include "core/probe.h"
#include "core/threads.h"
#include "cpu/backend.h"

namespace py = pybind11;

namespace veem {
namespace {

py::dict memory_stats(const std::string& device) {
  MemoryStats s = backend(device).allocator.stats();
  py::dict out;
  out["live"] = s.live;
  out["peak"] = s.peak;
  out["cached"] = s.cached;
  return out;
}

std::vector<std::string> devices() {
  std::vector<std::string> out;
  for (Backend* b : backends()) out.emplace_back(b->name());
  return out;
}

py::dict build_info() {
  py::dict out;
#if defined(__clang__)
  out["compiler"] = __VERSION__;
#else
  out["compiler"] = "g++ " __VERSION__;
#endif
  out["build_type"] = VEEM_BUILD_TYPE;
  out["flags"] = VEEM_BUILD_FLAGS;
  out["sanitize"] = VEEM_SANITIZE;
  out["isas"] = built_isas();
  return out;
}

Array empty_on(const Dims& shape, DType dtype, const std::string& device) {
  return empty(shape, dtype, backend(device));
}

DType need_dtype(const py::object& o, const char* op) { return From<DType>::get(o.ptr(), op, 0); }

py::object steal(PyObject* o) {
  if (!o) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(o);
}

void bind_misc(py::module_& m) {
  m.def("register", [](const py::object& tensor, const py::object& size, const py::object& node) {
    register_classes(tensor.ptr(), size.ptr());
    register_node(node.ptr());
  });
  m.def("register_indexing", [](const py::object& f) { register_indexing(f.ptr()); });
  m.def("register_keywords", [](const py::object& f) { register_keywords(f.ptr()); });
  m.def("empty", [](const py::object& shape, const py::object& dtype, const std::string& device) {
    Dims d = From<Dims>::get(shape.ptr(), "empty", 0);
    return steal(wrap(empty_on(d, need_dtype(dtype, "empty"), device)));
  });
  // All of the memory that a tensor shows a part of, and a tensor over a part of it.
  m.def("whole_storage", [](const py::object& x) {
    const Array& a = From<Array>::get(x.ptr(), "whole_storage", 0);
    int64_t n = static_cast<int64_t>(a.storage->bytes) / item_size(a.dtype);
    return steal(wrap(as_strided(a, {n}, {1}, 0)));
  });
  m.def("as_strided", [](const py::object& x, const py::object& shape, const py::object& strides,
                         int64_t offset) {
    return steal(wrap(as_strided(From<Array>::get(x.ptr(), "as_strided", 0),
                                 From<Dims>::get(shape.ptr(), "as_strided", 1),
                                 From<Dims>::get(strides.ptr(), "as_strided", 2), offset)));
  });
  // The same bytes as elements of another dtype of the same size.
  m.def("bitcast", [](const py::object& x, const py::object& dtype) {
    Array a = From<Array>::get(x.ptr(), "bitcast", 0);
    DType to = need_dtype(dtype, "bitcast");
    VEEM_CHECK(item_size(to) == item_size(a.dtype), "bitcast", name(a.dtype), " and ", name(to),
               " differ in size");
    a.dtype = to;
    return steal(wrap(std::move(a)));
  });
  m.def("hollow", [](const py::object& x) {
    return steal(wrap(hollow(From<Array>::get(x.ptr(), "hollow", 0))));
  });
  m.def("can_view", [](const py::object& x, const py::object& shape) {
    const Array& a = From<Array>::get(x.ptr(), "reshape", 0);
    Dims to = infer_size(From<Dims>::get(shape.ptr(), "reshape", 1), a.numel(), "reshape"), strides;
    return view_strides(a.shape, a.strides, to, &strides);
  });
  m.def("promote_types", [](const py::object& a, const py::object& b) {
    return steal(
        dtype_object(promote(need_dtype(a, "promote_types"), need_dtype(b, "promote_types"))));
  });
  m.def("result_type", [](const py::args& args) {
    std::vector<Input> inputs;
    for (size_t i = 0; i < args.size(); ++i)
      inputs.push_back(From<Input>::get(args[i].ptr(), "result_type", static_cast<int>(i)));
    return steal(dtype_object(result_type(inputs.data(), static_cast<int>(inputs.size()))));
  });
  m.def("get_default_dtype", [] { return steal(dtype_object(default_dtype())); });
  m.def("set_default_dtype",
        [](const py::object& t) { set_default_dtype(need_dtype(t, "set_default_dtype")); });
  m.def("set_dtype_prefix", set_dtype_prefix);  // "torch." where a PyTorch program runs
  m.def("is_grad_enabled", [] { return grad_mode; });
  m.def("set_grad_enabled", [](bool on) { grad_mode = on; });
  m.def("is_inference_mode", [] { return inference_mode; });
  m.def("set_inference_mode", [](bool on) { inference_mode = on; });
  m.def("look_for_anomalies", [](const py::object& where) {
    Py_XSETREF(where_are_we, where.is_none() ? nullptr : where.inc_ref().ptr());
  });
  m.def("num_threads", num_threads);
  m.def("set_num_threads", set_num_threads);
  m.def("devices", devices);
  m.def("op_rows", [] {  // of ops.def: name, how many operands (0: a reduction), takes, gives
    constexpr const char *takes[] = {"any", "number", "float", "bits", "integer", "exact"},
                         *gives[] = {"same", "bool", "int64", "wide"};
    std::vector<std::tuple<std::string, int, std::string, std::string>> rows;
    for (const OpRow& r : kOps)
      rows.emplace_back(r.name, r.arity, takes[static_cast<int>(r.takes)],
                        gives[static_cast<int>(r.gives)]);
    return rows;
  });
  m.def("kernels", [](const std::string& device) {  // the families that a backend has
    std::vector<std::string> names;
    const Kernels& table = backend(device).kernels;
#define VEEM_FAMILY(name, Args) \
  if (table.name) names.emplace_back(#name);
    VEEM_FAMILIES(VEEM_FAMILY)
#undef VEEM_FAMILY
    return names;
  });
  m.def("cpu_isa", [] { return std::string(cpu_isa()); });
  m.def("cpu_isas", runnable_isas);
  m.def("build_info", build_info);
  m.def("memory_stats", memory_stats);
  m.def("reset_peak", [](const std::string& d) { backend(d).allocator.reset_peak(); });
  m.def("empty_cache", [](const std::string& d) { backend(d).allocator.empty_cache(); });
  m.def("probe",
        [](const std::string& what, int64_t bytes, int64_t rounds, const std::string& device) {
          Probed p = probe(backend(device), what, bytes, rounds);
          return std::make_pair(p.amount, p.seconds);
        });
  m.def("synchronize", [](const std::string& d) { backend(d).synchronize(); });
}

// matches(g, x): same shape, dtype and device? The engine asks it after every rule.
PyObject* matches(PyObject*, PyObject* const* args, Py_ssize_t n) {
  if (n != 2 || !is_tensor(args[0]) || !is_tensor(args[1])) {
    PyErr_SetString(PyExc_TypeError, "matches: expected two Tensors");
    return nullptr;
  }
  const Array &g = as_tensor(args[0])->array, &x = as_tensor(args[1])->array;
  return PyBool_FromLong(g.shape == x.shape && g.dtype == x.dtype && &g.backend() == &x.backend());
}

PyMethodDef fast_functions[] = {
    {"matches", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(matches)), METH_FASTCALL,
     "Have two tensors the same shape, dtype and device?"},
    {}};

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "veem's compiled core.";
  m.attr("__version__") = VEEM_VERSION;
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const Error&) {
      set_python_error();
    }
  });
  if (!add_dtypes(m.ptr()) || !add_tensor_type(m.ptr()) || !add_node_type(m.ptr()))
    throw py::error_already_set();
  bind_elementwise();
  bind_views();
  bind_copy();
  bind_index();
  bind_matmul();
  bind_reduce();
  bind_sort();
  bind_norm();
  bind_attention();
  bind_conv();
  bind_pool();
  bind_loss();
  bind_softmax();
  bind_random(m.ptr());
  bind_optim(m.ptr());
  bind_share(m.ptr());
  bind_dlpack(m.ptr());
  bind_segment(m.ptr());
#if VEEM_METAL
  bind_metal(m.ptr());
#endif
  bind_misc(m);
  if (PyModule_AddFunctions(m.ptr(), fast_functions) < 0) throw py::error_already_set();
  // ops.NAME for every op.
  py::object ns = py::module_::import("types").attr("SimpleNamespace")(
      **py::reinterpret_borrow<py::dict>(all_ops()));
  m.attr("ops") = ns;
  m.attr("Op") = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(&OpType));
}

}  // namespace veem
