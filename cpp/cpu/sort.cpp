// Sorting rows: the elements of the ranks that are wanted, and their indices.
//
//   short rows   records (sort_key.h) in registers and L1: ranks by counting, then merges;
//   longer ones  radix sort of the bits in which keys differ, the lowest first, kDigit bits at a
//                time: memory is the bound, each pass reads and writes every record once. A row of
//                more than kLongRow is sorted by all threads, in pieces: each counts its
//                digits, and from these counts knows where its records go;
//   few wanted   of the smallest ranks: one pass that keeps the best so far and reads on until
//                something beats the worst of them; of one rank: the digits of its key are found
//                from the highest down, and only elements that share them are looked at again.
//
// What is written is the same for every way and any number of threads: records are all different.
#include "core/scratch.h"
#include "core/threads.h"
#include "cpu/kernels.h"
#include "cpu/memory.h"

namespace veem {
namespace VEEM_ISA {
namespace {

#include "cpu/sort_key.h"

constexpr int64_t kRun = 16;     // records ranked by counting
constexpr int64_t kShort = 256;  // records that are merged
// Bits of a radix digit at most. Many bins serve records that stay in the caches: beyond, there are
// more of them than places in memory whose addresses the processor keeps. Few records want few.
constexpr int kDigit = 11, kSmallDigit = 8;
constexpr int64_t kManyRecords = 4096, kCachedRecords = 256 * 1024;
constexpr int64_t kBins = 1 << kDigit;
constexpr int64_t kSortPiece = 256 * 1024;  // records counted by a thread
constexpr int64_t kGrain = 8 * 1024;        // elements that are worth a thread
constexpr int64_t kFew = 8;                 // one in so many is few,
constexpr int64_t kFewest = 4096;           // up to so many

inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

// ---- a row's elements as records, and back ----------------------------------------------------

template <class Key, class Record>
struct Row {
  using Bits = typename Key::Bits;
  const Bits* x;
  Bits flip;  // all ones: descending
  Bits* values;
  int64_t* indices;
  int64_t first, count;  // the ranks that are wanted

