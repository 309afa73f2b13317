// The tensor as a Python object: an array plus what autograd needs. A C type rather than a bound
// class, because its operators are called millions of times: they are type slots here.
#pragma once

#include <Python.h>

#include "core/array.h"
#include "core/ops.h"

namespace veem {

// Counts the in-place changes of some memory. Shared by a tensor, its views and its detached
// aliases, so that backward sees when a value that it saved has been overwritten.
class VersionPtr {
 public:
  VersionPtr() = default;
  VersionPtr(const VersionPtr& o) : v_(o.v_) {
    if (v_) ++v_->refs;
  }
  VersionPtr& operator=(VersionPtr o) {
    std::swap(v_, o.v_);
    return *this;
  }
  ~VersionPtr() {
    if (!v_ || --v_->refs > 0) return;
    Py_XDECREF(v_->changed_at);
    delete v_;
  }
  int64_t value() const { return v_ ? v_->value.load() : 0; }
  void bump() { ++make().value; }
  // What Python noted of the last change, where anomalies are looked for; or null.
  PyObject* changed_at() const { return v_ ? v_->changed_at : nullptr; }
  void note_change(PyObject* where) { Py_XSETREF(make().changed_at, where); }
  VersionPtr share() {  // made at need: most tensors never have an alias
    make();
    return *this;
  }

 private:
  struct Counter {
    std::atomic<int> refs{1};
    std::atomic<int64_t> value{0};
    PyObject* changed_at = nullptr;
  };
  Counter& make() {
    if (!v_) v_ = new Counter;
    return *v_;
  }
  Counter* v_ = nullptr;
};

// In which mode a view was made: in-place changes through it can be followed only in the first.
enum class Made : uint8_t { Recording, NoGrad, Inference };

struct TensorObject {
  PyObject_HEAD
  Array array;
  VersionPtr version;
  PyObject* grad_fn;     // the Node that made it, or null
  PyObject* grad;        // a Tensor, or null
  PyObject* base;        // of a view: the tensor whose memory it shows, or null
  PyObject* hooks;       // of a leaf: a dict, or null
  int64_t view_version;  // of a view: the version at which its history was right
  int32_t output_nr;     // which output of grad_fn it is
  bool requires_grad;
  bool inference;  // made in inference mode, and never to be recorded
  Made made;       // of a view
};

extern PyTypeObject TensorType;
extern PyBufferProcs buffer_slots;  // memoryview(x)

inline bool is_tensor(PyObject* o) { return PyObject_TypeCheck(o, &TensorType); }
inline TensorObject* as_tensor(PyObject* o) { return reinterpret_cast<TensorObject*>(o); }

// A new tensor of the registered Python class, or of `type`.
PyObject* wrap(Array array, PyTypeObject* type = nullptr);
// The same memory and version counter, no history.
PyObject* alias(TensorObject* t);

// The names of C++ values in Python, and back. Each returns null or raises a C++ Error.
PyObject* shape_tuple(const Dims& dims);     // a Size
PyObject* dtype_object(DType t);             // new reference
bool dtype_from(PyObject* o, DType* out);    // false when o is no dtype
bool scalar_from(PyObject* o, Scalar* out);  // false when o is no number
bool dims_from(PyObject* o, Dims* out);      // an int or a sequence of ints; false otherwise

// x[index] and x[index] = value.
PyObject* subscript(PyObject* x, PyObject* index);
int assign_subscript(PyObject* x, PyObject* index, PyObject* value);
// normalize(x, index) makes numbers, slices and tensors of what else an index may be.
void register_indexing(PyObject* normalize);

// Turns the C++ exception in flight into the Python one.
void set_python_error();

// Whether ops are recorded, in this thread; and whether what they make never will be.
extern thread_local bool grad_mode, inference_mode;
inline bool recording() { return grad_mode && !inference_mode; }

// What Python registers at import: its tensor class and shape class.
void register_classes(PyObject* tensor, PyObject* size);
void set_size_class(PyObject* size);
void set_dtype_prefix(const std::string& text);  // what stands before a dtype's name in its repr
bool add_tensor_type(PyObject* module);          // false with a Python error set
bool add_dtypes(PyObject* module);

}  // namespace veem
