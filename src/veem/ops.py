"""The table of gradient rules: what `backward` knows about every op.

    mul = op("mul", lambda g, _, a, b: g * b, lambda g, _, a, b: g * a)

A rule per argument gives the gradient that flows to it. It takes ``g``, the gradient of
the op's output, then the output itself, then the op's arguments. A parameter that
starts with an underscore is not kept for backward: the output comes as None, a tensor
as its shape alone. Rules are written in ops, so gradients have gradients. They do not
mention broadcasting: what was broadcast is summed by the engine, which also casts.
"""

import builtins
import math

from veem import _core
from veem.autograd import names
from veem.ops_activation import (  # noqa: F401
    celu,
    elu,
    gelu,
    gelu_backward,
    gelu_tanh,
    gelu_tanh_backward,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_sigmoid,
    mish,
    relu,
    relu_backward,
    selu,
    sigmoid,
    sigmoid_backward,
    silu,
    silu_backward,
    softplus,
    softshrink,
    tanh,
    tanh_backward,
    threshold,
)
from veem.ops_attention import (  # noqa: F401
    attention,
    attention_backward,
    attention_mask_backward,
    attention_weights,
)
from veem.ops_index import (  # noqa: F401
    as_strided,
    copy_slices,
    diagonal,
    diagonal_backward,
    embedding,
    gather,
    getitem,
    getitem_backward,
    index,
    index_add_,
    index_copy_,
    index_put_,
    index_reduce_,
    index_select,
    masked_fill_,
    nonzero,
    scatter_,
    scatter_add_,
    scatter_reduce_,
    select,
    setitem_,
    slice,
    take_slices,
    unfold,
)
from veem.ops_matmul import (  # noqa: F401
    linear,
    linear_activation,
    matmul,
)
from veem.ops_nn import (  # noqa: F401
    channel_norm,
    channel_norm_backward,
    channel_norm_given,
    cross_entropy,
    cross_entropy_backward,
    layer_norm,
    layer_norm_backward,
    log_softmax,
    log_softmax_backward,
    softmax,
    softmax_backward,
)
from veem.ops_reduce import (  # noqa: F401
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    max_dim,
    mean,
    min_dim,
    prod,
    sum,
)
from veem.ops_sort import (  # noqa: F401
    cummax,
    cummin,
    cumprod,
    cumsum,
    logcumsumexp,
    searchsorted,
    shifted,
    sort,
)
from veem.ops_special import (  # noqa: F401
    digamma,
    erf,
    erfc,
    erfinv,
    lgamma,
    logaddexp,
    logaddexp2,
    logit,
    sinc,
    xlog1py,
    xlogy,
    zeta,
)
from veem.ops_windows import (  # noqa: F401
    adaptive_avg_pool,
    adaptive_avg_pool_backward,
    adaptive_max_pool,
    avg_pool,
    avg_pool_backward,
    conv_backward_weight,
    conv_transpose,
    convolution,
    fold_windows,
    max_pool,
    max_pool_backward,
    resample,
    unfold_windows,
)
from veem.rules import define, inplace, not_differentiable, undefined

op = define


def _zeros(g, _out, *_args):
    return g.new_zeros(g.shape)


def _same(g, _out, *_args):
    return g


# ---- arithmetic ----------------------------------------------------------------------

copy = op("copy", _same)
neg = op("neg", lambda g, _, _x: -g)
abs = op("abs", lambda g, _, x: g * sign(x))
sign = op("sign", _zeros)
square = op("square", lambda g, _, x: g * (2 * x))
reciprocal = op("reciprocal", lambda g, out, _x: -g * out * out)
sqrt = op("sqrt", lambda g, out, _x: g / (2 * out))
rsqrt = op("rsqrt", lambda g, out, _x: -0.5 * g * out * out * out)
add = op("add", _same, _same)
sub = op("sub", _same, lambda g, _, _a, _b: -g)
mul = op("mul", lambda g, _, _a, b: g * b, lambda g, _, a, _b: g * a)
div = op("div", lambda g, _, _a, b: g / b, lambda g, _, a, b: -g * (a / b) / b)
floor_divide = op("floor_divide", _zeros, _zeros)
trunc_divide = op("trunc_divide", _zeros, _zeros)
fmod = op("fmod", _same, lambda g, _, a, b: -g * trunc(a / b))
gcd, lcm = not_differentiable("gcd", "lcm")
frac = op("frac", _same)
copysign = op(
    "copysign",
    lambda g, out, a, _b: where(a == 0, 0.0, g * (out / a)),
    _zeros,
)
remainder = op("remainder", _same, lambda g, _, a, b: -g * floor(div(a, b)))


