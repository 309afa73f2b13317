// DLPack: libraries in one process show each other their tensors without a copy. A capsule carries
// a struct with the address, the shape and a function that the last user calls; version 1 added
// flags. The layout of the structs is that of dmlc/dlpack's header, which fixes it for all.
#include <pybind11/pybind11.h>

#include <memory>

#include "bindings/families.h"
#include "bindings/native.h"

namespace py = pybind11;

namespace veem {
namespace {

constexpr int32_t kCpu = 1;                     // device types
constexpr uint64_t kReadOnly = 1, kCopied = 2;  // flags
enum Code : uint8_t { kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kBool = 6 };

struct DLDevice {
  int32_t type, id;
};
struct DLDataType {
  uint8_t code, bits;
  uint16_t lanes;  // elements of a vector type: 1
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape, *strides;  // strides count elements; null where the order is C's
  uint64_t byte_offset;
};
struct Plain {  // the struct of capsules without a version
  DLTensor tensor;
  void* owner;
  void (*deleter)(Plain*);
  static constexpr const char *kName = "dltensor", *kUsed = "used_dltensor";
};
struct Versioned {
  struct {
    uint32_t major, minor;
  } version;
  void* owner;
  void (*deleter)(Versioned*);
  uint64_t flags;
  DLTensor tensor;
  static constexpr const char *kName = "dltensor_versioned", *kUsed = "used_dltensor_versioned";
};

DLDataType dl_dtype(DType t) {
  Code code = t == DType::Bool       ? kBool
              : t == DType::UInt8    ? kUInt
              : t == DType::BFloat16 ? kBfloat
              : is_float(t)          ? kFloat
                                     : kInt;
  return {code, static_cast<uint8_t>(8 * item_size(t)), 1};
}

DType dtype_from_dl(DLDataType given) {
  for (int i = 0; i < kDTypes; ++i) {
    DLDataType known = dl_dtype(static_cast<DType>(i));
    if (known.code == given.code && known.bits == given.bits && given.lanes == 1)
      return static_cast<DType>(i);
  }
  raise(ErrorKind::Type, "from_dlpack", "no dtype here is DLPack's type code ", int{given.code},
        " of ", int{given.bits}, " bits and ", given.lanes, " lanes; convert it before");
}

// ---- giving ---------------------------------------------------------------------------------

// What a capsule points to, with the array that it keeps alive.
template <class Managed> struct Given {
  Managed managed = {};
  Array array;
};

void set_version(Plain*, bool) {}
void set_version(Versioned* m, bool copied) {
  m->version = {1, 0};
  m->flags = copied ? kCopied : 0;
}

// Runs when a capsule goes that nobody has taken from: the taker renames it.
template <class Managed> void drop_capsule(PyObject* capsule) {
  if (!PyCapsule_IsValid(capsule, Managed::kName)) return;
  auto* m = static_cast<Managed*>(PyCapsule_GetPointer(capsule, Managed::kName));
  if (m->deleter) m->deleter(m);
}

template <class Managed> PyObject* give(const Array& array, bool copied) {
  auto given = std::make_unique<Given<Managed>>();
  Array& a = given->array = array;
  for (int i = 0; i < a.ndim(); ++i)
    if (a.shape[i] == 1) a.strides[i] = 1;  // any would do: one that looks compact
  Managed& m = given->managed;
  m.tensor = {a.data(),        {kCpu, 0},         a.ndim(), dl_dtype(a.dtype),
              a.shape.begin(), a.strides.begin(), 0};
  m.owner = given.get();
  // Called by the taker, on any thread, with or without the GIL: it needs none.
  m.deleter = [](Managed* self) { delete static_cast<Given<Managed>*>(self->owner); };
  set_version(&m, copied);
  PyObject* capsule = PyCapsule_New(&m, Managed::kName, drop_capsule<Managed>);
  if (capsule) given.release();
  return capsule;
}

py::object to_dlpack(const py::object& tensor, bool versioned, bool copied) {
  const Array& a = From<Array>::get(tensor.ptr(), "to_dlpack", 0);
  VEEM_CHECK_AS(Value, &a.backend() == &cpu(), "to_dlpack", "tensors on ", a.backend().name(),
                " stay there; use x.cpu()");
  PyObject* capsule = versioned ? give<Versioned>(a, copied) : give<Plain>(a, copied);
  if (!capsule) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(capsule);
}

// ---- taking ---------------------------------------------------------------------------------

// The array that a DLTensor describes, without its memory.
Array describe(const DLTensor& t) {
  VEEM_CHECK_AS(Value, t.device.type == kCpu, "from_dlpack", "the tensor is on DLPack's device (",
                t.device.type, ", ", t.device.id, "), and only the CPU's memory, (1, 0), is taken");
  Array a;
  a.dtype = dtype_from_dl(t.dtype);
  for (int i = 0; i < t.ndim; ++i) {
    VEEM_CHECK_AS(Value, t.shape[i] >= 0, "from_dlpack", "a negative size");
    a.shape.push_back(t.shape[i]);
  }
  a.strides = contiguous_strides(a.shape);
  for (int i = 0; t.strides && i < t.ndim; ++i) {
    VEEM_CHECK_AS(Value, t.strides[i] >= 0 || a.shape[i] < 2, "from_dlpack",
                  "at least one stride is negative, which tensors do not have; copy it before");
    a.strides[i] = a.shape[i] < 2 ? 1 : t.strides[i];
  }
  auto address = reinterpret_cast<uintptr_t>(t.data) + t.byte_offset;
  VEEM_CHECK_AS(Value, address % item_size(a.dtype) == 0, "from_dlpack",
                "the memory is not aligned to its elements; copy it before");
  VEEM_CHECK_AS(Value, t.data || !a.numel(), "from_dlpack", "the address is null");
  return a;
}

void check_version(const Plain&) {}
void check_version(const Versioned& m) {
  VEEM_CHECK_AS(Value, m.version.major == 1, "from_dlpack", "the capsule has version ",
                m.version.major, ".", m.version.minor, " of DLPack; known is version 1");
}
bool read_only(const Plain&) { return false; }
bool read_only(const Versioned& m) { return m.flags & kReadOnly; }

// A tensor over a capsule's memory, and whether that was given for reading only.
template <class Managed> py::tuple take(const py::object& capsule) {
  auto* m = static_cast<Managed*>(PyCapsule_GetPointer(capsule.ptr(), Managed::kName));
  if (!m) throw py::error_already_set();
  check_version(*m);
  Array a = describe(m->tensor);
  // From here on the memory is ours to give back; before, it was the capsule's.
  if (PyCapsule_SetName(capsule.ptr(), Managed::kUsed) < 0) throw py::error_already_set();
  auto free = [](void* owner) {
    auto* m = static_cast<Managed*>(owner);
    if (m->deleter) m->deleter(m);
  };
  int64_t reach = 0;  // the furthest element
  for (int i = 0; i < a.ndim(); ++i) reach += (a.shape[i] - 1) * a.strides[i];
  char* data = static_cast<char*>(m->tensor.data) + m->tensor.byte_offset;
  bool sealed = read_only(*m);
  a.storage = borrow_storage(cpu(), data, (reach + 1) * item_size(a.dtype), m, free);
  if (!a.numel()) a = empty(a.shape, a.dtype, cpu());  // there may be no address
  return py::make_tuple(py::reinterpret_steal<py::object>(wrap(std::move(a))), sealed);
}

py::tuple from_dlpack(const py::object& capsule) {
  if (PyCapsule_IsValid(capsule.ptr(), Versioned::kName)) return take<Versioned>(capsule);
  VEEM_CHECK(
      PyCapsule_IsValid(capsule.ptr(), Plain::kName), "from_dlpack",
      "not a DLPack capsule, or one that a tensor was made of before: each can be used once");
  return take<Plain>(capsule);
}

}  // namespace

void bind_dlpack(PyObject* module) {
  py::module_ m = py::reinterpret_borrow<py::module_>(module);
  m.def("to_dlpack", to_dlpack, py::arg("tensor"), py::arg("versioned"), py::arg("copied"));
  m.def("from_dlpack", from_dlpack);
}

}  // namespace veem
