#include "core/plan.h"

#include "core/backend.h"
#include "test.h"

using namespace veem;

namespace {

Array of(DType t, const Dims& shape) { return empty(shape, t, cpu()); }

DType result(const std::vector<Input>& inputs) {
  return result_type(inputs.data(), static_cast<int>(inputs.size()));
}

}  // namespace

TEST("promotion: tensors outrank 0-d tensors, which outrank numbers") {
  Array ints = of(DType::Int32, {2}), halves = of(DType::Float32, {2}),
        zero_d = of(DType::Float64, {}), bytes = of(DType::UInt8, {2});
  CHECK(result({ints, halves}) == DType::Float32);
  CHECK(result({halves, zero_d}) == DType::Float32);
  CHECK(result({ints, zero_d}) == DType::Float64);
  CHECK(result({ints, Scalar::of(1.5)}) == DType::Float32);
  CHECK(result({bytes, Scalar::of(int64_t{300})}) == DType::UInt8);
  CHECK(result({Scalar::of(true), Scalar::of(int64_t{1})}) == DType::Int64);
  CHECK(promote(DType::UInt8, DType::Int8) == DType::Int16);
}

TEST("elementwise plan: contiguous operands become one loop") {
  Array x = of(DType::Float32, {2, 3, 4}), out = of(DType::Float32, {2, 3, 4});
  Input in[] = {x, x};
  ElementwiseArgs args = plan_elementwise(Op::add, DType::Float32, out, in, 2);
  CHECK_EQUAL(args.ndim, 1);
  CHECK_EQUAL(args.shape[0], 24);
}

TEST("elementwise plan: two transposed operands still do") {
  Array x = transpose(of(DType::Float32, {3, 4}), 0, 1);
  Array out = transpose(of(DType::Float32, {3, 4}), 0, 1);
  Input in[] = {x};
  ElementwiseArgs args = plan_elementwise(Op::neg, DType::Float32, out, in, 1);
  int64_t elements = 1;
  for (int d = 0; d < args.ndim; ++d) elements *= args.shape[d];
  CHECK_EQUAL(elements, 12);
}

TEST("elementwise plan: a broadcast row keeps two dimensions, a number is immediate") {
  Array x = of(DType::Float32, {5, 2, 3}), row = of(DType::Float32, {3});
  Array out = of(DType::Float32, {5, 2, 3});
  Input in[] = {x, row};
  ElementwiseArgs args = plan_elementwise(Op::mul, DType::Float32, out, in, 2);
  CHECK_EQUAL(args.ndim, 2);
  CHECK_EQUAL(args.in[1].strides[0], 0);
  Input with_number[] = {x, Scalar::of(2.5)};
  args = plan_elementwise(Op::mul, DType::Float32, out, with_number, 2);
  float value;
  std::memcpy(&value, &args.immediate[1], sizeof value);
  CHECK(args.in[1].storage == nullptr);
  CHECK_EQUAL(value, 2.5f);
}
