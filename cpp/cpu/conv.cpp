// Convolution as a product of matrices whose second factor is never in memory.
//
// With one row for each (channel, i, j) of the kernel and one column for each place (y, x) of the
// output, the matrix "columns" holds the pixel that this weight meets at this place. Then
//   out    = weight (filters, channels * kh * kw) @ columns          for each image and group
//   dw     = sum over images of g (filters, places) @ columns^T
//   dx     = the same as out with g for x: each pixel meets, for every (filter, i, j), the place
//            that it was used for, if there is one: weight^T @ places
// Arithmetic is the bound: 2 * filters * channels * kh * kw flops a place. gemm.h asks for its
// operands in packed panels, and the sources below make the panels straight from the images.
#include "cpu/gemm.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

// The pixels that a row of places meets: to[c] = line[x * stride + offset] or 0 outside of it.
template <class T>
inline void meet(T* to, int64_t n, int64_t x, const T* line, int64_t width, int64_t stride,
                 int64_t offset) {
  for (int64_t c = 0; c < n; ++c) {
    int64_t at = (x + c) * stride + offset;
    to[c] = at >= 0 && at < width ? line[at] : T(0);
  }
}

// columns: row (channel, i, j), column (y, x).
template <class T>
struct Columns {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* image;  // the channels of one group of one image
  View<T> view(int64_t, int64_t) const { return {}; }

  void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const {
    constexpr int64_t N = kTileColumns<T>;
    int64_t window = a.kernel[0] * a.kernel[1];
    for (int64_t q = p; q < p + depth; ++q, to += N) {
      const T* plane = image + q / window * a.in[0] * a.in[1];
      int64_t row = q % window / a.kernel[1] * a.dilation[0] - a.pad[0];
      int64_t offset = q % a.kernel[1] * a.dilation[1] - a.pad[1];
      for (int64_t c = 0, y = j / a.out_size[1], x = j % a.out_size[1]; c < columns; ++y, x = 0) {
        int64_t n = at_most(columns - c, a.out_size[1] - x), line = y * a.stride[0] + row;
        if (line >= 0 && line < a.in[0])
          meet(to + c, n, x, plane + line * a.in[1], a.in[1], a.stride[1], offset);
        else
          for (int64_t i = 0; i < n; ++i) to[c + i] = 0;
        c += n;
      }
      for (int64_t c = columns; c < N; ++c) to[c] = 0;
    }
  }
};

// places: row (filter, i, j), column a pixel (y, x) of the input; the gradient of the output where
// the window's element (i, j) met that pixel.
template <class T>
struct Places {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* g;  // the filters of one group of one image
  View<T> view(int64_t, int64_t) const { return {}; }

  void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const {
    constexpr int64_t N = kTileColumns<T>;
    int64_t window = a.kernel[0] * a.kernel[1];
    for (int64_t q = p; q < p + depth; ++q, to += N) {
      const T* plane = g + q / window * a.out_size[0] * a.out_size[1];
      int64_t below = a.pad[0] - q % window / a.kernel[1] * a.dilation[0];
      int64_t right = a.pad[1] - q % a.kernel[1] * a.dilation[1];
      for (int64_t c = 0, y = j / a.in[1], x = j % a.in[1]; c < columns; ++y, x = 0) {
        int64_t n = at_most(columns - c, a.in[1] - x), up = y + below;
        int64_t line = up / a.stride[0];
        bool met = up >= 0 && up % a.stride[0] == 0 && line < a.out_size[0];
        const T* from = plane + line * a.out_size[1];
        if (met && a.stride[1] == 1) {
          meet(to + c, n, x, from, a.out_size[1], 1, right);
        } else {
          for (int64_t i = 0; i < n; ++i) {
            int64_t at = x + i + right;
            bool here = met && at >= 0 && at % a.stride[1] == 0 && at / a.stride[1] < a.out_size[1];
            to[c + i] = here ? from[at / a.stride[1]] : T(0);
          }
        }
        c += n;
      }
      for (int64_t c = columns; c < N; ++c) to[c] = 0;
    }
  }
};

