// Draws that try numbers until one is accepted: how much of the stream each takes depends on
// what it is given, so they follow one another. Included by random.cpp, in its namespace.
//
// PyTorch takes the same uniforms, in double, in the same order, and computes bounds in the dtype
// of the parameters, P; where a bound is compared with a number that rounding has moved, a draw
// may differ (once in some 10^9).

// How a transformed rejection accepts: (u, v) inside the box at once, else by the density.
struct Box {
  double a, b, center, inside;
};

// The next whole number that Hörmann's transformation proposes, from u in [-1/2, 1/2).
inline double propose(const Box& box, double u, double us) {
  return __builtin_floor((2 * box.a / us + box.b) * u + box.center);
}

// Hörmann, "The transformed rejection method for generating Poisson random variables", 1993
// (PTRS), for rates from 10 on; below that, how many uniforms can be multiplied until the
// product falls to e^-rate.
template <class P>
double poisson(RandomState* state, const P* p) {
  double rate = static_cast<double>(p[0]);
  if (!(rate < __builtin_inf())) return rate;
  if (rate == 0) return 0;
  if (rate < 10) {
    double end = __builtin_exp(-rate), product = draw_unit(&state->engine), count = 0;
    for (; product > end; ++count) product *= draw_unit(&state->engine);
    return count;
  }
  double b = 0.931 + 2.53 * __builtin_sqrt(rate), a = -0.059 + 0.02483 * b;
  double squeeze = __builtin_log(1.1239 + 1.1328 / (b - 3.4)), log_rate = __builtin_log(rate);
  Box box = {a, b, rate + 0.43, 0.9277 - 3.6224 / (b - 2)};
  for (;;) {
    double u = draw_unit(&state->engine) - 0.5, v = draw_unit(&state->engine);
    double us = 0.5 - __builtin_fabs(u), k = propose(box, u, us);
    if (us >= 0.07 && v <= box.inside) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    double density = k * log_rate - rate - math::lgamma(k + 1);
    if (__builtin_log(v) + squeeze - __builtin_log(a / (us * us) + b) <= density) return k;
  }
}

// Hörmann, "The generation of binomial random variates", 1993 (BTRS), of `count` trials with a
// chance of at most 1/2, for 10 expected successes or more.
template <class P>
double binomial_by_rejection(RandomState* state, P count, P chance) {
  double deviation = math::sqrt(count * chance * (1 - chance));
  double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * chance;
  double alpha = (2.83 + 5.1 / b) * deviation, n = count;
  double odds = __builtin_log(static_cast<double>(chance / (1 - chance)));
  double mode = math::floor((count + 1) * chance), mean = count * chance;
  double peak = math::lgamma(mode + 1) + math::lgamma(n - mode + 1);
  Box box = {a, b, mean + 0.5, 0.92 - 4.2 / b};
  for (;;) {
    double u = draw_unit(&state->engine) - 0.5, v = draw_unit(&state->engine);
    double us = 0.5 - __builtin_fabs(u), k = static_cast<P>(propose(box, u, us));
    if (k < 0 || k > n) continue;
    if (us >= 0.07 && v <= box.inside) return k;
    double choices = peak - math::lgamma(k + 1) - math::lgamma(n - k + 1);
    if (__builtin_log(v * alpha / (a / (us * us) + b)) <= choices + (k - mode) * odds) return k;
  }
}

// The trials up to each success are a geometric number; how many of them fit into `count`?
template <class P>
double binomial_by_waiting(RandomState* state, P count, P chance) {
  double log_failure = math::log1p(-chance), successes = 0, trials = 0;
  for (;; ++successes) {
    trials += __builtin_ceil(__builtin_log(draw_unit(&state->engine)) / log_failure);
    if (trials > count) return successes;
  }
}

// p: the number of trials, the chance of success.
template <class P>
double binomial(RandomState* state, const P* p) {
  P count = p[0], chance = p[1];
  if (count <= 0 || chance <= 0) return 0;
  if (chance >= 1) return count;
  if (!(count < static_cast<P>(__builtin_inf())) || chance != chance) return __builtin_nan("");
  P less = chance <= P(0.5) ? chance : 1 - chance;
  double drawn = count * less >= 10 ? binomial_by_rejection(state, count, less)
                                    : binomial_by_waiting(state, count, less);
  return chance <= P(0.5) ? drawn : count - drawn;
}

// Marsaglia & Tsang, "A simple method for generating gamma variables", 2000. Below 1, a draw of
// shape + 1 times u^(1 / shape).
template <class P>
double standard_gamma(RandomState* state, const P* p) {
  P shape = p[0];
  double scale = 1;
  if (shape == 0) return 0;
  if (shape < 1) {
    scale = __builtin_pow(1 - draw_unit(&state->engine), static_cast<double>(1 / shape));
    shape += 1;
  }
  double d = shape - P(kThird), c = 1 / __builtin_sqrt(9 * d);
  for (;;) {
    double x, y;
    do {
      x = next_normal(state);
      y = 1 + c * x;
    } while (y <= 0);
    double v = y * y * y, u = 1 - draw_unit(&state->engine), xx = x * x;
    bool surely = u < 1 - kSqueeze * xx * xx;
    if (surely || __builtin_log(u) < 0.5 * xx + d * (1 - v + __builtin_log(v)))
      return scale * d * v;
  }
}

// out[i] = draw(row i of p), all of them dense.
template <class P>
void each(const RandomArgs& args, double (*draw)(RandomState*, const P*)) {
  const P* p = reinterpret_cast<const P*>(args.p.data);
  double* out = reinterpret_cast<double*>(args.out.data);
  for (int64_t i = 0; i < args.shape[0]; ++i) out[i] = draw(args.state, p + i * args.p.strides[0]);
}

template <class P>
void run_rejection(const RandomArgs& args) {
  switch (args.draw) {
    case Draw::Poisson: return each(args, poisson<P>);
    case Draw::Binomial: return each(args, binomial<P>);
    default: return each(args, standard_gamma<P>);
  }
}
