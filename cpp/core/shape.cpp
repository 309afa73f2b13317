#include "core/shape.h"

#include <utility>

namespace veem {

std::ostream& operator<<(std::ostream& s, const Dims& d) {
  s << '[';
  for (int i = 0; i < d.size(); ++i) s << (i ? ", " : "") << d[i];
  return s << ']';
}

int64_t numel(const Dims& shape) {
  int64_t n = 1;
  for (int64_t s : shape)
    if (s == 0) return 0;
  for (int64_t s : shape)
    VEEM_CHECK(!__builtin_mul_overflow(n, s, &n), "shape", shape,
               " has more elements than fit in 63 bits");
  return n;
}

Dims contiguous_strides(const Dims& shape) {
  Dims strides(shape.size(), 1);
  for (int i = shape.size() - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * (shape[i + 1] > 1 ? shape[i + 1] : 1);
  return strides;
}

bool is_contiguous(const Dims& shape, const Dims& strides) {
  int64_t expected = 1;
  for (int i = shape.size() - 1; i >= 0; --i) {
    if (shape[i] == 0) return true;
    if (shape[i] == 1) continue;
    if (strides[i] != expected) return numel(shape) == 0;
    expected *= shape[i];
  }
  return true;
}

int wrap_dim(int64_t dim, int ndim, const char* op) {
  int n = ndim > 0 ? ndim : 1;
  VEEM_CHECK_AS(Index, dim >= -n && dim < n, op,
                "Dimension out of range (expected to be in range of [", -n, ", ", n - 1,
                "], but got ", dim, ")");
  return static_cast<int>(dim < 0 ? dim + n : dim);
}

Dims broadcast(const Dims& a, const Dims& b, const char* op) {
  if (a == b) return a;
  const Dims& longer = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  Dims out = longer;
  int shift = longer.size() - shorter.size();
  for (int i = 0; i < shorter.size(); ++i) {
    int64_t x = longer[i + shift], y = shorter[i];
    VEEM_CHECK(x == y || x == 1 || y == 1, op, "shapes ", a, " and ", b,
               " do not broadcast: sizes ", x, " and ", y, " at dimension ", i + shift,
               " must be equal or one of them 1");
    out[i + shift] = x == 1 ? y : x;
  }
  return out;
}

Dims broadcast_strides(const Dims& shape, const Dims& strides, const Dims& to) {
  Dims out(to.size(), 0);
  int shift = to.size() - shape.size();
  for (int i = 0; i < shape.size(); ++i)
    out[i + shift] = shape[i] == 1 && to[i + shift] != 1 ? 0 : strides[i];
  return out;
}

bool view_strides(const Dims& shape, const Dims& strides, const Dims& to, Dims* out) {
  if (numel(shape) == 0 || numel(to) == 0) {
    *out = contiguous_strides(to);
    return true;
  }
  *out = Dims(to.size(), 0);
  // Walk from the last dimension. A chunk is a run of old dimensions that lie in memory as one;
  // new dimensions must tile the chunks exactly.
  int j = to.size() - 1;
  int64_t chunk_numel = 1, view_numel = 1;
  int64_t base = shape.size() ? strides.back() : 1;
  for (int i = shape.size() - 1; i >= 0; --i) {
    chunk_numel *= shape[i];
    bool ends = i == 0 || (shape[i - 1] != 1 && strides[i - 1] != chunk_numel * base);
    if (!ends) continue;
    while (j >= 0 && (view_numel < chunk_numel || to[j] == 1)) {
      (*out)[j] = view_numel * base;
      view_numel *= to[j--];
    }
    if (view_numel != chunk_numel) return false;
    if (i > 0) {
      base = strides[i - 1];
      chunk_numel = view_numel = 1;
    }
  }
  for (; j >= 0; --j) (*out)[j] = view_numel * base;  // a 0-d input: only sizes of 1 are left
  return true;
}

Dims infer_size(Dims to, int64_t n, const char* op) {
  int unknown = -1;
  int64_t known = 1;
  for (int i = 0; i < to.size(); ++i) {
    if (to[i] == -1) {
      VEEM_CHECK(unknown < 0, op, "only one dimension can be inferred, got shape ", to);
      unknown = i;
    } else {
      VEEM_CHECK(to[i] >= 0, op, "invalid shape dimension ", to[i], " in ", to);
      VEEM_CHECK(!__builtin_mul_overflow(known, to[i], &known), op, "shape ", to,
                 " has more elements than fit in 63 bits");
    }
  }
  if (unknown < 0) {
    VEEM_CHECK(known == n, op, "shape '", to, "' is invalid for input of size ", n);
    return to;
  }
  VEEM_CHECK(known != 0, op, "cannot infer -1 in shape ", to,
             ": with a size of 0 beside it, any value fits");
  VEEM_CHECK(n % known == 0, op, "shape '", to, "' is invalid for input of size ", n);
  to[unknown] = n / known;
  return to;
}

Dims memory_order(const Dims& shape, const Dims& strides) {
  auto before = [&](int64_t a, int64_t b) {  // 1: yes, -1: no, 0: either way
    if (strides[a] == 0 || strides[b] == 0) return 0;
    if (strides[a] != strides[b]) return strides[a] > strides[b] ? 1 : -1;
    return shape[a] < shape[b] ? 1 : 0;
  };
  Dims order;
  for (int i = 0; i < shape.size(); ++i) order.push_back(i);
  // Insertion from the last dimension on, so that ties keep the order of a contiguous tensor.
  for (int i = order.size() - 2; i >= 0; --i) {
    int at = i;
    for (int j = i + 1; j < order.size(); ++j) {
      int c = before(order[j], order[at]);
      if (c < 0) break;
      if (c == 0) continue;
      std::swap(order[at], order[j]);
      at = j;
    }
  }
  return order;
}

void collapse(Dims* shape, Dims* const* strides, int lists) {
  int last = -1;  // the dimensions [0, last] are done
  for (int i = 0; i < shape->size(); ++i) {
    if ((*shape)[i] == 1) continue;
    bool merges = last >= 0;
    for (int l = 0; l < lists && merges; ++l)
      merges = (*strides[l])[last] == (*strides[l])[i] * (*shape)[i];
    if (merges) {
      (*shape)[last] *= (*shape)[i];
    } else {
      (*shape)[++last] = (*shape)[i];
    }
    for (int l = 0; l < lists; ++l) (*strides[l])[last] = (*strides[l])[i];
  }
  while (shape->size() > last + 1) {
    shape->erase(shape->size() - 1);
    for (int l = 0; l < lists; ++l) strides[l]->erase(strides[l]->size() - 1);
  }
}

}  // namespace veem
