"""Elements written by index tensors and masks: x.scatter_(...), and x.scatter(...)."""

import math

from veem import _core, ops
from veem.autograd.names import recorded_as
from veem.functions.arranging import broadcast_tensors
from veem.functions.registry import function, method
from veem.tensor import Tensor


def _both(f):
    """Makes f the method x.name_(...), and x.clone().name_(...) the function name."""

    def out_of_place(input, *args, **kwargs):
        return f(ops.clone(input), *args, **kwargs)

    out_of_place.__name__, out_of_place.__doc__ = f.__name__[:-1], f.__doc__
    function(out_of_place)
    return method(f)


# ---- elements along one dimension ----------------------------------------------------


@_both
def scatter_(self, dim, index, src=None, *, value=None, reduce=None):
    """self[index[i][j]][j] = src[i][j] for dim=0, and so on; src a tensor or a number.

    reduce: "add" or "multiply" instead of assigning.
    """
    src = value if src is None else src
    if reduce is None:
        return ops.scatter_(self, dim, index, src)
    if reduce not in ("add", "multiply"):
        raise RuntimeError(
            f"scatter_: reduce argument must be either add or multiply, not {reduce!r}"
        )
    if not isinstance(src, Tensor):
        src = self.new_full(index.shape, src)
    if reduce == "add":
        return ops.scatter_add_(self, dim, index, src)
    return ops.scatter_reduce_(self, dim, index, src, "prod")


@_both
def scatter_add_(self, dim, index, src):
    """self[index[i][j]][j] += src[i][j] for dim=0, and so on; what meets is summed."""
    return ops.scatter_add_(self, dim, index, src)


def _neutral(dtype, reduce):
    """What changes nothing when it is reduced."""
    if reduce in ("sum", "mean", "prod"):
        return int(reduce == "prod")
    sign = -1 if reduce == "amax" else 1
    if dtype.is_floating_point:
        return sign * math.inf
    if dtype == _core.bool:
        return reduce == "amin"
    bits = 8 * dtype.itemsize - dtype.is_signed
    least = -(1 << bits) if dtype.is_signed else 0
    return least if reduce == "amax" else (1 << bits) - 1


def _mean_of(total, counts):
    """Divides sums by counts in place; of integers, rounding down."""
    if total.is_floating_point():
        return _core.ops.div_(total, counts)
    return _core.ops.floor_divide_(total, counts)


@_both
def scatter_reduce_(self, dim, index, src, reduce, *, include_self=True):
    """self[index[i][j]][j] and all src[i][j] that meet there as one number.

    reduce: "sum", "prod", "mean", "amax" or "amin". include_self=False leaves out
    what was there before; elements that nothing meets stay.
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "scatter_reduce_: reduce argument must be either sum, prod, mean, amax or "
            f"amin, got {reduce}"
        )
    if not include_self:
        ops.scatter_(self, dim, index, _neutral(self.dtype, reduce))
    if reduce != "mean":
        return ops.scatter_reduce_(self, dim, index, src, reduce)
    ops.scatter_add_(self, dim, index, src)
    counts = self.new_full(self.shape, int(include_self))
    ops.scatter_add_(counts, dim, index, self.new_ones(index.shape))
    return _mean_of(self, counts.clamp(min=1))


# ---- slices along one dimension ------------------------------------------------------


@_both
def index_add_(self, dim, index, source, *, alpha=1):
    """The slices of dim that index names += alpha * source; what meets is summed."""
    return ops.index_add_(self, dim, index, source if alpha == 1 else source * alpha)


def _check_long(op, index, error=RuntimeError):
    if index.dtype != _core.int64:
        raise error(
            f"{op}: Expected a long tensor for index, but got {index.dtype.name}"
        )


@_both
def index_copy_(self, dim, index, source):
    """The slices of dim that the index names = source."""
    _check_long("index_copy_()", index)
    return ops.index_copy_(self, dim, index, source)


@_both
def index_reduce_(self, dim, index, source, reduce, *, include_self=True):
    """The slices of dim that the index names and those of source as one each.

    reduce: "prod", "mean", "amax" or "amin". include_self=False leaves out what was
    there before.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "index_reduce_: reduce argument must be either prod, mean, amax or amin, "
            f"got {reduce}"
        )
    if not include_self:
        neutral = source.new_full(source.shape, _neutral(self.dtype, reduce))
        ops.index_copy_(self, dim, index, neutral)
    if reduce != "mean":
        return ops.index_reduce_(self, dim, index, source, reduce)
    ops.index_add_(self, dim, index, source)
    counts = self.new_full(self.shape, int(include_self))
    ops.index_add_(counts, dim, index, source.new_ones(source.shape))
    return _mean_of(self, counts.clamp(min=1))


