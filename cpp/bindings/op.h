// An op as a Python object: called with positional arguments, it runs its native forward and,
// where a tensor among them requires grad, has the call recorded on the tape.
#pragma once

#include "bindings/tensor.h"

namespace veem {

struct OpObject;
using Forward = PyObject* (*)(const OpObject* op, PyObject* const* args, Py_ssize_t n);

enum class OpKind : uint8_t {
  Plain,
  View,     // the result shows the memory of argument 0
  Inplace,  // argument 0 is changed and returned
};

struct OpObject {
  PyObject_HEAD
  vectorcallfunc call;
  Forward forward;
  void* context;  // what forward needs: a function pointer, or a row of ops.def
  const char* name;
  OpKind kind;
  // Set from Python, in ops.py:
  PyObject* rules;  // a tuple with a gradient rule or None per argument, one rule, or null
  PyObject* saves;  // a tuple with a mask per rule: bit 0 the output, bit i + 1 argument i
  PyObject* plain;  // runs instead when the call must be recorded
  PyObject* namer;  // namer(node) keeps a name that follows from the arguments, or null
  PyObject* dict;
};

extern PyTypeObject OpType;

// Makes the op `name` and puts it into the module's namespace of ops.
OpObject* define_op(const char* name, Forward forward, void* context = nullptr,
                    OpKind kind = OpKind::Plain);
// The ops of the elementwise rows of ops.def, and their in-place twins.
extern OpObject* row_ops[kOpCount];
extern OpObject* inplace_row_ops[kOpCount];

PyObject* call_op(OpObject* op, PyObject* const* args, Py_ssize_t n);

void register_keywords(PyObject* f);  // handles calls with keyword arguments

PyObject* all_ops();  // the namespace of ops: a dict, borrowed

}  // namespace veem
