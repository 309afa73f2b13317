// Running results along the middle dimension of (outer, n, inner): sums, products, extremes with
// their indices, log(sum(exp)).
//
// Memory is the bound. Where inner is not 1, a thread walks along each line, beside neighbours
// that read the same row of memory. Otherwise a threadgroup has a line: each thread scans
// kScanEach elements, the group scans the threads' results in log2 steps, and what came before
// is joined to all. A long line is cut into pieces, for a group each: one launch finds their
// totals, a second what lies before each of them, a third writes. The order of all sums follows
// from the shape alone.
//
// Elements are read as float or long. Float sums keep their rounding errors beside the total: their
// error does not grow with the length.
#include "kernels/common.h"
#include "kernels/convert.h"

constant int kind [[function_constant(0)]];  // a ScanKind
constant int type [[function_constant(1)]];  // a DType: of elements and results
constant int reverse [[function_constant(2)]];
constant int indexed [[function_constant(3)]];  // writes indices
constant int begun [[function_constant(4)]];    // something lies before a piece

// What is known of some elements: their total and its rounding error; or the extreme and where it
// lies; or a peak, and the sum of exponentials beside the peak's own.
template <class T>
struct Known {
  T total, rest;
  long at;
};

template <class T> inline T infinite();  // what nothing lies above
template <> inline float infinite<float>() { return INFINITY; }
template <> inline long infinite<long>() { return long(~0ul >> 1); }

template <class T>
inline Known<T> nothing() {
  Known<T> k = {T(0), T(0), 0};
  if (kind == kScanProduct) k.total = T(1);
  if (kind == kScanLargest || kind == kScanLogSum) k.total = T(-infinite<T>() - (T(0.5) == T(0)));
  if (kind == kScanSmallest) k.total = infinite<T>();
  return k;
}
template <class T>
inline Known<T> one(T x, long at) {
  Known<T> k = {x, T(0), at};
  return k;
}

inline Known<float> add_logs(Known<float> a, Known<float> b) {
  if (b.total == -INFINITY) return a;
  if (a.total == -INFINITY) return b;
  Known<float> k = {math::maximum(a.total, b.total), 0.0f, 0};
  bool up = b.total > a.total;
  float e = a.total == b.total ? 1.0f : prim::exp(-prim::abs(b.total - a.total));
  k.rest = up ? b.rest + (a.rest + 1.0f) * e : a.rest + (b.rest + 1.0f) * e;
  return k;
}
inline Known<long> add_logs(Known<long> a, Known<long>) { return a; }

inline Known<float> add_sums(Known<float> a, Known<float> b) {
  float sum = a.total + b.total, added = sum - a.total;
  float error = (a.total - (sum - added)) + (b.total - added);
  Known<float> k = {sum, a.rest + b.rest + error, 0};
  return k;
}
inline Known<long> add_sums(Known<long> a, Known<long> b) {
  Known<long> k = {math::add(a.total, b.total), 0, 0};
  return k;
}

// b came after a: the last of equal extremes wins, and NaN over all.
template <class T>
inline Known<T> join(Known<T> a, Known<T> b) {
  if (kind == kScanSum) return add_sums(a, b);
  if (kind == kScanLogSum) return add_logs(a, b);
  if (kind == kScanProduct) {
    a.total = math::mul(a.total, b.total);
    return a;
  }
  bool wins = kind == kScanLargest ? b.total >= a.total : b.total <= a.total;
  if (b.total != b.total || (a.total == a.total && wins)) return b;
  return a;
}

inline float result(Known<float> k) {
  if (kind == kScanSum) return k.rest == k.rest ? k.total + k.rest : k.total;
  if (kind == kScanLogSum && k.total - k.total == 0.0f) return k.total + prim::log1p(k.rest);
  return k.total;
}
inline long result(Known<long> k) { return k.total; }

template <class T>
inline void write(device char* out, device long* index, long at, Known<T> k) {
  store(out, at, type, result(k));
  if (indexed) index[at] = k.at;
}

// Element i, in the order of the scan, of a line.
inline long place(long line, long i, constant ScanShape& s) {
  return line + (reverse ? s.n - 1 - i : i) * s.inner;
}

