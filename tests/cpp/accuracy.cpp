// Functions of float32 against those of float64: at most 2 units in the last place, and right
// at NaN, infinities, subnormals and signed zeros. bench/accuracy.py prints the errors.
#include "core/ops.h"

#include <cstring>

#include "core/backend.h"
#include "core/ops_copy.h"
#include "test.h"

using namespace veem;

namespace {

// A sample of all floats: every so many, from both zeros through the NaNs.
Array floats() {
  constexpr uint64_t step = 4001;
  Array x = empty({(int64_t{1} << 32) / static_cast<int64_t>(step)}, DType::Float32, cpu());
  for (int64_t i = 0; i < x.numel(); ++i) {
    auto bits = static_cast<uint32_t>(i * step);
    std::memcpy(x.as<float>() + i, &bits, sizeof bits);
  }
  return x;
}

// How far y is from the exact value, in units of the last place of a float; infinite where one
// of them is NaN or the signs differ. Past the largest float lies 2^128.
double distance(float y, double exact) {
  if (std::isnan(y) && std::isnan(exact)) return 0;
  if (std::isnan(y) || std::isnan(exact) || std::signbit(y) != std::signbit(exact)) return HUGE_VAL;
  double a = std::min(std::abs(double{y}), 0x1p128), b = std::min(std::abs(exact), 0x1p128);
  int exponent = -149;
  if (b >= 0x1p-126) exponent = std::min(std::ilogb(b), 127) - 23;
  return std::abs(a - b) / std::ldexp(1, exponent);
}

double worst(Op op, const Array& x) {
  Array y = unary(op, x), exact = unary(op, cast(x, DType::Float64));
  double most = 0;
  for (int64_t i = 0; i < x.numel(); ++i)
    most = std::max(most, distance(y.as<float>()[i], exact.as<double>()[i]));
  return most;
}

}  // namespace

TEST("accuracy: functions of float32 within 2 units in the last place") {
  Array x = floats();
  for (Op op :
       {Op::sqrt,   Op::rsqrt,  Op::exp,     Op::exp2,  Op::expm1, Op::log,  Op::log1p, Op::log2,
        Op::log10,  Op::sin,    Op::cos,     Op::tan,   Op::asin,  Op::acos, Op::atan,  Op::sinh,
        Op::cosh,   Op::tanh,   Op::asinh,   Op::acosh, Op::atanh, Op::erf,  Op::erfc,  Op::sigmoid,
        Op::erfinv, Op::lgamma, Op::digamma, Op::sinc,  Op::logit}) {
    double most = worst(op, x);
    if (!(most <= 2)) test::fail(row(op).name, 0, std::to_string(most) + " ulp");
  }
}

TEST("accuracy: pow within 1 unit in the last place") {
  Array base = floats(), exponent = empty(base.shape, DType::Float32, cpu());
  for (int64_t i = 0; i < base.numel(); ++i) {
    // Half of them whole, all of them such that many results are finite.
    float spread = 100 / (1 + std::abs(std::log2(std::abs(base.as<float>()[i]))));
    float e = spread * static_cast<float>(std::sin(static_cast<double>(i)));
    exponent.as<float>()[i] = i % 2 ? std::round(e) : e;
  }
  Array y = binary(Op::pow, base, exponent);
  Array exact = binary(Op::pow, cast(base, DType::Float64), cast(exponent, DType::Float64));
  double most = 0;
  for (int64_t i = 0; i < base.numel(); ++i)
    most = std::max(most, distance(y.as<float>()[i], exact.as<double>()[i]));
  CHECK(most <= 1);
}
