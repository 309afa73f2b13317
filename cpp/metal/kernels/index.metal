// Tables addressed through indices (gather, scatter, index_select, index_add, advanced indexing and
// assignment are one loop), the search for bad indices, and the positions of true elements.
//
// Memory is the bound where whole rows of the table are read, latency where each element is an
// access of its own. Reading, every element has its thread. Writes and sums meet one element of
// the table several times and must do so in order, to give the bits that the CPU gives, so no
// atomics: threads share out the dimensions in which the table itself moves ("free"), and each
// goes through all the indices of the others in order. Where that makes too few threads, the table
// is cut into parts: a thread of part p only does the indices i with i % parts == p. It then
// reads all indices for a part of the work, but neighbouring threads read the same ones. Many
// indices into one dimension are sorted instead, and runs of equal ones shared out.
#include "kernels/common.h"
#include "kernels/fault.h"

constant int wide [[function_constant(0)]];  // numbers of positions pass 2^31
constant int dims [[function_constant(1)]];
constant int kind [[function_constant(2)]];       // an IndexedKind
constant int free_dims [[function_constant(3)]];  // the first dimensions, one thread for each place
constant int indices [[function_constant(4)]];

// Takes the last coordinate off a position.
template <class I>
inline long last_of(thread I& i, I size) {
  I rest = i / size, at = i - rest * size;
  i = rest;
  return long(at);
}

struct IndexedPlace {
  long table, values;
  long index[kMaxIndices];
};

// Goes to position i of dimensions [begin, end).
template <class I>
inline void go_to_as(thread IndexedPlace& p, I i, int begin, int end, constant IndexedShape& s) {
  for (int d = end - 1; d >= begin; --d) {
    long at = last_of(i, I(s.shape[d]));
    p.table += at * s.table[d];
    p.values += at * s.values[d];
    for (int k = 0; k < indices; ++k) p.index[k] += at * s.index[k][d];
  }
}
inline void go_to(thread IndexedPlace& p, long i, int begin, int end, constant IndexedShape& s) {
  if (wide) go_to_as(p, ulong(i), begin, end, s);
  else go_to_as(p, uint(i), begin, end, s);
}

// What meets: in float for the 16-bit types, rounded once, as on the CPU.
template <class T>
inline T joined(T a, T b) {
  if (kind == kIndexedMul) return math::mul(a, b);
  if (kind == kIndexedMax) return math::maximum(a, b);
  if (kind == kIndexedMin) return math::minimum(a, b);
  return math::add(a, b);
}
template <>
inline half joined(half a, half b) {
  return half(joined(float(a), float(b)));
}
template <>
inline bfloat joined(bfloat a, bfloat b) {
  return bfloat(joined(float(a), float(b)));
}

template <class T>
[[kernel]] void indexed(
    device T* table [[buffer(0)]], device T* values [[buffer(1)]],
    constant IndexedShape& s [[buffer(2)]], device const long* index0 [[buffer(3)]],
    device const long* index1 [[buffer(4)]], device const long* index2 [[buffer(5)]],
    device const long* index3 [[buffer(6)]], device const long* index4 [[buffer(7)]],
    device const long* index5 [[buffer(8)]], device const long* index6 [[buffer(9)]],
    device const long* index7 [[buffer(10)]], device const long* index8 [[buffer(11)]],
    device const long* index9 [[buffer(12)]], device const long* index10 [[buffer(13)]],
    device const long* index11 [[buffer(14)]], device const long* index12 [[buffer(15)]],
    device const long* index13 [[buffer(16)]], device const long* index14 [[buffer(17)]],
    device const long* index15 [[buffer(18)]], uint3 thread_at [[thread_position_in_grid]]) {
  device const long* index[kMaxIndices] = {index0,  index1,  index2,  index3, index4,  index5,
                                           index6,  index7,  index8,  index9, index10, index11,
                                           index12, index13, index14, index15};
  long i = long(thread_at.y) * kThreadLine + thread_at.x;
  if (i >= s.count) return;
  IndexedPlace start = {0, 0, {0}};
  go_to(start, i, 0, free_dims, s);
  for (long j = 0; j < s.steps; ++j) {
    IndexedPlace p = start;
    go_to(p, j, free_dims, dims, s);
    bool mine = true;
    for (int k = 0; k < indices; ++k) {
      long x = index[k][p.index[k]], size = s.size[k];
      if (x < 0) x += size;
      // Unsigned, one comparison does for both ends; index_check reports what is outside.
      if (ulong(x) >= ulong(size)) mine = false;
      else p.table += x * s.step[k];
      // One element of the table has one index along each of its dimensions: one part.
      if (k == 0 && (uint(ulong(x)) & uint(s.parts - 1)) != thread_at.z) mine = false;
    }
    if (!mine) continue;
    if (kind == kIndexedRead) values[p.values] = table[p.table];
    else if (kind == kIndexedWrite) table[p.table] = values[p.values];
    else table[p.table] = joined(table[p.table], values[p.values]);
  }
}

// ---- many indices into one dimension: sorted, they name each element in one run -----------------