def _pow_base(g, _, a, b):
    if not isinstance(b, _core.Tensor):
        return g.new_zeros(g.shape) if b == 0 else g * (b * pow(a, b - 1))
    return where(b == 0, 0.0, g * (b * pow(a, b - 1)))


def _pow_exponent(g, out, a, b):
    log_a = log(a) if isinstance(a, _core.Tensor) else math.log(a) if a else -math.inf
    return where((b >= 0) & (b * 0 + a == 0), 0.0, g * (out * log_a))


pow = op("pow", _pow_base, _pow_exponent)


def _share(g, a, b, wins):
    """The gradient of maximum or minimum: to the winner, half each in a tie."""
    return where(a == b, g / 2, where(wins, g, 0.0))


maximum = op(
    "maximum",
    lambda g, _, a, b: _share(g, a, b, a > b),
    lambda g, _, a, b: _share(g, a, b, b > a),
)
minimum = op(
    "minimum",
    lambda g, _, a, b: _share(g, a, b, a < b),
    lambda g, _, a, b: _share(g, a, b, b < a),
)
fmax = op(
    "fmax",
    lambda g, _, a, b: where((a >= b) | isnan(b), g, 0.0),
    lambda g, _, a, b: where((a >= b) | isnan(b), 0.0, g),
)
fmin = op(
    "fmin",
    lambda g, _, a, b: where((a <= b) | isnan(b), g, 0.0),
    lambda g, _, a, b: where((a <= b) | isnan(b), 0.0, g),
)
where = op(
    "where",
    None,
    lambda g, _, c, _a, _b: where(c, g, 0.0),
    lambda g, _, c, _a, _b: where(c, 0.0, g),
)
clamp = op(
    "clamp",
    lambda g, _, x, low, high: where((x >= low) & (x <= high), g, 0.0),
    lambda g, _, x, low, high: where((x < low) & (low < high), g, 0.0),
    lambda g, _, x, low, high: where((x > high) | (low >= high), g, 0.0),
)

hypot = op(
    "hypot", lambda g, out, a, _b: g * (a / out), lambda g, out, _a, b: g * (b / out)
)
lerp = op(
    "lerp",
    lambda g, _, _a, _b, weight: g * (1 - weight),
    lambda g, _, _a, _b, weight: g * weight,
    lambda g, _, a, b, _weight: g * (b - a),
)
addcmul = op(
    "addcmul",
    _same,
    lambda g, _, _x, _a, b, value: g * (b * value),
    lambda g, _, _x, a, _b, value: g * (a * value),
    None,
)
addcdiv = op(
    "addcdiv",
    _same,
    lambda g, _, _x, _a, b, value: g * (value / b),
    lambda g, _, _x, a, b, value: -g * (value * a / (b * b)),
    None,
)

# ---- exponentials, logarithms, trigonometry ------------------------------------------

exp = op("exp", lambda g, out, _x: g * out)
exp2 = op("exp2", lambda g, out, _x: g * (out * math.log(2)))
expm1 = op("expm1", lambda g, out, _x: g * (out + 1))
log = op("log", lambda g, _, x: g / x)
log1p = op("log1p", lambda g, _, x: g / (x + 1))
log2 = op("log2", lambda g, _, x: g / (x * math.log(2)))
log10 = op("log10", lambda g, _, x: g / (x * math.log(10)))
sin = op("sin", lambda g, _, x: g * cos(x))
cos = op("cos", lambda g, _, x: -g * sin(x))
tan = op("tan", lambda g, out, _x: g * (1 + out * out))
asin = op("asin", lambda g, _, x: g * rsqrt(1 - x * x))
acos = op("acos", lambda g, _, x: -g * rsqrt(1 - x * x))
atan = op("atan", lambda g, _, x: g / (1 + x * x))
atan2 = op(
    "atan2",
    lambda g, _, y, x: g * (x / (y * y + x * x)),
    lambda g, _, y, x: g * (-y / (y * y + x * x)),
)
sinh = op("sinh", lambda g, _, x: g * cosh(x))
cosh = op("cosh", lambda g, _, x: g * sinh(x))
asinh = op("asinh", lambda g, _, x: g * rsqrt(x * x + 1))
acosh = op("acosh", lambda g, _, x: g * rsqrt(x * x - 1))
atanh = op("atanh", lambda g, _, x: g / (1 - x * x))

