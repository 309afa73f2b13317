// Kernels through the public C++ ops, against plain loops.
#include "core/ops.h"
#include "core/backend.h"
#include "core/ops_copy.h"
#include "test.h"

using namespace veem;

namespace {

// 0.5, -1, 1.5, -2, ... in a shape
Array ramp(const Dims& shape) {
  Array x = empty(shape, DType::Float32, cpu());
  for (int64_t i = 0; i < x.numel(); ++i) x.as<float>()[i] = (i % 2 ? -0.5f : 0.5f) * (i + 1);
  return x;
}

float at(const Array& x, int64_t i, int64_t j) {
  return x.as<float>()[i * x.strides[0] + j * x.strides[1]];
}

}  // namespace

TEST("elementwise: contiguous, transposed, sliced and broadcast operands") {
  Array x = ramp({37, 53}), t = transpose(ramp({53, 37}), 0, 1);
  Array s = slice(ramp({37, 60}), 1, 4, 57, 1), row = ramp({53});
  for (const Array& y : {x, t, s}) {
    Array sum = binary(Op::add, x, y), scaled = binary(Op::mul, y, row);
    for (int64_t i = 0; i < 37; ++i)
      for (int64_t j = 0; j < 53; ++j) {
        CHECK_EQUAL(at(sum, i, j), at(x, i, j) + at(y, i, j));
        CHECK_EQUAL(at(scaled, i, j), at(y, i, j) * row.as<float>()[j]);
      }
  }
}

TEST("elementwise: formulas and dtypes") {
  Array x = ramp({1000});
  Array e = unary(Op::exp, binary(Op::mul, x, Scalar::of(0.01)));
  Array below = binary(Op::lt, x, Scalar::of(int64_t{0}));
  CHECK(below.dtype == DType::Bool);
  for (int64_t i = 0; i < 1000; ++i) {
    CHECK_NEAR(e.as<float>()[i], std::exp(0.01f * x.as<float>()[i]), 1e-6);
    CHECK_EQUAL(below.as<bool>()[i], i % 2 == 1);
  }
  Array whole = cast(x, DType::Int64);
  CHECK_EQUAL(whole.as<int64_t>()[3], -2);
  CHECK_RAISES(NotImplemented, "bitwise_not", unary(Op::bitwise_not, x));
}

TEST("elementwise: in place, and refused where elements share memory") {
  Array x = ramp({4, 4}), y = clone(x);
  Input in[] = {y, Scalar::of(2.0)};
  elementwise(Op::mul, in, 2, &y);
  CHECK_EQUAL(at(y, 1, 2), 2 * at(x, 1, 2));
  Array spread = expand(ramp({4, 1}), {4, 4});
  Input bad[] = {spread, Scalar::of(2.0)};
  CHECK_RAISES(Runtime, "mul", elementwise(Op::mul, bad, 2, &spread));
}

TEST("copies: transposes, overlapping ranges, joined arrays") {
  Array x = ramp({65, 130}), t = contiguous(transpose(x, 0, 1));
  CHECK(t.is_contiguous());
  for (int64_t i = 0; i < 65; ++i)
    for (int64_t j = 0; j < 130; ++j) CHECK_EQUAL(at(t, j, i), at(x, i, j));

  Array line = ramp({100});
  Array before = clone(line);
  copy_into(slice(line, 0, 1, 100, 1), slice(line, 0, 0, 99, 1));
  for (int64_t i = 1; i < 100; ++i) CHECK_EQUAL(line.as<float>()[i], before.as<float>()[i - 1]);

  Array both = cat({x, x}, 1);
  CHECK_EQUAL(both.shape, Dims({65, 260}));
  CHECK_EQUAL(at(both, 3, 133), at(x, 3, 3));
  CHECK_RAISES(Runtime, "cat", cat({x, t}, 1));
}
