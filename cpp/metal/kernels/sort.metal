// Sorting rows: the elements of the ranks that are wanted, and their indices.
//
// A group sorts a block of a row in threadgroup memory: a bitonic network, log2 squared rounds
// with a barrier each. Then runs are merged in pairs, each launch doubling their width: an element
// goes to its own rank plus the number of elements of the other run that come before it, which
// a binary search finds; no thread waits for another. Where few are wanted, runs are cut to so
// many. Memory is the bound of a merge: each reads and writes keys and indices once.
//
// Keys are unsigned numbers in the order of the elements, NaN the largest, -0 equal to 0; ties
// go by index. No two elements are equal then: every way of sorting them is stable, and the
// results are the CPU's.
#include "kernels/common.h"
#include "kernels/convert.h"

constant int type [[function_constant(0)]];  // a DType: of the elements
constant int descending [[function_constant(1)]];

inline bool is_real() { return type >= dtype::Float16; }

inline uint key_of(device const char* in, long at, uint) {
  if (!is_real()) return uint(load<int>(in, at, type)) ^ 0x80000000u;
  float x = load<float>(in, at, type);
  uint bits = as_type<uint>(x), size = bits & 0x7fffffffu;
  uint key = (bits == size ? bits : 0u - size) + 0x80000000u;
  return size > 0x7f800000u ? ~0u : key;
}
inline ulong key_of(device const char* in, long at, ulong) {
  return ulong(load<long>(in, at, type)) ^ (1ul << 63);
}

// Sorts block group.x of row group.y. Beside a row's end stand keys that come after all others.
template <class K>
[[kernel]] void sort_blocks(device const char* in [[buffer(0)]],
                            device K* keys [[buffer(1)]],
                            device uint* indices [[buffer(2)]],
                            constant SortShape& s [[buffer(3)]],
                            uint id [[thread_position_in_threadgroup]],
                            uint threads [[threads_per_threadgroup]],
                            uint2 group [[threadgroup_position_in_grid]]) {
  threadgroup K key[kSortBlock];
  threadgroup uint index[kSortBlock];
  uint width = uint(s.width);
  long row = long(group.y) * s.n, begin = long(group.x) * s.width;
  for (uint i = id; i < width; i += threads) {
    long at = begin + i;
    K k = ~K(0);
    if (at < s.n) {
      k = key_of(in, row + at, K(0));
      if (descending) k = ~k;
    }
    key[i] = k;
    index[i] = uint(at);
  }
  for (uint run = 2; run <= width; run *= 2) {
    for (uint step = run / 2; step > 0; step /= 2) {
      threadgroup_barrier(mem_flags::mem_threadgroup);
      for (uint pair = id; pair < width / 2; pair += threads) {
        uint a = pair / step * 2 * step + pair % step, b = a + step;
        bool up = (a & run) == 0;
        bool later = key[a] > key[b] || (key[a] == key[b] && index[a] > index[b]);
        if (later == up) {
          K k = key[a];
          uint i = index[a];
          key[a] = key[b], index[a] = index[b];
          key[b] = k, index[b] = i;
        }
      }
    }
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint i = id; i < width && i < s.limit; i += threads) {
    if (begin + i >= s.n) break;
    keys[row + begin + i] = key[i];
    indices[row + begin + i] = index[i];
  }
}

inline long length_of(long run, constant SortShape& s) {
  long left = s.n - run * s.width;
  long n = left < s.width ? left : s.width;
  n = n < s.limit ? n : s.limit;
  return n < 0 ? 0 : n;
}

// A thread for each element of the runs of s.width; the runs of twice the width come out.
template <class K>
[[kernel]] void sort_merge(device const K* keys [[buffer(0)]],
                           device const uint* indices [[buffer(1)]],
                           device K* keys_out [[buffer(2)]],
                           device uint* indices_out [[buffer(3)]],
                           constant SortShape& s [[buffer(4)]],
                           constant long& count [[buffer(5)]],
                           uint2 thread_at [[thread_position_in_grid]]) {
  long i = long(thread_at.y) * kThreadLine + thread_at.x;
  if (i >= count) return;
  long each = s.width < s.limit ? s.width : s.limit;
  long at = i % each, run = i / each % s.runs, row = i / each / s.runs * s.n;
  if (at >= length_of(run, s)) return;
  long other = row + (run ^ 1) * s.width, low = 0, high = length_of(run ^ 1, s);
  long from = row + run * s.width + at;
  K key = keys[from];
  bool second = (run & 1) != 0;  // whose elements come after equal ones of the first
  while (low < high) {
    long middle = (low + high) / 2;
    K k = keys[other + middle];
    if (k < key || (second && k == key)) low = middle + 1;
    else high = middle;
  }
  long rank = at + low;
  if (rank >= s.limit) return;
  long to = row + (run & ~1l) * s.width + rank;
  keys_out[to] = key;
  indices_out[to] = indices[from];
}

// The elements at the ranks that are wanted, and their indices. B has an element's bits.
template <class B>
[[kernel]] void sort_take(device const B* in [[buffer(0)]],
                          device const uint* sorted_indices [[buffer(1)]],
                          device B* values [[buffer(2)]],
                          device long* indices [[buffer(3)]],
                          constant SortShape& s [[buffer(4)]],
                          constant long& count [[buffer(5)]],
                          uint2 thread_at [[thread_position_in_grid]]) {
  long i = long(thread_at.y) * kThreadLine + thread_at.x;
  if (i >= count) return;
  long row = i / s.count * s.n;
  long index = sorted_indices[row + s.first + i % s.count];
  indices[i] = index;
  values[i] = in[row + index];
}

VEEM_KERNEL("sort_blocks_uint", sort_blocks<uint>)
VEEM_KERNEL("sort_blocks_ulong", sort_blocks<ulong>)
VEEM_KERNEL("sort_merge_uint", sort_merge<uint>)
VEEM_KERNEL("sort_merge_ulong", sort_merge<ulong>)
VEEM_KERNEL("sort_take_uchar", sort_take<uchar>)
VEEM_KERNEL("sort_take_short", sort_take<short>)
VEEM_KERNEL("sort_take_int", sort_take<int>)
VEEM_KERNEL("sort_take_long", sort_take<long>)
