// A backend is memory, a stream of work and a table of kernels, one entry per family of ops.
// The CPU fills the same table once per instruction set: choosing AVX-512 and choosing a GPU
// are one idea.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "core/array.h"
#include "core/families.h"

namespace veem {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;  // "cpu"
  virtual bool has(DType) const { return true; }
  // The dtype that kernels take operands of t in, other than elementwise ops, reductions and
  // copies, which take all.
  virtual DType takes(DType t) const { return t; }
  virtual void* allocate_raw(size_t bytes) = 0;  // null when memory is out
  virtual void free_raw(void* block, size_t bytes) = 0;
  virtual void* address(void* block) { return block; }  // where the host sees it
  // Between host memory and this device, in order with the kernels before.
  virtual void copy_to_host(void* to, const Array& from) = 0;          // from is contiguous
  virtual void copy_from_host(const Array& to, const void* from) = 0;  // to is contiguous
  virtual void synchronize() {}

  Kernels kernels;
  CachingAllocator allocator{*this};
  // What arrays without data point to, so that they still know their device.
  const StoragePtr nothing = borrow_storage(*this, nullptr, 0, nullptr, [](void*) {});
};

// TypeError for a dtype that the backend lacks, float64 on Metal for one.
void check_dtype(const Backend& backend, DType dtype);

// Is there a kernel for each dtype? Copies and sorts move bytes of any.
template <class Args, class = void> constexpr bool kTyped = false;
template <class Args> constexpr bool kTyped<Args, std::void_t<decltype(Args::dtype)>> = true;
template <> inline constexpr bool kTyped<CopyArgs> = false;
template <> inline constexpr bool kTyped<IndexedArgs> = false;
template <> inline constexpr bool kTyped<SortArgs> = false;

// Calls a kernel, or says that the backend lacks it.
template <class Args>
inline void launch(Backend& backend, void (*kernel)(const Args&), const char* family,
                   const Args& args) {
  VEEM_CHECK_AS(NotImplemented, kernel, family, "not implemented on ", backend.name());
  if constexpr (kTyped<Args>)
    VEEM_CHECK_AS(NotImplemented, backend.takes(args.dtype) == args.dtype, family,
                  "not implemented for ", name(args.dtype), " on ", backend.name());
  kernel(args);
}
#define VEEM_LAUNCH(backend, family, args) \
  ::veem::launch(backend, (backend).kernels.family, #family, args)

Backend& cpu();                               // always there
Backend& backend(const std::string& device);  // "cpu", "metal"; raises for an absent one
const std::vector<Backend*>& backends();      // all that this machine has, the CPU first

}  // namespace veem
