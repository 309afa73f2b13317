// Columns (plane, tap, place) added to where their windows lie on the planes.
#pragma once

#include "core/threads.h"
#include "cpu/windows.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kFoldGrain = 16 * 1024;  // elements of columns that are worth a thread

// Every plane starts at its number of `bias` (0 if null), in the order of taps: the same sums for
// any number of threads. `row`: numbers of columns from a tap to the next.
template <class T>
void fold_planes(const WindowArgs& a, int64_t planes, const T* columns, int64_t row, const T* bias,
                 T* out) {
  int64_t pixels = product3(a.in), places = product3(a.out_size), window = product3(a.kernel);
  parallel_for(planes, kFoldGrain / (window * places + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      T* plane = out + p * pixels;
      for (int64_t i = 0; i < pixels; ++i) plane[i] = bias ? bias[p] : T(0);
      const T* tap_row = columns + p * window * row;
      for (Place tap{0, 0, 0}, at;; tap_row += row) {
        const T* from = tap_row;
        int64_t offset = meets(a, 2, 0, tap.x), first, last;
        inside(a.out_size[2], a.stride[2], offset, a.in[2], &first, &last);
        at = {0, 0, 0};
        do {
          int64_t line = met_line(a, at, tap);
          T* to = plane + line * a.in[2] + offset;
          if (line >= 0)
            for (int64_t x = first; x < last; ++x) to[x * a.stride[2]] += from[x];
          from += a.out_size[2];
        } while (!next_line(&at, a.out_size));
        if (next_place(&tap, a.kernel)) break;
      }
    }
  });
}

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