  Bits key(int64_t i) const { return static_cast<Bits>(Key::of(x[i]) ^ flip); }
  Record record(int64_t i) const { return Record::make(key(i), i); }
  void put(int64_t rank, const Record& r) const {
    rank -= first;
    if (static_cast<uint64_t>(rank) >= static_cast<uint64_t>(count)) return;
    indices[rank] = r.index();
    Bits bits;
    bool known = Key::restore(static_cast<Bits>(static_cast<Bits>(r.key()) ^ flip), &bits);
    values[rank] = __builtin_expect(known, 1) ? bits : x[r.index()];
  }
};

// ---- short rows -------------------------------------------------------------------------------

// Sorts n <= kRun records into `to`: each one's rank is the number of those before it.
template <class Record>
inline void rank_run(const Record* from, Record* to, int64_t n) {
  if (n == kRun) {
    int64_t rank[kRun] = {};
    for (int64_t j = 0; j < kRun; ++j)
      for (int64_t i = 0; i < kRun; ++i) rank[i] += from[j].before(from[i]);
    for (int64_t i = 0; i < kRun; ++i) to[rank[i]] = from[i];
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    int64_t rank = 0;
    for (int64_t j = 0; j < n; ++j) rank += from[j].before(from[i]);
    to[rank] = from[i];
  }
}

// Merges [0, middle) and [middle, n), both sorted, without a branch on what is compared.
template <class Record>
inline void merge(const Record* from, Record* to, int64_t middle, int64_t n) {
  int64_t a = 0, b = middle, i = 0;
  while ((a < middle) & (b < n)) {
    int64_t second = as_number(from[b].before(from[a]));
    to[i++] = Record::pick(second, from[a], from[b]);
    b += second;
    a += 1 - second;
  }
  while (a < middle) to[i++] = from[a++];
  while (b < n) to[i++] = from[b++];
}

// Two sorted runs of one width, from both ends at once: two chains of comparisons that do not wait
// for each other, and neither can pass its run's end.
template <class Record>
inline void merge_even(const Record* from, Record* to, int64_t width) {
  const Record *a = from, *b = from + width, *c = b - 1, *d = b + width - 1;
  Record* last = to + 2 * width - 1;
  for (int64_t i = 0; i < width; ++i) {
    int64_t second = as_number(b->before(*a)), first = as_number(d->before(*c));
    to[i] = Record::pick(second, *a, *b);
    b += second, a += 1 - second;
    last[-i] = Record::pick(first, *d, *c);
    c -= first, d -= 1 - first;
  }
}

// Sorts n records with the help of as many others; returns where the result lies.
template <class Record>
inline Record* merge_sort(Record* records, Record* other, int64_t n) {
  for (int64_t at = 0; at < n; at += kRun)
    rank_run(records + at, other + at, smaller(kRun, n - at));
  for (int64_t width = kRun; width < n; width *= 2) {
    Record* swap = records;
    records = other, other = swap;
    for (int64_t at = 0; at < n; at += 2 * width) {
      int64_t m = smaller(2 * width, n - at);
      if (m == 2 * width) merge_even(records + at, other + at, width);
      else merge(records + at, other + at, smaller(width, m), m);
    }
  }
  return other;
}

// ---- radix sort -------------------------------------------------------------------------------

// A pass by one digit: source(i) is record i of n, sink(place, record) takes it. All records go
// to sinks in order of their digits, those of equal digits in order.
template <class Source, class Sink>
void radix_pass(int64_t n, int shift, int width, int64_t* table, const Source& source,
                const Sink& sink) {
  int64_t pieces = parts(n, kSortPiece), bins = int64_t{1} << width;
  uint64_t mask = static_cast<uint64_t>(bins) - 1;
  auto for_pieces = [&](auto work) {
    parallel_for(pieces, 1, [&](int64_t first, int64_t last) {
      for (int64_t p = first; p < last; ++p)
        work(table + p * bins, p * kSortPiece, smaller((p + 1) * kSortPiece, n));
    });
  };
  for_pieces([&](int64_t* count, int64_t begin, int64_t end) {
    for (int64_t b = 0; b < bins; ++b) count[b] = 0;
    for (int64_t i = begin; i < end; ++i) ++count[source(i).key() >> shift & mask];
  });
  int64_t total = 0;
  for (int64_t b = 0; b < bins; ++b)
    for (int64_t p = 0; p < pieces; ++p) {
      int64_t count = table[p * bins + b];
      table[p * bins + b] = total;
      total += count;
    }
  for_pieces([&](int64_t* next, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      auto r = source(i);
      sink(next[r.key() >> shift & mask]++, r);
    }
  });
}

// The bits in which keys differ.
template <class Key, class Record>
uint64_t differing(const Row<Key, Record>& row, int64_t n) {
  using Bits = typename Key::Bits;
  Bits first = row.key(0), bits = 0;
  for (int64_t i = 0; i < n; ++i) bits = static_cast<Bits>(bits | (row.key(i) ^ first));
  return bits;
}

// Sorts all of a row; `a` and `b` are n records each.
template <class Key, class Record>
void radix_sort(const Row<Key, Record>& row, int64_t n, Record* a, Record* b, int64_t* table) {
  uint64_t bits = differing(row, n);
  auto put = [&](int64_t rank, const Record& r) { row.put(rank, r); };
  auto read = [&](int64_t i) { return row.record(i); };
  if (bits == 0) {
    for (int64_t i = 0; i < n; ++i) put(i, read(i));
    return;
  }
  int most = n < kManyRecords || n > kCachedRecords ? kSmallDigit : kDigit;
  int low = __builtin_ctzll(bits), high = 64 - __builtin_clzll(bits);
  int passes = (high - low + most - 1) / most, width = (high - low + passes - 1) / passes;
  for (int p = 0; p < passes; ++p) {
    int shift = low + p * width;
    auto keep = [&](int64_t at, const Record& r) { b[at] = r; };
    auto kept = [&](int64_t i) { return a[i]; };
    bool first = p == 0, last = p == passes - 1;
    if (first && last) radix_pass(n, shift, width, table, read, put);
    else if (first) radix_pass(n, shift, width, table, read, keep);
    else if (last) radix_pass(n, shift, width, table, kept, put);
    else radix_pass(n, shift, width, table, kept, keep);
    Record* swap = a;
    a = b, b = swap;
  }
}

// ---- few of many ------------------------------------------------------------------------------

// The first k records of [begin, end), in order, into `best`; room is for 2 * capacity records.
template <class Key, class Record>
void first_of(const Row<Key, Record>& row, int64_t begin, int64_t end, int64_t k, Record* best,
              Record* room, int64_t capacity) {
  using Bits = typename Key::Bits;
  constexpr int64_t kBlock = 64;
  int64_t count = 0;
  bool full = false;
  Bits limit = 0;  // the key of the k-th, once there are so many
  auto cut = [&] {
    const Record* sorted = merge_sort(room, room + capacity, count);
    full = count >= k;
    count = smaller(count, k);
    for (int64_t i = 0; i < count; ++i) best[i] = sorted[i];
    for (int64_t i = 0; i < count; ++i) room[i] = best[i];
    limit = static_cast<Bits>(best[count - 1].key());
  };
  for (int64_t at = begin; at < end; at += kBlock) {
    Bits keys[kBlock];
    int64_t m = smaller(kBlock, end - at);
    for (int64_t i = 0; i < m; ++i) keys[i] = row.key(at + i);
    Bits found = 0;
    for (int64_t i = 0; i < m; ++i) found |= keys[i] < limit;
    if (full && !found) continue;
    for (int64_t i = 0; i < m; ++i) {
      room[count] = Record::make(keys[i], at + i);
      count += !full | (keys[i] < limit);
    }
    if (count > capacity - kBlock) cut();
  }
  cut();
}

// The first k of a row: of each piece first, then of those.
template <class Key, class Record>
void select_first(const Row<Key, Record>& row, int64_t n, int64_t k) {
  int64_t pieces = parts(n, kSortPiece), capacity = 4 * k + 512;
  int64_t found = (pieces - 1) * k + smaller(k, n - (pieces - 1) * kSortPiece);
  Record* best = scratch<Record>(pieces * (2 * k + 2 * capacity));
  Record* other = best + pieces * k;
  Record* room = other + pieces * k;
  parallel_for(pieces, 1, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p)
      first_of(row, p * kSortPiece, smaller((p + 1) * kSortPiece, n), k, best + p * k,
               room + p * 2 * capacity, capacity);
  });
  if (pieces > 1) best = merge_sort(best, other, found);
  for (int64_t i = 0; i < k; ++i) row.put(i, best[i]);
}

