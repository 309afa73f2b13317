"""Distinct elements, and searching in sorted ones."""

from veem import _core, creation, ops
from veem.functions.registry import function
from veem.functions.twins import along
from veem.tensor import Tensor

# ---- distinct elements ---------------------------------------------------------------


def _runs(new, order, inverse, counts):
    """(positions where runs start, inverse or None, counts or None).

    new: 1-d, true where a run starts. order: where the elements lie in the input.
    """
    starts = ops.nonzero(new).reshape(-1)
    n = new.shape[0]
    which = None
    if inverse:
        which = ops.cumsum(new, 0, False) - 1
        if order is not None:
            which = ops.scatter_(which.new_zeros(which.shape), 0, order, which)
    number = None
    if counts:
        bounds = ops.cat(0, starts, starts.new_full((1,), n))
        number = bounds[1:] - bounds[:-1]
    return starts, which, number


def _results(values, which, counts):
    given = [x for x in (values, which, counts) if x is not None]
    return given[0] if len(given) == 1 else tuple(given)


def _unique_elements(input, inverse, counts, sort):
    x = input.reshape(-1)
    order = None
    if sort:
        x, order = ops.sort(x, 0, False, 0, len(x))
    n = len(x)
    new = creation.ones(n, dtype=_core.bool, device=x.device)
    if n > 1:
        new = ops.cat(0, new[:1], x[1:] != x[:-1])
    starts, which, number = _runs(new, order, inverse, counts)
    if which is not None:
        which = which.reshape(input.shape)
    return _results(x[starts], which, number)


def _unique_slices(input, dim, inverse, counts, sort):
    dim = input._wrap(dim)
    rows = input.movedim(dim, 0)
    n = rows.shape[0]
    if input.numel() == 0 and n > 0:
        raise RuntimeError(
            "There are 0 sized dimensions, and they aren't selected, so unique cannot "
            f"be applied; the shape is {list(input.shape)}"
        )
    rows = rows.reshape(n, -1) if n else rows.reshape(0, 1)
    order = creation.arange(n, device=input.device)
    if sort:  # by the last column first: sorts are stable
        for column in range(rows.shape[1] - 1, -1, -1):
            keys = ops.index_select(rows, 0, order)[:, column]
            order = order[ops.sort(keys, 0, False, 0, n)[1]]
        rows = ops.index_select(rows, 0, order)
    new = creation.ones(n, dtype=_core.bool, device=input.device)
    if n > 1:
        new = ops.cat(0, new[:1], ops.any(rows[1:] != rows[:-1], (1,), False))
    starts, which, number = _runs(new, order, inverse, counts)
    return _results(ops.index_select(input, dim, order[starts]), which, number)


@function
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements (or slices of dim), in order, sorted or not.

    With return_inverse also where in them each element is found; with return_counts
    how often each appears.
    """
    if dim is None:
        return _unique_elements(input.detach(), return_inverse, return_counts, True)
    return _unique_slices(input.detach(), dim, return_inverse, return_counts, True)


@function
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The elements (or slices of dim) that differ from the one before.

    return_inverse, return_counts: as for unique.
    """
    if dim is None:
        return _unique_elements(input.detach(), return_inverse, return_counts, False)
    return _unique_slices(input.detach(), dim, return_inverse, return_counts, False)


# ---- searching -----------------------------------------------------------------------


def _is_right(right, side):
    if side not in (None, "left", "right"):
        raise RuntimeError(
            f"searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if right and side == "left":
        raise RuntimeError(
            "searchsorted(): side and right can't be set to opposites, got side of "
            "left while right was True"
        )
    return right or side == "right"


def _check_sorter(sequence, sorter):
    if sorter.shape != sequence.shape:
        raise RuntimeError(
            "searchsorted(): boundary and sorter must have the same size, but got "
            f"boundary tensor {list(sequence.shape)} and sorter {list(sorter.shape)}"
        )
    if sorter.dtype != _core.int64:
        raise RuntimeError(
            "searchsorted(): sorter must be a tensor of int64 dtype but got "
            f"{sorter.dtype.name}"
        )
    n = sequence.shape[-1]
    if sorter.numel() and bool(((sorter < 0) | (sorter >= n)).any()):
        raise RuntimeError("searchsorted(): sorter index out of range")


@along
def searchsorted(
    sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None
):
    """How many elements of each sorted row are smaller than each value (a number too).

    With right (or side="right") those not larger. sorter: the order of rows that are
    not sorted. (..., n) and (..., m) give (..., m); one row serves any shape.
    """
    right = _is_right(right, side)
    if sorter is not None:
        _check_sorter(sorted_sequence, sorter)
    if not isinstance(input, Tensor):
        input = creation.tensor(input, device=sorted_sequence.device)
    if input.ndim == 0 and sorted_sequence.ndim > 1:
        raise RuntimeError(
            "searchsorted(): input value can be a scalar only when boundaries tensor "
            f"dimension is 1, but we got boundaries tensor dim({sorted_sequence.ndim})"
        )
    dtype = _core.int32 if out_int32 else _core.int64
    return ops.searchsorted(sorted_sequence, input, sorter, right, dtype)


@along
def bucketize(input, boundaries, *, out_int32=False, right=False):
    """The number of the bucket between sorted boundaries (1-d) of each value."""
    if boundaries.ndim != 1:
        raise RuntimeError(
            "bucketize(): boundaries tensor must be 1 dimension, but got "
            f"dim({boundaries.ndim})"
        )
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@along
def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """Is each element among the test elements? One of the two may be a number."""
    given = [x for x in (elements, test_elements) if isinstance(x, Tensor)]
    if not given:
        raise TypeError("isin() takes a Tensor as elements or as test_elements")
    if any(x.dtype == _core.bool for x in given):
        raise RuntimeError("isin(): Unsupported input type: bool; use x.long()")
    x, tests = (
        x if isinstance(x, Tensor) else creation.tensor(x, device=given[0].device)
        for x in (elements, test_elements)
    )
    tests = tests.reshape(-1)
    if len(tests) == 0:
        found = creation.zeros(x.shape, dtype=_core.bool, device=x.device)
    else:
        tests = ops.sort(tests, 0, False, 0, len(tests))[0]
        at = ops.searchsorted(tests, x, None, False, _core.int64)
        near = ops.index_select(tests, 0, ops.minimum(at, len(tests) - 1).reshape(-1))
        found = near.reshape(x.shape) == x
    return ops.logical_not(found) if invert else found
