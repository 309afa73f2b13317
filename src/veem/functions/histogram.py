"""How many elements are of each kind: of each integer, or within each bin."""

import math
from typing import NamedTuple

from veem import _core, creation, ops
from veem.functions.registry import function
from veem.functions.twins import along
from veem.tensor import Tensor


def _add_up(size, index, weight, dtype):
    """The number of times (or the sum of weights) that each index below size is met."""
    weight = index.new_ones(index.shape) if weight is None else weight
    out = creation.zeros(size, dtype=dtype, device=index.device)
    return ops.scatter_add_(out, 0, index, weight.to(dtype))


@function
def bincount(input, weights=None, minlength=0):
    """How often each of 0, 1, ... is in a 1-d tensor of integers: max + 1 counts.

    weights: what each element counts, then sums are floats. minlength: give at least
    so many counts.
    """
    if input.dtype.is_floating_point or input.dtype == _core.bool:
        raise NotImplementedError(f"bincount: not implemented for {input.dtype.name}")
    if input.ndim != 1 or (len(input) and int(input.min()) < 0):
        raise RuntimeError(
            "bincount only supports 1-d non-negative integral inputs; the shape is "
            f"{list(input.shape)}"
        )
    if minlength < 0:
        raise RuntimeError(f"bincount: minlength should be >= 0, got {minlength}")
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError(
            "bincount: weights should be 1-d and have the same length as input, got "
            f"{list(weights.shape)} and {list(input.shape)}"
        )
    size = max(int(input.max()) + 1, minlength) if len(input) else minlength
    if weights is None or len(input) == 0:
        return _add_up(size, input.long(), None, _core.int64)
    sums = _core.float32 if weights.dtype == _core.float32 else _core.float64
    return _add_up(size, input.long(), weights.detach(), sums)


# ---- bins between edges --------------------------------------------------------------


def _check_bins(name, input, bins):
    if not input.dtype.is_floating_point:
        raise NotImplementedError(
            f"{name}: not implemented for {input.dtype.name}; use x.float()"
        )
    if bins <= 0:
        raise RuntimeError(f"{name}: bins must be > 0, but got {bins}")


def _ends(name, x, low, high, margin):
    """The outer edges: those given, or the least and the largest element."""
    if low == high and x.numel():
        low, high = (float(end) for end in (x.min(), x.max()))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(f"{name}: max must be larger than min, got {low} to {high}")
    return (low - margin, high + margin) if low == high else (low, high)


@along
def histc(input, bins=100, min=0, max=0):
    """How many elements lie in each of `bins` equal parts of [min, max].

    Those of the elements themselves if min and max are equal; others, and NaN, are left
    out.
    """
    if not isinstance(bins, int):
        raise TypeError(f"histc(): bins must be an int, not {type(bins).__name__}")
    _check_bins("histc", input, bins)
    x = input.detach().reshape(-1)
    low, high = _ends("histc", x, min, max, 1)
    x = x[(x >= low) & (x <= high)]
    at = ops.floor((x - low) * bins / (high - low)).long()
    return _add_up(bins, ops.minimum(at, bins - 1), None, x.dtype)


class HistogramAndEdges(NamedTuple):
    """What histogram returns."""

    hist: Tensor
    bin_edges: Tensor


@along
def histogram(input, bins, *, range=None, weight=None, density=False):
    """(hist, bin_edges): how many elements lie between neighbouring edges.

    bins: how many, equal and within `range` or that of the elements; or a 1-d tensor of
    edges. The last bin has its right edge too. weight: what each element counts.
    density: over the whole integrates to 1.
    """
    x = input.detach().reshape(-1)
    if isinstance(bins, Tensor):
        edges = bins.to(x.dtype)
        _check_bins("histogram", input, len(edges) - 1)
    else:
        _check_bins("histogram", input, bins)
        default = (0.0, 0.0) if len(x) else (0.0, 1.0)
        ends = _ends("histogram", x, *(range or default), 0.5)
        edges = creation.linspace(*ends, bins + 1, dtype=x.dtype, device=x.device)
    if weight is not None and weight.shape != input.shape:
        raise RuntimeError(
            "histogram: if weight tensor is provided it should have the same shape as "
            f"the input, got {list(weight.shape)} and {list(input.shape)}"
        )
    inside = (x >= edges[0]) & (x <= edges[-1])
    x, n = x[inside], len(edges) - 1
    at = ops.minimum(ops.searchsorted(edges, x, None, True, _core.int64), n) - 1
    weight = None if weight is None else weight.detach().reshape(-1)[inside]
    hist = _add_up(n, at, weight, x.dtype)
    if density:
        hist = hist / hist.sum() / (edges[1:] - edges[:-1])
    return HistogramAndEdges(hist, edges)
