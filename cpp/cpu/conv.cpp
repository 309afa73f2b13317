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
// Images of few places are taken together, as more columns of one product: a tile of the product
// is full then, and the weights are read once for all of them.
// A few filters or channels a group have loops of their own (conv_direct.h), as have integers: as
// unsigned numbers, which wrap around.
// Arithmetic is the bound: 2 * filters * channels * window flops a place. gemm.h asks for its
// operands in packed panels, which conv_panels.h makes straight from the images.
#include "cpu/conv_direct.h"
#include "cpu/conv_panels.h"
#include "cpu/fold_planes.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kFoldBytes = 1 << 20;  // of the columns that a strided dx makes at a time
constexpr int64_t kManyColumns = 256;    // of a product: weights are used often enough for all

struct Sizes {
  int64_t image, result, window, pixels, places;
  explicit Sizes(const ConvArgs& a)
      : window(product3(a.kernel)), pixels(product3(a.in)), places(product3(a.out_size)) {
    image = a.channels * pixels;
    result = a.filters * places;
  }
};

// Some images of one group, which are one product: from number `first` of the batch on.
struct Some {
  int64_t group, first, count;
};
// These are independent, and several run at once.
template <class Body>
void for_images(const ConvArgs& a, const Sizes& s, int64_t columns, const Body& body) {
  int64_t together = even_part(a.batch, at_most(parts_of(kManyColumns, columns), a.batch));
  int64_t work = s.result * a.channels * s.window * together;
  parallel_for(parts_of(a.batch, together) * a.groups, kGrainOps / (work + 1) + 1,
               [&](int64_t begin, int64_t end) {
                 for (int64_t u = begin; u < end; ++u) {
                   int64_t first = u / a.groups * together;
                   body(Some{u % a.groups, first, at_most(together, a.batch - first)});
                 }
               });
}

// Calls product(out) for the result of some images, (rows, places) each, `image` elements apart.
template <class T, class Product>
void write_images(const Some& some, int64_t rows, int64_t places, T* to, int64_t image,
                  const Product& product) {
  if (some.count == 1) return product(Result<T>{to, places});
  int64_t columns = some.count * places;
  T* sums = scratch<T>(rows * columns);
  product(Result<T>{sums, columns});
  for (int64_t i = 0; i < some.count; ++i)
    for (int64_t r = 0; r < rows; ++r)
      __builtin_memcpy(to + i * image + r * places, sums + r * columns + i * places,
                       places * sizeof(T));
}

// As few as one plane is a piece of work for the direct ways.
template <class Body>
void for_planes(const ConvArgs& a, const Sizes& s, int64_t planes, const Body& body) {
  int64_t work = s.places * s.window * a.channels * a.filters / planes;
  parallel_for(a.batch * a.groups * planes, kDirectGrain / (work + 1) + 1,
               [&](int64_t begin, int64_t end) {
                 for (int64_t p = begin; p < end; ++p) body(p / planes, p % planes);
               });
}

template <class T>
void forward_direct(const ConvArgs& a, const Sizes& s) {
  const T* bias = reinterpret_cast<const T*>(a.bias.data);
  for_planes(a, s, a.filters, [&](int64_t u, int64_t f) {
    int64_t filter = u % a.groups * a.filters + f;
    const T* weight = reinterpret_cast<const T*>(a.weight.data);
    direct_plane(a, weight + filter * a.channels * s.window,
                 reinterpret_cast<const T*>(a.x.data) + u * s.image, bias ? bias[filter] : T(0),
                 reinterpret_cast<T*>(a.out.data) + u * s.result + f * s.places);
  });
}

template <class T>
void transpose_direct(const ConvArgs& a, const Sizes& s) {
  const T* bias = reinterpret_cast<const T*>(a.bias.data);
  for_planes(a, s, a.channels, [&](int64_t u, int64_t c) {
    int64_t group = u % a.groups;
    const T* weight = reinterpret_cast<const T*>(a.weight.data);
    direct_transpose(a, weight + (group * a.filters * a.channels + c) * s.window,
                     reinterpret_cast<const T*>(a.out.data) + u * s.result,
                     bias ? bias[group * a.channels + c] : T(0),
                     reinterpret_cast<T*>(a.x.data) + u * s.image + c * s.pixels);
  });
}

template <class T>
void weight_direct(const ConvArgs& a, const Sizes& s) {
  int64_t pairs = a.filters * a.channels;  // of a group
  parallel_for(a.groups * pairs, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      int64_t group = p / pairs, f = p % pairs / a.channels, c = p % a.channels;
      const T* g = reinterpret_cast<const T*>(a.out.data) + group * s.result + f * s.places;
      const T* x = reinterpret_cast<const T*>(a.x.data) + group * s.image + c * s.pixels;
      direct_weight(a, g, a.groups * s.result, x, a.groups * s.image,
                    reinterpret_cast<T*>(a.weight.data) + p * s.window);
    }
  });
}

template <class T>
void forward(const ConvArgs& a) {
  Sizes s(a);
  if (a.filters <= kFewRows) return forward_direct<T>(a, s);
  Meeting met = with_input(a);
  int64_t k = a.channels * s.window;
  for_images(a, s, s.places, [&](const Some& some) {
    int64_t image = some.first * a.groups + some.group;
    const T* weight = reinterpret_cast<const T*>(a.weight.data) + some.group * a.filters * k;
    const T* bias = reinterpret_cast<const T*>(a.bias.data);
    Columns<T> columns{met, reinterpret_cast<const T*>(a.x.data) + image * s.image,
                       a.groups * s.image};
    T* to = reinterpret_cast<T*>(a.out.data) + image * s.result;
    write_images(some, a.filters, s.places, to, a.groups * s.result, [&](Result<T> out) {
      if (bias) out.row_bias = bias + some.group * a.filters;
      gemm<T>(a.filters, some.count * s.places, k, LeftMatrix<T>{{weight, k, 1}, true}, columns,
              out);
    });
  });
}

