// The matrix product against plain sums in long double, where its cases meet: panels with edges,
// k cut in parts, operands packed or read in place, vectors, and one thread against two.
#include <cmath>
#include <cstring>
#include <limits>

#include "core/backend.h"
#include "core/ops.h"
#include "core/ops_matmul.h"
#include "core/threads.h"
#include "test.h"

using namespace veem;

namespace {

template <class T>
Array numbers(const Dims& shape, DType dtype) {
  Array x = empty(shape, dtype, cpu());
  uint64_t state = static_cast<uint64_t>(x.numel());
  for (int64_t i = 0; i < x.numel(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x.as<T>()[i] = static_cast<T>(static_cast<double>(state >> 40) / (1 << 23) - 1);
  }
  return x;
}

// A matrix that lies as asked: row by row, column by column, or as part of a larger one.
enum class Lies { Rows, Columns, Part };
template <class T>
Array matrix(int64_t rows, int64_t columns, Lies lies, DType dtype) {
  if (lies == Lies::Columns) return transpose(numbers<T>({columns, rows}, dtype), 0, 1);
  int64_t more = lies == Lies::Part ? 3 : 0;
  return slice(numbers<T>({rows, columns + more}, dtype), 1, more, columns + more, 1);
}

template <class T>
T at(const Array& x, int64_t i, int64_t j) {
  return x.as<T>()[i * x.strides[0] + j * x.strides[1]];
}

bool same_bits(const Array& a, const Array& b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.nbytes())) == 0;
}

template <class T>
void check_product(int64_t m, int64_t k, int64_t n, Lies a_lies, Lies b_lies, DType dtype) {
  Array a = matrix<T>(m, k, a_lies, dtype), b = matrix<T>(k, n, b_lies, dtype);
  int before = num_threads();
  set_num_threads(1);
  Array one = matmul(a, b);
  set_num_threads(2);
  CHECK(same_bits(one, matmul(a, b)));
  set_num_threads(before);

  double epsilon = std::numeric_limits<T>::epsilon();
  int64_t step = m * n * k > 2000000 ? 13 : 1;  // of large ones some elements, and the last ones
  for (int64_t e = m * n - 1; e >= 0; e -= step) {
    int64_t i = e / n, j = e % n;
    long double sum = 0, size = 0;
    for (int64_t p = 0; p < k; ++p) {
      long double term = static_cast<long double>(at<T>(a, i, p)) * at<T>(b, p, j);
      sum += term, size += std::abs(term);
    }
    if (std::abs(at<T>(one, i, j) - sum) <= 4 * epsilon * size) continue;
    CHECK_EQUAL(Dims({m, k, n, i, j}), Dims());  // names the case
    return;
  }
}

}  // namespace

TEST("matmul: all layouts, small and odd shapes, vectors and few rows") {
  constexpr Lies layouts[] = {Lies::Rows, Lies::Columns, Lies::Part};
  const int64_t shapes[][3] = {{1, 1, 1},     {3, 2, 5},   {14, 33, 32}, {15, 31, 33},
                               {29, 64, 100}, {1, 70, 90}, {90, 70, 1},  {5, 70, 90},
                               {90, 70, 5},   {1, 300, 1}, {64, 1, 64},  {17, 128, 16}};
  for (auto [m, k, n] : shapes)
    for (Lies a : layouts)
      for (Lies b : layouts) {
        check_product<float>(m, k, n, a, b, DType::Float32);
        check_product<double>(m, k, n, a, b, DType::Float64);
      }
}

TEST("matmul: k in parts, packed panels, more rows and columns than are packed at a time") {
  for (Lies a : {Lies::Rows, Lies::Columns})
    for (Lies b : {Lies::Rows, Lies::Columns}) {
      check_product<float>(75, 1024, 530, a, b, DType::Float32);  // both packed
      check_product<double>(33, 901, 70, a, b, DType::Float64);
      check_product<float>(2053, 5, 70, a, b, DType::Float32);
      check_product<float>(75, 5, 2085, a, b, DType::Float32);
    }
}

TEST("matmul: no k gives zeros; a zero does not hide an inf or a NaN") {
  Array none = matmul(empty({3, 0}, DType::Float32, cpu()), empty({0, 4}, DType::Float32, cpu()));
  for (int64_t i = 0; i < 12; ++i) CHECK_EQUAL(none.as<float>()[i], 0.0f);

  for (int64_t m : {1, 5, 40})
    for (Lies lies : {Lies::Rows, Lies::Columns}) {
      Array a = matrix<float>(m, 33, Lies::Rows, DType::Float32);
      Array b = matrix<float>(33, 40, lies, DType::Float32);
      for (int64_t i = 0; i < a.numel(); ++i) a.as<float>()[i] = 0;
      b.as<float>()[32 * b.strides[0] + 39 * b.strides[1]] = INFINITY;
      Array out = matmul(a, b);
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < 40; ++j) CHECK_EQUAL(std::isnan(at<float>(out, i, j)), j == 39);
    }
}
