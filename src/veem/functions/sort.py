"""Sorting along a dimension, and what stands on it: stable, and NaN is largest."""

import math

from veem import _core, creation, ops, return_types
from veem.autograd.names import recorded_as, whole
from veem.functions.twins import along
from veem.tensor import Tensor


def _size(input, dim):
    dim = input._wrap(dim) if input.ndim else input.unsqueeze(0)._wrap(dim)
    return input.shape[dim] if input.ndim else 1


def _check_order(name, input):
    if input.dtype == _core.bool:
        raise NotImplementedError(
            f"{name}: not implemented for bool; convert it first, e.g. x.long()"
        )


@along
def sort(input, dim=-1, descending=False, stable=False):
    """(values, indices) in order along dim; equal elements keep theirs anyway."""
    count = _size(input, dim)
    return return_types.sort(*ops.sort(input, dim, descending, 0, count))


@along
def argsort(input, dim=-1, descending=False, stable=False):
    """The indices that sort along dim."""
    return sort(input, dim, descending).indices


@along
def msort(input):
    """Sorted along the first dimension."""
    return sort(input, 0).values


@along
@recorded_as("Topk")
def topk(input, k, dim=-1, largest=True, sorted=True):
    """(values, indices) of the k largest (or smallest) along dim, always in order."""
    if input.dtype == _core.bool:
        raise RuntimeError("topk does not support bool; convert it first: x.long()")
    if not 0 <= k <= _size(input, dim):
        raise RuntimeError(
            f"topk: selected index k out of range: k is {k}, and dimension {dim} of "
            f"{list(input.shape)} has {_size(input, dim)} elements"
        )
    if input.ndim == 0:
        return return_types.topk(*ops.sort(input, dim, largest, 0, 1))
    return return_types.topk(*ops.sort(input, dim, largest, 0, k))


def _check_not_empty(name, input, dim):
    if _size(input, dim) == 0:
        raise IndexError(
            f"{name}(): Expected reduction dim {dim} to have non-zero size."
        )


def _ranked(input, rank, dim, keepdim):
    """(values, indices) of the elements of one rank."""
    found = ops.sort(input, dim, False, rank, 1)
    if not keepdim and input.ndim:
        found = (ops.squeeze(x, (dim,)) for x in found)
    return return_types.kthvalue(*found)


@along
@recorded_as("Kthvalue")
def kthvalue(input, k, dim=-1, keepdim=False):
    """(values, indices) of the k-th smallest element along dim; k starts at 1."""
    _check_order("kthvalue", input)
    _check_not_empty("kthvalue", input, dim)
    if not 1 <= k <= _size(input, dim):
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {dim}: {k} of "
            f"{_size(input, dim)}"
        )
    return _ranked(input, k - 1, dim, keepdim)


# ---- medians, quantiles, modes -------------------------------------------------------


def _empty_median(input):
    if input.dtype.is_floating_point:
        return input.sum() + math.nan  # of nothing
    raise IndexError(
        f"median: a tensor of {input.dtype.name} without elements has none"
    )


