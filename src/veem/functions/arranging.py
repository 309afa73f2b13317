"""The same elements in another order or number: reversed, shifted, repeated."""

import numpy as np

from veem import _core, creation, ops
from veem.autograd.names import recorded_as
from veem.functions.registry import function, listed, method, names


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
    if len(tensors) == 1 and not isinstance(tensors[0], _core.Tensor):
        (tensors,) = tensors
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
    if not tensors:
        raise ValueError("meshgrid: expected a non-empty list of Tensors")
    if len({(x.dtype, x.device) for x in tensors}) > 1:
        raise RuntimeError(
            "meshgrid: expected all tensors to have the same dtype and device"
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
@recorded_as("Flip")
def flip(input, *axes, dims=None):
    """The order of the elements reversed along each of the dimensions."""
    dims = [input._wrap(d) for d in listed(axes, dims)]
    if len(set(dims)) < len(dims):
        raise RuntimeError(
            f"flip: dim appears multiple times in the list of dims {dims}"
        )
    if not dims or input.ndim == 0:
        return ops.clone(input)
    for d in dims:
        backwards = creation.arange(input.size(d) - 1, -1, -1, device=input.device)
        input = ops.index_select(input, d, backwards)
    return input


@function
def fliplr(input):
    """The order reversed along the second dimension."""
    if input.ndim < 2:
        raise RuntimeError("fliplr: Input must be >= 2-d.")
    return flip(input, 1)


@function
def flipud(input):
    """The order reversed along the first dimension."""
    if input.ndim < 1:
        raise RuntimeError("flipud: Input must be >= 1-d.")
    return flip(input, 0)


@function
@recorded_as("Rot90")
def rot90(input, k=1, dims=(0, 1)):
    """Turned k times by 90 degrees, from the first of two dimensions to the second."""
    if len(dims) != 2:
        raise RuntimeError(
            f"rot90: expected total rotation dims == 2, but got dims = {len(dims)}"
        )
    if input.ndim < 2:
        raise RuntimeError(
            f"rot90: expected total dims >= 2, but got total dims = {input.ndim}"
        )
    a, b = (input._wrap(d) for d in dims)
    if a == b:
        raise RuntimeError(
            f"rot90: expected rotation dims to be different, but got {dims}"
        )
    turns = {0: ops.clone, 1: lambda x: flip(x, b), 2: lambda x: flip(x, a, b)}
    turned = turns.get(k % 4, lambda x: flip(x, a))(input)
    return ops.transpose(turned, a, b) if k % 2 else turned


@function
@recorded_as("Roll")
def roll(input, shifts, dims=None):
    """Elements shifted along dimensions; what leaves at one end enters at the other."""
    shifts = listed((shifts,))
    if not shifts:
        raise RuntimeError("roll: `shifts` required")
    if dims is None or listed((dims,)) == ():
        if len(shifts) > 1:
            raise RuntimeError(
                "roll: shifts and dimensions must align. shifts: "
                f"{len(shifts)}, dims: 0"
            )
        return roll(input.reshape(-1), shifts, 0).reshape(input.shape)
    dims = listed((dims,))
    if len(shifts) != len(dims):
        raise RuntimeError(
            "roll: shifts and dimensions must align. shifts: "
            f"{len(shifts)}, dims: {len(dims)}"
        )
    for shift, d in zip(shifts, dims):
        n = input.size(d)
        at = n - shift % n if n else 0
        head, tail = ops.slice(input, d, 0, at, 1), ops.slice(input, d, at, n, 1)
        input = ops.cat(d, tail, head)
    return input


@method
@recorded_as("Repeat")
def repeat(self, *times, repeats=None):
    """The tensor repeated along each dimension, as a copy."""
    repeats = listed(times, repeats)
    lead = len(repeats) - self.ndim
    if lead < 0:
        raise RuntimeError(
            "repeat: Number of dimensions of repeat dims can not be smaller than "
            f"number of dimensions of tensor: {repeats} for shape {list(self.shape)}"
        )
    if min(repeats, default=0) < 0:
        raise RuntimeError(f"repeat: negative repeats in {repeats}")
    shape = (1,) * lead + tuple(self.shape)
    x = ops.reshape(self, tuple(n for s in shape for n in (1, s)))
    x = ops.expand(x, tuple(n for r, s in zip(repeats, shape) for n in (r, s)))
    return ops.view(ops.clone(x), tuple(r * s for r, s in zip(repeats, shape)))


@function
@recorded_as("Repeat")
def tile(input, *times, dims=None):
    """The tensor repeated along its last dimensions, or along more than it has."""
    dims = listed(times, dims)
    return input.repeat((1,) * (input.ndim - len(dims)) + dims)


def _counts(repeats):
    if isinstance(repeats, int):
        return repeats
    if repeats.ndim > 1 or repeats.dtype not in (_core.int64, _core.int32):
        raise RuntimeError(
            "repeat_interleave: repeats must be a number or a 1-d tensor of int64 or "
            f"int32, got shape {list(repeats.shape)} of {repeats.dtype.name}"
        )
    return repeats.cpu().numpy()


def _check_output_size(expected, total):
    if expected is not None and expected != total:
        raise RuntimeError(
            f"repeat_interleave: output_size {expected} does not match the required "
            f"size {total}"
        )


def _interleave_name(_out, repeats):
    return "View" if isinstance(repeats, int) else None


@function
@recorded_as(_interleave_name)
def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Every slice of dim repeated; repeats is a number or has one for each slice.

    Of one tensor of counts: the index i as often as the i-th count says.
    """
    if repeats is None:
        rows = creation.arange(input.numel(), device=input.device)
        return repeat_interleave(
            rows.to(input.dtype), input, 0, output_size=output_size
        )
    if dim is None:
        input, dim = input.reshape(-1), 0
    counts, size = _counts(repeats), input.size(dim)
    if np.size(counts) not in (1, size):
        raise RuntimeError(
            "repeat_interleave: repeats must have the same size as input along dim, "
            f"but got {np.size(counts)} for size {size}"
        )
    if np.min(counts, initial=0) < 0:
        raise RuntimeError("repeat_interleave: repeats can not be negative")
    rows = np.repeat(np.arange(size), counts)
    _check_output_size(output_size, len(rows))
    out = ops.index_select(
        input.reshape(1) if input.ndim == 0 else input,
        dim,
        creation.tensor(rows, device=input.device),
    )
    return out
