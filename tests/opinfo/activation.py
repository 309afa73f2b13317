"""Activations: rows of ops.def, and functions of nn.functional made of other ops."""

import numpy as np

from opinfo import FLOATS, NUMBERS, OpInfo, Sample, Wrong, values
from opinfo.elementwise import binary, unary
from opinfo.special import erf
from veem import ops
from veem.nn import functional as F


def _sigmoid(x):
    return np.where(
        x >= 0, 1 / (1 + np.exp(-np.abs(x))), 1 - 1 / (1 + np.exp(-np.abs(x)))
    )


def _gelu(x):
    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


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


def _with_numbers(name, reference, *numbers):
    """A row for an activation with parameters, away from its kinks."""

    def samples(rng, dtype):
        x = values(rng, (4, 7), dtype, avoid=(0, 0.5))
        return [Sample((x, *n)) for n in numbers]

    peer = f"nn.functional.{name}"
    return OpInfo(name, reference, samples, call=getattr(ops, name), torch=peer)


def functional(name, reference, *options, avoid=(), **kwargs):
    """A row for a function of nn.functional with these named arguments."""

    def samples(rng, dtype):
        return [Sample((values(rng, (4, 6), dtype, -5, 8, avoid),), o) for o in options]

    call, peer = getattr(F, name), f"nn.functional.{name}"
    return OpInfo(name, reference, samples, call=call, torch=peer, **kwargs)


def _prelu_samples(rng, dtype):
    cases = (((4, 3), (3,)), ((4, 3, 2), (3,)), ((5,), (1,)), ((), (1,)))
    return [
        Sample((values(rng, x, dtype, avoid=(0,)), values(rng, w, dtype)))
        for x, w in cases
    ]


def _prelu(x, w):
    w = w.reshape(-1, *[1] * (x.ndim - 2)) if x.ndim > 1 else w.reshape(())
    return np.where(x > 0, x, w * x)


def _halves(x, dim):
    return np.split(x, 2, dim)


def _softmin(x, dim):
    e = np.exp(x.min(dim, keepdims=True) - x)
    return e / e.sum(dim, keepdims=True)


def _softshrink(x, lambd):
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0))


_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805
_odd = Wrong((np.ones(3),), RuntimeError, "must be even.*3")
_channels = Wrong(
    (np.ones((2, 3)), np.ones(2)), RuntimeError, "2 weights and 3 channels"
)

ROWS = [
    unary("sigmoid", _sigmoid),
    unary("tanh", np.tanh),
    unary("relu", lambda x: np.where(x < 0, 0, x), avoid=(0,), dtypes=NUMBERS),
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
    functional(
        "hardtanh",
        lambda x, min_val, max_val: np.clip(x, min_val, max_val),
        {"min_val": -1.5, "max_val": 2.0},
        avoid=(-1.5, 2),
        wrong=(Wrong((np.ones(2), 2, 1), ValueError, "min_val"),),
    ),
    functional("relu6", lambda x: np.clip(x, 0, 6), {}, avoid=(0, 6), dtypes=NUMBERS),
    functional(
        "hardsigmoid",
        lambda x: np.clip(x + 3, 0, 6) / 6,
        {},
        avoid=(-3, 3),
        peer_error=1e-7,
    ),
    functional("hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, {}, avoid=(-3, 3)),
    functional(
        "hardshrink",
        lambda x, lambd: np.where(abs(x) <= lambd, 0, x),
        {"lambd": 0.7},
        avoid=(-0.7, 0.7),
    ),
    functional(
        "softshrink",
        _softshrink,
        {"lambd": 0.7},
        avoid=(-0.7, 0.7),
        wrong=(Wrong((np.ones(2), -1), RuntimeError, "lambda"),),
    ),
    functional(
        "threshold",
        lambda x, threshold, value: np.where(x > threshold, x, value),
        {"threshold": 0.5, "value": -2},
        avoid=(0.5,),
    ),
    functional(
        "celu",
        lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
        {"alpha": 1.5},
        avoid=(0,),
        wrong=(Wrong((np.ones(2), 0), ZeroDivisionError, "alpha", peer=RuntimeError),),
    ),
    functional(
        "selu",
        lambda x: _SCALE * np.where(x > 0, x, _ALPHA * np.expm1(x)),
        {},
        avoid=(0,),
    ),
    functional("softsign", lambda x: x / (1 + abs(x)), {}, avoid=(0,)),
    functional("tanhshrink", lambda x: x - np.tanh(x), {}),
    functional(
        "glu",
        lambda x, dim: _halves(x, dim)[0] * _sigmoid(_halves(x, dim)[1]),
        {"dim": 0},
        {"dim": -1},
        wrong=(_odd,),
    ),
    functional("softmin", _softmin, {"dim": 1}, {"dim": -2}),
    functional(
        "rrelu",
        lambda x: np.where(x > 0, x, x * (11 / 48)),
        {},
        avoid=(0,),
        wrong=(Wrong((np.ones(2), 2, 1), RuntimeError, "lower"),),
    ),
    OpInfo("prelu", _prelu, _prelu_samples, wrong=(_channels,)),
]
