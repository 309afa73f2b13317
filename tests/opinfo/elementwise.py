"""Elementwise ops."""

import math

import numpy as np

from opinfo import ANY, FLOATS, INTEGERS, NUMBERS, SHAPES, OpInfo, Sample, Wrong, values
from veem import ops

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-40, 3e38])

_erf = np.vectorize(math.erf, otypes=[float])


def _sigmoid(x):
    return np.where(
        x >= 0, 1 / (1 + np.exp(-np.abs(x))), 1 - 1 / (1 + np.exp(-np.abs(x)))
    )


def unary(name, reference, low=-3.0, high=3.0, avoid=(), special=True, **kwargs):
    """A row for a function of one argument, sampled on [low, high]."""

    def samples(rng, dtype):
        out = [
            Sample((values(rng, s, dtype, low, high, avoid),)) for s in (*SHAPES, (67,))
        ]
        if special and dtype in FLOATS:
            out.append(Sample((SPECIAL.astype(dtype),)))
        return out

    def smooth(rng, dtype):
        return [
            Sample((values(rng, s, dtype, low, high, avoid),)) for s in ((), (3, 2))
        ]

    return OpInfo(name, reference, samples, gradient_samples=smooth, **kwargs)


PAIRS = (
    ((), ()),
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((2, 1, 3), (4, 1)),
    ((0,), (1,)),
    ((33,), ()),
)
_bad_shapes = (
    Wrong((np.ones((2, 3)), np.ones((4,))), RuntimeError, "2, 3.*4"),
    Wrong((np.ones(2), "a"), TypeError, "argument 2"),
)


_bad_bits = (Wrong((np.ones(2), np.ones(2)), NotImplementedError, "float64.*x.long"),)


def binary(
    name,
    reference,
    low=-3.0,
    high=3.0,
    avoid=(),
    low2=None,
    wrong=(),
    numbers=True,
    **kwargs,
):
    """A row for a function of two arguments that broadcast; ties are kept apart."""
    low2 = low if low2 is None else low2

    def pair(rng, dtype, a, b):
        x, y = (
            values(rng, a, dtype, low, high, avoid),
            values(rng, b, dtype, low2, high, avoid),
        )
        if dtype in FLOATS:
            y = np.asarray(y + np.asarray(0.013, dtype), dtype)
        return Sample((x, y))

    def samples(rng, dtype):
        out = [pair(rng, dtype, a, b) for a, b in PAIRS]
        if dtype != "bool" and numbers:
            out.append(Sample((values(rng, (3,), dtype, low, high, avoid), 2)))
        return out

    def smooth(rng, dtype):
        return [pair(rng, dtype, a, b) for a, b in (((3, 2), (2,)), ((), (2,)))]

    bad = _bad_shapes if kwargs.get("dtypes", FLOATS)[0] in FLOATS else _bad_bits
    return OpInfo(
        name,
        reference,
        samples,
        gradient_samples=smooth,
        wrong=(*bad, *wrong),
        **kwargs,
    )


def _where_samples(rng, dtype):
    shapes = (((3, 4), (3, 4), (3, 4)), ((3, 1), (4,), ()), ((0,), (0,), (1,)))
    return [
        Sample((values(rng, c, "bool"), values(rng, a, dtype), values(rng, b, dtype)))
        for c, a, b in shapes
    ]


def _clamp_samples(rng, dtype):
    x = values(rng, (4, 5), dtype, avoid=(-1, 1))
    return [
        Sample((x, -1, 1)) if dtype != "uint8" else Sample((x, 1, 2)),
        Sample((x,), {"min": 1}),
        Sample((x,), {"max": 1}),
    ]


def _clip(x, low=None, high=None, min=None, max=None):
    low, high = (min if low is None else low), (max if high is None else high)
    return np.clip(x, low, high)


def _gelu(x):
    return 0.5 * x * (1 + _erf(x / np.sqrt(2)))


def _gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _softplus(x, beta, threshold):
    return np.where(x * beta > threshold, x, np.log1p(np.exp(x * beta)) / beta)


def _mish(x):
    return x * np.tanh(np.log1p(np.exp(x)))


def _log_sigmoid(x):
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def _slope(f, x):
    """The derivative of f, by central differences of the fourth order in float64."""
    x, h = np.asarray(x, np.float64), 1e-3
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return (8 * near - far) / (12 * h)


