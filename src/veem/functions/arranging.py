"""The same elements in another order or number: reversed, shifted, repeated."""

import numpy as np

from veem import creation, ops
from veem.functions.registry import function, names


def broadcast_shapes(*shapes):
    """The shape that all broadcast to."""
    from veem.tensor import Size

    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError:
        raise RuntimeError(
            f"broadcast_shapes: shapes {[list(s) for s in shapes]} do not broadcast: "
            "sizes at each dimension must be equal or 1"
        ) from None


def broadcast_tensors(*tensors):
    """Views of the tensors, all of the shape that they broadcast to."""
    shape = broadcast_shapes(*(x.shape for x in tensors))
    return tuple(ops.expand(x, shape) for x in tensors)


def meshgrid(*tensors, indexing="ij"):
    """Vectors as grids: out[0][i, j] = tensors[0][i], out[1][i, j] = tensors[1][j]."""
    tensors = (
        tensors[0] if len(tensors) == 1 and not hasattr(tensors[0], "ndim") else tensors
    )
    if indexing not in ("ij", "xy"):
        raise RuntimeError(
            f"meshgrid: indexing must be one of 'xy' or 'ij', got {indexing!r}"
        )
    if any(x.ndim > 1 for x in tensors):
        raise RuntimeError("meshgrid: expected 0D or 1D tensors")
    swap = indexing == "xy" and len(tensors) > 1
    tensors = [tensors[1], tensors[0], *tensors[2:]] if swap else list(tensors)
    sizes = tuple(x.numel() for x in tensors)
    out = []
    for i, x in enumerate(tensors):
        shape = [1] * len(tensors)
        shape[i] = sizes[i]
        out.append(ops.expand(ops.reshape(x, tuple(shape)), sizes))
    if swap:
        out[:2] = out[1], out[0]
    return tuple(out)


names.update(
    broadcast_shapes=broadcast_shapes,
    broadcast_tensors=broadcast_tensors,
    meshgrid=meshgrid,
)


@function
def flip(input, *dims):
    """The order of the elements reversed along each of the dimensions."""
    dims = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    if len({input._wrap(d) for d in dims}) < len(dims):
        raise RuntimeError(
            f"flip: dim appears multiple times in the list of dims {list(dims)}"
        )
    for d in dims if input.ndim else ():
        n = input.size(d)
        input = ops.index_select(
            input, d, creation.arange(n - 1, -1, -1, device=input.device)
        )
    return input if dims and input.ndim else ops.clone(input)


@function
def roll(input, shifts, dims=None):
    """Elements shifted along dimensions; what leaves at one end enters at the other."""
    if dims is None:
        return roll(input.reshape(-1), shifts, 0).reshape(input.shape)
    shifts = (shifts,) if isinstance(shifts, int) else shifts
    dims = (dims,) if isinstance(dims, int) else dims
    if len(shifts) != len(dims):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    for shift, d in zip(shifts, dims):
        n = input.size(d)
        at = n - shift % n if n else 0
        head, tail = ops.slice(input, d, 0, at, 1), ops.slice(input, d, at, n, 1)
        input = ops.cat(d, tail, head)
    return input


@function
def repeat_interleave(input, repeats, dim=None):
    """Every slice of dim repeated; repeats is a number or has one for each slice."""
    if dim is None:
        input, dim = input.reshape(-1), 0
    counts = repeats if isinstance(repeats, int) else repeats.cpu().numpy()
    try:
        rows = np.repeat(np.arange(input.size(dim)), counts)
    except ValueError as error:
        raise RuntimeError(f"repeat_interleave: {error}") from None
    return ops.index_select(input, dim, creation.tensor(rows, device=input.device))
