"""Special functions."""

import math

import numpy as np

import veem
from opinfo import OpInfo, Sample, Wrong, values
from opinfo.elementwise import binary, unary
from veem import ops

erf = np.vectorize(math.erf, otypes=[float])
_erfc = np.vectorize(math.erfc, otypes=[float])


def _real(f):
    """f of each element; at infinities, NaN and poles what the function there gives."""

    def of(x):
        try:
            return math.nan if math.isnan(x) else f(x)
        except (ValueError, OverflowError):
            return math.inf

    return np.vectorize(of, otypes=[float])


def _digamma(x):
    """By 1000 steps of psi(x) = psi(x + 1) - 1 / x, and log from there."""
    x = np.asarray(x, float)
    below = sum(1 / (x + k) for k in range(1000))
    far = x + 1000
    return np.log(far) - 0.5 / far - 1 / (12 * far**2) - below


def _zeta(s, q):
    """The first 2000 terms and the integral of the rest."""
    s, q = np.asarray(s, float), np.asarray(q, float)
    far = q + 2000
    first = sum((q + k) ** -s for k in range(2000))
    return first + far ** (1 - s) / (s - 1) + 0.5 * far**-s + s / 12 * far ** (-s - 1)


def _erfinv(y):
    """By bisection."""
    if not -1 < y < 1:
        return math.copysign(math.inf, y) if abs(y) == 1 else math.nan
    low, high = -6.0, 6.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if math.erf(middle) < y else (low, middle)
    return 0.5 * (low + high)


_erfinvs = np.vectorize(_erfinv, otypes=[float])


def _xlogy(a, b):
    return np.where((a == 0) & ~np.isnan(b), 0.0, a * np.log(b))


def _with_order(name, reference, *orders, first):
    """A row for a function of a whole number and a tensor."""

    def samples(rng, dtype):
        x = [values(rng, s, dtype, 2, 6) for s in ((3, 4), (), (0,))]
        return [Sample((n, v) if first else (v, n)) for v in x for n in orders]

    bad = (0, np.ones(2)) if first else (np.ones(2), 0)
    bad = (-1, np.ones(2)) if first else bad
    wrong = (Wrong(bad, RuntimeError, name),)
    return OpInfo(
        name, reference, samples, wrong=wrong, tolerance=5e-6, peer_error=1e-9
    )


def _polygamma(n, x):
    return (-1) ** (n + 1) * math.factorial(n) * _zeta(n + 1.0, x)


def _mvlgamma(x, p):
    parts = (_real(math.lgamma)(x - 0.5 * j) for j in range(p))
    return p * (p - 1) / 4 * math.log(math.pi) + sum(parts)


ROWS = [
    unary("erf", erf),
    unary("erfc", _erfc),
    unary("erfinv", _erfinvs, low=-0.95, high=0.95),
    unary("lgamma", _real(math.lgamma), low=0.2, high=6, tolerance=5e-6),
    unary("digamma", _digamma, low=1.6, high=6, special=False, peer_error=1e-9),
    unary("sinc", np.sinc, avoid=(0,), special=False, tolerance=1e-5),
    unary(
        "logit",
        lambda x: np.log(x / (1 - x)),
        low=0.1,
        high=0.9,
        tolerance=1e-5,
        special=False,
    ),
    unary(
        "special.entr",
        lambda x: -x * np.log(x),
        low=0.1,
        call=veem.special.entr,
        torch="special.entr",
        special=False,
    ),
    unary(
        "special.ndtr",
        lambda x: 0.5 * _erfc(-x / math.sqrt(2)),
        call=veem.special.ndtr,
        torch="special.ndtr",
    ),
    binary("logaddexp", np.logaddexp, numbers=False),
    binary("logaddexp2", np.logaddexp2, numbers=False),
    binary("xlogy", _xlogy, low=0.1),
    binary(
        "xlog1py",
        lambda a, b: _xlogy(a, 1 + b),
        low=-0.8,
        call=ops.xlog1py,
        torch="special.xlog1py",
        tolerance=1e-5,
    ),
    binary(
        "zeta", _zeta, low=1.5, high=5, call=ops.zeta, torch="special.zeta", order=0
    ),
    binary("ldexp", lambda a, b: a * 2.0**b, numbers=False),
    _with_order("polygamma", _polygamma, 1, 2, 3, first=True),
    _with_order("mvlgamma", _mvlgamma, 1, 2, 3, first=False),
]
