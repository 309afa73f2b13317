"""Tests of elements and of whole tensors."""

import math

from veem import _core, ops
from veem.functions.registry import function, names
from veem.functions.twins import with_out


@function
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|, and of equal infinities."""
    if input.dtype != other.dtype:
        raise RuntimeError(
            f"isclose: {input.dtype.name} did not match {other.dtype.name}; convert "
            "one of them first"
        )
    if rtol < 0 or atol < 0:
        name, value = ("rtol", rtol) if rtol < 0 else ("atol", atol)
        raise RuntimeError(f"isclose: {name} must be at least 0, but got {value}")
    close = input == other
    if equal_nan and input.dtype.is_floating_point:
        close = close | (ops.isnan(input) & ops.isnan(other))
    if not input.dtype.is_floating_point:
        kind = _core.get_default_dtype()
        input, other = input.to(kind), other.to(kind)
    apart = ops.abs(input - other)
    return close | (ops.isfinite(apart) & (apart <= ops.abs(other) * rtol + atol))


@function
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Is everything close? See isclose."""
    return isclose(input, other, rtol, atol, equal_nan).all().item()


@function
def equal(input, other):
    """Have the two the same shape and the same elements?"""
    if input.device != other.device or input.dtype != other.dtype:
        raise RuntimeError(
            f"equal: expected two tensors of one dtype on one device, but got "
            f"{input.dtype.name} on {input.device} and {other.dtype.name} on "
            f"{other.device}"
        )
    return input.shape == other.shape and (input == other).all().item()


def _infinite(input, sign):
    if not input.dtype.is_floating_point:
        return input.new_zeros(input.shape, dtype=_core.bool)
    return input == sign * math.inf


@function
def isposinf(input):
    """Where the elements are +infinity."""
    return _infinite(input, 1)


@function
def isneginf(input):
    """Where the elements are -infinity."""
    return _infinite(input, -1)


@function
def isreal(input):
    """Where the elements are real: everywhere, as there are no complex dtypes."""
    return input.new_ones(input.shape, dtype=_core.bool)


names.update(isposinf=with_out(isposinf), isneginf=with_out(isneginf))