# ---- rounding, comparison, logic -----------------------------------------------------

floor = op("floor", _zeros)
ceil = op("ceil", _zeros)
round = op("round", _zeros)
trunc = op("trunc", _zeros)

eq, ne, lt, le, gt, ge = not_differentiable("eq", "ne", "lt", "le", "gt", "ge")
isnan, isinf, isfinite, signbit = not_differentiable(
    "isnan", "isinf", "isfinite", "signbit"
)
nextafter = op(
    "nextafter",
    lambda g, _, a, b: where(a == b, 0.0, g),
    lambda g, _, a, b: where(a == b, g, 0.0),
)
heaviside = op("heaviside", *undefined("heaviside", 2))
nan_to_num = op(
    "nan_to_num", lambda g, _, x, _nan, _high, _low: where(isfinite(x), g, 0.0)
)
bitwise_left_shift, bitwise_right_shift = not_differentiable(
    "bitwise_left_shift", "bitwise_right_shift"
)
logical_not, logical_and, logical_or, logical_xor = not_differentiable(
    "logical_not", "logical_and", "logical_or", "logical_xor"
)
bitwise_not, bitwise_and, bitwise_or, bitwise_xor = not_differentiable(
    "bitwise_not", "bitwise_and", "bitwise_or", "bitwise_xor"
)

# ---- dtype and shape: views cost nothing ---------------------------------------------

cast = op("cast", _same)
view = op("view", lambda g, _, _x, _shape: g.reshape(_x.shape))
permute = op("permute", lambda g, _, _x, dims: permute(g, _inverse(dims)))
transpose = op("transpose", lambda g, _, _x, dim0, dim1: transpose(g, dim0, dim1))
expand = op("expand", _same)
squeeze = op("squeeze", lambda g, _, _x, _dims: g.reshape(_x.shape))
unsqueeze = op("unsqueeze", lambda g, _, _x, _dim: g.reshape(_x.shape))


(view_as,) = not_differentiable("view_as")


def _inverse(dims):
    order = [d % len(dims) for d in dims]
    return tuple(order.index(i) for i in range(len(order)))


def reshape(x, shape):
    """A view where one can show the shape, else a view of a copy."""
    return view(x, shape) if _core.can_view(x, shape) else _view_of_copy(x, shape)


@names.recorded_as("UnsafeView")
def _view_of_copy(x, shape):
    return view(contiguous(x), shape)


def _split_like(g, _, dim, *_xs):
    sizes = [0 if x.shape == (0,) else x.shape[dim] for x in _xs]
    starts = [builtins.sum(sizes[:i]) for i in range(len(sizes))]
    empty = lambda x: g.new_zeros(x.shape)
    return None, *(
        slice(g, dim, a, a + n, 1) if n or g.ndim == 1 else empty(x)
        for x, a, n in zip(_xs, starts, sizes)
    )


# ---- copies --------------------------------------------------------------------------

clone = op("clone", _same)
contiguous = op("contiguous", _same)
cat = op("cat", joint=_split_like)
fill_ = op("fill_", _zeros, None)
copy_from_ = op("copy_from_", _zeros, _same)
to_device = op("to_device", lambda g, _, _x, _device: to_device(g, _x._device_name))

# ---- random numbers: what was there before no longer counts --------------------------

uniform_ = op("uniform_", _zeros)
normal_ = op("normal_", _zeros)
exponential_ = op("exponential_", _zeros)
bernoulli_ = op("bernoulli_", _zeros, _zeros)
random_ = op("random_", _zeros)
randperm, multinomial, standard_gamma, empty_like = not_differentiable(
    "randperm", "multinomial", "standard_gamma", "empty_like"
)
poisson = op("poisson", lambda g, _, _p, _generator: g.new_zeros(_p.shape), None)
binomial = op("binomial", lambda g, _, _p, _generator: g.new_zeros(_p.shape), None)

# An elementwise op, written into its first argument: what out= does.
into = not_differentiable("into")[0]

# The in-place twins have the same rules: add_, mul_, relu_, ...
inplace()
names.attach()
