// Makes an op of a C++ function: its parameters are converted from Python by type, its result
// back. Half the cost of a small op is its binding, and this is a quarter of pybind11's.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "bindings/op.h"
#include "core/backend.h"
#include "core/threads.h"

namespace veem {

// ---- one argument ---------------------------------------------------------------------------

[[noreturn]] inline void wrong_argument(const char* op, int i, const char* wanted, PyObject* got) {
  raise(ErrorKind::Type, op, "argument ", i + 1, " must be ", wanted, ", not ",
        Py_TYPE(got)->tp_name);
}

template <class T> struct From;

template <> struct From<Array> {
  static const Array& get(PyObject* o, const char* op, int i) {
    if (!is_tensor(o)) wrong_argument(op, i, "a Tensor", o);
    const Array& a = as_tensor(o)->array;
    VEEM_CHECK(!a.is_hollow(), op, "argument ", i + 1,
               " has a shape but no data: a gradient rule "
               "whose parameter starts with an underscore does not save it");
    return a;
  }
};
template <> struct From<const Array*> {  // None is null
  static const Array* get(PyObject* o, const char* op, int i) {
    return o == Py_None ? nullptr : &From<Array>::get(o, op, i);
  }
};
template <> struct From<Input> {
  static Input get(PyObject* o, const char* op, int i) {
    if (is_tensor(o)) return From<Array>::get(o, op, i);
    Scalar s;
    if (!scalar_from(o, &s)) wrong_argument(op, i, "a Tensor or a number", o);
    return s;
  }
};
template <> struct From<Scalar> {
  static Scalar get(PyObject* o, const char* op, int i) {
    Scalar s;
    if (!scalar_from(o, &s)) wrong_argument(op, i, "a number", o);
    return s;
  }
};
template <> struct From<double> {
  static double get(PyObject* o, const char* op, int i) {
    return From<Scalar>::get(o, op, i).to<double>();
  }
};
template <> struct From<int64_t> {
  static int64_t get(PyObject* o, const char* op, int i) {
    Scalar s;
    if (!scalar_from(o, &s) || s.kind == Category::Float) wrong_argument(op, i, "an int", o);
    return s.i;
  }
};
template <> struct From<bool> {
  static bool get(PyObject* o, const char* op, int i) {
    if (!PyBool_Check(o)) wrong_argument(op, i, "a bool", o);
    return o == Py_True;
  }
};
template <> struct From<Dims> {
  static Dims get(PyObject* o, const char* op, int i) {
    Dims d;
    if (!dims_from(o, &d)) wrong_argument(op, i, "a tuple of ints", o);
    return d;
  }
};
template <> struct From<DType> {
  static DType get(PyObject* o, const char* op, int i) {
    DType t;
    if (!dtype_from(o, &t)) wrong_argument(op, i, "a veem.dtype", o);
    return t;
  }
};
template <> struct From<std::string> {
  static std::string get(PyObject* o, const char* op, int i) {
    const char* text = PyUnicode_Check(o) ? PyUnicode_AsUTF8(o) : nullptr;
    if (!text) wrong_argument(op, i, "a str", o);
    return text;
  }
};
template <class T> struct From<std::optional<T>> {
  static std::optional<T> get(PyObject* o, const char* op, int i) {
    if (o == Py_None) return std::nullopt;
    return From<T>::get(o, op, i);
  }
};

// As the last parameter: all the arguments from here on, each a tensor, as in cat(dim, a, b, c).
using Rest = std::vector<Array>;
template <class... A>
constexpr bool kTakesRest = (std::is_same_v<std::decay_t<A>, Rest> || ...);

// ---- the result -----------------------------------------------------------------------------

inline PyObject* to_python(Array a) { return wrap(std::move(a)); }
inline PyObject* to_python(bool v) { return PyBool_FromLong(v); }
inline PyObject* to_python(int64_t v) { return PyLong_FromLongLong(v); }
inline PyObject* to_python(double v) { return PyFloat_FromDouble(v); }
inline PyObject* to_python(const Dims& v) { return shape_tuple(v); }

template <class Each>
PyObject* make_tuple_of(size_t n, const Each& each) {
  PyObject* out = PyTuple_New(static_cast<Py_ssize_t>(n));
  for (size_t i = 0; out && i < n; ++i) {
    PyObject* item = each(i);
    if (!item) Py_CLEAR(out);
    else PyTuple_SET_ITEM(out, static_cast<Py_ssize_t>(i), item);
  }
  return out;
}
inline PyObject* to_python(std::vector<Array> v) {
  return make_tuple_of(v.size(), [&](size_t i) { return wrap(std::move(v[i])); });
}
template <class Tuple, size_t... I>
PyObject* tuple_to_python(Tuple& t, std::index_sequence<I...>) {
  PyObject* items[] = {to_python(std::move(std::get<I>(t)))...};
  return make_tuple_of(sizeof...(I), [&](size_t i) { return items[i]; });
}
template <class... T>
PyObject* to_python(std::tuple<T...> t) {
  return tuple_to_python(t, std::index_sequence_for<T...>());
}

// ---- dtypes that a backend's kernels lack -----------------------------------------------------

// What a kernel takes: any dtype; those that are computed in, all operands of one; or such ones
// and, beside halves, weights or what the forward op saved, which are wide.
enum class Types { Any, One, Mixed };

inline Array widen(const Array& x) { return widened(x); }
struct WidePointer {
  std::optional<Array> array;
  operator const Array*() const { return array ? &*array : nullptr; }
};
inline WidePointer widen(const Array* x) {
  return {x ? std::optional<Array>(widened(*x)) : std::nullopt};
}
template <class T> const T& widen(const T& other) { return other; }

// The tensors among the arguments: the first, and whether all have its dtype or are indices.
struct Tensors {
  const Array* first = nullptr;
  bool alike = true;
  void see(const Array& x) {
    if (!first) first = &x;
    alike &= x.dtype == first->dtype || x.dtype == DType::Int64;
  }
  void see(const Array* x) {
    if (x) see(*x);
  }
  template <class T> void see(const T&) {}
};

inline Array narrow(Array x, DType wide, DType t) { return x.dtype == wide ? cast(x, t) : x; }
template <class... T>
std::tuple<Array, T...> narrow(std::tuple<Array, T...> all, DType wide, DType t) {
  std::get<0>(all) = narrow(std::get<0>(all), wide, t);
  return all;
}

// f(values...), on widened tensors where the backend has no kernels for theirs. The first result
// is rounded to their dtype, unless it is of another than the wide one (sums of integers); others,
// which are kept for the gradient, stay wide.
template <Types types, class F, class... Values>
auto call(F f, Values&&... values) {
  if constexpr (types != Types::Any) {
    Tensors tensors;
    (tensors.see(values), ...);
    DType given = tensors.first->dtype, wide = tensors.first->backend().takes(given);
    if (wide != given && (tensors.alike || types == Types::Mixed))
      return narrow(f(widen(values)...), wide, given);
  }
  return f(std::forward<Values>(values)...);
}

// ---- the call -------------------------------------------------------------------------------

constexpr int64_t kHeavy = 1 << 15;  // elements: from about 20 us on other threads may run

void take_gil(PyThreadState* state);

class ReleaseGil {
 public:
  explicit ReleaseGil(bool release) {
    if (!release) return;
    begin_work();  // before others may run, and fork
    state_ = PyEval_SaveThread();
  }
  ~ReleaseGil() { now(); }
  void now() {
    if (!state_) return;
    end_work();
    take_gil(state_);
    state_ = nullptr;
  }

