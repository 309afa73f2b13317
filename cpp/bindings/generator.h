// A generator as an argument of an op.
#pragma once

#include <pybind11/pybind11.h>

#include "bindings/native.h"
#include "core/random.h"

namespace veem {

template <> struct From<Generator> {
  static Generator& get(PyObject* o, const char* op, int i) {
    if (!pybind11::isinstance<Generator>(o)) wrong_argument(op, i, "a veem.Generator", o);
    return *pybind11::handle(o).cast<Generator*>();
  }
};
template <> struct From<Generator*> {  // None is null
  static Generator* get(PyObject* o, const char* op, int i) {
    return o == Py_None ? nullptr : &From<Generator>::get(o, op, i);
  }
};

}  // namespace veem
