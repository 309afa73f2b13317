"""Reductions over all elements, one dimension or several.

dim: None for all elements, an int, or a tuple of ints. keepdim leaves the reduced
dimensions with size 1.
"""

import builtins

from veem import _core, ops, return_types
from veem.autograd.names import recorded_as, whole
from veem.functions.registry import function
from veem.functions.twins import along
from veem.tensor import Tensor


def _dims(dim):
    return (dim,) if isinstance(dim, int) else dim


@along
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum; of integers and bools an int64. dtype: what to add up in."""
    return ops.sum(input, _dims(dim), keepdim, dtype)


@along
def mean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean of floats. dtype: what to convert to first."""
    return ops.mean(input, _dims(dim), keepdim, dtype)


@along
def prod(input, dim=None, keepdim=False, *, dtype=None):
    """The product; of integers and bools an int64."""
    return ops.prod(input, _dims(dim), keepdim, dtype)


@along
def amax(input, dim=(), keepdim=False):
    """The largest element; in a tie the gradient is shared."""
    return ops.amax(input, _dims(dim), keepdim)


@along
def amin(input, dim=(), keepdim=False):
    """The smallest element; in a tie the gradient is shared."""
    return ops.amin(input, _dims(dim), keepdim)


@along
def any(input, dim=None, keepdim=False):
    """Is any element true (not 0)? A bool; of uint8 a uint8."""
    return _truth(input) if dim == () else ops.any(input, _dims(dim), keepdim)


@along
def all(input, dim=None, keepdim=False):
    """Are all elements true (not 0)? A bool; of uint8 a uint8."""
    return _truth(input) if dim == () else ops.all(input, _dims(dim), keepdim)


def _truth(input):  # over no dimensions
    out = input != 0
    return out.to(input.dtype) if input.dtype == _core.uint8 else out


@along
def count_nonzero(input, dim=None):
    """How many elements are not 0; NaN is not."""
    return ops.sum(input != 0, _dims(dim), False, None)


@along
@recorded_as("Nansum")
def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum of what is not NaN."""
    if input.dtype.is_floating_point:
        input = ops.where(ops.isnan(input), 0.0, input)
    return ops.sum(input, _dims(dim), keepdim, dtype)


@along
def nanmean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean of what is not NaN; NaN of nothing. Floating point."""
    if not input.dtype.is_floating_point:
        raise RuntimeError(
            "nanmean(): expected input to have floating point dtype but got "
            f"{input.dtype.name}; convert it first, e.g. x.float()"
        )
    count = ops.sum(ops.logical_not(ops.isnan(input)), _dims(dim), keepdim, None)
    return nansum(input, dim, keepdim, dtype=dtype) / count


@along
def argmax(input, dim=None, keepdim=False):
    """The index of the first largest element; without dim, in the flattened tensor."""
    return ops.argmax(input, dim, keepdim)


@along
def argmin(input, dim=None, keepdim=False):
    """The index of the first smallest element; without dim, in the flattened tensor."""
    return ops.argmin(input, dim, keepdim)


def _extreme(input, dim, keepdim, whole, along, pair, kind):
    if isinstance(dim, Tensor):  # max(x, y) is maximum(x, y)
        return pair(input, dim)
    if dim is None:
        return whole(input, None, False)
    return kind(*along(input, dim, keepdim))


@along
@recorded_as(whole("Max"))
def max(input, dim=None, keepdim=False):
    """The largest element; with dim, (values, indices); with a tensor, maximum()."""
    return _extreme(
        input, dim, keepdim, ops.amax, ops.max_dim, ops.maximum, return_types.max
    )


@along
@recorded_as(whole("Min"))
def min(input, dim=None, keepdim=False):
    """The smallest element; with dim, (values, indices); with a tensor, minimum()."""
    return _extreme(
        input, dim, keepdim, ops.amin, ops.min_dim, ops.minimum, return_types.min
    )


@along
@recorded_as("Aminmax")
def aminmax(input, *, dim=None, keepdim=False):
    """(min, max) of all elements or along dim; in a tie gradients are shared."""
    if dim is None and input.numel() == 0:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the "
            f"operation has no identity; the input is of shape {list(input.shape)}"
        )
    dims = _dims(dim)
    return return_types.aminmax(
        ops.amin(input, dims, keepdim), ops.amax(input, dims, keepdim)
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