 private:
  PyThreadState* state_ = nullptr;
};

inline bool is_heavy(PyObject* const* args, Py_ssize_t n) {
  for (Py_ssize_t i = 0; i < n; ++i)
    if (is_tensor(args[i]) && as_tensor(args[i])->array.numel() >= kHeavy) return true;
  return false;
}

template <class F, Types types> struct Native;

template <class R, class... A, Types types>
struct Native<R (*)(A...), types> {
  using Function = R (*)(A...);

  static PyObject* forward(const OpObject* op, PyObject* const* args, Py_ssize_t n) {
    try {
      constexpr Py_ssize_t fixed = sizeof...(A) - kTakesRest<A...>;
      if (n < fixed || (n > fixed && !kTakesRest<A...>))
        raise(ErrorKind::Type, op->name, "takes ", fixed, " arguments, got ", n);
      return convert(op, args, n, std::index_sequence_for<A...>());
    } catch (...) {
      set_python_error();
      return nullptr;
    }
  }

 private:
  template <size_t... I>
  static PyObject* convert(const OpObject* op, PyObject* const* args, Py_ssize_t n,
                           std::index_sequence<I...>) {
    return run(reinterpret_cast<Function>(op->context), args, is_heavy(args, n),
               argument<A, static_cast<int>(I)>(op, args, n)...);
  }
  template <class T, int i>
  static decltype(auto) argument(const OpObject* op, PyObject* const* args, Py_ssize_t n) {
    if constexpr (std::is_same_v<std::decay_t<T>, Rest>) {
      Rest rest;
      for (Py_ssize_t j = i; j < n; ++j)
        rest.push_back(From<Array>::get(args[j], op->name, static_cast<int>(j)));
      return rest;
    } else {
      return From<std::decay_t<T>>::get(args[i], op->name, i);
    }
  }
  template <class... Values>
  static PyObject* run(Function f, PyObject* const* args, bool heavy, Values&&... values) {
    if constexpr (std::is_void_v<R>) {  // an in-place op
      {
        ReleaseGil release(heavy);
        f(std::forward<Values>(values)...);
      }
      Py_INCREF(args[0]);
      return args[0];
    } else {
      return to_python([&] {
        ReleaseGil release(heavy);
        return call<types>(f, std::forward<Values>(values)...);
      }());
    }
  }
};

// def("softmax", [](const Array& x, int64_t dim) { return softmax(x, dim); });
template <Types types = Types::Any, class F>
OpObject* def(const char* name, F f, OpKind kind = OpKind::Plain) {
  auto* function = +f;
  return define_op(name, Native<decltype(function), types>::forward,
                   reinterpret_cast<void*>(function), kind);
}
// An op whose kernels exist for the dtypes that are computed in: the tensors are of one dtype, and
// halves are widened for a backend that lacks them.
template <class F> OpObject* def_wide(const char* name, F f) { return def<Types::One>(name, f); }
template <class F> OpObject* def_mixed(const char* name, F f) { return def<Types::Mixed>(name, f); }

}  // namespace veem
