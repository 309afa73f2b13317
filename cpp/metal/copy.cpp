// Launches of kernels/copy.metal: which kernel, and in which units.
#include "metal/kernels.h"
#include "metal/lines.h"

namespace veem::metal {

namespace {

constexpr int64_t kUnit = 16;       // bytes that a thread moves at most
constexpr int64_t kLeastSide = 16;  // of a plane that is worth tiles

uint64_t address(const Memory& m) { return reinterpret_cast<uintptr_t>(m.data); }

// The most bytes that can be moved at once, of rows of elements of `item` bytes.
int64_t unit_of(const CopyArgs& a, int64_t item) {
  uint64_t bits = address(a.to) | address(a.from);
  int last = a.ndim - 1;
  bits |= static_cast<uint64_t>(a.shape[last] * item);
  for (int d = 0; d < last; ++d)
    bits |= static_cast<uint64_t>((a.to.strides[d] | a.from.strides[d]) * item);
  int64_t unit = kUnit;
  while (unit > item && bits % static_cast<uint64_t>(unit) != 0) unit /= 2;
  return unit;
}

const char* unit_name(int64_t bytes) {
  switch (bytes) {
    case 1: return "uchar";
    case 2: return "short";
    case 4: return "int";
    case 8: return "long";
    default: return "uint4";
  }
}

// In units of `per` elements, which follow each other along the last dimension.
CopyShape shape_of(const CopyArgs& a, int64_t per) {
  CopyShape s = {};
  s.count = 1;
  for (int d = 0; d < a.ndim; ++d) {
    bool last = d == a.ndim - 1;
    s.shape[d] = last ? a.shape[d] / per : a.shape[d];
    s.to[d] = last ? a.to.strides[d] : a.to.strides[d] / per;
    s.from[d] = last ? a.from.strides[d] : a.from.strides[d] / per;
    s.count *= s.shape[d];
  }
  return s;
}

void copy_tiles(const CopyArgs& a, int64_t item) {
  CopyShape s = shape_of(a, 1);
  int64_t rows = a.shape[a.ndim - 2], columns = a.shape[a.ndim - 1];
  int64_t side = item <= 2 ? 64 : 32;
  Encoder e("copy", std::string("copy_tiles_") + unit_name(item), {s.count > INT32_MAX, a.ndim});
  e.buffer(a.from, extent(a.from, a.shape, a.ndim)).buffer(a.to, extent(a.to, a.shape, a.ndim));
  e.args(s).groups({parts(rows, side), parts(columns, side), s.count / (rows * columns)}, {32, 8});
}

}  // namespace

void copy(const CopyArgs& a) {
  int64_t item = item_size(a.dtype);
  bool rows = a.kind == CopyKind::Rows;
  if (a.kind == CopyKind::Tiles && a.shape[a.ndim - 2] >= kLeastSide &&
      a.shape[a.ndim - 1] >= kLeastSide)
    return copy_tiles(a, item);
  if (rows && a.ndim == 1 && (address(a.to) | address(a.from)) % kUnit == 0) {
    CopyShape s = {};
    s.count = a.shape[0] * item;
    Encoder e("copy", "copy_flat");
    e.buffer(a.from, s.count).buffer(a.to, s.count).args(s);
    return threads_in_lines(e, parts(s.count, kUnit));
  }
  int64_t unit = rows ? unit_of(a, item) : item;
  CopyShape s = shape_of(a, unit / item);
  Encoder e("copy", std::string("copy_strided_") + unit_name(unit), {s.count > INT32_MAX, a.ndim});
  e.buffer(a.from, extent(a.from, a.shape, a.ndim)).buffer(a.to, extent(a.to, a.shape, a.ndim));
  threads_in_lines(e.args(s), s.count);
}

}  // namespace veem::metal