[[kernel]] void index_wrap(device const long* index [[buffer(0)]],
                           device long* out [[buffer(1)]],
                           constant IndexedShape& s [[buffer(2)]],
                           uint2 thread_at [[thread_position_in_grid]]) {
  long i = long(thread_at.y) * kThreadLine + thread_at.x;
  if (i >= s.steps) return;
  long x = index[i * s.index[0][0]];
  out[i] = x < 0 ? x + s.size[0] : x;
}

// The thread of a run's first index does all of the run: `order` has kept the order of equals.
template <class T>
[[kernel]] void indexed_runs(device T* table [[buffer(0)]],
                             device const T* values [[buffer(1)]],
                             constant IndexedShape& s [[buffer(2)]],
                             device const long* index [[buffer(3)]],
                             device const long* order [[buffer(4)]],
                             uint2 thread_at [[thread_position_in_grid]]) {
  long i = long(thread_at.y) * kThreadLine + thread_at.x;
  if (i >= s.steps) return;
  long x = index[i];
  if (ulong(x) >= ulong(s.size[0]) || (i > 0 && index[i - 1] == x)) return;
  T total = table[x * s.step[0]];
  for (; i < s.steps && index[i] == x; ++i) {
    T value = values[order[i] * s.values[0]];
    total = kind == kIndexedWrite ? value : joined(total, value);
  }
  table[x * s.step[0]] = total;
}

// ---- indices out of range ---------------------------------------------------------------------

template <class I>
inline long index_offset(I i, constant IndexCheckShape& s) {
  long at = 0;
  for (int d = dims - 1; d >= 0; --d) at += last_of(i, I(s.shape[d])) * s.strides[d];
  return at;
}

[[kernel]] void index_check(device const long* index [[buffer(0)]],
                            device Fault* fault [[buffer(1)]],
                            constant IndexCheckShape& s [[buffer(2)]],
                            uint2 thread_at [[thread_position_in_grid]]) {
  long i = long(thread_at.y) * kThreadLine + thread_at.x;
  if (i >= s.count) return;
  long x = index[wide ? index_offset(ulong(i), s) : index_offset(uint(i), s)];
  if (x >= s.low && x < s.high) return;
  if (s.skips && x == s.skip) return;
  record_fault(fault, s.id, x);
}

// ---- positions of true elements: a group of kGroup threads per block ----------------------------

[[kernel]] void nonzero_count(device const uchar* in [[buffer(0)]],
                              device long* counts [[buffer(1)]],
                              constant NonzeroShape& s [[buffer(2)]],
                              uint id [[thread_position_in_threadgroup]],
                              uint group [[threadgroup_position_in_grid]]) {
  threadgroup int found[kGroup];
  long first = long(group) * (kGroup * kNonzeroEach);
  int count = 0;
  for (int j = 0; j < kNonzeroEach; ++j) {
    long i = first + j * kGroup + id;
    if (i < s.count && in[i] != 0) ++count;
  }
  found[id] = count;
  for (uint width = kGroup / 2; width > 0; width /= 2) {
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (id < width) found[id] += found[id + width];
  }
  if (id == 0) counts[group] = found[0];
}

template <class I>
inline void write_position(device long* out, I i, constant NonzeroShape& s) {
  for (int d = dims - 1; d > 0; --d) out[d] = last_of(i, I(s.shape[d]));
  out[0] = long(i);
}

// Each thread has kNonzeroEach elements that follow each other. Sums of counts over 2, 4, 8 ...
// threads before it tell where its positions go.
[[kernel]] void nonzero_fill(device const uchar* in [[buffer(0)]],
                             device const long* before [[buffer(1)]],
                             device long* out [[buffer(2)]], constant NonzeroShape& s [[buffer(3)]],
                             uint id [[thread_position_in_threadgroup]],
                             uint group [[threadgroup_position_in_grid]]) {
  threadgroup int found[kGroup];
  long begin = (long(group) * kGroup + id) * kNonzeroEach;
  long end = begin + kNonzeroEach < s.count ? begin + kNonzeroEach : s.count;
  int count = 0;
  for (long i = begin; i < end; ++i)
    if (in[i] != 0) ++count;
  found[id] = count;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint step = 1; step < uint(kGroup); step *= 2) {
    int sum = found[id] + (id >= step ? found[id - step] : 0);
    threadgroup_barrier(mem_flags::mem_threadgroup);  // all have read
    found[id] = sum;
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
  long row = before[group] + found[id] - count;
  for (long i = begin; i < end; ++i) {
    if (in[i] == 0) continue;
    device long* to = out + row * dims;
    if (wide) write_position(to, ulong(i), s);
    else write_position(to, uint(i), s);
    ++row;
  }
}

#define VEEM_INDEXED(T)                  \
  VEEM_KERNEL("indexed_" #T, indexed<T>) \
  VEEM_KERNEL("indexed_runs_" #T, indexed_runs<T>)
VEEM_INDEXED(bool)
VEEM_INDEXED(uchar)
VEEM_INDEXED(char)
VEEM_INDEXED(short)
VEEM_INDEXED(int)
VEEM_INDEXED(long)
VEEM_INDEXED(half)
VEEM_INDEXED(bfloat)
VEEM_INDEXED(float)
