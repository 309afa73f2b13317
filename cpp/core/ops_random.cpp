// The ops that draw random numbers: checks, the order of the elements, the launch.
#include <algorithm>
#include <limits>
#include <vector>

#include "core/backend.h"
#include "core/ops.h"
#include "core/ops_copy.h"
#include "core/ops_index.h"
#include "core/ops_reduce.h"
#include "core/ops_sort.h"
#include "core/random.h"

namespace veem {

namespace {

// Integers below this range are taken from 32 bits: the modulus then favours none by over 6 %.
constexpr uint64_t kWideRange = 1ull << 28;
// Up to here every whole number is a float32.
constexpr int64_t kMostCategories = 1 << 24;

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
  set_operand(&args.out, out, strides);
  if (p) set_operand(&args.p, *p, p_strides);
  return args;
}

void run(RandomArgs& args, Backend& backend, Generator& g, const char* op) {
  VEEM_CHECK(&backend == &g.backend, op, "Expected a '", backend.name(),
             "' device type for generator but found '", g.backend.name(), "'");
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

// The whole numbers that a dtype holds, all of them from the least to the most.
WholeRange wholes(DType t) {
  int digits = t == DType::Float16 ? 11 : t == DType::BFloat16 ? 8 : t == DType::Float32 ? 24 : 53;
  return is_float(t) ? WholeRange{-(1ll << digits), 1ll << digits} : whole_range(t);
}

void fill_integers(const Array& out, int64_t from, int64_t last, Generator& g) {
  WholeRange range = wholes(out.dtype);
  for (auto [value, text] : {std::pair{from, "from"}, std::pair{last, "to - 1"}})
    VEEM_CHECK(value >= range.least && value <= range.most, "random_", text,
               " is out of bounds for ", name(out.dtype), ": got ", value);
  RandomArgs args = plan(Draw::Integer, out);
  args.range = static_cast<uint64_t>(last) - static_cast<uint64_t>(from) + 1;
  args.base = args.range ? from : 0;  // all 64 bits: the words as they are
  args.wide = args.range >= kWideRange || args.range == 0;
  run(args, out, g, "random_");
}

// The value of a 0-d float tensor.
double number(const Array& x) {
  return dispatch(x.dtype, [&](auto tag) {
    typename decltype(tag)::type value;
    x.backend().copy_to_host(&value, x);
    return static_cast<double>(value);
  });
}
// NaN where there is one.
double smallest(const Array& x) { return number(reduce(Op::amin, x, {}, false)); }
double greatest(const Array& x) { return number(reduce(Op::amax, x, {}, false)); }

// RuntimeError unless every row has finite weights >= 0 that do not sum to 0.
void check_weights(const Array& p) {
  VEEM_CHECK(smallest(p) >= 0 && greatest(p) <= largest_finite(p.dtype), "multinomial",
             "probability tensor contains either `inf`, `nan` or element < 0");
  VEEM_CHECK(smallest(reduce(Op::sum, p, {-1}, false)) > 0, "multinomial",
             "invalid multinomial distribution: the probabilities of a row sum to 0");
}

// Indices of the k largest numbers of each row, the largest first.
Array largest(const Array& x, int64_t k) {
  int64_t n = x.shape.back(), dim = -1;
  if (k == 1) return arg_reduce(Op::argmax, x, &dim, true);
  if (&x.backend() != &cpu()) return std::get<1>(sort(x, -1, true, 0, k));
  if (x.dtype != compute_type(x.dtype)) return largest(cast(x, compute_type(x.dtype)), k);
  Dims shape = x.shape;
  shape[x.ndim() - 1] = k;
  Array out = empty(shape, DType::Int64, x.backend());
  auto choose = [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<int64_t> index(static_cast<size_t>(n)), chosen;
    for (const T* row = x.as<T>(); row < x.as<T>() + x.numel(); row += n) {
      for (int64_t i = 0; i < n; ++i) index[i] = i;
      // These two ways, so that equal numbers come in PyTorch's order.
      auto before = [row](int64_t a, int64_t b) { return row[a] > row[b]; };
      auto first = index.begin(), last = first + k;
      if (k * 64 <= n) {
        std::partial_sort(first, last, index.end(), before);
      } else {
        std::nth_element(first, last - 1, index.end(), before);
        std::sort(first, last - 1, before);
      }
      chosen.insert(chosen.end(), index.begin(), index.begin() + k);
    }
    x.backend().copy_from_host(out, chosen.data());
  };
  x.dtype == DType::Float64 ? choose(Tag<double>{}) : choose(Tag<float>{});
  return out;
}

// A permutation of a device: the order of random numbers of 64 bits. Should two be equal, which one
// in 2^64 / n^2 permutations has, they keep theirs.
Array order_of_draws(int64_t n, DType dtype, Generator& g) {
  Array keys = empty({n}, DType::Int64, g.backend);
  RandomArgs args = plan(Draw::Integer, keys);
  args.range = 0, args.base = 0, args.wide = true;  // all 64 bits
  run(args, keys, g, "randperm");
  return cast(std::get<1>(sort(keys, 0, false, 0, n)), dtype);
}

// One number for each row of p, by rejection.
Array draw_each(Draw draw, const char* op, const Array& p, int parameters, Generator& g) {
  VEEM_CHECK_AS(NotImplemented, &p.backend() == &cpu(), op, "not implemented on ",
                p.backend().name(), ", as each number takes steps that depend on those before it; ",
                "draw on the CPU and move the result with .to()");
  bool known = p.dtype == DType::Float32 || p.dtype == DType::Float64;
  VEEM_CHECK(known && p.ndim() == 2 && p.shape[1] == parameters, op,
             "expected float32 or float64 parameters of shape (n, ", parameters, "), got ",
             name(p.dtype), " of shape ", p.shape);
  Array rows = p.is_contiguous() ? p : clone(p);
  Array out = empty({p.shape[0]}, DType::Float64, cpu());
  RandomArgs args;
  args.draw = draw;
  args.ndim = 1;
  args.shape[0] = p.shape[0];
  set_operand(&args.out, out, {1});
  set_operand(&args.p, rows, {parameters});
  run(args, out, g, op);
  return out;
}

}  // namespace

void uniform_(const Array& out, double from, double to, Generator& g) {
  check_float(out, "uniform_");
  VEEM_CHECK(from <= to, "uniform_", "expects to return a [from, to) range, but found from=", from,
             " > to=", to);
  double most = largest_finite(out.dtype);
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
  Input both[] = {out, p};
  common_backend(both, 2, "bernoulli_");
  VEEM_CHECK(broadcast(out.shape, p.shape, "bernoulli_") == out.shape, "bernoulli_",
             "probabilities of shape ", p.shape, " do not broadcast to ", out.shape);
  VEEM_CHECK(p.numel() == 0 || (smallest(p) >= 0 && greatest(p) <= 1), "bernoulli_",
             "expects every p to be in [0, 1]");
  Array wide = widened(p);
  RandomArgs args = plan(Draw::BernoulliEach, out, &wide);
  run(args, out, g, "bernoulli_");
}

void random_(const Array& out, Generator& g) {
  RandomArgs args = plan(Draw::Integer, out);
  args.range = static_cast<uint64_t>(wholes(out.dtype).most) + 1;
  args.wide = item_size(out.dtype) == 8;
  run(args, out, g, "random_");
}

void random_(const Array& out, int64_t from, int64_t to, Generator& g) {
  VEEM_CHECK(from < to, "random_", "expects 'from' to be less than 'to', but got from=", from,
             " >= to=", to);
  fill_integers(out, from, to - 1, g);
}

void random_from(const Array& out, int64_t from, Generator& g) {
  fill_integers(out, from, wholes(out.dtype).most, g);
}

Array randperm(int64_t n, DType dtype, Generator& g) {
  VEEM_CHECK(n >= 0, "randperm", "n must not be negative, got ", n);
  VEEM_CHECK(n - 1 <= wholes(dtype).most, "randperm", "the numbers up to ", n - 1,
             " do not fit in ", name(dtype));
  Array out = empty({n}, dtype, g.backend);
  if (n == 0) return out;
  if (&g.backend != &cpu()) return order_of_draws(n, dtype, g);
  RandomArgs args = plan(Draw::Permutation, out);
  run(args, out, g, "randperm");
  return out;
}

Array multinomial(const Array& p, int64_t n, bool replacement, Generator& g) {
  const char* op = "multinomial";
  VEEM_CHECK(p.ndim() == 1 || p.ndim() == 2, op, "weights must be 1 or 2 dim, got shape ", p.shape);
  VEEM_CHECK(is_float(p.dtype), op, "only supports floating-point dtypes for input, got ",
             name(p.dtype));
  VEEM_CHECK(n > 0, op, "cannot sample n_sample <= 0 samples, got ", n);
  int64_t rows = p.ndim() == 2 ? p.shape[0] : 1, categories = p.shape.back();
  VEEM_CHECK(replacement || n <= categories, op,
             "cannot sample n_sample > prob_dist.size(-1) "
             "samples without replacement: ",
             n, " of ", categories);
  VEEM_CHECK(rows == 0 || categories > 0, op, "there are no categories in shape ", p.shape);
  VEEM_CHECK(categories <= kMostCategories, op, "number of categories cannot exceed 2^24");
  Dims shape = p.shape;
  shape[p.ndim() - 1] = n;
  if (rows == 0) return empty(shape, DType::Int64, p.backend());
  check_weights(p);
  if (!replacement || n == 1) {
    // A race: with exponential arrival times of these rates, the order of arrival is a draw.
    Array time = empty_like(p, p.dtype);
    exponential_(time, 1, g);
    return largest(binary(Op::div, p, time), n);
  }
  Array out = empty(shape, DType::Int64, p.backend()), weights = widened(p);
  RandomArgs args;
  args.draw = Draw::Categories;
  args.categories = categories;
  args.ndim = 2;
  args.shape[0] = rows;
  args.shape[1] = n;
  set_operand(&args.out, out, {n, 1});
  const Dims& strides = weights.strides;
  set_operand(&args.p, weights, {p.ndim() == 2 ? strides[0] : 0, strides.back()});
  run(args, p.backend(), g, op);
  return out;
}

Array poisson(const Array& p, Generator& g) {
  VEEM_CHECK(p.numel() == 0 || smallest(p) >= 0, "poisson",
             "invalid Poisson rate, expected rate to be non-negative");
  return draw_each(Draw::Poisson, "poisson", p, 1, g);
}

Array binomial(const Array& p, Generator& g) {
  return draw_each(Draw::Binomial, "binomial", p, 2, g);
}

Array standard_gamma(const Array& p, Generator& g) {
  VEEM_CHECK(p.numel() == 0 || smallest(p) >= 0, "standard_gamma",
             "expects every concentration to be non-negative");
  return draw_each(Draw::Gamma, "standard_gamma", p, 1, g);
}

}  // namespace veem
