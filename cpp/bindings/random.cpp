// Random numbers: the generator as a class, and the ops that draw from one.
#include <pybind11/pybind11.h>

#include <cstring>
#include <memory>
#include <string>

#include "bindings/families.h"
#include "bindings/generator.h"
#include "bindings/native.h"
#include "core/backend.h"
#include "core/random.h"

namespace py = pybind11;

namespace veem {

namespace {

// As PyTorch reads it: an integer from -2^63 to 2^64 - 1, negative ones counted from 2^64.
uint64_t seed_of(const py::int_& seed) {
  int overflow = 0;
  long long value = PyLong_AsLongLongAndOverflow(seed.ptr(), &overflow);
  if (overflow == 0) return static_cast<uint64_t>(value);
  uint64_t large = PyLong_AsUnsignedLongLong(seed.ptr());
  if (!PyErr_Occurred()) return large;
  PyErr_Clear();
  raise(ErrorKind::Value, "manual_seed", "the seed must be in the range [-2^63, 2^64 - 1], got ",
        std::string(py::str(seed)));
}

py::bytes state_bytes(const Generator& g) {
  std::vector<uint8_t> bytes = g.state();
  return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::unique_ptr<Generator> generator_from(const std::string& device, const std::string& state) {
  auto g = std::make_unique<Generator>(backend(device));
  g->set_state(std::vector<uint8_t>(state.begin(), state.end()));
  return g;
}

Array state_tensor(const Generator& g) {
  std::vector<uint8_t> bytes = g.state();
  Array out = empty({static_cast<int64_t>(bytes.size())}, DType::UInt8, cpu());
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

void set_state(Generator& g, const Array& state) {
  VEEM_CHECK_AS(Type, state.dtype == DType::UInt8 && &state.backend() == &cpu(), "set_state",
                "expected a uint8 tensor on the CPU, got ", name(state.dtype), " on ",
                state.backend().name());
  Array dense = unary(Op::copy, state);
  const uint8_t* bytes = dense.as<uint8_t>();
  g.set_state(std::vector<uint8_t>(bytes, bytes + dense.numel()));
}

py::object steal(PyObject* o) {
  if (!o) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(o);
}

void bind_generator(py::module_& m) {
  py::class_<Generator>(m, "Generator",
                        "A stream of random numbers: Generator().manual_seed(0). On the CPU it "
                        "is PyTorch's stream, number for number.")
      .def(py::init([](const py::object& device) {
             return std::make_unique<Generator>(
                 backend(device.is_none() ? "cpu" : std::string(py::str(device))));
           }),
           py::arg("device") = py::none())
      .def(
          "manual_seed",
          [](py::object self, const py::int_& seed) {
            self.cast<Generator&>().manual_seed(seed_of(seed));
            return self;
          },
          py::arg("seed"), "Starts the stream that belongs to an integer; returns itself.")
      .def("seed", &Generator::seed, "Starts a stream that nobody can foretell; returns its seed.")
      .def("initial_seed", &Generator::initial_seed, "The seed that the stream was started with.")
      .def(
          "get_state", [](const Generator& g) { return steal(wrap(state_tensor(g))); },
          "The whole state as a uint8 tensor, laid out as PyTorch's.")
      .def(
          "set_state",
          [](py::object self, const py::object& state) {
            set_state(self.cast<Generator&>(), From<Array>::get(state.ptr(), "set_state", 0));
            return self;
          },
          py::arg("state"), "Goes on from what get_state() gave; returns itself.")
      .def(
          "clone_state",
          [](const Generator& g) { return generator_from(g.backend.name(), state_bytes(g)); },
          "Another generator with the same state.")
      .def(py::pickle(
          [](const Generator& g) { return py::make_tuple(g.backend.name(), state_bytes(g)); },
          [](const py::tuple& t) {
            return generator_from(t[0].cast<std::string>(), t[1].cast<std::string>());
          }))
      .def_property_readonly("_device_name",
                             [](const Generator& g) { return std::string(g.backend.name()); });
}

}  // namespace

void bind_random(PyObject* module) {
  auto m = py::reinterpret_borrow<py::module_>(module);
  bind_generator(m);
  constexpr OpKind inplace = OpKind::Inplace;
  def(
      "uniform_",
      [](const Array& x, double from, double to, Generator& g) { uniform_(x, from, to, g); },
      inplace);
  def(
      "normal_",
      [](const Array& x, double mean, double std, Generator& g) { normal_(x, mean, std, g); },
      inplace);
  def(
      "exponential_",
      [](const Array& x, double lambda, Generator& g) { exponential_(x, lambda, g); }, inplace);
  def(
      "bernoulli_",
      [](const Array& x, const Input& p, Generator& g) {
        if (p.array) bernoulli_(x, *p.array, g);
        else bernoulli_(x, p.scalar.to<double>(), g);
      },
      inplace);
  // Nothing given: from 0 to the dtype's largest whole number, as is a missing end.
  def(
      "random_",
      [](const Array& x, std::optional<int64_t> from, std::optional<int64_t> to, Generator& g) {
        if (!from) random_(x, g);
        else if (!to) random_from(x, *from, g);
        else random_(x, *from, *to, g);
      },
      inplace);
  def("randperm", [](int64_t n, DType dtype, Generator& g) { return randperm(n, dtype, g); });
  def("multinomial", [](const Array& p, int64_t n, bool replacement, Generator& g) {
    return multinomial(p, n, replacement, g);
  });
  def("poisson", [](const Array& p, Generator& g) { return poisson(p, g); });
  def("binomial", [](const Array& p, Generator& g) { return binomial(p, g); });
  def("standard_gamma", [](const Array& p, Generator& g) { return standard_gamma(p, g); });
  def("empty_like", [](const Array& x, DType dtype) { return empty_like(x, dtype); });
}

}  // namespace veem
