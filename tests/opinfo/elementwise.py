"""Elementwise ops."""

import numpy as np

from opinfo import ANY, FLOATS, INTEGERS, NUMBERS, SHAPES, OpInfo, Sample, Wrong, values
from veem import ops

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-40, 3e38])


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


def _with_options(name, reference, options, dtypes=FLOATS, **kwargs):
    """A row for a function of a tensor and of named arguments, sampled off 0."""

    def samples(rng, dtype):
        x = [values(rng, (4, 7), dtype, avoid=(-0.5, 0, 0.5))]
        if dtype in FLOATS and name != "round":  # 3e38 * 10 is infinite in float32
            x.append(SPECIAL.astype(dtype))
        return [Sample((v,), o) for v in x for o in options]

    def smooth(rng, dtype):
        return [Sample((values(rng, (5,), dtype, 0.1, 0.9),), o) for o in options]

    devices = ("cpu",) if name == "float_power" else None  # it gives float64
    return OpInfo(
        name,
        reference,
        samples,
        dtypes,
        gradient_samples=smooth,
        devices=devices,
        **kwargs,
    )


def _nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    most = 3.4028234663852886e38
    return np.nan_to_num(x, True, nan, posinf or most, neginf or -most)


_OPTIONS = [
    (
        "nan_to_num",
        _nan_to_num,
        ({"nan": 1.5, "posinf": 2.5, "neginf": -3.0}, {"posinf": 7.0, "neginf": -7.0}),
    ),
    (
        "round",
        lambda x, decimals: np.round(x, decimals),
        ({"decimals": 1}, {"decimals": -1}),
    ),
    (
        "float_power",
        lambda x, exponent: np.power(x, exponent),
        ({"exponent": 2},),
        NUMBERS,
    ),
    ("clamp_min", lambda x, min: np.maximum(x, min), ({"min": 1},), NUMBERS),
    ("clamp_max", lambda x, max: np.minimum(x, max), ({"max": 2},), NUMBERS),
    (
        "rsub",
        lambda x, other, alpha: other - alpha * x,
        ({"other": 1, "alpha": 2},),
        NUMBERS,
    ),
]


_two_bools = Wrong((np.array([True]), np.array([True])), RuntimeError, "bool tensor")
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
    unary("asinh", np.arcsinh),
    unary("acosh", np.arccosh, low=1.2, high=4.0),
    unary("atanh", np.arctanh, low=-0.9, high=0.9),
    unary("floor", np.floor, avoid=range(-3, 4), dtypes=NUMBERS),
    unary("ceil", np.ceil, avoid=range(-3, 4), dtypes=NUMBERS),
    unary("round", np.round, avoid=[n / 2 for n in range(-7, 8)], dtypes=NUMBERS),
    unary("trunc", np.trunc, avoid=range(-3, 4), dtypes=NUMBERS),
    unary("frac", lambda x: x - np.trunc(x), avoid=range(-3, 4)),
    unary("positive", np.positive, dtypes=NUMBERS),
    unary("deg2rad", np.deg2rad),
    unary("rad2deg", np.rad2deg),
    unary(
        "signbit",
        lambda x: np.signbit(x) if x.dtype.kind == "f" else x < 0,
        dtypes=ANY,
        order=0,
        halves=None,  # which lose the sign of NaN
    ),
    unary("isposinf", np.isposinf, dtypes=ANY, order=0, special=True),
    unary("isneginf", np.isneginf, dtypes=ANY, order=0),
    unary("isreal", np.isreal, dtypes=ANY, order=0),
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
    binary(
        "trunc_divide",
        lambda a, b: np.trunc(a / b),
        low=1.1,
        high=9,
        dtypes=NUMBERS,
        order=1,
        wrong=(_by_zero,),
        call=ops.trunc_divide,
        torch=None,
    ),
    binary("gcd", np.gcd, dtypes=INTEGERS, order=0, numbers=False),
    binary("lcm", np.lcm, dtypes=INTEGERS, order=0, numbers=False),
    binary("copysign", np.copysign, avoid=(0,)),
    binary("nextafter", np.nextafter, order=0, numbers=False, halves=None),
    binary("heaviside", np.heaviside, dtypes=ANY, order=0, numbers=False),
    binary("fmax", np.fmax, numbers=False, dtypes=ANY),
    binary("fmin", np.fmin, numbers=False, dtypes=ANY),
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
    binary(
        "bitwise_left_shift", np.left_shift, low=0, high=9, dtypes=INTEGERS, order=0
    ),
    binary(
        "bitwise_right_shift", np.right_shift, low=0, high=9, dtypes=INTEGERS, order=0
    ),
    binary("bitwise_or", np.bitwise_or, dtypes=(*INTEGERS, "bool"), order=0),
    binary("bitwise_xor", np.bitwise_xor, dtypes=(*INTEGERS, "bool"), order=0),
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
    *(_with_options(name, *rest) for name, *rest in _OPTIONS),
]
