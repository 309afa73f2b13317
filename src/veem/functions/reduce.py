"""Reductions over all elements, one dimension or several.

dim: None for all elements, an int, or a tuple of ints. keepdim leaves the reduced
dimensions with size 1.
"""

import builtins
import math
from typing import NamedTuple

from veem import ops
from veem.functions.registry import function
from veem.tensor import Tensor


def _dims(dim):
    return (dim,) if isinstance(dim, int) else dim


@function
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum; of integers and bools an int64. dtype: what to add up in."""
    return ops.sum(input, _dims(dim), keepdim, dtype)


@function
def mean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean of floats. dtype: what to convert to first."""
    return ops.mean(input, _dims(dim), keepdim, dtype)


@function
def prod(input, dim=None, keepdim=False, *, dtype=None):
    """The product; of integers and bools an int64."""
    return ops.prod(input, _dims(dim), keepdim, dtype)


@function
def amax(input, dim=(), keepdim=False):
    """The largest element; in a tie the gradient is shared."""
    return ops.amax(input, _dims(dim), keepdim)


@function
def amin(input, dim=(), keepdim=False):
    """The smallest element; in a tie the gradient is shared."""
    return ops.amin(input, _dims(dim), keepdim)


@function
def any(input, dim=None, keepdim=False):
    """Is any element true (not 0)?"""
    return ops.any(input, _dims(dim), keepdim)


@function
def all(input, dim=None, keepdim=False):
    """Are all elements true (not 0)?"""
    return ops.all(input, _dims(dim), keepdim)


@function
def argmax(input, dim=None, keepdim=False):
    """The index of the first largest element; without dim, in the flattened tensor."""
    return ops.argmax(input, dim, keepdim)


@function
def argmin(input, dim=None, keepdim=False):
    """The index of the first smallest element; without dim, in the flattened tensor."""
    return ops.argmin(input, dim, keepdim)


class ValuesAndIndices(NamedTuple):
    """What max(dim) and min(dim) return."""

    values: Tensor
    indices: Tensor


def _extreme(input, dim, keepdim, whole, along, pair):
    if isinstance(dim, Tensor):  # max(x, y) is maximum(x, y)
        return pair(input, dim)
    if dim is None:
        return whole(input, None, False)
    return ValuesAndIndices(*along(input, dim, keepdim))


@function
def max(input, dim=None, keepdim=False):
    """The largest element; with dim, (values, indices); with a tensor, maximum()."""
    return _extreme(input, dim, keepdim, ops.amax, ops.max_dim, ops.maximum)


@function
def min(input, dim=None, keepdim=False):
    """The smallest element; with dim, (values, indices); with a tensor, minimum()."""
    return _extreme(input, dim, keepdim, ops.amin, ops.min_dim, ops.minimum)


@function
def var(input, dim=None, *, correction=1, keepdim=False, unbiased=None):
    """The mean squared distance from the mean, over n - correction."""
    correction = correction if unbiased is None else int(unbiased)
    dims = _dims(dim)
    apart = input - ops.mean(input, dims, True, None)
    total = ops.sum(apart * apart, dims, keepdim, None)
    n = input.numel() // builtins.max(total.numel(), 1)
    left = n - correction
    return (
        total / left
        if left > 0
        else total * (math.nan if left <= 0 and n <= 1 else math.inf)
    )


@function
def std(input, dim=None, *, correction=1, keepdim=False, unbiased=None):
    """The square root of the variance."""
    return ops.sqrt(
        var(input, dim, correction=correction, keepdim=keepdim, unbiased=unbiased)
    )


@function
def softmax(input, dim, dtype=None):
    """exp(x) / sum(exp(x)) along dim; computed in `dtype` if one is given."""
    return ops.softmax(input if dtype is None else input.to(dtype), dim)


@function
def log_softmax(input, dim, dtype=None):
    """log(softmax(x)), of probabilities too small for floats as well."""
    return ops.log_softmax(input if dtype is None else input.to(dtype), dim)


@function
def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(x))), without overflow."""
    dims = _dims(dim)
    peak = ops.amax(input, dims, True).detach()
    peak = ops.where(ops.isfinite(peak), peak, 0.0)
    out = ops.log(ops.sum(ops.exp(input - peak), dims, True, None)) + peak
    return out if keepdim else ops.squeeze(out, dims if dims else None)


@function
def norm(input, p="fro", dim=None, keepdim=False):
    """The p-norm of the elements: 2 ("fro"), 1, any number, inf or -inf."""
    dims = _dims(dim)
    p = 2 if p == "fro" else p
    if p == 2:
        return ops.sqrt(ops.sum(input * input, dims, keepdim, None))
    size = ops.abs(input)
    if p == math.inf:
        return ops.amax(size, dims, keepdim)
    if p == -math.inf:
        return ops.amin(size, dims, keepdim)
    if p == 0:
        return ops.sum(ops.cast(input != 0, input.dtype), dims, keepdim, None)
    return ops.sum(size**p, dims, keepdim, None) ** (1 / p)


@function
def sum_to_size(input, *size):
    """Summed to a shape that broadcasts to this one."""
    size = size[0] if len(size) == 1 and not isinstance(size[0], int) else size
    lead = input.ndim - len(size)
    fits = lead >= 0 and builtins.all(
        a in (1, b) for a, b in zip(size, input.shape[lead:])
    )
    if not fits:
        raise RuntimeError(
            f"sum_to_size: size {list(size)} is not expandable to size "
            f"{list(input.shape)}"
        )
    dims = [
        d for d in range(input.ndim) if d < lead or size[d - lead] != input.shape[d]
    ]
    out = ops.sum(input, tuple(dims), True, None) if dims else input
    return ops.view(out, tuple(size)) if lead else out
