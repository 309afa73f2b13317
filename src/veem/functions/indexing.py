"""Elements read by index tensors and masks. Indices are int64 or int32."""

import math

from veem import _core, ops
from veem.autograd.names import recorded_as
from veem.functions.arranging import broadcast_shapes, broadcast_tensors
from veem.functions.registry import function, plain
from veem.functions.twins import with_out

# ---- along one dimension -------------------------------------------------------------


@function
@with_out
def gather(input, dim, index, *, sparse_grad=False):
    """out[i][j] = input[index[i][j]][j] for dim=0, input[i][index[i][j]] for dim=1."""
    return ops.gather(input, dim, index)


@function
def take_along_dim(input, indices, dim=None):
    """gather with the other dimensions broadcast; over all elements if dim is None.

    Negative indices count from the end.
    """
    if indices.dtype != _core.int64:
        raise RuntimeError(
            "take_along_dim(): dtype of indices should be Long but got "
            f"{indices.dtype.name}"
        )
    if dim is None:
        return take(input, indices.reshape(-1))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "take_along_dim(): input and indices should have the same number of "
            f"dimensions, but got {input.ndim} dimensions for input, and "
            f"{indices.ndim} dimensions for indices"
        )
    dim = input._wrap(dim)
    ends = [
        broadcast_shapes(input.shape[part], indices.shape[part])
        for part in (slice(dim), slice(dim + 1, None))
    ]
    x, i = (
        x.expand(*ends[0], *x.shape[dim : dim + 1], *ends[1]) for x in (input, indices)
    )
    return ops.gather(x, dim, ops.where(i < 0, i + input.size(dim), i))


@function
@with_out
def index_select(input, dim, index):
    """The slices of dim that a 1-d index names."""
    return ops.index_select(input, dim, index)


# ---- masks and positions -------------------------------------------------------------


@function
@with_out
@recorded_as("MaskedSelect")
def masked_select(input, mask):
    """The elements of input where mask is true, in one dimension; they broadcast."""
    if mask.dtype != _core.bool:
        raise RuntimeError(
            "masked_select: expected BoolTensor for mask, but got "
            f"{mask.dtype.name}; compare it first, e.g. mask != 0"
        )
    input, mask = broadcast_tensors(input, mask)
    return input[mask] if input.ndim else input.reshape(1)[mask.reshape(1)]


@function
def nonzero(input, *, as_tuple=False):
    """Where input is not 0: (number, ndim), or as_tuple an index for each dimension."""
    if not as_tuple:
        return ops.nonzero(input)
    found = ops.nonzero(input.reshape(1) if input.ndim == 0 else input)
    return tuple(ops.transpose(found, 0, 1))


@function
def nonzero_static(input, *, size, fill_value=-1):
    """nonzero with `size` rows: the first ones, and rows of fill_value after them."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: size must not be negative, got {size}")
    found = ops.nonzero(input)[:size]
    out = found.new_full((size, input.ndim), fill_value)
    out[: len(found)] = found
    return out


@function
def argwhere(input):
    """Where input is not 0: (number, ndim)."""
    return ops.nonzero(input)


@function
@with_out
@recorded_as("Take")
def take(input, index):
    """Elements by their number in the flattened input; negative: from the end."""
    if index.dtype != _core.int64:
        raise RuntimeError(
            f"take(): Expected a long tensor for index, but got {index.dtype.name}"
        )
    at = index.reshape(-1)
    return ops.index(input.reshape(-1), at, at).reshape(index.shape)


@plain
def unravel_index(indices, shape):
    """The numbers of elements of a flattened shape as an index for each dimension."""
    if indices.is_floating_point() or indices.dtype == _core.bool:
        raise TypeError(
            f"unravel_index: expected 'indices' to be integer dtype, but got "
            f"{indices.dtype}"
        )
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(not isinstance(n, int) for n in shape):
        raise TypeError(f"unravel_index: expected 'shape' to be ints, but got {shape}")
    if any(n < 0 for n in shape):
        raise ValueError(
            f"unravel_index: 'shape' cannot have negative values, but got {shape}"
        )
    indices = indices.long()
    steps = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    return tuple(indices // s % n for s, n in zip(steps, shape))
