// Shapes and strides: pure functions on short lists of integers. Strides count elements.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <ostream>
#include <vector>

#include "core/error.h"

namespace veem {

constexpr int kMaxDims = 16;

// A list of at most kMaxDims integers that lives on the stack.
class Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<int64_t> v) {
    for (int64_t x : v) push_back(x);
  }
  explicit Dims(const std::vector<int64_t>& v) {
    for (int64_t x : v) push_back(x);
  }
  Dims(int n, int64_t value) {
    for (int i = 0; i < n; ++i) push_back(value);
  }
  Dims(const Dims& o) : n_(o.n_) { copy(o); }
  Dims& operator=(const Dims& o) {
    n_ = o.n_;
    copy(o);
    return *this;
  }

  int size() const { return n_; }
  bool empty() const { return n_ == 0; }
  int64_t& operator[](int i) { return v_[i]; }
  int64_t operator[](int i) const { return v_[i]; }
  int64_t* begin() { return v_; }
  int64_t* end() { return v_ + n_; }
  const int64_t* begin() const { return v_; }
  const int64_t* end() const { return v_ + n_; }
  int64_t back() const { return v_[n_ - 1]; }

  void push_back(int64_t x) {
    VEEM_CHECK(n_ < kMaxDims, "shape", "a tensor can have at most ", kMaxDims, " dimensions");
    v_[n_++] = x;
  }
  void insert(int at, int64_t x) {
    push_back(0);
    std::memmove(v_ + at + 1, v_ + at, sizeof(int64_t) * (n_ - 1 - at));
    v_[at] = x;
  }
  void erase(int at) {
    std::memmove(v_ + at, v_ + at + 1, sizeof(int64_t) * (n_ - 1 - at));
    --n_;
  }
  void move(int from, int to) {
    int64_t x = v_[from];
    erase(from);
    insert(to, x);
  }
  bool operator==(const Dims& o) const {
    return n_ == o.n_ && std::memcmp(v_, o.v_, sizeof(int64_t) * n_) == 0;
  }
  bool operator!=(const Dims& o) const { return !(*this == o); }

 private:
  void copy(const Dims& o) {
    for (int i = 0; i < o.n_; ++i) v_[i] = o.v_[i];
  }
  int n_ = 0;
  int64_t v_[kMaxDims];
};

std::ostream& operator<<(std::ostream& s, const Dims& d);  // [2, 3]

// Product of the sizes; 1 for a 0-d shape. Raises when it does not fit in 63 bits.
int64_t numel(const Dims& shape);
Dims contiguous_strides(const Dims& shape);
bool is_contiguous(const Dims& shape, const Dims& strides);

// Maps dim in [-ndim, ndim) to [0, ndim); a 0-d tensor is taken as 1-d. IndexError otherwise.
int wrap_dim(int64_t dim, int ndim, const char* op);

// NumPy's broadcasting of two shapes. RuntimeError naming the op and both shapes.
Dims broadcast(const Dims& a, const Dims& b, const char* op);

// Strides that read a tensor of `shape` as if it had the (broadcast) shape `to`.
Dims broadcast_strides(const Dims& shape, const Dims& strides, const Dims& to);

// Strides of a view of (shape, strides) as `to`, or false where only a copy can do it.
bool view_strides(const Dims& shape, const Dims& strides, const Dims& to, Dims* out);

// Replaces one -1 in `to` by what makes its product n. RuntimeError naming the op otherwise.
Dims infer_size(Dims to, int64_t n, const char* op);

// The dimensions from the one with the largest stride to the one with the smallest: walked in
// this order, elements come as they lie in memory. Dimensions of stride 0 stay where they are.
Dims memory_order(const Dims& shape, const Dims& strides);

// Merges neighbouring dimensions that every stride list walks as one, and drops sizes of 1.
// The fewer dimensions are left, the simpler the kernel's loops.
void collapse(Dims* shape, Dims* const* strides, int lists);

}  // namespace veem