@along
@recorded_as(whole("Median", 0))
def median(input, dim=None, keepdim=False):
    """The element in the middle, the lower of two; NaN if there is one.

    With dim, (values, indices) along it.
    """
    _check_order("median", input)
    if dim is None:
        flat = input.reshape(-1)
        return median(flat, 0).values if len(flat) else _empty_median(input)
    _check_not_empty("median", input, dim)
    values, indices = _ranked(input, (_size(input, dim) - 1) // 2, dim, keepdim)
    if input.dtype.is_floating_point:
        largest = ops.max_dim(input, dim, keepdim)  # the first NaN, if any
        bad = ops.isnan(largest[0])
        values = ops.where(bad, largest[0], values)
        indices = ops.where(bad, largest[1], indices)
    return return_types.median(values, indices)


@along
@recorded_as(whole("Nanmedian", 0))
def nanmedian(input, dim=None, keepdim=False):
    """The median of what is not NaN; NaN where all is."""
    _check_order("nanmedian", input)
    if dim is None:
        flat = input.reshape(-1)
        return nanmedian(flat, 0).values if len(flat) else _empty_median(input)
    _check_not_empty("nanmedian", input, dim)
    values, indices = sort(input, dim)
    if input.ndim == 0:
        return return_types.nanmedian(values, indices)
    count = ops.sum(ops.logical_not(ops.isnan(input)), (dim,), True, None)
    rank = ops.maximum(count - 1, 0) // 2
    found = [ops.gather(x, dim, rank) for x in (values, indices)]
    if not keepdim:
        found = [ops.squeeze(x, (dim,)) for x in found]
    return return_types.nanmedian(*found)


MODES = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(name, input, q, interpolation):
    if not input.numel():
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if q.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if not input.dtype.is_floating_point or input.dtype.itemsize == 2:
        raise RuntimeError(
            f"{name}() input tensor must be either float or double dtype, got "
            f"{input.dtype.name}; convert it first, e.g. x.float()"
        )
    if q.dtype != input.dtype:
        raise RuntimeError(
            f"{name}() q tensor must be same dtype as the input tensor, got "
            f"{q.dtype.name} and {input.dtype.name}"
        )
    if interpolation not in MODES:
        raise RuntimeError(
            f"{name}() interpolation must be one of {', '.join(MODES)}, but got "
            f"{interpolation!r}"
        )
    if not bool(((q >= 0) & (q <= 1)).all()):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")


def _interpolated(x, rank, how):
    """What lies at these ranks, which are no whole numbers, of the last dimension."""
    low, high = ops.floor(rank), ops.ceil(rank)
    if how in ("lower", "higher", "nearest"):
        at = {"lower": low, "higher": high, "nearest": ops.round(rank)}[how]
        return ops.gather(x, -1, at.long())
    weight = rank - low if how == "linear" else (high - low) * 0.5
    return ops.lerp(
        ops.gather(x, -1, low.long()), ops.gather(x, -1, high.long()), weight
    )


def _quantile(name, input, q, dim, keepdim, how, ignore):
    if not isinstance(q, Tensor):
        q = input.new_full((), q)
    _check_quantile(name, input, q, how)
    rows = (
        input.reshape(-1) if dim is None or not input.ndim else input.movedim(dim, -1)
    )
    x = ops.sort(rows, -1, False, 0, rows.shape[-1])[0]
    bad = ops.isnan(x)
    if ignore:  # NaN lies at the end
        count = ops.sum(ops.logical_not(bad), (-1,), True, None)
        rank = q.reshape(-1) * (ops.maximum(count, 1) - 1).to(x.dtype)
    else:  # one NaN is enough
        last = x.shape[-1] - 1
        rank = ops.where(ops.any(bad, (-1,), True), float(last), q.reshape(-1) * last)
    out = _interpolated(x, rank, how).movedim(-1, 0)
    if keepdim and dim is None:
        out = out.reshape(-1, *[1] * input.ndim)
    elif keepdim and input.ndim:
        out = out.unsqueeze(input._wrap(dim) + 1)
    return out if q.ndim else out.squeeze(0)


@along
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """What a part q of the elements lies below: a number, or a 1-d tensor of several.

    Between two elements lies "linear", "lower", "higher", "midpoint" or "nearest".
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@along
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """The quantile of what is not NaN; NaN where all is."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


def _starts(x):
    """Along the last dimension: does another element lie before this one?"""
    new = x.narrow(-1, 1, x.shape[-1] - 1) != x.narrow(-1, 0, x.shape[-1] - 1)
    first = creation.ones((*x.shape[:-1], 1), dtype=_core.bool, device=x.device)
    return ops.cat(-1, first, new)


@along
@recorded_as("Mode")
def mode(input, dim=-1, keepdim=False):
    """(values, indices) of the most frequent element along dim.

    Of several the smallest, and the last of its indices; every NaN is one of its own.
    """
    _check_not_empty("mode", input, dim)
    if input.ndim == 0:
        return return_types.mode(*ops.sort(input, dim, False, 0, 1))
    values, indices = ops.sort(input.movedim(dim, -1), -1, False, 0, _size(input, dim))
    place = creation.arange(values.shape[-1], device=input.device).expand(values.shape)
    start = ops.cummax(ops.where(_starts(values), place, 0), -1)[0]
    best = ops.argmax(place - start, -1, True)
    found = [ops.gather(x, -1, best).movedim(-1, dim) for x in (values, indices)]
    if not keepdim:
        found = [ops.squeeze(x, (dim,)) for x in found]
    return return_types.mode(*found)
