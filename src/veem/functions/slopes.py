"""Differences of samples as derivatives, and numbers as fraction and power of two."""

import numbers

import numpy as np

from veem import _core, ops, return_types
from veem.autograd import Function
from veem.functions.registry import plain
from veem.functions.twins import along
from veem.tensor import Tensor

# ---- gradient ------------------------------------------------------------------------


def _spacings(spacing, dims):
    """For each dimension a number, or the coordinates of the samples."""
    if spacing is None or isinstance(spacing, numbers.Number):
        return [1 if spacing is None else spacing] * len(dims)
    if isinstance(spacing, Tensor):
        spacing = [spacing]
    if len(spacing) != len(dims):
        raise RuntimeError(
            "gradient: expected spacing to be unspecified, a scalar, or a list of one "
            f"for each of {len(dims)} dimensions, got {len(spacing)}"
        )
    return list(spacing)


def _check_gradient(x, dims, spacings, edge_order):
    if edge_order not in (1, 2):
        raise RuntimeError(
            f"gradient: only edge_order 1 and 2 are supported, got {edge_order}"
        )
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"gradient: dim {dims} appears multiple times")
    for d, h in zip(dims, spacings):
        if x.shape[d] < edge_order + 1:
            raise RuntimeError(
                "gradient: expected each dimension size to be at least edge_order+1, "
                f"got {x.shape[d]} in dimension {d}"
            )
        if isinstance(h, Tensor) and h.shape != (x.shape[d],):
            raise RuntimeError(
                "gradient: expected the coordinates of a dimension to be 1-d and as "
                f"many as its size, got {list(h.shape)} and {x.shape[d]}"
            )


def _slope(x, d, h, edge_order):
    """By the parabola through three neighbours; at the edges by a line or parabola."""
    n = x.shape[d]
    part = lambda start, count=1: x.narrow(d, start, count)
    if isinstance(h, Tensor):
        gaps = h.diff().reshape(-1, *[1] * (x.ndim - 1 - d))
        left, right = gaps[:-1], gaps[1:]
    else:
        gaps, left, right = [h] * max(n - 1, 1), h, h
    a, b, c = part(0, n - 2), part(1, n - 2), part(2, n - 2)
    inner = (
        a * (-right / (left * (left + right)))
        + b * ((right - left) / (left * right))
        + c * (left / (right * (left + right)))
    )
    if edge_order == 1:
        first = (part(1) - part(0)) / gaps[0]
        last = (part(n - 1) - part(n - 2)) / gaps[-1]
    else:
        first = _edge(part(0), part(1), part(2), gaps[0], gaps[1])
        last = -_edge(part(n - 1), part(n - 2), part(n - 3), gaps[-1], gaps[-2])
    return ops.cat(d, first, inner, last) if n > 2 else ops.cat(d, first, last)


def _edge(a, b, c, h1, h2):
    """The slope in a of the parabola through a, b, c, which are h1 and h2 apart."""
    return (
        a * (-(2 * h1 + h2) / (h1 * (h1 + h2)))
        + b * ((h1 + h2) / (h1 * h2))
        - c * (h1 / (h2 * (h1 + h2)))
    )


@plain
def gradient(input, *, spacing=None, dim=None, edge_order=1):
    """The derivative along each dimension, or those of `dim`, from samples: a tuple.

    spacing: how far samples are apart, or their coordinates: one for all dimensions or
    a list with one for each. edge_order: the derivative at the edges is that of a line
    (1) or a parabola (2).
    """
    n = input.ndim
    dims = range(n) if dim is None else [dim] if isinstance(dim, int) else dim
    dims = [input._wrap(d) for d in dims]
    spacings = _spacings(spacing, dims)
    _check_gradient(input, dims, spacings, edge_order)
    return tuple(_slope(input, d, h, edge_order) for d, h in zip(dims, spacings))


# ---- frexp ---------------------------------------------------------------------------


class Frexp(Function):
    """The mantissa is x / 2^exponent, and so is its slope."""

    @staticmethod
    def forward(ctx, x):
        mantissa, exponent = map(np.asarray, np.frexp(x.numpy(force=True)))
        exponent = _core.from_numpy(exponent)
        ctx.save_for_backward(exponent)
        ctx.mark_non_differentiable(exponent)
        return _core.from_numpy(mantissa).to(x.dtype), exponent

    @staticmethod
    def backward(ctx, g, _):
        (exponent,) = ctx.saved_tensors
        return g / ops.exp2(exponent)


@along
def frexp(input):
    """(mantissa, exponent) with input = mantissa · 2^exponent, 0.5 <= |mantissa| < 1.

    The exponents are int32. 0, infinities and NaN are their own mantissa.
    """
    if not input.is_floating_point():
        raise RuntimeError(
            f"frexp() only supports floating-point dtypes, not {input.dtype.name}"
        )
    if input._device_name != "cpu":
        raise NotImplementedError(
            f"frexp: is not implemented on {input._device_name}; use .cpu()"
        )
    return return_types.frexp(*Frexp.apply(input))
