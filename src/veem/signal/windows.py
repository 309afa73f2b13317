"""Windows: weights that fade towards both ends, by which a part of a signal is cut out.

Each takes M, how many weights, and gives them in a 1-d tensor. sym: the last equals the
first, as filters want it; without, M weights of one period of M + 1, as spectra do.
dtype, device and requires_grad are those of other tensors.
"""

import functools
import math

import numpy as np

from veem import _core
from veem.from_data import tensor
from veem.functions.registry import plain
from veem.layout import strided


def window(weights):
    """Makes a window of weights(n, span, ...): n = 0 ... M - 1, the span M - 1 or M."""

    @functools.wraps(weights)
    def call(
        M,
        *args,
        sym=True,
        dtype=None,
        layout=None,
        device=None,
        requires_grad=False,
        **kwargs,
    ):
        name = weights.__name__
        if layout not in (None, strided):
            raise ValueError(
                f"{name} is implemented for strided tensors only, got: {layout}"
            )
        dtype = _core.get_default_dtype() if dtype is None else dtype
        if M < 0:
            raise ValueError(f"{name} requires non-negative window length, got M={M}")
        if dtype not in (_core.float32, _core.float64):
            raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
        values = weights(
            np.arange(M, dtype=np.float64), M - 1 if sym else M, *args, **kwargs
        )
        values = np.ones(M) if M == 1 else values
        return tensor(values, dtype=dtype, device=device, requires_grad=requires_grad)

    return call


def _check(good, name, what, value):
    if not good:
        raise ValueError(f"{name}: {what}, got {value}")


@window
def general_cosine(n, span, a):
    """a₀ - a₁ cos + a₂ cos of two waves - ..., one wave being the span."""
    if not hasattr(a, "__iter__"):
        raise TypeError("general_cosine: Coefficients must be a list/tuple")
    _check(len(a) > 0, "general_cosine", "Coefficients cannot be empty", a)
    turns = 2 * math.pi * n / max(span, 1)
    return sum((-1) ** i * c * np.cos(i * turns) for i, c in enumerate(a))


def general_hamming(M, *, alpha=0.54, **kwargs):
    """alpha - (1 - alpha) cos: one wave per window."""
    return general_cosine(M, a=[alpha, 1 - alpha], **kwargs)


def hamming(M, **kwargs):
    """0.54 - 0.46 cos."""
    return general_hamming(M, **kwargs)


def hann(M, **kwargs):
    """0.5 - 0.5 cos, which is 0 at its ends."""
    return general_hamming(M, alpha=0.5, **kwargs)


def blackman(M, **kwargs):
    """0.42 - 0.5 cos + 0.08 cos of two waves."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], **kwargs)


def nuttall(M, **kwargs):
    """Nuttall's window of minimum four terms (1981)."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], **kwargs)


@window
def bartlett(n, span):
    """A triangle, which is 0 at its ends."""
    return 1 - np.abs(2 * n / max(span, 1) - 1)


@window
def cosine(n, span):
    """Half a wave of a sine, its ends half a step inside."""
    return np.sin(math.pi * (n + 0.5) / (span + 1))


@window
def exponential(n, span, *, center=None, tau=1.0):
    """exp(-|n - center| / tau); only without sym may the center be another."""
    _check(tau > 0, "exponential", "Tau must be positive", tau)
    symmetric = span == len(n) - 1
    _check(
        not (symmetric and center is not None),
        *("exponential", "Center must be None for symmetric windows", center),
    )
    center = span / 2 if center is None else center
    return np.exp(-np.abs(n - center) / tau)


@window
def gaussian(n, span, *, std=1.0):
    """A normal distribution's density, 1 at its top."""
    _check(std > 0, "gaussian", "Standard deviation must be positive", std)
    return np.exp(-0.5 * ((n - span / 2) / std) ** 2)


@window
def kaiser(n, span, *, beta=12.0):
    """I0(beta sqrt(1 - x²)) / I0(beta), for x from -1 to 1."""
    _check(beta >= 0, "kaiser", "beta must be non-negative", beta)
    x = 2 * n / max(span, 1) - 1
    return np.i0(beta * np.sqrt(np.maximum(1 - x * x, 0))) / np.i0(beta)


# ---- the older names -----------------------------------------------------------------


def _older(name, make):
    def call(window_length, periodic=True, *args, **kwargs):
        if window_length < 0:
            raise RuntimeError(
                f"{name}: window_length must be non-negative, got {window_length}"
            )
        dtype = kwargs.pop("dtype", None) or _core.get_default_dtype()
        if not dtype.is_floating_point:
            raise RuntimeError(f"{name}: expects floating point dtypes, got: {dtype}")
        wide = _core.float64 if dtype is _core.float64 else _core.float32
        values = make(window_length, *args, sym=not periodic, dtype=wide, **kwargs)
        return values if wide is dtype else values.to(dtype)

    call.__name__ = name
    call.__doc__ = (
        f"signal.windows.{name.removesuffix('_window')}, periodic unless not."
    )
    return plain(call)


hann_window = _older("hann_window", hann)
blackman_window = _older("blackman_window", blackman)
bartlett_window = _older("bartlett_window", bartlett)
hamming_window = _older(
    "hamming_window",
    lambda n, alpha=0.54, beta=0.46, **kwargs: general_cosine(
        n, a=[alpha, beta], **kwargs
    ),
)
kaiser_window = _older(
    "kaiser_window", lambda n, beta=12.0, **kwargs: kaiser(n, beta=beta, **kwargs)
)
