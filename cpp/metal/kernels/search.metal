// Binary search of many values in sorted rows: how many elements lie before each. A thread for
// each value; latency is the bound.
#include "kernels/common.h"
#include "kernels/convert.h"

constant int type [[function_constant(0)]];    // a DType: of the elements
constant int right [[function_constant(1)]];   // not larger, instead of smaller
constant int sorted [[function_constant(2)]];  // there is a sorter
constant int narrow [[function_constant(3)]];  // writes int32

template <class T>
inline bool goes_on(T x, T value) {  // a comparison with NaN does
  return right ? !(x > value) : !(x >= value);
}

template <class T>
[[kernel]] void search(device const char* sequence [[buffer(0)]],
                       device const char* values [[buffer(1)]],
                       device const long* sorter [[buffer(2)]],
                       device char* out [[buffer(3)]],
                       constant SearchShape& s [[buffer(4)]],
                       uint2 thread_at [[thread_position_in_grid]]) {
  long i = long(thread_at.y) * kThreadLine + thread_at.x;
  if (i >= s.count) return;
  long row = s.shared ? 0 : i / s.m * s.n, low = 0, high = s.n;
  T value = load<T>(values, i, type);
  while (low < high) {
    long middle = (low + high) / 2;
    long at = sorted ? sorter[row + middle] : middle;
    if (goes_on(load<T>(sequence, row + at, type), value)) low = middle + 1;
    else high = middle;
  }
  store(out, i, narrow ? dtype::Int32 : dtype::Int64, low);
}

VEEM_KERNEL("search_float", search<float>)
VEEM_KERNEL("search_long", search<long>)
