// The native part of the tape's Node: its fields, and the calls that every recorded op makes.
// What is rare or reads better in Python is in autograd/engine.py.
#pragma once

#include "bindings/tensor.h"

namespace veem {

struct NodeObject {
  PyObject_HEAD
  PyObject *op, *inputs, *edges, *versions, *out;  // as engine.py describes them
  PyObject *hooks, *tensor_hooks;
  PyObject* made_at;  // where in the program, if anomalies are looked for
  PyObject* weak_references;
  int64_t number;  // nodes are numbered as they are made
};

extern PyTypeObject NodeType;

inline NodeObject* as_node(PyObject* o) { return reinterpret_cast<NodeObject*>(o); }

// A node of the registered Python class. Takes over no references.
PyObject* make_node(PyObject* op, PyObject* inputs, PyObject* edges, PyObject* versions,
                    PyObject* out);

void register_node(PyObject* node_class);
bool add_node_type(PyObject* module);  // false with a Python error set

}  // namespace veem
