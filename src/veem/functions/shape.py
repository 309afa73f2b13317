"""Shapes: views wherever one can do it."""

import math

from veem import _core, ops
from veem.functions.registry import alias, function, names
from veem.tensor import Tensor


@function
def reshape(input, *shape):
    """Another shape, the same elements in order: a view where possible, else a copy."""
    shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    return ops.reshape(input, tuple(shape))


@function
def flatten(input, start_dim=0, end_dim=-1):
    """Dimensions start_dim to end_dim as one."""
    if input.ndim == 0:
        return ops.reshape(input, (1,))
    start, end = input._wrap(start_dim), input._wrap(end_dim)
    if start > end:
        raise RuntimeError(
            "flatten() has invalid args: start_dim cannot come after end_dim"
        )
    shape = input.shape
    merged = math.prod(shape[start : end + 1])
    return ops.reshape(input, (*shape[:start], merged, *shape[end + 1 :]))


@function
def unflatten(input, dim, sizes):
    """Dimension dim split into `sizes`, of which one may be -1."""
    dim, shape = input._wrap(dim), input.shape
    known = -math.prod(sizes) if -1 in sizes else math.prod(sizes)
    if (known == 0 and -1 in sizes) or (
        shape[dim] % known if -1 in sizes else known != shape[dim]
    ):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of "
            f"dim {dim} ({shape[dim]}) in the input tensor"
        )
    sizes = tuple(shape[dim] // known if s == -1 else s for s in sizes)
    return ops.view(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))


@function
def ravel(input):
    """All elements in one dimension."""
    return ops.reshape(input, (-1,))


@function
def transpose(input, dim0, dim1):
    """Two dimensions exchanged."""
    return ops.transpose(input, dim0, dim1)


@function
def permute(input, *dims):
    """The dimensions in another order."""
    return ops.permute(
        input, dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    )


@function
def t(input):
    """The transpose of a matrix; vectors and numbers as they are."""
    if input.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D; "
            "use .mT or transpose(dim0, dim1)"
        )
    return (
        ops.transpose(input, 0, 1) if input.ndim == 2 else ops.view(input, input.shape)
    )


@function
def movedim(input, source, destination):
    """Dimensions moved to other places, the rest kept in order."""
    as_tuple = lambda d: (d,) if isinstance(d, int) else tuple(d)
    source = [input._wrap(d) for d in as_tuple(source)]
    target = [input._wrap(d) for d in as_tuple(destination)]
    if len(source) != len(target) or len(set(source)) < len(source):
        raise RuntimeError(f"movedim: repeated or unequal dims: {source} to {target}")
    rest = iter([d for d in range(input.ndim) if d not in source])
    moved = dict(zip(target, source))
    return ops.permute(
        input, tuple(moved[i] if i in moved else next(rest) for i in range(input.ndim))
    )


@function
def squeeze(input, dim=None):
    """Without the dimensions of size 1, or without those in `dim` that have it."""
    dim = (dim,) if isinstance(dim, int) else dim
    return ops.squeeze(input, dim)


@function
def unsqueeze(input, dim):
    """With a dimension of size 1 inserted at dim."""
    return ops.unsqueeze(input, dim)


@function
def broadcast_to(input, size):
    """Dimensions of size 1 repeated without copying."""
    return ops.expand(input, tuple(size))


@function
def contiguous(input):
    """The tensor itself where it lies in memory row by row, else a copy that does."""
    return input if input.is_contiguous() else ops.contiguous(input)


@function
def clone(input):
    """A copy; gradients flow through it."""
    return ops.clone(input)


@function
def detach(input):
    """The same memory without history."""
    return _core.Tensor.detach(input)


Tensor.detach = _core.Tensor.detach


@function
def numel(input):
    """The number of elements."""
    return _core.Tensor.numel(input)


Tensor.numel = _core.Tensor.numel


def _tensors(tensors, op):
    tensors = list(tensors)
    if not tensors:
        error = RuntimeError if op == "stack" else ValueError  # as in PyTorch
        raise error(f"{op}: expected a non-empty list of Tensors")
    for i, x in enumerate(tensors):
        if not isinstance(x, _core.Tensor):
            raise TypeError(
                f"{op}: expected Tensor as element {i} in argument 0, but got "
                f"{type(x).__name__}"
            )
    return tensors


