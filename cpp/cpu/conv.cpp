// Convolution as a product of matrices whose second factor is never in memory.
//
// With one row for each (channel, tap) of the kernel and one column for each place of the output,
// the matrix "columns" holds the element that this weight meets at this place. Then
//   out    = weight (filters, channels * window) @ columns           for each image and group
//   dw     = sum over images of g (filters, places) @ columns^T
//   dx     = the same as out with g for x: each element meets, for every (filter, tap), the place
//            that it was used for, if there is one: weight^T @ places
// Where windows step over elements most of these places would be none; there
//   dx     = weight^T (channels * window, filters) @ g, each row added to where it was met (fold)
// which is in memory, a few channels at a time. A tap is a place (z, y, x) in the window.
// Arithmetic is the bound: 2 * filters * channels * window flops a place. gemm.h asks for its
// operands in packed panels, and the sources below make the panels straight from the images.
#include "cpu/fold_planes.h"
#include "cpu/gemm.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kFoldBytes = 1 << 20;  // of the columns that a strided dx makes at a time

// The elements that a row of places meets: to[c] = line[x * stride + offset] or 0 outside of it.
template <class T>
inline void meet(T* to, int64_t n, int64_t x, const T* line, int64_t width, int64_t stride,
                 int64_t offset) {
  for (int64_t c = 0; c < n; ++c) {
    int64_t at = (x + c) * stride + offset;
    to[c] = at >= 0 && at < width ? line[at] : T(0);
  }
}

// columns: row (channel, tap), column a place of the output.
template <class T>
struct Columns {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* image;  // the channels of one group of one image
  View<T> view(int64_t, int64_t) const { return {}; }

  void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const {
    constexpr int64_t N = kTileColumns<T>;
    int64_t window = product3(a.kernel), pixels = product3(a.in);
    Place tap = place_of(p % window, a.kernel), first = place_of(j, a.out_size);
    const T* plane = image + p / window * pixels;
    for (int64_t q = 0; q < depth; ++q, to += N) {
      Place at = first;
      for (int64_t c = 0; c < columns; next_line(&at, a.out_size)) {
        int64_t n = at_most(columns - c, a.out_size[2] - at.x), line = met_line(a, at, tap);
        if (line >= 0)
          meet(to + c, n, at.x, plane + line * a.in[2], a.in[2], a.stride[2],
               meets(a, 2, 0, tap.x));
        else
          for (int64_t i = 0; i < n; ++i) to[c + i] = 0;
        c += n;
      }
      for (int64_t c = columns; c < N; ++c) to[c] = 0;
      if (next_place(&tap, a.kernel)) plane += pixels;
    }
  }
};

// places: row (filter, tap), column an element of the input; the gradient of the output where the
// window's tap met that element. Windows of stride 1 only.
template <class T>
struct Places {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* g;  // the filters of one group of one image
  View<T> view(int64_t, int64_t) const { return {}; }

  void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const {
    constexpr int64_t N = kTileColumns<T>;
    int64_t window = product3(a.kernel), places = product3(a.out_size);
    Place tap = place_of(p % window, a.kernel), first = place_of(j, a.in);
    const T* plane = g + p / window * places;
    for (int64_t q = 0; q < depth; ++q, to += N) {
      Place at = first;
      for (int64_t c = 0; c < columns; next_line(&at, a.in)) {
        int64_t n = at_most(columns - c, a.in[2] - at.x);
        int64_t z = at.z - meets(a, 0, 0, tap.z), y = at.y - meets(a, 1, 0, tap.y);
        const T* line = plane + (z * a.out_size[1] + y) * a.out_size[2];
        if (z >= 0 && z < a.out_size[0] && y >= 0 && y < a.out_size[1])
          meet(to + c, n, at.x, line, a.out_size[2], 1, -meets(a, 2, 0, tap.x));
        else
          for (int64_t i = 0; i < n; ++i) to[c + i] = 0;
        c += n;
      }
      for (int64_t c = columns; c < N; ++c) to[c] = 0;
      if (next_place(&tap, a.kernel)) plane += places;
    }
  }
};

// columns^T of all images: row (image, place), column (channel, tap).
template <class T>
struct Rows {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* images;  // the first channel of the group in the first image
  View<T> view(int64_t, int64_t) const { return {}; }

