// Describes a convolution or a gradient of one as a product of matrices for kernels/conv.metal,
// chooses a kernel for its size, and launches it.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "core/backend.h"
#include "metal/args.h"
#include "metal/device.h"
#include "metal/kernels.h"

namespace veem::metal {
namespace {

// Up to so many rows (filters or channels of a group) no tile is worth filling: 1 of 32 rows.
constexpr int64_t kFewRows = 4;
// As many groups keep all cores of a GPU busy.
constexpr int64_t kBusyGroups = 128;
// Multiply-adds of a sum that a part of k should have at least, and a multiple of its depth.
constexpr int64_t kWorthPart = 256, kDepth = 16;
constexpr int64_t kMostIndex = (int64_t{1} << 31) - 4096;  // of m, n and k, which are int
constexpr int64_t kMostPlace = int64_t{1} << 28;           // in one dimension of a padded plane

int64_t parts_of(int64_t n, int64_t size) { return (n + size - 1) / size; }

int64_t product(const int64_t* size) { return size[0] * size[1] * size[2]; }

struct Sizes {
  int64_t window, pixels, places;
  explicit Sizes(const ConvArgs& a)
      : window(product(a.kernel)), pixels(product(a.in)), places(product(a.out_size)) {}
};

int narrow(int64_t v) { return static_cast<int>(v); }

// In what steps an index moves along the dimensions of a plane.
struct Steps {
  int64_t count[kSpace], start[kSpace], step[kSpace];
};
Walk walk(int64_t outer, const Steps& s) {
  Walk w{};
  w.step = outer;
  w.slices = narrow(s.count[0]), w.rows = narrow(s.count[1]), w.columns = narrow(s.count[2]);
  w.z0 = narrow(s.start[0]), w.y0 = narrow(s.start[1]), w.x0 = narrow(s.start[2]);
  w.dz = narrow(s.step[0]), w.dy = narrow(s.step[1]), w.dx = narrow(s.step[2]);
  return w;
}
// Every place of a plane of this size.
Steps all_of(const int64_t* size) { return {{size[0], size[1], size[2]}, {0, 0, 0}, {1, 1, 1}}; }
// Where windows begin, and where their elements lie from there.
Steps windows(const ConvArgs& a) {
  Steps s = all_of(a.out_size);
  for (int d = 0; d < kSpace; ++d) s.start[d] = -a.pad[d], s.step[d] = a.stride[d];
  return s;
}
Steps elements(const ConvArgs& a) {
  Steps s = all_of(a.kernel);
  for (int d = 0; d < kSpace; ++d) s.step[d] = a.dilation[d];
  return s;
}
void set_right(ConvProduct* s, const int64_t* size) {
  s->depth = narrow(size[0]), s->height = narrow(size[1]), s->width = narrow(size[2]);
}
void set_left(ConvProduct* s, const int64_t* size) {
  s->left_height = narrow(size[1]), s->left_width = narrow(size[2]);
}
void set_out(ConvProduct* s, const int64_t* size) {
  s->out_height = narrow(size[1]), s->out_width = narrow(size[2]);
}
// Do planes have a depth? With 1 everywhere there is nothing to do for it.
int is_deep(const ConvArgs& a) {
  return a.in[0] > 1 || a.out_size[0] > 1 || a.kernel[0] > 1 || a.pad[0] > 0;
}

// What a product is made of, and the memory of its operands.
struct Product {
  ConvProduct s{};
  int64_t m, n, k;
  bool k_inner = false;
  Memory left, right, bias, out;
  int64_t left_size, right_size, out_size;  // numbers of one group and image times all of them
};

void check_sizes(const ConvArgs& a, const char* op) {
  for (int i = 0; i < kSpace; ++i) {
    int64_t most = std::max({a.in[i] + 2 * a.pad[i], a.stride[i], a.dilation[i]});
    VEEM_CHECK_AS(NotImplemented, most < kMostPlace, op,
                  "sizes, padding, strides and dilations "
                  "of 2^28 and more are not implemented on a GPU");
  }
}

void check_indices(const Product& p, const char* op) {
  VEEM_CHECK_AS(NotImplemented, std::max({p.m, p.n, p.k}) < kMostIndex, op,
                "more than 2^31 "
                "places of a batch at once are not implemented on a GPU; split the batch");
}

// ---- launching ------------------------------------------------------------------------------

struct Tile {
  const char* name;
  int64_t rows, threads;
};
constexpr int64_t kTileColumns = 64;

constexpr Tile kBlocked{"blocked", 32, 256}, kSimd{"simd", 64, 128}, kSimdLow{"simd_low", 32, 128};

// VEEM_METAL_CONV=simd takes that tile for all convolutions: for bench and tests.
const Tile* forced_tile() {
  const char* wanted = std::getenv("VEEM_METAL_CONV");
  if (!wanted || !*wanted) return nullptr;
  for (const Tile* tile : {&kBlocked, &kSimd, &kSimdLow})
    if (std::strcmp(tile->name, wanted) == 0) {
      VEEM_CHECK(tile == &kBlocked || has_simdgroup_matrix(), "convolution",
                 "VEEM_METAL_CONV=", wanted, " needs a GPU with simdgroup matrices");
      return tile;
    }
  raise(ErrorKind::Value, "convolution", "VEEM_METAL_CONV=", wanted,
        " is none of blocked, simd, simd_low");
}

Tile choose_tile(int64_t m, int64_t n, int64_t groups) {
  if (!has_simdgroup_matrix()) return kBlocked;
  int64_t tiles = parts_of(m, kSimd.rows) * parts_of(n, kTileColumns) * groups;
  return m <= kSimdLow.rows || tiles < kBusyGroups ? kSimdLow : kSimd;
}

Encoder& bind(Encoder& e, const Product& p, DType dtype, const Memory& out, int64_t out_bytes,
              int64_t groups) {
  int64_t size = item_size(dtype);
  e.buffer(p.left, p.left_size * size).buffer(p.right, p.right_size * size);
  e.buffer(p.bias, p.bias.data ? groups * p.m * size : 0).buffer(out, out_bytes);
  return e.args(p.s);
}

// A kernel that makes every result by itself.
void launch_plain(const Product& p, const ConvArgs& a) {
  std::string kernel = p.k_inner ? "conv_dots_" : "conv_direct_";
  Encoder e("conv", kernel + type_name(a.dtype), {p.k_inner, is_deep(a)});
  bind(e, p, a.dtype, p.out, p.out_size * item_size(a.dtype), a.groups);
  if (p.k_inner) e.groups({p.n, p.m, a.groups}, {256, 1, 1});
  else e.threads({p.n, p.m, a.groups}, {256, 1, 1});
}

// The sums of `parts` parts of k, and then their sum.
void launch_tiles(Product p, const ConvArgs& a, Backend& backend) {
  const Tile* forced = forced_tile();
  Tile tile = forced ? *forced : choose_tile(p.m, p.n, a.groups);
  int64_t tiles = parts_of(p.m, tile.rows) * parts_of(p.n, kTileColumns) * a.groups;
  int64_t parts = 1;
  if (p.k_inner) parts = std::clamp(parts_of(kBusyGroups, tiles), int64_t{1}, p.k / kWorthPart + 1);
  int64_t part = parts_of(parts_of(p.k, parts), kDepth) * kDepth;
  parts = std::max(parts_of(p.k, std::max(part, kDepth)), int64_t{1});
  p.s.parts = narrow(parts), p.s.part = narrow(part);

  std::string type = type_name(a.dtype), name = std::string("conv_") + tile.name + "_";
  int64_t out_bytes = p.out_size * item_size(a.dtype);
  Grid count{parts_of(p.n, kTileColumns), parts_of(p.m, tile.rows), a.groups * parts};
  if (parts == 1) {
    Encoder e("conv", name + type, {p.k_inner, is_deep(a)});
    bind(e, p, a.dtype, p.out, out_bytes, a.groups).groups(count, {tile.threads, 1, 1});
    return;
  }
  p.s.out_part = p.out_size;
  int64_t bytes = parts * p.out_size * 4;
  StoragePtr sums = make_storage(backend, bytes);
  Memory found{static_cast<char*>(sums->data), sums.get()};
  {
    Encoder e("conv", name + (a.dtype == DType::Float32 ? "" : "parts_") + type,
              {p.k_inner, is_deep(a)});
    bind(e, p, a.dtype, found, bytes, a.groups).groups(count, {tile.threads, 1, 1});
  }
  Encoder e("conv", "conv_sum_" + type, {p.k_inner, is_deep(a)});
  e.buffer(found, bytes).buffer(p.out, out_bytes).args(ConvSum{p.out_size, narrow(parts)});
  e.threads(p.out_size);
}

void launch(const Product& p, const ConvArgs& a, const char* op, const Memory& result) {
  if (p.m == 0 || p.n == 0) return;
  check_indices(p, op);
  Product q = p;
  q.s.m = narrow(p.m), q.s.n = narrow(p.n), q.s.k = narrow(p.k);
  q.s.has_bias = p.bias.data != nullptr;
  q.s.parts = 1, q.s.part = narrow(p.k);
  if (!is_float(a.dtype) || (p.m <= kFewRows && !forced_tile())) launch_plain(q, a);
  else launch_tiles(q, a, *result.storage->backend);
}

// ---- the gradient of the input, for one remainder of the pixels' places ---------------------

// Pixels y = first + stride t, which meet the window's elements i = i0 + step u at the place
// (first + pad - i0 dilation) / stride + t - u (step dilation / stride).
struct Remainder {
  int64_t pixels, first, place;      // how many, the first, and the first's place without taps
  int64_t taps, i0, step, back, by;  // how many, the first, their step; places back, then each
};
Remainder remainder(const ConvArgs& a, int d, int64_t r) {
  int64_t s = a.stride[d], dilation = a.dilation[d];
  Remainder m{};
  m.first = ((r - a.pad[d]) % s + s) % s;
  m.pixels = m.first < a.in[d] ? parts_of(a.in[d] - m.first, s) : 0;
  m.place = (m.first + a.pad[d] - r) / s;
  m.step = s / std::gcd(s, dilation);
  while (m.i0 < m.step && m.i0 * dilation % s != r) ++m.i0;
  m.taps = m.i0 < m.step && m.i0 < a.kernel[d] ? parts_of(a.kernel[d] - m.i0, m.step) : 0;
  m.back = m.taps ? (m.i0 * dilation - r) / s : 0;
  m.by = m.step * dilation / s;
  return m;
}

}  // namespace

void conv(const ConvArgs& a) {
  check_sizes(a, "convolution");
  Sizes z(a);
  Product p;
  p.m = a.filters, p.n = a.batch * z.places, p.k = a.channels * z.window;
  p.left = a.weight, p.right = a.x, p.bias = a.bias, p.out = a.out;
  p.left_size = a.groups * p.m * p.k;
  p.right_size = a.batch * a.groups * a.channels * z.pixels;
  p.out_size = a.groups * p.m * p.n;
  ConvProduct& s = p.s;
  s.left_row = p.k, s.left_group = p.m * p.k, s.right_group = a.channels * z.pixels;
  s.out_row = z.places, s.out_group = a.filters * z.places;
  set_left(&s, a.kernel), set_right(&s, a.in), set_out(&s, a.out_size);
  s.left = walk(z.window, all_of(a.kernel));
  s.right_k = walk(z.pixels, elements(a));
  s.right_n = walk(a.groups * a.channels * z.pixels, windows(a));
  s.out = walk(a.groups * a.filters * z.places, all_of(a.out_size));
  launch(p, a, "convolution", a.out);
}

void conv_transpose(const ConvArgs& a) {
  check_sizes(a, "conv_transpose");
  Sizes z(a);
  Product p;
  p.left = a.weight, p.right = a.out, p.bias = a.bias, p.out = a.x;
  p.left_size = a.groups * a.filters * a.channels * z.window;
  p.right_size = a.batch * a.groups * a.filters * z.places;
  p.out_size = a.batch * a.groups * a.channels * z.pixels;
  ConvProduct& s = p.s;
  s.left_row = z.window, s.left_group = a.filters * a.channels * z.window;
  s.right_group = a.filters * z.places;
  s.out_row = z.pixels, s.out_group = a.channels * z.pixels;
  set_left(&s, a.kernel), set_right(&s, a.out_size), set_out(&s, a.in);
  int64_t rests[kSpace], count = 1;  // remainders that pixels have, along each dimension
  for (int d = 0; d < kSpace; ++d) {
    rests[d] = std::min(a.stride[d], a.in[d] + a.pad[d]);
    count *= rests[d];
  }
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest[kSpace] = {i / rests[2] / rests[1], i / rests[2] % rests[1], i % rests[2]};
    Steps taps, met, pixels, places;
    p.m = a.channels, p.n = a.batch, p.k = a.filters;
    for (int d = 0; d < kSpace; ++d) {
      Remainder r = remainder(a, d, rest[d]);
      p.n *= r.pixels, p.k *= r.taps;
      // A walk divides by its counts, though it has no taps to walk over.
      int64_t some = r.taps ? r.taps : 1;
      taps.count[d] = met.count[d] = some, pixels.count[d] = places.count[d] = r.pixels;
      taps.start[d] = r.i0, taps.step[d] = r.step;
      met.start[d] = -r.back, met.step[d] = -r.by;
      pixels.start[d] = r.first, pixels.step[d] = a.stride[d];
      places.start[d] = r.place, places.step[d] = 1;
    }
    s.left = walk(a.channels * z.window, taps);
    s.right_k = walk(z.places, met);
    s.right_n = walk(a.groups * a.filters * z.places, places);
    s.out = walk(a.groups * a.channels * z.pixels, pixels);
    launch(p, a, "conv_transpose", a.x);
  }
}

void conv_backward_weight(const ConvArgs& a) {
  check_sizes(a, "conv_backward_weight");
  Sizes z(a);
  Product p;
  p.m = a.filters, p.n = a.channels * z.window, p.k = a.batch * z.places;
  p.k_inner = true;
  p.left = a.out, p.right = a.x, p.out = a.weight;
  p.left_size = a.groups * p.m * p.k;
  p.right_size = a.batch * a.groups * a.channels * z.pixels;
  p.out_size = a.groups * p.m * p.n;
  ConvProduct& s = p.s;
  s.left_row = z.places, s.left_group = a.filters * z.places;
  s.right_group = a.channels * z.pixels, s.out_row = p.n, s.out_group = p.m * p.n;
  set_left(&s, a.out_size), set_right(&s, a.in), set_out(&s, a.kernel);
  s.left = walk(a.groups * a.filters * z.places, all_of(a.out_size));
  s.right_k = walk(a.groups * a.channels * z.pixels, windows(a));
  s.right_n = walk(z.pixels, elements(a));
  s.out = walk(z.window, all_of(a.kernel));
  launch(p, a, "conv_backward_weight", a.weight);
}

}  // namespace veem::metal
