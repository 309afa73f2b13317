// How windows move over (depth, height, width), as users say it: with one number for each of the
// 1 to 3 dimensions that there are.
#pragma once

#include "core/ops.h"

namespace veem {

struct Windows {
  Dims stride, pad, dilation;
};

// RuntimeError unless these are `dims` usable numbers each.
void check_windows(const Windows& w, int dims, const char* op);

// Fills in all but out_size for planes whose size stands at the end of `shape`.
void set_windows(WindowArgs* args, const Dims& shape, const Dims& kernel, const Windows& w);

// `batch` dimensions of `shape`, and then as many of `size` as there are in space.
Dims with_space(const Dims& shape, int batch, int space, const int64_t* size);

// RuntimeError unless x is (batch, channels, 1 to 3 dimensions), NotImplementedError unless its
// dtype is taken.
void check_planes(const Array& x, int dims, const char* op, bool taken);
void check_taken(const Array& x, const char* op, bool taken);

}  // namespace veem