// A thread for each line.
template <class T>
[[kernel]] void scan_columns(device const char* in [[buffer(0)]],
                             device char* out [[buffer(1)]],
                             device long* index [[buffer(2)]],
                             constant ScanShape& s [[buffer(3)]],
                             uint2 thread_at [[thread_position_in_grid]]) {
  long column = long(thread_at.y) * kThreadLine + thread_at.x;
  if (column >= s.count) return;
  long line = column / s.inner * s.n * s.inner + column % s.inner;
  Known<T> k = nothing<T>();
  for (long i = 0; i < s.n; ++i) {
    long at = place(line, i, s);
    k = join(k, one(load<T>(in, at, type), i));
    write(out, index, at, k);
  }
}

// The result of the threads before this one; `all` becomes that of all threads.
template <class T>
inline Known<T> before_thread(Known<T> mine, uint id, threadgroup T* total, threadgroup T* rest,
                              threadgroup long* at, thread Known<T>& all) {
  total[id] = mine.total, rest[id] = mine.rest, at[id] = mine.at;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint step = 1; step < uint(kGroup); step *= 2) {
    Known<T> k = {total[id], rest[id], at[id]};
    if (id >= step) {
      Known<T> left = {total[id - step], rest[id - step], at[id - step]};
      k = join(left, k);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // all have read
    total[id] = k.total, rest[id] = k.rest, at[id] = k.at;
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
  Known<T> last = {total[kGroup - 1], rest[kGroup - 1], at[kGroup - 1]};
  all = last;
  Known<T> before = nothing<T>();
  if (id > 0) {
    Known<T> k = {total[id - 1], rest[id - 1], at[id - 1]};
    before = k;
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);  // the next step writes again
  return before;
}

// Group (p, line): the results of piece p, or (out is not written) its total.
template <class T>
[[kernel]] void scan_rows(device const char* in [[buffer(0)]],
                          device char* out [[buffer(1)]],
                          device long* index [[buffer(2)]],
                          device T* totals [[buffer(3)]],
                          device T* rests [[buffer(4)]],
                          device long* places [[buffer(5)]],
                          constant ScanShape& s [[buffer(6)]],
                          constant int& totals_only [[buffer(7)]],
                          uint id [[thread_position_in_threadgroup]],
                          uint2 group [[threadgroup_position_in_grid]]) {
  threadgroup T total[kGroup];
  threadgroup T rest[kGroup];
  threadgroup long at[kGroup];
  long row = group.y, line = row * s.n, number = row * s.pieces + group.x;
  long begin = long(group.x) * s.piece, end = begin + s.piece < s.n ? begin + s.piece : s.n;
  Known<T> before = nothing<T>();
  if (begun && !totals_only) {
    Known<T> k = {totals[number], rests[number], places[number]};
    before = k;
  }
  for (long step = begin; step < end; step += kGroup * kScanEach) {
    Known<T> each[kScanEach], mine = nothing<T>(), all;
    long first = step + long(id) * kScanEach;
    for (int j = 0; j < kScanEach; ++j) {
      long i = first + j;
      if (i < end) mine = join(mine, one(load<T>(in, place(line, i, s), type), i));
      each[j] = mine;
    }
    Known<T> left = join(before, before_thread(mine, id, total, rest, at, all));
    for (int j = 0; j < kScanEach && !totals_only; ++j)
      if (first + j < end) write(out, index, place(line, first + j, s), join(left, each[j]));
    before = join(before, all);
  }
  if (totals_only && id == 0) {
    totals[number] = before.total;
    rests[number] = before.rest;
    places[number] = before.at;
  }
}

// A thread for each line: what lies before each piece, in the place of the pieces' totals.
template <class T>
[[kernel]] void scan_pieces(device T* totals [[buffer(0)]],
                            device T* rests [[buffer(1)]],
                            device long* places [[buffer(2)]],
                            constant ScanShape& s [[buffer(3)]],
                            uint line [[thread_position_in_grid]]) {
  Known<T> before = nothing<T>();
  for (long i = long(line) * s.pieces; i < (long(line) + 1) * s.pieces; ++i) {
    Known<T> k = {totals[i], rests[i], places[i]};
    totals[i] = before.total, rests[i] = before.rest, places[i] = before.at;
    before = join(before, k);
  }
}

VEEM_KERNEL("scan_columns_float", scan_columns<float>)
VEEM_KERNEL("scan_columns_long", scan_columns<long>)
VEEM_KERNEL("scan_rows_float", scan_rows<float>)
VEEM_KERNEL("scan_rows_long", scan_rows<long>)
VEEM_KERNEL("scan_pieces_float", scan_pieces<float>)
VEEM_KERNEL("scan_pieces_long", scan_pieces<long>)
