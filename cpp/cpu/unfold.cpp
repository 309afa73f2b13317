// Unfold: every element of every window, with a line for each tap of each plane; and its gradient,
// fold, which adds up what overlaps. Memory is the bound of both.
#include "cpu/fold_planes.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

template <class T>
void unfold_planes(const FoldArgs& a) {
  int64_t window = product3(a.kernel), places = product3(a.out_size), wide = a.out_size[2];
  parallel_for(a.planes * window, kFoldGrain / (places + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      Place tap = place_of(u % window, a.kernel), at{0, 0, 0};
      const T* plane = reinterpret_cast<const T*>(a.x.data) + u / window * product3(a.in);
      T* to = reinterpret_cast<T*>(a.out.data) + u * places;
      int64_t offset = meets(a, 2, 0, tap.x), first, last;
      inside(wide, a.stride[2], offset, a.in[2], &first, &last);
      do {
        int64_t line = met_line(a, at, tap);
        const T* from = plane + line * a.in[2] + offset;
        for (int64_t x = 0; x < wide; ++x)
          to[x] = line >= 0 && x >= first && x < last ? from[x * a.stride[2]] : T(0);
        to += wide;
      } while (!next_line(&at, a.out_size));
    }
  });
}

template <class T>
void fold_all(const FoldArgs& a) {
  fold_planes<T>(a, a.planes, reinterpret_cast<const T*>(a.out.data), product3(a.out_size), nullptr,
                 reinterpret_cast<T*>(a.x.data));
}

}  // namespace

void unfold(const FoldArgs& args) {
  switch (item_size(args.dtype)) {  // elements are moved, never looked at
    case 1: return unfold_planes<uint8_t>(args);
    case 4: return unfold_planes<uint32_t>(args);
    default: return unfold_planes<uint64_t>(args);
  }
}

void fold(const FoldArgs& args) {
  if (args.dtype == DType::Float32) return fold_all<float>(args);
  fold_all<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
