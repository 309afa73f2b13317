"""How many elements are of each kind: of each integer, or within each bin."""

import math

from veem import _core, creation, ops, return_types
from veem.functions.registry import function, plain
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


@along
def histogram(input, bins=100, *, range=None, weight=None, density=False):
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
    return return_types.histogram(hist, edges)


def _edges_of(points, bins, ends):
    """For each coordinate the edges: those given, or equal parts of its range."""
    dims = points.shape[1]
    if isinstance(bins, (int, Tensor)):
        bins = [bins] * dims
    if len(bins) != dims:
        raise RuntimeError(
            "histogramdd: the size of bins must be equal to the innermost dimension of "
            f"the input, got {len(bins)} and {dims}"
        )
    if ends is not None and len(ends) != 2 * dims:
        raise RuntimeError(
            f"histogramdd: for a {dims}-dimensional histogram range should have "
            f"{2 * dims} elements, but got {len(ends)}"
        )
    edges = []
    for d, count in enumerate(bins):
        x = points[:, d]
        if isinstance(count, Tensor):
            edges.append(count.to(x.dtype))
            continue
        _check_bins("histogramdd", x, count)
        given = (0.0, 0.0) if len(x) else (0.0, 1.0)
        given = given if ends is None else ends[2 * d : 2 * d + 2]
        low, high = _ends("histogramdd", x, *given, 0.5)
        edges.append(
            creation.linspace(low, high, count + 1, dtype=x.dtype, device=x.device)
        )
    return edges


@plain
def histogramdd(input, bins, range=None, weight=None, density=False):
    """(hist, bin_edges) of points: input (..., D) to counts in D dimensions.

    bins: how many along each coordinate, an int or a list of D; or a list of D tensors
    of edges. range: 2 D numbers, the lowest and the highest edge of each. weight (...):
    what each point counts. density: over the whole integrates to 1.
    """
    if input.ndim < 2:
        raise RuntimeError(
            f"histogramdd: input tensor should have at least 2 dimensions, got "
            f"{input.ndim}"
        )
    if weight is not None and weight.shape != input.shape[:-1]:
        raise RuntimeError(
            "histogramdd: if weight tensor is provided it should have the shape of the "
            f"input without its last dimension, got {list(weight.shape)} and "
            f"{list(input.shape)}"
        )
    points = input.detach().reshape(-1, input.shape[-1])
    edges = _edges_of(points, bins, range)
    size = [len(e) - 1 for e in edges]
    place = points.new_zeros(len(points), dtype=_core.int64)
    inside = points.new_ones(len(points), dtype=_core.bool)
    for d, e in enumerate(edges):
        x = points[:, d].contiguous()
        inside = inside & (x >= e[0]) & (x <= e[-1])
        at = ops.searchsorted(e, x, None, True, _core.int64)
        place = place * size[d] + ops.minimum(at, size[d]) - 1
    weight = None if weight is None else weight.detach().reshape(-1)[inside]
    hist = _add_up(math.prod(size), place[inside], weight, points.dtype).reshape(size)
    if density:
        hist = hist / hist.sum()
        for d, e in enumerate(edges):
            width = [1] * d + [-1] + [1] * (len(edges) - 1 - d)
            hist = hist / (e[1:] - e[:-1]).reshape(width)
    return return_types.histogramdd(hist, tuple(edges))