// One rank: the digit of its key, among those that share all higher digits.
template <class Key, class Record>
void select_rank(const Row<Key, Record>& row, int64_t n, int64_t rank) {
  uint64_t bits = differing(row, n);
  if (bits == 0) return row.put(rank, row.record(rank));
  Record* left = nullptr;
  int64_t count = n, wanted = rank, table[kBins];
  for (int high = 64 - __builtin_clzll(bits); high > 0 && (!left || count > kShort);) {
    int width = high < kDigit ? high : kDigit, shift = high - width;
    uint64_t mask = (uint64_t{1} << width) - 1, digit = 0;
    auto digit_of = [&](uint64_t key) { return key >> shift & mask; };
    for (int64_t b = 0; b < kBins; ++b) table[b] = 0;
    for (int64_t i = 0; i < count; ++i) ++table[digit_of(left ? left[i].key() : row.key(i))];
    while (wanted >= table[digit]) wanted -= table[digit++];
    Record* to = left ? left : scratch<Record>(table[digit] + 1 + kShort);  // 1: written for none
    int64_t kept = 0;
    for (int64_t i = 0; i < count; ++i) {
      Record r = left ? left[i] : row.record(i);
      to[kept] = r;
      kept += digit_of(r.key()) == digit;
    }
    left = to, count = kept, high = shift;
  }
  Record sorted[kShort];
  if (count <= kShort) left = merge_sort(left, sorted, count);
  row.put(rank, left[wanted]);
}

// ---- the choice -------------------------------------------------------------------------------

template <class Key, class Record>
void sort_row(const SortArgs& a, const Row<Key, Record>& row) {
  int64_t n = a.n;
  if (n <= kShort) {
    Record records[kShort], other[kShort];
    for (int64_t i = 0; i < n; ++i) records[i] = row.record(i);
    int64_t whole = parts(n, kRun) * kRun;  // whole runs go faster
    for (int64_t i = n; i < whole; ++i) records[i] = Record::make(Record::kLastKey, i);
    const Record* sorted = merge_sort(records, other, whole);
    for (int64_t i = 0; i < a.count; ++i) row.put(a.first + i, sorted[a.first + i]);
    return;
  }
  if (a.count == 1 && a.first > 0) return select_rank(row, n, a.first);
  if (a.first == 0 && a.count <= kFewest && a.count * kFew <= n)
    return select_first(row, n, a.count);
  int64_t table_bytes = parts(n, kSortPiece) * kBins * int64_t{8};
  char* room = scratch<char>(table_bytes + (a.work.data ? 0 : 2 * n * int64_t{sizeof(Record)}));
  Record* records = reinterpret_cast<Record*>(a.work.data ? a.work.data : room + table_bytes);
  radix_sort(row, n, records, records + n, reinterpret_cast<int64_t*>(room));
}

template <class Key, class Record>
void sort_rows(const SortArgs& a) {
  using Bits = typename Key::Bits;
  Bits flip = a.descending ? static_cast<Bits>(~Bits(0)) : Bits(0);
  auto sort = [&](int64_t r) {
    sort_row(a, Row<Key, Record>{reinterpret_cast<const Bits*>(a.in.data) + r * a.n, flip,
                                 reinterpret_cast<Bits*>(a.values.data) + r * a.count,
                                 reinterpret_cast<int64_t*>(a.indices.data) + r * a.count, a.first,
                                 a.count});
  };
  if (a.work.data)
    for (int64_t r = 0; r < a.rows; ++r) sort(r);
  else
    parallel_for(a.rows, larger(1, kGrain / a.n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) sort(r);
    });
}

}  // namespace

void sort(const SortArgs& a) {
  with_key(a.dtype, [&](auto key) {
    using Key = decltype(key);
    if (sort_record(a.dtype, a.n) == sizeof(Wide)) return sort_rows<Key, Wide>(a);
    if constexpr (sizeof(typename Key::Bits) < 8) sort_rows<Key, Narrow>(a);
  });
}

}  // namespace VEEM_ISA
}  // namespace veem
