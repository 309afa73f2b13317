// _core.metal, in builds that have Metal: kernels that a user writes, and the simulator's knobs.
#if VEEM_METAL
#include "metal/user_kernel.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings/families.h"
#include "bindings/native.h"
#include "core/backend.h"
#include "metal/event.h"
#if VEEM_SIMULATED
#include "simulator/engine.h"
#include "simulator/live.h"
#endif

namespace py = pybind11;

namespace veem {
namespace {

using metal::UserKernel;

Scalar number(const py::handle& o, const char* what) {
  Scalar s;
  if (!scalar_from(o.ptr(), &s)) raise(ErrorKind::Type, what, "expected a number");
  return s;
}

UserKernel::Argument argument(const py::handle& o, int i) {
  if (is_tensor(o.ptr())) return From<Array>::get(o.ptr(), "metal.kernel", i);
  if (py::isinstance<py::bytes>(o)) return o.cast<std::string>();
  Scalar s;
  if (!scalar_from(o.ptr(), &s)) wrong_argument("metal.kernel", i, "a Tensor or a number", o.ptr());
  return s;
}

metal::Grid grid(const std::vector<int64_t>& sizes) {
  VEEM_CHECK_AS(Value, !sizes.empty() && sizes.size() <= 3, "metal.kernel",
                "grid and group have one to three sizes, got ", sizes.size());
  for (int64_t n : sizes)
    VEEM_CHECK_AS(Value, n > 0, "metal.kernel", "a size of grid or group is ", n);
  auto at = [&](size_t i) { return i < sizes.size() ? sizes[i] : 1; };
  return {at(0), at(1), at(2)};
}

// Constants by index or name.
std::unique_ptr<UserKernel> make_kernel(const std::string& source, const std::string& name,
                                        const py::dict& constants) {
  std::vector<metal::Constant> values;
  for (auto [key, value] : constants) {
    metal::Constant c;
    if (py::isinstance<py::str>(key)) c.name = key.cast<std::string>();
    else c.index = key.cast<int>();
    c.value = number(value, "metal.kernel");
    values.push_back(c);
  }
  return std::make_unique<UserKernel>(source, name, values);
}

void run_kernel(UserKernel& kernel, const std::vector<int64_t>& threads,
                const std::vector<int64_t>& group, const py::args& args,
                const std::vector<int64_t>& threadgroup) {
  std::vector<UserKernel::Argument> arguments;
  for (size_t i = 0; i < args.size(); ++i)
    arguments.push_back(argument(args[i], static_cast<int>(i)));
  kernel.run(grid(threads), grid(group), arguments, threadgroup);
  size_t i = 0;  // what was written is newer than what autograd saved of it
  for (const metal::Parameter& p : kernel.parameters()) {
    if (p.threadgroup) continue;
    if (p.writable && is_tensor(args[i].ptr())) as_tensor(args[i].ptr())->version.bump();
    ++i;
  }
}

py::list parameters(const UserKernel& kernel) {
  py::list out;
  for (const metal::Parameter& p : kernel.parameters()) {
    py::dict d;
    d["name"] = p.name, d["type"] = p.type, d["index"] = p.index, d["size"] = p.size;
    d["threadgroup"] = p.threadgroup, d["writable"] = p.writable;
    out.append(d);
  }
  return out;
}

#if VEEM_SIMULATED
py::dict get_options() {
  const simulator::Options& o = simulator::options();
  py::dict out;
  out["checks"] = o.checks, out["fast_math"] = o.fast_math;
  if (o.order == simulator::Options::Shuffled) out["order"] = o.seed;
  else out["order"] = o.order == simulator::Options::Forward ? "forward" : "reverse";
  return out;
}

void set_options(bool checks, const py::object& order, bool fast_math) {
  simulator::Options o;
  o.checks = checks, o.fast_math = fast_math;
  if (py::isinstance<py::int_>(order)) {
    o.order = simulator::Options::Shuffled;
    o.seed = order.cast<uint64_t>();
  } else {
    auto text = py::str(order).cast<std::string>();
    VEEM_CHECK_AS(Value, text == "forward" || text == "reverse", "metal.simulator", "order='", text,
                  "'; expected 'forward', 'reverse' or a seed");
    o.order = text == "forward" ? simulator::Options::Forward : simulator::Options::Reverse;
  }
  simulator::options() = o;
}
#endif

}  // namespace

void bind_metal(PyObject* module) {
  auto m = py::reinterpret_borrow<py::module_>(module).def_submodule(
      "metal", "Kernels that a user writes, and the simulator.");
  py::class_<UserKernel>(m, "Kernel")
      .def(py::init(&make_kernel))
      .def("run", run_kernel, py::arg("grid"), py::arg("group"), py::kw_only(),
           py::arg("threadgroup"))
      .def_property_readonly("parameters", parameters)
      .def_property_readonly("max_group", &UserKernel::max_group);
  m.def("kernel_names", metal::kernel_names);
  m.def("device_name", metal::device_name);
  m.def("gpu_seconds", metal::gpu_seconds);
  py::class_<metal::Event>(m, "Event")
      .def(py::init())
      .def("record", &metal::Event::record)
      .def("synchronize", &metal::Event::synchronize)
      .def("query", &metal::Event::query)
      .def("seconds", &metal::Event::seconds);
#if VEEM_SIMULATED
  if (!getenv("VEEM_PYTHON"))  // what translates a user's kernel
    simulator::python() = py::str(py::module_::import("sys").attr("executable"));
  m.attr("simulated") = true;
  m.def("options", get_options);
  m.def("set_options", set_options, py::arg("checks"), py::arg("order"), py::arg("fast_math"));
  m.def("live_objects", software::live_objects);
#else
  m.attr("simulated") = false;
#endif
}

}  // namespace veem
#endif