@_both
def index_fill_(self, dim, index, value):
    """The slices of dim that the index names = a number, or a 0-d tensor's."""
    _check_long("index_fill_()", index, IndexError)
    if index.ndim > 1:
        raise RuntimeError(
            f"index_fill_: Index has to be a vector/scalar, got {index.ndim}-d"
        )
    dim, named = self._wrap(dim), index.reshape(-1)
    mask = self.new_zeros(self.size(dim) if self.ndim else 1, dtype=_core.bool)
    ops.index_put_(mask, named, True, False, named)
    shape = [-1 if d == dim else 1 for d in range(self.ndim)]
    return ops.masked_fill_(self, mask.reshape(shape), value)


# ---- elements anywhere ---------------------------------------------------------------


@_both
def index_put_(self, indices, values, accumulate=False):
    """self[indices] = values, or += where accumulate; what meets is summed."""
    for i, x in enumerate(indices):
        if not isinstance(x, Tensor):
            raise TypeError(
                f"index_put_: expected Tensor as element {i} in argument 0, but got "
                f"{type(x).__name__}"
            )
    return ops.index_put_(self, tuple(indices), values, accumulate, *indices)


@_both
def put_(self, index, source, accumulate=False):
    """Elements by their number in the flattened tensor = source's, or +=."""
    _check_long("put_()", index)
    if source.dtype != self.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got "
            f"self.dtype = {self.dtype.name} and source.dtype = {source.dtype.name}"
        )
    if source.numel() != index.numel():
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, "
            f"but got source.numel() = {source.numel()}, index.numel() = "
            f"{index.numel()}"
        )
    flat = self if self.ndim == 1 else ops.clone(self.reshape(-1))
    at = index.reshape(-1)
    ops.index_put_(flat, at, source.reshape(-1), accumulate, at)
    return flat if flat is self else self.copy_(flat.view(self.shape))


# ---- masks ---------------------------------------------------------------------------


def _check_mask(name, mask):
    if mask.dtype != _core.bool:
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype "
            f"{mask.dtype.name}; compare it first, e.g. mask != 0"
        )


@method
def masked_fill_(self, mask, value):
    """self = value (a number or a 0-d tensor) where mask is true."""
    return ops.masked_fill_(self, mask, value)


def _masked_fill_name(_out, value):
    return f"MaskedFillBackward{int(isinstance(value, Tensor))}"


@function
@recorded_as(_masked_fill_name)
def masked_fill(input, mask, value):
    """input, with value (a number or a 0-d tensor) where mask is true; broadcasts."""
    _check_mask("masked_fill", mask)
    if not isinstance(value, Tensor):
        value = input.new_full((), value)
    elif value.ndim:
        raise RuntimeError(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor "
            f"with {value.ndim} dimension(s)"
        )
    return ops.where(mask, value.to(input.dtype), input)


@method
def masked_scatter_(self, mask, source):
    """Where mask is true, in order, = the first elements of source, in order."""
    _check_mask("masked_scatter_", mask)
    if source.dtype != self.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got "
            f"{self.dtype.name} and {source.dtype.name}"
        )
    mask, source = mask.expand(self.shape), source.reshape(-1)
    n = int(mask.sum())
    if len(source) < n:
        raise RuntimeError(
            f"masked_scatter: Number of elements of source ({len(source)}) < number of "
            f"ones in mask ({n})"
        )
    return ops.index_put_(self, mask, source[:n], False, mask)


@function
@recorded_as("MaskedScatter")
def masked_scatter(input, mask, source):
    """A copy of input with the first elements of source where mask is true."""
    _check_mask("masked_scatter", mask)
    input, mask = broadcast_tensors(input, mask)
    return ops.clone(input).masked_scatter_(mask, source)
