// Pooling: of every window of every plane the largest element and where it lies, or the mean.
//
// Memory is the bound where windows do not overlap. A row of results is made at once: for each
// place in the window, one pass along the row takes the elements that lie there. Adaptive windows
// differ in size: there each result takes its elements by itself.
#include <limits>

#include "core/scratch.h"
#include "core/threads.h"
#include "cpu/kernels.h"
#include "cpu/windows.h"

namespace veem {
namespace VEEM_ISA {
namespace {

#include "cpu/primitives.h"
#include "kernels/math.h"

constexpr int64_t kGrain = 8 * 1024;  // elements that are worth a thread

// Window i along dimension d: elements begin, begin + step ... before end, inside of the plane or
// in its padding.
struct Span {
  int64_t begin, end, step;
};
inline Span window(const PoolArgs& a, int d, int64_t i) {
  if (a.adaptive)
    return {i * a.in[d] / a.out_size[d], ((i + 1) * a.in[d] + a.out_size[d] - 1) / a.out_size[d],
            1};
  int64_t begin = i * a.stride[d] - a.pad[d];
  return {begin, begin + a.kernel[d] * a.dilation[d], a.dilation[d]};
}
// The same without the padding.
inline Span window_inside(const PoolArgs& a, int d, int64_t i) {
  Span s = window(a, d, i);
  if (s.begin < 0) s.begin += (s.step - 1 - s.begin) / s.step * s.step;
  if (s.end > a.in[d]) s.end = a.in[d];
  return s;
}

// body(x, at) for each element `at` of a line and each window x that it lies in; a window meets
// its elements in their order.
template <class Body>
inline void along_line(const PoolArgs& a, const Body& body) {
  if (a.adaptive) {
    for (int64_t x = 0; x < a.out_size[2]; ++x) {
      Span s = window(a, 2, x);
      for (int64_t at = s.begin; at < s.end; ++at) body(x, at);
    }
    return;
  }
  for (int64_t j = 0; j < a.kernel[2]; ++j) {
    int64_t offset = meets(a, 2, 0, j), first, last;
    inside(a.out_size[2], a.stride[2], offset, a.in[2], &first, &last);
    for (int64_t x = first; x < last; ++x) body(x, x * a.stride[2] + offset);
  }
}

// body(line) for each line of a plane that a row of windows meets.
template <class Body>
inline void over_lines(const PoolArgs& a, int64_t z, int64_t y, const Body& body) {
  Span deep = window_inside(a, 0, z), high = window_inside(a, 1, y);
  for (int64_t i = deep.begin; i < deep.end; i += deep.step)
    for (int64_t j = high.begin; j < high.end; j += high.step) body(i * a.in[1] + j);
}

// body(row, plane, z, y) for each row of results, several at once.
template <class Body>
void for_rows(const PoolArgs& a, const Body& body) {
  int64_t lines = a.out_size[0] * a.out_size[1];
  int64_t work = product3(a.in) / lines + a.out_size[2] * product3(a.kernel);
  parallel_for(a.planes * lines, kGrain / (work + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      body(r, r / lines, r % lines / a.out_size[1], r % a.out_size[1]);
  });
}

// ---- the largest ----------------------------------------------------------------------------

// What a window in the padding alone has.
template <class T>
T least(const PoolArgs& a) {
  using Limits = std::numeric_limits<T>;
  return Limits::has_infinity ? -Limits::infinity() : static_cast<T>(a.least);
}

// One pass along a line for windows from x on: has the element that lies there won? `step` is the
// stride where it is known, or 0. Index is as wide as T, so that both fit vectors of equal length.
template <int step, class T, class Index>
void compare(const T* from, int64_t stride, Index start, int64_t n, T* best, Index* where) {
  int64_t by = step ? step : stride;
  for (int64_t x = 0; x < n; ++x) {
    T value = from[x * by];
    // The first place counts where all are -inf; a NaN wins over all.
    bool wins = (value > best[x]) | math::isnan(value) | (where[x] < 0);
    Index at = start + static_cast<Index>(x * by);
    best[x] = wins ? value : best[x];
    where[x] = wins ? at : where[x];
  }
}

template <class T, class Index>
void largest(const PoolArgs& a) {
  int64_t wide = a.out_size[2];
  for_rows(a, [&](int64_t r, int64_t p, int64_t z, int64_t y) {
    const T* plane = reinterpret_cast<const T*>(a.x.data) + p * product3(a.in);
    T* out = reinterpret_cast<T*>(a.out.data) + r * wide;
    int64_t* index = reinterpret_cast<int64_t*>(a.index.data) + r * wide;
    Index* where = scratch<Index>(wide);
    for (int64_t x = 0; x < wide; ++x) out[x] = least<T>(a), where[x] = -1;
    over_lines(a, z, y, [&](int64_t line) {
      const T* from = plane + line * a.in[2];
      Index start = static_cast<Index>(line * a.in[2]);
      if (a.adaptive) {
        for (int64_t x = 0; x < wide; ++x) {
          Span s = window(a, 2, x);
          for (int64_t at = s.begin; at < s.end; ++at)
            compare<1>(from + at, 1, start + static_cast<Index>(at), 1, out + x, where + x);
        }
        return;
      }
      auto* pass = a.stride[2] == 1   ? compare<1, T, Index>
                   : a.stride[2] == 2 ? compare<2, T, Index>
                                      : compare<0, T, Index>;
      for (int64_t j = 0; j < a.kernel[2]; ++j) {
        int64_t offset = meets(a, 2, 0, j), first, last;
        inside(wide, a.stride[2], offset, a.in[2], &first, &last);
        int64_t at = first * a.stride[2] + offset;
        pass(from + at, a.stride[2], start + static_cast<Index>(at), last - first, out + first,
             where + first);
      }
    });
    for (int64_t x = 0; x < wide; ++x) index[x] = where[x];
  });
}

template <class T>
void largest_backward(const PoolArgs& a) {
  int64_t in = product3(a.in), out = product3(a.out_size);
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

// ---- the mean -------------------------------------------------------------------------------

// By how much the sum of a window is divided is a product of three of these.
inline int64_t counted(const PoolArgs& a, int d, int64_t i) {
  Span s = a.count_pad ? window(a, d, i) : window_inside(a, d, i);
  if (s.end > a.in[d] + a.pad[d]) s.end = a.in[d] + a.pad[d];
  return s.end - s.begin;
}
template <class T>
inline T divisor(const PoolArgs& a, int64_t lines, int64_t x) {
  return static_cast<T>(a.divisor != 0 ? a.divisor : lines * counted(a, 2, x));
}

template <class T>
void mean(const PoolArgs& a) {
  int64_t wide = a.out_size[2];
  for_rows(a, [&](int64_t r, int64_t p, int64_t z, int64_t y) {
    const T* plane = reinterpret_cast<const T*>(a.x.data) + p * product3(a.in);
    T* out = reinterpret_cast<T*>(a.out.data) + r * wide;
    for (int64_t x = 0; x < wide; ++x) out[x] = 0;
    over_lines(a, z, y, [&](int64_t line) {
      const T* from = plane + line * a.in[2];
      along_line(a, [&](int64_t x, int64_t at) { out[x] = math::add(out[x], from[at]); });
    });
    int64_t lines = counted(a, 0, z) * counted(a, 1, y);
    for (int64_t x = 0; x < wide; ++x) {
      T count = divisor<T>(a, lines, x);
      if constexpr (math::is_float<T>()) out[x] /= count;
      else out[x] = math::trunc_divide(out[x], count);
    }
  });
}

template <class T>
void mean_backward(const PoolArgs& a) {
  int64_t in = product3(a.in), out = product3(a.out_size), wide = a.out_size[2];
  parallel_for(a.planes, kGrain / (in + out) + 1, [&](int64_t begin, int64_t end) {
    T* share = scratch<T>(wide);
    for (int64_t p = begin; p < end; ++p) {
      T* dx = reinterpret_cast<T*>(a.x.data) + p * in;
      const T* g = reinterpret_cast<const T*>(a.out.data) + p * out;
      for (int64_t i = 0; i < in; ++i) dx[i] = 0;
      for (int64_t row = 0; row < out; row += wide) {
        Place at = place_of(row, a.out_size);
        int64_t lines = counted(a, 0, at.z) * counted(a, 1, at.y);
        for (int64_t x = 0; x < wide; ++x) share[x] = g[row + x] / divisor<T>(a, lines, x);
        over_lines(a, at.z, at.y, [&](int64_t line) {
          T* to = dx + line * a.in[2];
          along_line(a, [&](int64_t x, int64_t i) { to[i] += share[x]; });
        });
      }
    }
  });
}

}  // namespace

void max_pool(const PoolArgs& args) {
  bool short_planes = product3(args.in) < int64_t{1} << 30;
  switch (args.dtype) {
    case DType::Float64: return largest<double, int64_t>(args);
    case DType::Int64: return largest<int64_t, int64_t>(args);
    case DType::Int32:
      return short_planes ? largest<int32_t, int32_t>(args) : largest<int32_t, int64_t>(args);
    default: return short_planes ? largest<float, int32_t>(args) : largest<float, int64_t>(args);
  }
}

void max_pool_backward(const PoolArgs& args) {
  if (args.dtype == DType::Float32) return largest_backward<float>(args);
  largest_backward<double>(args);
}

void avg_pool(const PoolArgs& args) {
  if (args.dtype == DType::Float32) return mean<float>(args);
  if (args.dtype == DType::Int64) return mean<int64_t>(args);
  mean<double>(args);
}

void avg_pool_backward(const PoolArgs& args) {
  if (args.dtype == DType::Float32) return mean_backward<float>(args);
  mean_backward<double>(args);
}

}  // namespace VEEM_ISA
}  // namespace veem