// The weights of all groups with rows for channels and columns for (filter, tap).
template <class T>
T* turned(const ConvArgs& a, const Sizes& s) {
  const T* weight = reinterpret_cast<const T*>(a.weight.data);
  T* to = scratch<T>(a.groups * a.channels * a.filters * s.window, ScratchFor::Weights);
  parallel_for(a.groups * a.channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      int64_t group = u / a.channels, c = u % a.channels;
      for (int64_t f = 0; f < a.filters; ++f)
        __builtin_memcpy(to + (u * a.filters + f) * s.window,
                         weight + ((group * a.filters + f) * a.channels + c) * s.window,
                         s.window * sizeof(T));
    }
  });
  return to;
}

// Every element of dx gathers what its places have for it.
template <class T>
void gather(const ConvArgs& a, const Sizes& s) {
  const T* weight = turned<T>(a, s);
  const T* bias = reinterpret_cast<const T*>(a.bias.data);
  Meeting met = with_output(a);
  int64_t k = a.filters * s.window;
  for_images(a, s, s.pixels, [&](const Some& some) {
    int64_t image = some.first * a.groups + some.group;
    Columns<T> columns{met, reinterpret_cast<const T*>(a.out.data) + image * s.result,
                       a.groups * s.result};
    LeftMatrix<T> left{{weight + some.group * a.channels * k, k, 1}, true};
    T* to = reinterpret_cast<T*>(a.x.data) + image * s.image;
    write_images(some, a.channels, s.pixels, to, a.groups * s.image, [&](Result<T> dx) {
      if (bias) dx.row_bias = bias + some.group * a.channels;
      gemm<T>(a.channels, some.count * s.pixels, k, left, columns, dx);
    });
  });
}

// Every place gives its window what it has for it.
template <class T>
void scatter(const ConvArgs& a, const Sizes& s) {
  // Of g, row filter, column (image, place): what a window of one element meets.
  static constexpr int64_t one[kSpace] = {1, 1, 1};
  Meeting itself{a.out_size, a.out_size, one, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}};
  int64_t k = a.channels * s.window;
  for_images(a, s, s.places, [&](const Some& some) {
    int64_t image = some.first * a.groups + some.group, row = some.count * s.places;
    int64_t bytes = s.window * row * static_cast<int64_t>(sizeof(T));
    int64_t most = at_most(kFoldBytes / (bytes + 1) + 1, a.channels);
    const T* weight = reinterpret_cast<const T*>(a.weight.data) + some.group * a.filters * k;
    const T* bias = reinterpret_cast<const T*>(a.bias.data);
    Columns<T> g{itself, reinterpret_cast<const T*>(a.out.data) + image * s.result,
                 a.groups * s.result};
    T* dx = reinterpret_cast<T*>(a.x.data) + image * s.image;
    T* columns = scratch<T>(most * s.window * row);
    for (int64_t c = 0; c < a.channels; c += most) {
      int64_t n = at_most(most, a.channels - c);
      LeftMatrix<T> left{{weight + c * s.window, 1, k}, false};
      gemm<T>(n * s.window, row, a.filters, left, g, Result<T>{columns, row});
      for (int64_t i = 0; i < some.count; ++i)
        fold_planes(a, n, columns + i * s.places, row,
                    bias ? bias + some.group * a.channels + c : nullptr,
                    dx + i * a.groups * s.image + c * s.pixels);
    }
  });
}

template <class T>
void transpose(const ConvArgs& a) {
  Sizes s(a);
  bool steps = a.stride[0] > 1 || a.stride[1] > 1 || a.stride[2] > 1;
  if (a.channels <= kFewRows && (!steps || a.filters <= kFewRows)) return transpose_direct<T>(a, s);
  return steps ? scatter<T>(a, s) : gather<T>(a, s);
}

template <class T>
void backward_weight(const ConvArgs& a) {
  Sizes s(a);
  if (a.filters * a.channels <= kFewRows) return weight_direct<T>(a, s);
  Meeting met = with_input(a);
  int64_t k = a.channels * s.window;
  for (int64_t group = 0; group < a.groups; ++group) {
    Filters<T> g{a, reinterpret_cast<const T*>(a.out.data) + group * s.result};
    Rows<T> rows{met, reinterpret_cast<const T*>(a.x.data) + group * s.image, a.groups * s.image};
    Result<T> dw{reinterpret_cast<T*>(a.weight.data) + group * a.filters * k, k};
    gemm<T>(a.filters, k, a.batch * s.places, g, rows, dw);
  }
}

}  // namespace

void conv(const ConvArgs& args) {
  switch (args.dtype) {
    case DType::Int32: return forward_direct<uint32_t>(args, Sizes(args));
    case DType::Int64: return forward_direct<uint64_t>(args, Sizes(args));
    case DType::Float32: return forward<float>(args);
    default: return forward<double>(args);
  }
}

void conv_transpose(const ConvArgs& args) {
  switch (args.dtype) {
    case DType::Int32: return transpose_direct<uint32_t>(args, Sizes(args));
    case DType::Int64: return transpose_direct<uint64_t>(args, Sizes(args));
    case DType::Float32: return transpose<float>(args);
    default: return transpose<double>(args);
  }
}

void conv_backward_weight(const ConvArgs& args) {
  if (args.dtype == DType::Float32) return backward_weight<float>(args);
  backward_weight<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