  void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const {
    constexpr int64_t N = kTileColumns<T>;
    int64_t window = product3(a.kernel), pixels = product3(a.in), places = product3(a.out_size);
    int64_t image = a.groups * a.channels * pixels;
    if (columns < N) __builtin_memset(to, 0, depth * N * sizeof(T));
    for (int64_t c = 0; c < columns; ++c) {
      Place tap = place_of((j + c) % window, a.kernel), at = place_of(p % places, a.out_size);
      int64_t offset = meets(a, 2, 0, tap.x);
      const T* plane = images + p / places * image + (j + c) / window * pixels;
      for (int64_t q = 0; q < depth;) {  // along a line of places
        int64_t n = at_most(a.out_size[2] - at.x, depth - q), line = met_line(a, at, tap);
        const T* from = plane + line * a.in[2];
        T* column = to + q * N + c;
        for (int64_t r = 0; r < n; ++r) {
          int64_t x = (at.x + r) * a.stride[2] + offset;
          column[r * N] = line >= 0 && x >= 0 && x < a.in[2] ? from[x] : T(0);
        }
        if (next_line(&at, a.out_size)) plane += image;
        q += n;
      }
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

// weight^T of one group: row channel, column (filter, tap).
template <class T>
struct Turned {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* weight;
  View<T> view(int64_t, int64_t) const { return {}; }
  View<T> packed(const T* at, int64_t, int64_t depth) const { return {at, depth, 1}; }

  void pack(int64_t i, int64_t rows, int64_t p, int64_t depth, T* to) const {
    int64_t window = product3(a.kernel);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t q = p; q < p + depth; ++q)
        to[r * depth + q - p] = weight[(q / window * a.channels + i + r) * window + q % window];
  }
};

struct Sizes {
  int64_t image, result, window, pixels, places;
  explicit Sizes(const ConvArgs& a)
      : window(product3(a.kernel)), pixels(product3(a.in)), places(product3(a.out_size)) {
    image = a.channels * pixels;
    result = a.filters * places;
  }
};

// Images are independent: each is one product, and several run at once.
template <class Body>
void for_images(const ConvArgs& a, const Sizes& s, const Body& body) {
  int64_t work = s.result * a.channels * s.window;
  parallel_for(a.batch * a.groups, kGrainOps / (work + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) body(u, u % a.groups);
  });
}

template <class T>
void forward(const ConvArgs& a) {
  Sizes s(a);
  int64_t k = a.channels * s.window;
  for_images(a, s, [&](int64_t u, int64_t group) {
    const T* weight = reinterpret_cast<const T*>(a.weight.data) + group * a.filters * k;
    Columns<T> columns{a, reinterpret_cast<const T*>(a.x.data) + u * s.image};
    Result<T> out{reinterpret_cast<T*>(a.out.data) + u * s.result, s.places};
    if (a.bias.data) out.row_bias = reinterpret_cast<const T*>(a.bias.data) + group * a.filters;
    gemm<T>(a.filters, s.places, k, LeftMatrix<T>{{weight, k, 1}, true}, columns, out);
  });
}

// Every element of dx gathers what its places have for it.
template <class T>
void gather(const ConvArgs& a, const Sizes& s, const T* weight, const T* g, const T* bias, T* dx) {
  Result<T> out{dx, s.pixels};
  out.row_bias = bias;
  gemm<T>(a.channels, s.pixels, a.filters * s.window, Turned<T>{a, weight}, Places<T>{a, g}, out);
}

// Every place gives its window what it has for it.
template <class T>
void scatter(const ConvArgs& a, const Sizes& s, const T* weight, const T* g, const T* bias, T* dx) {
  int64_t row = s.window * s.places, k = a.channels * s.window;
  int64_t most = at_most(kFoldBytes / (row * static_cast<int64_t>(sizeof(T)) + 1) + 1, a.channels);
  T* columns = scratch<T>(most * row);
  for (int64_t c = 0; c < a.channels; c += most) {
    int64_t n = at_most(most, a.channels - c);
    LeftMatrix<T> left{{weight + c * s.window, 1, k}, false};
    RightMatrix<T> right{{g, s.places, 1}, false};
    gemm<T>(n * s.window, s.places, a.filters, left, right, Result<T>{columns, s.places});
    fold_planes(a, n, columns, bias ? bias + c : nullptr, dx + c * s.pixels);
  }
}

template <class T>
void transpose(const ConvArgs& a) {
  Sizes s(a);
  bool steps = a.stride[0] > 1 || a.stride[1] > 1 || a.stride[2] > 1;
  for_images(a, s, [&](int64_t u, int64_t group) {
    int64_t filters = group * a.filters * a.channels * s.window;
    const T* weight = reinterpret_cast<const T*>(a.weight.data) + filters;
    const T* bias = reinterpret_cast<const T*>(a.bias.data);
    if (bias) bias += group * a.channels;
    const T* g = reinterpret_cast<const T*>(a.out.data) + u * s.result;
    T* dx = reinterpret_cast<T*>(a.x.data) + u * s.image;
    (steps ? scatter<T> : gather<T>)(a, s, weight, g, bias, dx);
  });
}

template <class T>
void backward_weight(const ConvArgs& a) {
  Sizes s(a);
  int64_t k = a.channels * s.window;
  for (int64_t group = 0; group < a.groups; ++group) {
    Filters<T> g{a, reinterpret_cast<const T*>(a.out.data) + group * s.result};
    Rows<T> rows{a, reinterpret_cast<const T*>(a.x.data) + group * s.image};
    Result<T> dw{reinterpret_cast<T*>(a.weight.data) + group * a.filters * k, k};
    gemm<T>(a.filters, k, a.batch * s.places, g, rows, dw);
  }
}

}  // namespace

void conv(const ConvArgs& args) {
  if (args.dtype == DType::Float32) return forward<float>(args);
  forward<double>(args);
}

void conv_transpose(const ConvArgs& args) {
  if (args.dtype == DType::Float32) return transpose<float>(args);
  transpose<double>(args);
}

void conv_backward_weight(const ConvArgs& args) {
  if (args.dtype == DType::Float32) return backward_weight<float>(args);
  backward_weight<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