def gradient(name, reference, **kwargs):
    """A row for the fused gradient of an activation: (g, what was saved)."""
    call = getattr(ops, name)
    return binary(name, reference, dtypes=FLOATS, call=call, torch=None, **kwargs)


def _three(name, reference, dtypes=FLOATS, **kwargs):
    """A row for a function of three tensors that broadcast, the last away from 0."""

    def samples(rng, dtype):
        shapes = (((3, 4), (3, 4), (3, 4)), ((3, 1), (4,), ()), ((0,), (0,), (1,)))
        return [
            Sample(
                (
                    values(rng, a, dtype),
                    values(rng, b, dtype),
                    values(rng, c, dtype, 1, 3),
                ),
                k,
            )
            for a, b, c in shapes
            for k in kwargs.get("options", ({},))
        ]

    return OpInfo(name, reference, samples, dtypes=dtypes)


def _with_numbers(name, reference, *numbers):
    """A row for an activation with parameters, away from its kinks."""

    def samples(rng, dtype):
        x = values(rng, (4, 7), dtype, avoid=(0, 0.5))
        return [Sample((x, *n)) for n in numbers]

    peer = f"nn.functional.{name}"
    return OpInfo(name, reference, samples, call=getattr(ops, name), torch=peer)


_two_bools = Wrong(
    (np.array([True]), np.array([True])), RuntimeError, "two bool tensors"
)
_by_zero = Wrong(
    (np.array([1, 2]), np.array([1, 0])), RuntimeError, "ZeroDivisionError"
)

