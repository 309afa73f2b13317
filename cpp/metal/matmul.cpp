// Chooses the rung of the ladder in kernels/matmul.metal for a product, and launches it.
#include <cstdlib>
#include <cstring>
#include <utility>

#include "metal/args.h"
#include "metal/device.h"
#include "metal/kernels.h"

namespace veem::metal {
namespace {

// A tile of less is mostly zeros: 16 x 16 threads for `tiled`, whose tiles are 16 deep too.
constexpr int64_t kWorthTile = 16;
// Fewer multiply-adds than this end before a tile is filled.
constexpr int64_t kTiny = 4096;
// 64 x 64 sums a group want at least half of that to do.
constexpr int64_t kWorthBlock = 32;
// As many groups keep all cores of a small GPU busy (8 cores, several groups each); with less,
// groups of half the rows are twice as many.
constexpr int64_t kBusyGroups = 64;
// A SIMD-group reads that many numbers of a row at a time.
constexpr int64_t kWorthRow = kSimdWidth;

struct Rung {
  const char* name;
  int64_t rows, columns;  // of a threadgroup's results
  Grid group;
};
constexpr Rung kNaive{"naive", 8, 32, {32, 8, 1}};
constexpr Rung kTiled{"tiled", 16, 16, {16, 16, 1}};
constexpr Rung kBlocked{"blocked", 64, 64, {256, 1, 1}};
constexpr Rung kSimd{"simd", 64, 64, {128, 1, 1}};
constexpr Rung kSimdLow{"simd_low", 32, 64, {128, 1, 1}};
constexpr const Rung* kRungs[] = {&kNaive, &kTiled, &kBlocked, &kSimd, &kSimdLow};

int64_t parts_of(int64_t n, int64_t size) { return (n + size - 1) / size; }

// VEEM_METAL_MATMUL=tiled takes that rung for all products of floats: for bench and docs.
const Rung* forced_rung() {
  const char* wanted = std::getenv("VEEM_METAL_MATMUL");
  if (!wanted || !*wanted) return nullptr;
  for (const Rung* rung : kRungs)
    if (std::strcmp(rung->name, wanted) == 0) {
      bool simd = rung == &kSimd || rung == &kSimdLow;
      VEEM_CHECK(!simd || has_simdgroup_matrix(), "matmul", "VEEM_METAL_MATMUL=", wanted,
                 " needs a GPU with simdgroup matrices");
      return rung;
    }
  raise(ErrorKind::Value, "matmul", "VEEM_METAL_MATMUL=", wanted,
        " is none of naive, tiled, blocked, simd, simd_low");
}

const Rung& choose_rung(const MatmulArgs& args, int64_t batches) {
  int64_t m = args.m, n = args.n, k = args.k;
  if (k < kWorthTile / 2 || m * n <= kTiny / k) return kNaive;
  if (!is_float(args.dtype) || m < kWorthTile || n < kWorthTile) return kTiled;
  if (has_simdgroup_matrix()) {
    int64_t groups = parts_of(m, kSimd.rows) * parts_of(n, kSimd.columns) * batches;
    return m <= kSimdLow.rows || groups < kBusyGroups ? kSimdLow : kSimd;
  }
  return m < kWorthBlock || n < kWorthBlock ? kTiled : kBlocked;
}

static_assert(kActivationRelu == static_cast<int>(Activation::Relu) &&
                  kActivationTanh == static_cast<int>(Activation::Tanh),
              "kernels know activations by the same numbers");
int activation_of(const MatmulArgs& args) { return static_cast<int>(args.activation); }

MatmulShape shape_of(const MatmulArgs& args) {
  MatmulShape s{};
  s.m = args.m, s.n = args.n, s.k = args.k;
  s.a_row = args.a_row, s.a_col = args.a_col, s.w_row = args.w_row, s.w_col = args.w_col;
  s.batch_dims = args.batch_dims;
  for (int d = 0; d < args.batch_dims; ++d) {
    s.batch_shape[d] = args.batch_shape[d];
    s.a_batch[d] = args.a.strides[d], s.w_batch[d] = args.w.strides[d];
  }
  s.has_bias = args.bias.data != nullptr;
  s.bias_step = 1;
  s.accumulate = args.accumulate;
  return s;
}

// Bytes from the first number of a batch of (rows, columns) matrices to the last.
int64_t span(const MatmulArgs& args, const Operand& x, int64_t rows, int64_t row, int64_t columns,
             int64_t column) {
  if (rows == 0 || columns == 0) return 0;
  return extent(x, args.batch_shape, args.batch_dims) +
         ((rows - 1) * row + (columns - 1) * column) * item_size(args.dtype);
}

// Binds everything; the operands trade places where the vector is the left one.
Encoder& bind(Encoder& e, const MatmulArgs& args, const MatmulShape& s, int64_t batches,
              bool swapped = false) {
  int64_t size = item_size(args.dtype);
  int64_t a = span(args, args.a, args.m, args.a_row, args.k, args.a_col);
  int64_t w = span(args, args.w, args.k, args.w_row, args.n, args.w_col);
  e.buffer(swapped ? args.w : args.a, swapped ? w : a);
  e.buffer(swapped ? args.a : args.w, swapped ? a : w);
  e.buffer(args.bias, args.n * size).buffer(args.out, batches * args.m * args.n * size);
  return e.args(s);
}

// A matrix of `rows` times a vector; the left operand is the vector if the product has one row.
// False where another kernel does better.
bool vector_product(const MatmulArgs& args, int64_t batches) {
  if (!is_float(args.dtype) || (args.m != 1 && args.n != 1)) return false;
  bool swapped = args.m == 1;  // out^T = w^T @ a^T
  MatmulShape s = shape_of(args);
  if (swapped) {
    std::swap(s.a_batch, s.w_batch);
    s.m = args.n, s.n = 1;
    s.a_row = args.w_col, s.a_col = args.w_row, s.w_row = args.a_col;
  } else {
    s.bias_step = 0;  // one column, one number
  }
  bool along = s.a_col == 1;
  if (along && (args.k < kWorthRow || !has_simd_reductions())) return false;
  std::string type = type_name(args.dtype);
  Encoder e("matmul", (along ? "matmul_rows_" : "matmul_columns_") + type,
            {0, 0, activation_of(args)});
  bind(e, args, s, batches, swapped);
  constexpr int64_t rows_along = 8 * 4, rows_across = 32;  // of a group: 8 SIMD-groups with 4 each
  if (along) e.groups({parts_of(s.m, rows_along), 1, batches}, {8 * kSimdWidth, 1, 1});
  else e.groups({parts_of(s.m, rows_across), 1, batches}, {32, 8, 1});
  return true;
}

}  // namespace

void matmul(const MatmulArgs& args) {
  int64_t batches = 1;
  for (int d = 0; d < args.batch_dims; ++d) batches *= args.batch_shape[d];
  VEEM_CHECK(batches < (int64_t{1} << 32), "matmul", "a batch of ", batches,
             " products; a GPU takes less than 2^32 at a time");
  const Rung* forced = is_float(args.dtype) ? forced_rung() : nullptr;
  if (!forced && vector_product(args, batches)) return;
  const Rung& rung = forced ? *forced : choose_rung(args, batches);
  Encoder e("matmul", std::string("matmul_") + rung.name + "_" + type_name(args.dtype),
            {args.a_col == 1, args.w_row == 1, activation_of(args)});
  bind(e, args, shape_of(args), batches)
      .groups({parts_of(args.n, rung.columns), parts_of(args.m, rung.rows), batches}, rung.group);
}

}  // namespace veem::metal
