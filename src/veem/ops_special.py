"""The gradient rules of special functions, in the manner of ops.py."""

import math

from veem import _core
from veem.rules import define as op
from veem.rules import undefined

ops = _core.ops
cos, exp, sigmoid = ops.cos, ops.exp, ops.sigmoid
square, where = ops.square, ops.where

erf = op("erf", lambda g, _, x: g * (2 / math.sqrt(math.pi)) * exp(-x * x))
erfc = op("erfc", lambda g, _, x: g * (-2 / math.sqrt(math.pi)) * exp(-x * x))
logaddexp = op(
    "logaddexp",
    lambda g, _, a, b: g * sigmoid(a - b),
    lambda g, _, a, b: g * sigmoid(b - a),
)
logaddexp2 = op(
    "logaddexp2",
    lambda g, _, a, b: g * sigmoid((a - b) * math.log(2)),
    lambda g, _, a, b: g * sigmoid((b - a) * math.log(2)),
)
xlogy = op(
    "xlogy",
    lambda g, _, a, b: where((b * 0 + a == 0) & (b <= 0), 0.0, xlogy(g, b)),
    lambda g, _, a, b: g * (a / b),
)
xlog1py = op(
    "xlog1py",
    lambda g, _, a, b: where((b * 0 + a == 0) & (b <= -1), 0.0, xlog1py(g, b)),
    lambda g, _, a, b: g * (a / (b + 1)),
)
lgamma = op("lgamma", lambda g, _, x: g * digamma(x))
digamma = op("digamma", lambda g, _, x: g * zeta(2, x))
zeta = op("zeta", *undefined("zeta", 1), lambda g, _, s, q: g * (-s * zeta(s + 1, q)))
erfinv = op(
    "erfinv", lambda g, _, x: g * (math.sqrt(math.pi) / 2) * exp(square(erfinv(x)))
)


def _sinc(g, _, x):
    slope = (cos(x * math.pi) - sinc(x)) / x
    return where(x == 0, 0.0, g * slope)


sinc = op("sinc", _sinc)
logit = op(
    "logit",
    lambda g, _, x: where((x >= 0) & (x <= 1), g / (x * (1 - x)), math.nan),
)
