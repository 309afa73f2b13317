// What each file here adds to the module.
#pragma once

#include <Python.h>

namespace veem {

void bind_elementwise();
void bind_views();
void bind_copy();
void bind_index();
void bind_matmul();
void bind_reduce();
void bind_sort();
void bind_norm();
void bind_attention();
void bind_conv();
void bind_pool();
void bind_loss();
void bind_softmax();
void bind_random(PyObject* module);
void bind_optim(PyObject* module);
void bind_share(PyObject* module);
void bind_dlpack(PyObject* module);
void bind_segment(PyObject* module);
void bind_metal(PyObject* module);

}  // namespace veem