def cat(tensors, dim=0):
    """Tensors joined along an existing dimension."""
    return ops.cat(dim, *_tensors(tensors, "cat"))


def stack(tensors, dim=0):
    """Tensors of one shape joined along a new dimension."""
    tensors = _tensors(tensors, "stack")
    for i, x in enumerate(tensors):
        if x.shape != tensors[0].shape:
            raise RuntimeError(
                "stack expects each tensor to be equal size, but got "
                f"{list(tensors[0].shape)} at entry 0 and {list(x.shape)} at entry {i}"
            )
    dim = dim + tensors[0].ndim + 1 if dim < 0 else dim
    return ops.cat(dim, *[ops.unsqueeze(x, dim) for x in tensors])


names.update(cat=cat, stack=stack, concat=cat, concatenate=cat)


@function
def narrow(input, dim, start, length):
    """The `length` entries from `start` on along dim, as a view."""
    size = input.size(dim)
    start = start + size if start < 0 else start
    if length < 0 or start < 0 or start + length > size:
        raise RuntimeError(
            f"narrow: start ({start}) + length ({length}) exceeds dimension size "
            f"({size})"
        )
    return ops.slice(input, dim, start, start + length, 1)


@function
def select(input, dim, index):
    """One index of a dimension, which disappears, as a view."""
    return ops.select(input, dim, index)


@function
def unbind(input, dim=0):
    """A tuple of views, one for each index of dim."""
    return tuple(ops.select(input, dim, i) for i in range(input.size(dim)))


@function
def split(input, split_size_or_sections, dim=0):
    """Views of the given size (the last may be smaller), or of the given sizes."""
    size = input.size(dim)
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and size != 0):
            raise RuntimeError(f"split: split_size must be positive, but got {step}")
        sections = [min(step, size - at) for at in range(0, size, step or 1)] or [0]
    else:
        sections = list(split_size_or_sections)
        if sum(sections) != size or min(sections, default=0) < 0:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {size} (input "
                f"tensor's size at dimension {dim}), but got split_sizes={sections}"
            )
    starts = [sum(sections[:i]) for i in range(len(sections))]
    return tuple(ops.slice(input, dim, a, a + n, 1) for a, n in zip(starts, sections))


@function
def chunk(input, chunks, dim=0):
    """At most `chunks` views of equal size (the last may be smaller)."""
    if chunks <= 0:
        raise RuntimeError(
            f"chunk expects `chunks` to be greater than 0, got: {chunks}"
        )
    size = input.size(dim)
    return split(input, max(-(-size // chunks), 1), dim)


@function
def repeat(input, *repeats):
    """The tensor repeated along each dimension, as a copy."""
    repeats = (
        repeats[0] if len(repeats) == 1 and not isinstance(repeats[0], int) else repeats
    )
    lead = len(repeats) - input.ndim
    if lead < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of "
            f"dimensions of tensor: {tuple(repeats)} for shape {list(input.shape)}"
        )
    shape = (1,) * lead + tuple(input.shape)
    x = ops.reshape(input, tuple(n for s in shape for n in (1, s)))
    x = ops.expand(x, tuple(n for r, s in zip(repeats, shape) for n in (r, s)))
    return ops.reshape(x, tuple(r * s for r, s in zip(repeats, shape)))


del names["repeat"]  # torch has it as a method only


@function
def fill_(self, value):
    """Sets every element to a number, or to a 0-d tensor's value."""
    if isinstance(value, _core.Tensor):
        if value.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{value.ndim} dimensions"
            )
        return ops.copy_from_(self, value)
    return _core.ops.fill_(self, value)


@function
def zero_(self):
    """Sets every element to 0."""
    return _core.ops.fill_(self, 0)


@function
def copy_(self, src, non_blocking=False):
    """Copies src into self: broadcast, cast, from any device."""
    return ops.copy_from_(self, src)


for _name in ("fill_", "zero_", "copy_"):
    names.pop(_name)

alias("swapaxes", "transpose")
alias("swapdims", "transpose")
alias("moveaxis", "movedim")
