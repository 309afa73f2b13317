// Max pooling: the largest element of every window of every plane, and where it lies.
//
// Memory is the bound where windows do not overlap. A row of results is made at once: for each
// place in the window, one pass along the row compares the elements that lie there.
#include "core/threads.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

constexpr int64_t kGrain = 8 * 1024;  // elements that are worth a thread

// The x in [0, n) for which 0 <= x * stride + offset < size, as [first, last).
void inside(int64_t n, int64_t stride, int64_t offset, int64_t size, int64_t* first,
            int64_t* last) {
  *first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  int64_t room = size - 1 - offset;
  *last = room < 0 ? 0 : room / stride + 1;
  if (*last > n) *last = n;
}

template <class T>
void pool_row(const PoolArgs& a, const T* plane, int64_t y, T* out, int64_t* index) {
  int64_t wide = a.out_size[1];
  for (int64_t x = 0; x < wide; ++x) out[x] = -T(__builtin_inf());
  for (int64_t i = 0; i < a.kernel[0]; ++i) {
    int64_t row = y * a.stride[0] + i * a.dilation[0] - a.pad[0];
    if (row < 0 || row >= a.in[0]) continue;
    for (int64_t j = 0; j < a.kernel[1]; ++j) {
      int64_t offset = j * a.dilation[1] - a.pad[1], first, last;
      inside(wide, a.stride[1], offset, a.in[1], &first, &last);
      const T* from = plane + row * a.in[1];
      for (int64_t x = first; x < last; ++x) {
        int64_t at = x * a.stride[1] + offset;
        T value = from[at];
        // The first place counts where all are -inf; a NaN wins over all.
        bool wins = value > out[x] || value != value || index[x] < 0;
        index[x] = wins ? row * a.in[1] + at : index[x];
        out[x] = wins ? value : out[x];
      }
    }
  }
}

template <class T>
void forward(const PoolArgs& a) {
  int64_t rows = a.planes * a.out_size[0], wide = a.out_size[1];
  int64_t work = wide * a.kernel[0] * a.kernel[1];
  parallel_for(rows, kGrain / work + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* plane = reinterpret_cast<const T*>(a.x.data) + r / a.out_size[0] * a.in[0] * a.in[1];
      int64_t* index = reinterpret_cast<int64_t*>(a.index.data) + r * wide;
      for (int64_t x = 0; x < wide; ++x) index[x] = -1;
      pool_row(a, plane, r % a.out_size[0], reinterpret_cast<T*>(a.out.data) + r * wide, index);
    }
  });
}

template <class T>
void backward(const PoolArgs& a) {
  int64_t in = a.in[0] * a.in[1], out = a.out_size[0] * a.out_size[1];
  parallel_for(a.planes, kGrain / (in + out) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      T* dx = reinterpret_cast<T*>(a.x.data) + p * in;
      const T* g = reinterpret_cast<const T*>(a.out.data) + p * out;
      const int64_t* index = reinterpret_cast<const int64_t*>(a.index.data) + p * out;
      for (int64_t i = 0; i < in; ++i) dx[i] = 0;
      for (int64_t i = 0; i < out; ++i)
        if (index[i] >= 0) dx[index[i]] += g[i];  // -1: a window in the padding alone
    }
  });
}

}  // namespace

void max_pool2d(const PoolArgs& args) {
  if (args.dtype == DType::Float32) return forward<float>(args);
  forward<double>(args);
}

void max_pool2d_backward(const PoolArgs& args) {
  if (args.dtype == DType::Float32) return backward<float>(args);
  backward<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
