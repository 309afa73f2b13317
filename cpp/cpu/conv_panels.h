// The operands of a convolution's products (conv.cpp) as gemm.h takes them: sources of panels,
// which are made straight from the images.
#pragma once

#include "cpu/gemm.h"
#include "cpu/windows.h"

namespace veem {
namespace VEEM_ISA {
namespace {

// What a place and a tap meet: along dimension d of a plane of size[d] elements, the element
// at * stride[d] + tap * step[d] + start[d], or nothing outside of it.
struct Meeting {
  const int64_t *size, *places, *kernel;
  int64_t stride[kSpace], step[kSpace], start[kSpace];
};
// The convolution itself: a place of the output meets elements of the input.
inline Meeting with_input(const ConvArgs& a) {
  Meeting m{a.in, a.out_size, a.kernel, {}, {}, {}};
  for (int d = 0; d < kSpace; ++d)
    m.stride[d] = a.stride[d], m.step[d] = a.dilation[d], m.start[d] = -a.pad[d];
  return m;
}
// And back, for windows of stride 1: an element of the input meets places of the output.
inline Meeting with_output(const ConvArgs& a) {
  Meeting m{a.out_size, a.in, a.kernel, {}, {}, {}};
  for (int d = 0; d < kSpace; ++d)
    m.stride[d] = 1, m.step[d] = -a.dilation[d], m.start[d] = a.pad[d];
  return m;
}

// A piece of a line of places: `n` of them from number `c` on, and where they begin in a plane
// before their tap's part is added; `image` is where its image begins.
struct Piece {
  int64_t c, n, z, y, x, image;
};
// The pieces of `count` places from place j of all images on, which are `image` elements apart;
// returns how many.
inline int64_t pieces_of(const Meeting& m, int64_t j, int64_t count, int64_t image, Piece* pieces) {
  int64_t places = product3(m.places), begins = j / places * image, found = 0;
  Place at = place_of(j % places, m.places);
  for (int64_t c = 0; c < count;) {
    int64_t n = at_most(count - c, m.places[2] - at.x);
    pieces[found++] = {c,
                       n,
                       at.z * m.stride[0] + m.start[0],
                       at.y * m.stride[1] + m.start[1],
                       at.x * m.stride[2] + m.start[2],
                       begins};
    c += n;
    if (next_line(&at, m.places)) begins += image;
  }
  return found;
}

// The element that the first place of a piece meets at a tap, where all of them meet one; else
// null.
template <class T>
inline const T* all_met(const Meeting& m, const Piece& p, const Place& tap, const T* plane) {
  int64_t z = p.z + tap.z * m.step[0], y = p.y + tap.y * m.step[1], x = p.x + tap.x * m.step[2];
  bool inside = z >= 0 && z < m.size[0] && y >= 0 && y < m.size[1] && x >= 0 &&
                x + (p.n - 1) * m.stride[2] < m.size[2];
  return inside ? plane + p.image + (z * m.size[1] + y) * m.size[2] + x : nullptr;
}

// The places [first, last) of a piece meet an element inside of the plane: the first of these
// elements. None do where both are equal.
template <class T>
inline const T* some_met(const Meeting& m, const Piece& p, const Place& tap, const T* plane,
                         int64_t* first, int64_t* last) {
  int64_t z = p.z + tap.z * m.step[0], y = p.y + tap.y * m.step[1], x = p.x + tap.x * m.step[2];
  *first = *last = 0;
  if (z < 0 || z >= m.size[0] || y < 0 || y >= m.size[1]) return plane;
  if (m.stride[2] == 1) *first = x < 0 ? -x : 0, *last = at_most(m.size[2] - x, p.n);
  else inside(p.n, m.stride[2], x, m.size[2], first, last);
  if (*last <= *first) *first = *last = 0;
  return plane + p.image + (z * m.size[1] + y) * m.size[2] + x + *first * m.stride[2];
}

// columns: row (channel, tap), column (image, place); what they meet in one group's planes.
template <class T>
struct Columns {
  static constexpr bool in_place = false;
  const Meeting& m;
  const T* images;
  int64_t image;  // from an image to the next
  View<T> view(int64_t, int64_t) const { return {}; }

  void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const {
    constexpr int64_t N = kTileColumns<T>;
    int64_t window = product3(m.kernel), size = product3(m.size);
    Piece pieces[N];
    int64_t count = pieces_of(m, j, columns, image, pieces);
    Place tap = place_of(p % window, m.kernel);
    const T* plane = images + p / window * size;
    for (int64_t q = 0; q < depth; ++q, to += N) {
      for (int64_t i = 0; i < count; ++i) {
        T* row = to + pieces[i].c;
        int64_t first = 0, last = pieces[i].n;
        const T* from = all_met(m, pieces[i], tap, plane);
        if (!from) {
          for (int64_t c = 0; c < last; ++c) row[c] = 0;
          from = some_met(m, pieces[i], tap, plane, &first, &last);
        }
        if (m.stride[2] == 1) copy_short<N>(row + first, from, last - first);
        else
          for (int64_t c = first; c < last; ++c, from += m.stride[2]) row[c] = *from;
      }
      for (int64_t c = columns; c < N; ++c) to[c] = 0;
      if (next_place(&tap, m.kernel)) plane += size;
    }
  }
};

// columns^T of all images: row (image, place), column (channel, tap).
template <class T>
struct Rows {
  static constexpr bool in_place = false;
  const Meeting& m;
  const T* images;  // the first channel of the group in the first image
  int64_t image;    // from an image to the next
  View<T> view(int64_t, int64_t) const { return {}; }

  void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const {
    constexpr int64_t N = kTileColumns<T>;
    int64_t window = product3(m.kernel), size = product3(m.size), places = product3(m.places);
    if (columns < N) __builtin_memset(to, 0, depth * N * sizeof(T));
    for (int64_t q = 0; q < depth;) {  // a line of places at a time, whose rows stay near
      int64_t place = (p + q) % places;
      int64_t n = at_most(m.places[2] - place % m.places[2], depth - q);
      const T* plane = images + (p + q) / places * image + j / window * size;
      Piece piece;
      pieces_of(m, place, n, 0, &piece);
      Place tap = place_of(j % window, m.kernel);
      for (int64_t c = 0; c < columns; ++c) {
        T* column = to + q * N + c;
        int64_t first = 0, last = n;
        const T* from = all_met(m, piece, tap, plane);
        if (!from) {
          for (int64_t i = 0; i < n; ++i) column[i * N] = 0;
          from = some_met(m, piece, tap, plane, &first, &last);
        }
        for (int64_t i = first; i < last; ++i, from += m.stride[2]) column[i * N] = *from;
        if (next_place(&tap, m.kernel)) plane += size;
      }
      q += n;
    }
  }
};

// The gradients of one group's filters over all images: row filter, column (image, place).
template <class T>
struct Filters {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* g;
  View<T> view(int64_t, int64_t) const { return {}; }
  View<T> packed(const T* at, int64_t, int64_t depth) const { return {at, depth, 1}; }

  void pack(int64_t i, int64_t rows, int64_t p, int64_t depth, T* to) const {
    int64_t places = product3(a.out_size);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t q = p; q < p + depth;) {
        int64_t n = at_most(places - q % places, p + depth - q);
        const T* from = g + (q / places * a.groups * a.filters + i + r) * places + q % places;
        __builtin_memcpy(to + r * depth + q - p, from, n * sizeof(T));
        q += n;
      }
    }
  }
};

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
