// What autograd has to know of shared memory: views, and changes in place.
//
// A view knows its base. A recorded change through a view v of a base b is recorded twice: as
// the op that was called, v' = op(v), and as b' = copy_slices(b, v'), which has v' where v was.
// Every view of b has then an old history. It shows the version of b for which it was right, and
// is made anew when it is asked for next: as b' seen through as_strided.
#pragma once

#include "bindings/op.h"

namespace veem {

// A view of a tensor that requires grad does so too, even one that was made before.
inline bool requires_grad(PyObject* o) {
  if (!is_tensor(o)) return false;
  TensorObject* t = as_tensor(o);
  return t->requires_grad || (t->base && as_tensor(t->base)->requires_grad &&
                              t->array.dtype == as_tensor(t->base)->array.dtype);
}

// These return false with a Python error set.

// A change of t by this op is refused, before anything is written, if it could not be followed.
bool check_inplace(const OpObject* op, TensorObject* t, bool recorded);
// Counts a change, and where anomalies are looked for notes the place in the program.
bool note_change(TensorObject* t);
// t is now output nr of this node (or, for null, without history).
bool set_history(TensorObject* t, PyObject* node, int32_t nr);
// Records in the history of a view's base that the view was changed.
bool rebase(TensorObject* view);
// Makes the history of a view anew, if its base was changed.
bool refresh(TensorObject* t);

void become_view(PyObject* view, PyObject* of);

// Called where anomalies are looked for: says where in the program we are. Null: not looked for.
extern PyObject* where_are_we;

}  // namespace veem