ROWS = [
    unary("neg", np.negative, dtypes=NUMBERS),
    unary("abs", np.abs, avoid=(0,), dtypes=NUMBERS),
    unary("sign", np.sign, avoid=(0,), dtypes=NUMBERS, special=False),
    unary("square", np.square, dtypes=NUMBERS),
    unary("reciprocal", np.reciprocal, low=0.3),
    unary("sqrt", np.sqrt, low=0.1),
    unary("rsqrt", lambda x: 1 / np.sqrt(x), low=0.1),
    unary("exp", np.exp),
    unary("exp2", np.exp2),
    unary("expm1", np.expm1),
    unary("log", np.log, low=0.1),
    unary("log1p", np.log1p, low=-0.8),
    unary("log2", np.log2, low=0.1),
    unary("log10", np.log10, low=0.1),
    unary("sin", np.sin, tolerance=1e-5, special=False),
    unary("cos", np.cos, tolerance=1e-5, special=False),
    unary("tan", np.tan, low=-1.2, high=1.2),
    unary("asin", np.arcsin, low=-0.9, high=0.9),
    unary("acos", np.arccos, low=-0.9, high=0.9),
    unary("atan", np.arctan),
    unary("sinh", np.sinh),
    unary("cosh", np.cosh),
    unary("tanh", np.tanh),
    unary("asinh", np.arcsinh),
    unary("acosh", np.arccosh, low=1.2, high=4.0),
    unary("atanh", np.arctanh, low=-0.9, high=0.9),
    unary("erf", _erf),
    unary("erfc", lambda x: 1 - _erf(x)),
    unary("sigmoid", _sigmoid),
    unary("relu", lambda x: np.where(x < 0, 0, x), avoid=(0,), dtypes=NUMBERS),
    unary("floor", np.floor, avoid=range(-3, 4), dtypes=NUMBERS),
    unary("ceil", np.ceil, avoid=range(-3, 4), dtypes=NUMBERS),
    unary("round", np.round, avoid=[n / 2 for n in range(-7, 8)], dtypes=NUMBERS),
    unary("trunc", np.trunc, avoid=range(-3, 4), dtypes=NUMBERS),
    unary("isnan", np.isnan, dtypes=ANY, order=0),
    unary("isinf", np.isinf, dtypes=ANY, order=0),
    unary("isfinite", np.isfinite, dtypes=ANY, order=0),
    unary("logical_not", np.logical_not, dtypes=ANY, order=0),
    unary("bitwise_not", np.invert, dtypes=(*INTEGERS, "bool"), order=0),
    binary("add", np.add, dtypes=ANY),
    binary("sub", np.subtract, dtypes=NUMBERS, wrong=(_two_bools,)),
    binary("mul", np.multiply, dtypes=ANY),
    binary("div", np.divide, avoid=(0,), dtypes=FLOATS),
    binary(
        "floor_divide",
        np.floor_divide,
        low=1,
        high=9,
        dtypes=NUMBERS,
        order=0,
        wrong=(_by_zero,),
    ),
    binary(
        "remainder", np.remainder, low=1.1, high=9, dtypes=NUMBERS, wrong=(_by_zero,)
    ),
    binary(
        "fmod", np.fmod, low=1.1, high=9, dtypes=NUMBERS, order=1, wrong=(_by_zero,)
    ),
    binary("atan2", np.arctan2, avoid=(0,), numbers=False),
    binary("hypot", np.hypot, avoid=(0,), numbers=False),
    binary("pow", np.power, low=0.3, low2=0, high=4, dtypes=NUMBERS, tolerance=5e-6),
    binary("maximum", np.maximum, numbers=False, dtypes=ANY),
    binary("minimum", np.minimum, numbers=False, dtypes=ANY),
    binary("eq", np.equal, dtypes=ANY, order=0),
    binary("ne", np.not_equal, dtypes=ANY, order=0),
    binary("lt", np.less, dtypes=ANY, order=0),
    binary("le", np.less_equal, dtypes=ANY, order=0),
    binary("gt", np.greater, dtypes=ANY, order=0),
    binary("ge", np.greater_equal, dtypes=ANY, order=0),
    binary("logical_and", np.logical_and, numbers=False, dtypes=ANY, order=0),
    binary("logical_or", np.logical_or, numbers=False, dtypes=ANY, order=0),
    binary("logical_xor", np.logical_xor, numbers=False, dtypes=ANY, order=0),
    binary("bitwise_and", np.bitwise_and, dtypes=(*INTEGERS, "bool"), order=0),
    binary("bitwise_or", np.bitwise_or, dtypes=(*INTEGERS, "bool"), order=0),
    binary("bitwise_xor", np.bitwise_xor, dtypes=(*INTEGERS, "bool"), order=0),
    unary(
        "silu",
        lambda x: x * _sigmoid(x),
        call=ops.silu,
        torch="nn.functional.silu",
        special=False,
    ),
    unary("gelu", _gelu, call=ops.gelu, torch="nn.functional.gelu", special=False),
    unary(
        "gelu_tanh",
        _gelu_tanh,
        call=ops.gelu_tanh,
        torch=None,
        special=False,
        tolerance=1e-5,
    ),
    unary("mish", _mish, call=ops.mish, torch="nn.functional.mish", special=False),
    unary(
        "log_sigmoid",
        _log_sigmoid,
        call=ops.log_sigmoid,
        torch="nn.functional.logsigmoid",
    ),
    _with_numbers("leaky_relu", lambda x, slope: np.where(x > 0, x, x * slope), (0.1,)),
    _with_numbers("elu", lambda x, a: np.where(x > 0, x, a * np.expm1(x)), (1.5,)),
    _with_numbers("softplus", _softplus, (1.0, 20.0), (2.0, 1.0)),
    gradient("relu_backward", lambda g, out: np.where(out <= 0, 0, g), avoid=(0,)),
    gradient("tanh_backward", lambda g, out: g * (1 - out * out)),
    gradient("sigmoid_backward", lambda g, out: g * out * (1 - out)),
    gradient("silu_backward", lambda g, x: g * _slope(lambda x: x * _sigmoid(x), x)),
    gradient("gelu_backward", lambda g, x: g * _slope(_gelu, x)),
    gradient("gelu_tanh_backward", lambda g, x: g * _slope(_gelu_tanh, x)),
    OpInfo(
        "where",
        np.where,
        _where_samples,
        dtypes=ANY,
        wrong=(Wrong((np.ones(2), np.ones(2), np.ones(2)), RuntimeError, "boolean"),),
    ),
    _three("lerp", lambda a, b, w: a + w * (b - a)),
    _three(
        "addcmul",
        lambda x, a, b, value=1: x + value * a * b,
        NUMBERS,
        options=({}, {"value": 2}),
    ),
    _three(
        "addcdiv",
        lambda x, a, b, value=1: x + value * a / b,
        options=({}, {"value": 0.5}),
    ),
    OpInfo(
        "clamp",
        _clip,
        _clamp_samples,
        dtypes=NUMBERS,
        wrong=(Wrong((np.ones(2),), RuntimeError, "at least one"),),
    ),
]
