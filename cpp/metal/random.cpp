// Launches random fills: a thread for each hash, and the generator moved on by as many
// (kernels/random.metal). A permutation is the order of such numbers: core/ops_random.cpp sorts
// them.
#include "core/array.h"
#include "core/backend.h"
#include "core/plan.h"
#include "core/random.h"
#include "metal/args.h"
#include "metal/device.h"
#include "metal/kernels.h"
#include "metal/tile.h"

namespace veem::metal {

namespace {

constexpr int64_t kMost = 1 << 30;  // threads of a launch: their numbers have 32 bits

static_assert(static_cast<int>(Draw::Uniform) == kDrawUniform &&
                  static_cast<int>(Draw::Integer) == kDrawInteger,
              "the kernel takes a Draw as a number");

bool dense(const RandomArgs& a) {
  bool beside = a.draw != Draw::BernoulliEach || a.p.strides[0] == 1;
  return a.ndim == 1 && a.out.strides[0] == 1 && beside;
}

void fill(const RandomArgs& a) {
  bool wide = a.draw == Draw::Integer && a.wide, each = a.draw == Draw::BernoulliEach;
  RandomShape s = {};
  s.n = 1;
  for (int d = 0; d < a.ndim; ++d) {
    s.n *= a.shape[d];
    s.shape[d] = a.shape[d];
    s.out_strides[d] = a.out.strides[d];
    if (each) s.p_strides[d] = a.p.strides[d];
  }
  s.seed = a.state->seed;
  s.range = a.range;
  s.base = a.base;
  s.a = static_cast<float>(a.a);
  s.b = static_cast<float>(a.b);
  int64_t per_thread = wide ? 2 : 4, hashes = parts(s.n, per_thread);
  for (int64_t at = 0; at < hashes; at += kMost) {
    s.offset = a.state->offset + static_cast<uint64_t>(at);
    s.first = at * per_thread;
    Encoder e("random", "random",
              {static_cast<int>(a.draw), static_cast<int>(a.out.dtype),
               static_cast<int>(each ? a.p.dtype : DType::Float32), dense(a) ? 0 : a.ndim, wide});
    e.buffer(a.out, extent(a.out, a.shape, a.ndim));
    if (each) e.buffer(a.p, extent(a.p, a.shape, a.ndim));
    else e.buffer({}, 0);
    e.args(s).threads(hashes - at < kMost ? hashes - at : kMost);
  }
  a.state->offset += static_cast<uint64_t>(hashes);
}

void categories(const RandomArgs& a) {
  int64_t rows = a.shape[0];
  CategoriesShape s = {};
  s.seed = a.state->seed;
  s.samples = a.shape[1];
  s.categories = a.categories;
  s.n = rows * s.samples;
  s.row_stride = a.p.strides[0];
  s.stride = a.p.strides[1];

  Array reached = empty({rows, a.categories}, DType::Float32, *a.out.storage->backend);
  int64_t bytes = rows * a.categories * 4, p_shape[] = {rows, a.categories};
  int none = static_cast<int>(Draw::Categories), type = static_cast<int>(a.p.dtype);
  Encoder sums("random", "cumulate", {none, 0, type, 0, 0});
  sums.buffer(a.p, extent(a.p, p_shape, 2)).buffer(memory_of(reached), bytes).args(s);
  sums.groups({rows}, {256});

  int64_t hashes = parts(s.n, 4);
  for (int64_t at = 0; at < hashes; at += kMost) {
    s.offset = a.state->offset + static_cast<uint64_t>(at);
    s.first = at * 4;
    Encoder e("random", "categories", {none, 0, type, 0, 0});
    e.buffer(memory_of(reached), bytes).buffer(a.out, s.n * 8).args(s);
    e.threads(hashes - at < kMost ? hashes - at : kMost);
  }
  a.state->offset += static_cast<uint64_t>(hashes);
}

}  // namespace

void random(const RandomArgs& a) {
  if (a.draw == Draw::Categories) categories(a);
  else fill(a);
}

}  // namespace veem::metal
