// How a threadgroup is shared out between rows and the lanes that work on one (kernels/fold.h).
#pragma once

#include "core/args.h"
#include "metal/args.h"
#include "metal/device.h"

namespace veem::metal {

inline int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

// The next power of two, at most `most`, which is one.
inline int round_up(int64_t n, int most) {
  int p = 1;
  while (p < n && p < most) p *= 2;
  return p;
}

struct Tile {
  int rows = 1, lanes = 1;
  int threads() const { return rows * lanes; }
  int64_t groups(int64_t count) const { return parts(count, rows); }
};

// A lane has at least kBusy elements; one SIMD-group has a row of up to kShortRow.
constexpr int64_t kBusy = 4;
constexpr int64_t kShortRow = kSimdWidth * kHeld;
static_assert(kGroup % kSimdWidth == 0, "folds go by whole SIMD-groups");

// Rows that each lie together: lanes first.
inline Tile tile_rows(int64_t count, int64_t n) {
  Tile t;
  t.lanes = round_up(parts(n, kBusy), n <= kShortRow ? kSimdWidth : kGroup);
  t.rows = round_up(count, kGroup / t.lanes);
  return t;
}

// Rows of which `width` lie beside each other: as many as fill a line of memory first.
inline Tile tile_columns(int64_t count, int64_t width, int64_t n) {
  int line = round_up(width, kSimdWidth);
  Tile t;
  t.lanes = round_up(parts(n, kBusy), kGroup / line);
  t.rows = round_up(count, kGroup / t.lanes);
  return t;
}

// Elements that each lane keeps in registers; 0 where a row has too many.
inline int held(const Tile& tile, int64_t n) {
  int64_t each = parts(n, tile.lanes);
  return each <= kHeld ? round_up(each, kHeld) : 0;
}

// Into how many pieces rows of n are cut, so that the GPU has work for all its cores. By the
// shape alone: the results do not depend on the device.
constexpr int64_t kManyGroups = 256;
constexpr int64_t kLeastPiece = 32;  // elements of a lane
inline int64_t pieces_of(const Tile& tile, int64_t count, int64_t n) {
  int64_t wanted = parts(kManyGroups, tile.groups(count));
  int64_t most = n / (tile.lanes * kLeastPiece);
  return most < 1 ? 1 : most < wanted ? most : wanted;
}

}  // namespace veem::metal