// columns^T of all images: row (image, y, x), column (channel, i, j).
template <class T>
struct Rows {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* images;  // the first channel of the group in the first image
  View<T> view(int64_t, int64_t) const { return {}; }

  void pack(int64_t p, int64_t depth, int64_t j, int64_t columns, T* to) const {
    constexpr int64_t N = kTileColumns<T>;
    int64_t window = a.kernel[0] * a.kernel[1], plane = a.in[0] * a.in[1];
    int64_t places = a.out_size[0] * a.out_size[1];
    if (columns < N) __builtin_memset(to, 0, depth * N * sizeof(T));
    for (int64_t c = 0; c < columns; ++c) {
      int64_t k = j + c, i = k % window / a.kernel[1] * a.dilation[0] - a.pad[0];
      int64_t offset = k % a.kernel[1] * a.dilation[1] - a.pad[1];
      for (int64_t q = p; q < p + depth;) {  // along a line of places
        int64_t place = q % places, x = place % a.out_size[1];
        int64_t n = at_most(a.out_size[1] - x, p + depth - q);
        int64_t line = place / a.out_size[1] * a.stride[0] + i;
        const T* from = images + q / places * a.groups * a.channels * plane + k / window * plane +
                        line * a.in[1];
        T* column = to + (q - p) * N + c;
        bool inside = line >= 0 && line < a.in[0];
        for (int64_t r = 0; r < n; ++r) {
          int64_t at = (x + r) * a.stride[1] + offset;
          column[r * N] = inside && at >= 0 && at < a.in[1] ? from[at] : T(0);
        }
        q += n;
      }
    }
  }
};

// The gradients of one group's filters over all images: row filter, column (image, y, x).
template <class T>
struct Filters {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* g;
  View<T> view(int64_t, int64_t) const { return {}; }
  View<T> packed(const T* at, int64_t, int64_t depth) const { return {at, depth, 1}; }

  void pack(int64_t i, int64_t rows, int64_t p, int64_t depth, T* to) const {
    int64_t places = a.out_size[0] * a.out_size[1];
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

// weight^T of one group: row channel, column (filter, i, j).
template <class T>
struct Turned {
  static constexpr bool in_place = false;
  const ConvArgs& a;
  const T* weight;
  View<T> view(int64_t, int64_t) const { return {}; }
  View<T> packed(const T* at, int64_t, int64_t depth) const { return {at, depth, 1}; }

  void pack(int64_t i, int64_t rows, int64_t p, int64_t depth, T* to) const {
    int64_t window = a.kernel[0] * a.kernel[1];
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t q = p; q < p + depth; ++q)
        to[r * depth + q - p] = weight[(q / window * a.channels + i + r) * window + q % window];
  }
};

struct Sizes {
  int64_t image, result, window, pixels, places;
  explicit Sizes(const ConvArgs& a)
      : window(a.kernel[0] * a.kernel[1]),
        pixels(a.in[0] * a.in[1]),
        places(a.out_size[0] * a.out_size[1]) {
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

template <class T>
void backward_input(const ConvArgs& a) {
  Sizes s(a);
  for_images(a, s, [&](int64_t u, int64_t group) {
    Turned<T> weight{
        a, reinterpret_cast<const T*>(a.weight.data) + group * a.filters * a.channels * s.window};
    Places<T> places{a, reinterpret_cast<const T*>(a.out.data) + u * s.result};
    Result<T> dx{reinterpret_cast<T*>(a.x.data) + u * s.image, s.pixels};
    gemm<T>(a.channels, s.pixels, a.filters * s.window, weight, places, dx);
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

void conv2d(const ConvArgs& args) {
  if (args.dtype == DType::Float32) return forward<float>(args);
  forward<double>(args);
}

void conv2d_backward_input(const ConvArgs& args) {
  if (args.dtype == DType::Float32) return backward_input<float>(args);
  backward_input<double>(args);
}

void conv2d_backward_weight(const ConvArgs& args) {
  if (args.dtype == DType::Float32) return backward_weight<float>(args);
  backward_weight<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
