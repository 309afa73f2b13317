// Activations and their fused gradients. Part of kernels/math.h.

// 1 / (1 + exp(-x)) without overflow: e is the exponential of a negative number. For x < 0,
// e / (1 + e) is taken as e - e (e / (1 + e)), which keeps the digits of e where it is small.
VEEM_MATH T sigmoid(T x) {
  T e = prim::exp(-prim::abs(x));
  T y = (x < T(0) ? e : T(1)) / (T(1) + e);
  return x < T(0) ? e - e * y : y;
}
VEEM_MATH T relu(T x) { return x < T(0) ? T(0) : x; }  // keeps NaN
VEEM_MATH T silu(T x) { return x * sigmoid(x); }
// x times the probability that a standard normal variable lies below x.
VEEM_MATH T gelu(T x) { return T(0.5) * x * (T(1) + prim::erf(x * T(0.70710678118654752440))); }
// Its approximation x (1 + tanh u) / 2; (1 + tanh u) / 2 is sigmoid(2u).
VEEM_MATH T gelu_tanh(T x) {
  return x * sigmoid(T(1.5957691216057307117) * (x + T(0.044715) * x * x * x));
}
VEEM_MATH T softplus(T x, T beta, T threshold) {
  T z = x * beta;
  return z > threshold ? x : prim::log1p(prim::exp(z)) / beta;
}
// -(log(1 + exp(-|x|)) + max(-x, 0)): neither end overflows.
VEEM_MATH T log_sigmoid(T x) {
  return -(prim::log1p(prim::exp(-prim::abs(x))) + (x < T(0) ? -x : T(0)));
}
// x tanh(log(1 + e)), e = exp(x): tanh is n / (n + 2) with n = (1 + e)^2 - 1.
VEEM_MATH T mish(T x) {
  T e = prim::exp(x), n = e * (e + T(2));
  return x > T(20) ? x : x * (n / (n + T(2)));
}
VEEM_MATH T leaky_relu(T x, T slope) { return x > T(0) ? x : x * slope; }
VEEM_MATH T elu(T x, T alpha) { return x < T(0) ? alpha * prim::expm1(x) : x; }
// Chosen such that deep layers keep mean 0 and variance 1.
VEEM_MATH T selu(T x) { return T(1.0507009873554804934) * elu(x, T(1.6732632423543772848)); }
VEEM_MATH T celu(T x, T alpha) { return x > T(0) ? x : alpha * prim::expm1(x / alpha); }
VEEM_MATH T hardtanh(T x, T low, T high) { return clamp(x, low, high); }
VEEM_MATH T hardsigmoid(T x) { return clamp(x + T(3), T(0), T(6)) / T(6); }
VEEM_MATH T hardswish(T x) { return x * hardsigmoid(x); }
VEEM_MATH T hardshrink(T x, T lambda) { return x >= -lambda && x <= lambda ? T(0) : x; }
VEEM_MATH T softshrink(T x, T lambda) {
  T y = x < -lambda ? x + lambda : x * T(0);  // keeps NaN
  return x > lambda ? x - lambda : y;
}
VEEM_MATH T threshold(T x, T limit, T value) { return x <= limit ? value : x; }

// Their gradients: g times the slope, from the output where that is enough.

VEEM_MATH T relu_backward(T g, T out) { return out <= T(0) ? T(0) : g; }
VEEM_MATH T tanh_backward(T g, T out) { return g * (T(1) - out * out); }
VEEM_MATH T sigmoid_backward(T g, T out) { return g * (out * (T(1) - out)); }
VEEM_MATH T silu_backward(T g, T x) {
  T s = sigmoid(x);
  return g * s * (T(1) + x * (T(1) - s));
}
VEEM_MATH T gelu_backward(T g, T x) {
  T below = T(0.5) + T(0.5) * prim::erf(x * T(0.70710678118654752440));
  T density = T(0.39894228040143267794) * prim::exp(T(-0.5) * x * x);
  return g * (below + x * density);
}
VEEM_MATH T gelu_tanh_backward(T g, T x) {
  T u = T(1.5957691216057307117) * (x + T(0.044715) * x * x * x);
  T slope = T(1.5957691216057307117) * (T(1) + T(0.134145) * x * x);
  T s = sigmoid(u);
  return g * s * (T(1) + x * (T(1) - s) * slope);
}
