// The ops that draw random numbers: checks, the order of the elements, the launch.
#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/backend.h"
#include "core/ops.h"
#include "core/random.h"

namespace veem {

namespace {

// Integers below this range are taken from 32 bits: the modulus then favours none by over 6 %.
constexpr uint64_t kWideRange = 1ull << 28;
// Up to here every whole number is a float32.
constexpr int64_t kMostCategories = 1 << 24;

Operand operand(const Array& x, const Dims& strides) {
  Operand o;
  o.data = x.data();
  o.storage = x.storage.get();
  o.dtype = x.dtype;
  for (int d = 0; d < strides.size(); ++d) o.strides[d] = strides[d];
  return o;
}

// A fill of out, and of p's elements beside it, in the order of out's memory.
RandomArgs plan(Draw draw, const Array& out, const Array* p = nullptr) {
  Dims order = memory_order(out.shape, out.strides);
  Dims shape, strides, p_strides;
  Dims p_given = p ? broadcast_strides(p->shape, p->strides, out.shape) : out.strides;
  for (int64_t d : order) {
    shape.push_back(out.shape[d]);
    strides.push_back(out.strides[d]);
    p_strides.push_back(p_given[d]);
  }
  Dims* lists[] = {&strides, &p_strides};
  collapse(&shape, lists, 2);
  if (shape.empty()) {
    shape.push_back(1);
    strides.push_back(1);
    p_strides.push_back(1);
  }
  RandomArgs args;
  args.draw = draw;
  args.ndim = shape.size();
  for (int d = 0; d < shape.size(); ++d) args.shape[d] = shape[d];
  args.out = operand(out, strides);
  if (p) args.p = operand(*p, p_strides);
  return args;
}

void run(RandomArgs& args, Backend& backend, Generator& g, const char* op) {
  VEEM_CHECK(&backend == &g.backend, op, "expected a generator of device '", backend.name(),
             "' but got one of '", g.backend.name(), "'");
  std::lock_guard<std::mutex> lock(g.mutex);
  args.state = &g.random;
  VEEM_LAUNCH(backend, random, args);
}

void run(RandomArgs& args, const Array& out, Generator& g, const char* op) {
  check_writable(out, op);
  if (out.numel() > 0) run(args, out.backend(), g, op);
}

void check_float(const Array& out, const char* op) {
  VEEM_CHECK_AS(NotImplemented, is_float(out.dtype), op, "not implemented for '", name(out.dtype),
                "': it fills floating-point tensors; random_() fills integer ones");
}

// The whole numbers that a dtype holds, all of them from lowest to largest.
int64_t largest_whole(DType t) {
  switch (t) {
    case DType::Bool: return 1;
    case DType::UInt8: return 255;
    case DType::Int32: return std::numeric_limits<int32_t>::max();
    case DType::Int64: return std::numeric_limits<int64_t>::max();
    case DType::Float32: return 1ll << 24;
    default: return 1ll << 53;
  }
}
int64_t lowest_whole(DType t) {
  if (t == DType::Bool || t == DType::UInt8) return 0;
  return is_float(t) ? -largest_whole(t) : -largest_whole(t) - 1;
}

void fill_integers(const Array& out, int64_t from, int64_t last, Generator& g) {
  for (auto [value, text] : {std::pair{from, "from"}, std::pair{last, "to - 1"}})
    VEEM_CHECK(value >= lowest_whole(out.dtype) && value <= largest_whole(out.dtype), "random_",
               text, " is out of bounds for ", name(out.dtype), ": got ", value);
  RandomArgs args = plan(Draw::Integer, out);
  args.range = static_cast<uint64_t>(last) - static_cast<uint64_t>(from) + 1;
  args.base = args.range ? from : 0;  // all 64 bits: the words as they are
  args.wide = args.range >= kWideRange || args.range == 0;
  run(args, out, g, "random_");
}

}  // namespace

void uniform_(const Array& out, double from, double to, Generator& g) {
  check_float(out, "uniform_");
  VEEM_CHECK(from <= to, "uniform_", "expects to return a [from, to) range, but found from=", from,
             " > to=", to);
  double most = out.dtype == DType::Float32 ? std::numeric_limits<float>::max()
                                            : std::numeric_limits<double>::max();
  VEEM_CHECK(from >= -most && to <= most && to - from <= most, "uniform_", "from=", from,
             ", to=", to, " and their distance must be finite in ", name(out.dtype));
  RandomArgs args = plan(Draw::Uniform, out);
  args.a = from;
  args.b = to;
  run(args, out, g, "uniform_");
}

void normal_(const Array& out, double mean, double std, Generator& g) {
  check_float(out, "normal_");
  VEEM_CHECK(std >= 0, "normal_", "expects std >= 0.0, but found std ", std);
  RandomArgs args = plan(Draw::Normal, out);
  args.a = mean;
  args.b = std;
  args.blocks = out.numel() >= 16 && out.is_contiguous();
  run(args, out, g, "normal_");
}

void exponential_(const Array& out, double lambda, Generator& g) {
  VEEM_CHECK(is_float(out.dtype), "exponential_", "the exponential distribution is continuous: ",
             "the dtype must be floating point, got ", name(out.dtype));
  VEEM_CHECK(lambda > 0, "exponential_", "expects lambda > 0.0, but found lambda=", lambda);
  RandomArgs args = plan(Draw::Exponential, out);
  args.a = lambda;
  run(args, out, g, "exponential_");
}

void bernoulli_(const Array& out, double p, Generator& g) {
  VEEM_CHECK(p >= 0 && p <= 1, "bernoulli_", "expects p to be in [0, 1], but got p=", p);
  RandomArgs args = plan(Draw::Bernoulli, out);
  args.a = p;
  run(args, out, g, "bernoulli_");
}

void bernoulli_(const Array& out, const Array& p, Generator& g) {
  VEEM_CHECK_AS(NotImplemented, is_float(p.dtype), "bernoulli_", "probabilities of dtype '",
                name(p.dtype), "' are not implemented; use p.float()");
  VEEM_CHECK(&p.backend() == &out.backend(), "bernoulli_", "the tensor is on ",
             out.backend().name(), " and its probabilities are on ", p.backend().name());
  VEEM_CHECK(broadcast(out.shape, p.shape, "bernoulli_") == out.shape, "bernoulli_",
             "probabilities of shape ", p.shape, " do not broadcast to ", out.shape);
  RandomArgs args = plan(Draw::BernoulliEach, out, &p);
  run(args, out, g, "bernoulli_");
}

void random_(const Array& out, Generator& g) {
  RandomArgs args = plan(Draw::Integer, out);
  args.range = static_cast<uint64_t>(largest_whole(out.dtype)) + 1;
  args.wide = item_size(out.dtype) == 8;
  run(args, out, g, "random_");
}

void random_(const Array& out, int64_t from, int64_t to, Generator& g) {
  VEEM_CHECK(from < to, "random_", "expects 'from' to be less than 'to', but got from=", from,
             " >= to=", to);
  fill_integers(out, from, to - 1, g);
}

void random_from(const Array& out, int64_t from, Generator& g) {
  fill_integers(out, from, largest_whole(out.dtype), g);
}

Array randperm(int64_t n, DType dtype, Generator& g) {
  VEEM_CHECK(n >= 0, "randperm", "n must not be negative, got ", n);
  VEEM_CHECK(n - 1 <= largest_whole(dtype), "randperm", "the numbers up to ", n - 1,
             " do not fit in ", name(dtype));
  Array out = empty({n}, dtype, g.backend);
  RandomArgs args = plan(Draw::Permutation, out);
  run(args, out, g, "randperm");
  return out;
}

}  // namespace veem
