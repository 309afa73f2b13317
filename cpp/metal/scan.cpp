// Launches running results: a thread for each line, or groups for pieces of it
// (kernels/scan.metal).
#include "core/array.h"
#include "core/backend.h"
#include "core/plan.h"
#include "metal/kernels.h"
#include "metal/lines.h"

namespace veem::metal {

static_assert(static_cast<int>(Scan::LogSumExp) == kScanLogSum, "the kernel takes a Scan's number");
static_assert(kScanPiece % (kGroup * kScanEach) == 0, "whole steps of a group");

void scan(const ScanArgs& a) {
  ScanShape s = {a.outer * a.inner, a.n, a.inner, kScanPiece, parts(a.n, kScanPiece)};
  const char* t = is_float(a.dtype) ? "float" : "long";
  int64_t bytes = s.count * a.n * item_size(a.dtype),
          indices = a.index.data ? s.count * a.n * 8 : 0;
  int kind = static_cast<int>(a.scan), type = static_cast<int>(a.dtype), totals_only = 1;
  bool begun = s.pieces > 1;
  auto constants = {kind, type, int{a.reverse}, int{indices > 0}, int{begun}};
  if (a.inner > 1) {
    Encoder e("scan", std::string("scan_columns_") + t, constants);
    e.buffer(a.in, bytes).buffer(a.out, bytes).buffer(a.index, indices).args(s);
    return threads_in_lines(e, s.count);
  }
  // What is known of each piece: two numbers and an index.
  DType exact = is_float(a.dtype) ? DType::Float32 : DType::Int64;
  Backend& backend = *a.in.storage->backend;
  Array totals = empty({s.count, begun ? s.pieces : 1}, exact, backend);
  Array rests = empty(totals.shape, exact, backend), places;
  places = empty(totals.shape, DType::Int64, backend);
  auto rows = [&](int64_t pieces) {
    Encoder e("scan", std::string("scan_rows_") + t, constants);
    e.buffer(a.in, bytes).buffer(a.out, bytes).buffer(a.index, indices);
    e.buffer(memory_of(totals), totals.nbytes()).buffer(memory_of(rests), rests.nbytes());
    e.buffer(memory_of(places), places.nbytes()).args(s).args(totals_only);
    e.groups({pieces, s.count}, {kGroup});
  };
  if (begun) {
    rows(s.pieces);
    Encoder e("scan", std::string("scan_pieces_") + t, constants);
    e.buffer(memory_of(totals), totals.nbytes()).buffer(memory_of(rests), rests.nbytes());
    e.buffer(memory_of(places), places.nbytes()).args(s).threads(s.count);
  }
  totals_only = 0;
  rows(s.pieces);
}

}  // namespace veem::metal
