"""Tensors joined, and taken apart again: parts are views."""

import itertools

from veem import _core, creation, ops
from veem.autograd.names import recorded_as
from veem.functions.registry import function, names, plain
from veem.functions.shape import atleast_1d, atleast_2d, atleast_3d
from veem.functions.twins import with_out

# ---- joined --------------------------------------------------------------------------


def _tensors(tensors, op):
    if isinstance(tensors, _core.Tensor):
        raise TypeError(f"{op}: expected a tuple of Tensors, but got one Tensor")
    tensors = list(tensors)
    if not tensors:
        error = ValueError if op == "cat" else RuntimeError  # as in PyTorch
        raise error(f"{op}: expected a non-empty list of Tensors")
    for i, x in enumerate(tensors):
        if not isinstance(x, _core.Tensor):
            raise TypeError(
                f"{op}: expected Tensor as element {i} in argument 0, but got "
                f"{type(x).__name__}"
            )
    return tensors


@plain
@with_out
def cat(tensors, dim=0):
    """Tensors joined along an existing dimension."""
    return ops.cat(dim, *_tensors(tensors, "cat"))


@plain
@recorded_as("Stack")
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


@plain
def hstack(tensors):
    """Joined along the second dimension; vectors along their only one."""
    tensors = atleast_1d(_tensors(tensors, "hstack"))
    return ops.cat(0 if tensors[0].ndim == 1 else 1, *tensors)


@plain
def vstack(tensors):
    """Joined along the first dimension; vectors are rows."""
    return ops.cat(0, *atleast_2d(_tensors(tensors, "vstack")))


@plain
def dstack(tensors):
    """Joined along the third dimension."""
    return ops.cat(2, *atleast_3d(_tensors(tensors, "dstack")))


@plain
def column_stack(tensors):
    """Joined along the second dimension; vectors are columns."""
    tensors = _tensors(tensors, "column_stack")
    return hstack([x if x.ndim > 1 else x.reshape(-1, 1) for x in tensors])


names.update(concat=cat, concatenate=cat, row_stack=vstack)


@plain
@recorded_as("BlockDiag")
def block_diag(*tensors):
    """A matrix with the given ones on its diagonal and zeros elsewhere."""
    tensors = _tensors(tensors or [creation.empty(1, 0)], "block_diag")
    for i, x in enumerate(tensors):
        if x.ndim > 2:
            raise RuntimeError(
                "block_diag: Input tensors must have 2 or fewer dimensions. "
                f"Input {i} has {x.ndim} dimensions"
            )
    blocks = atleast_2d(tensors)
    width, at, rows = sum(b.shape[1] for b in blocks), 0, []
    for b in blocks:
        n, m = b.shape
        right = b.new_zeros(n, width - at - m)
        rows.append(ops.cat(1, b.new_zeros(n, at), b, right))
        at += m
    return ops.cat(0, *rows)


@plain
def cartesian_prod(*tensors):
    """All ways to take one element of each vector, as rows."""
    for x in tensors:
        if x.ndim != 1:
            raise RuntimeError(f"cartesian_prod: Expect a 1D vector, but got {x.shape}")
    if len(tensors) == 1:
        return tensors[0]
    return stack([g.reshape(-1) for g in names["meshgrid"](*tensors)], 1)


@plain
def combinations(input, r=2, with_replacement=False):
    """All ways to take r elements of a vector in their order, as rows."""
    if input.ndim != 1:
        raise RuntimeError(
            f"combinations: Expect a 1D vector, but got shape {list(input.shape)}"
        )
    if r < 0:
        raise RuntimeError(f"combinations: Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty(0)
    meshgrid = names["meshgrid"]
    places = meshgrid(*[creation.arange(len(input), device=input.device)] * r)
    keep = creation.ones(places[0].shape, dtype=_core.bool, device=input.device)
    for a, b in zip(places, places[1:]):
        keep = keep & (a <= b if with_replacement else a < b)
    return stack([g[keep] for g in meshgrid(*[input] * r)], 1)


# ---- taken apart ---------------------------------------------------------------------


def _parts(input, sizes, dim):
    ends = list(itertools.accumulate(sizes))
    return tuple(ops.slice(input, dim, e - n, e, 1) for n, e in zip(sizes, ends))


@function
@recorded_as("Unbind")
def unbind(input, dim=0):
    """A tuple of views, one for each index of dim."""
    if input.ndim == 0:
        raise IndexError(
            "unbind: Dimension specified as 0 but tensor has no dimensions"
        )
    return tuple(ops.select(input, dim, i) for i in range(input.size(dim)))


def _need_dims(input, op):
    if input.ndim == 0:
        raise RuntimeError(f"{op} expects at least a 1-dimensional tensor")


@function
@recorded_as("SplitWithSizes")
def split_with_sizes(input, split_sizes, dim=0):
    """Views of the given sizes."""
    _need_dims(input, "split")
    size, split_sizes = input.size(dim), list(split_sizes)
    if sum(split_sizes) != size or min(split_sizes, default=0) < 0:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input "
            f"tensor's size at dimension {dim}), but got split_sizes={split_sizes}"
        )
    return _parts(input, split_sizes, dim)


def _split_name(_part, split_size_or_sections):
    return "Split" if isinstance(split_size_or_sections, int) else "SplitWithSizes"


@function
@recorded_as(_split_name)
def split(input, split_size_or_sections, dim=0):
    """Views of the given size (the last may be smaller), or of the given sizes."""
    _need_dims(input, "split")
    if not isinstance(split_size_or_sections, int):
        return split_with_sizes(input, split_size_or_sections, dim)
    size, step = input.size(dim), split_size_or_sections
    if step < 0:
        raise RuntimeError(
            f"split expects split_size be non-negative, but got split_size={step}"
        )
    if step == 0 and size != 0:
        raise RuntimeError(
            "split: split_size can only be 0 if dimension size is 0, but got dimension "
            f"size of {size}"
        )
    sizes = [min(step, size - at) for at in range(0, size, step or 1)] or [0]
    return _parts(input, sizes, dim)


@function
@recorded_as("Split")
def chunk(input, chunks, dim=0):
    """At most `chunks` views of equal size (the last may be smaller)."""
    if chunks <= 0:
        raise RuntimeError(
            f"chunk expects `chunks` to be greater than 0, got: {chunks}"
        )
    _need_dims(input, "chunk")
    size = input.size(dim)
    if size == 0:
        return _parts(input, [0] * chunks, dim)
    return split(input, -(-size // chunks), dim)


def _sections(given, op):
    """A number of parts, or the positions between them, from ints or a tensor."""
    if isinstance(given, _core.Tensor):
        if given.dtype != _core.int64 or given._device_name != "cpu" or given.ndim > 1:
            raise RuntimeError(
                f"{op} expected indices or sections to be 0-d or 1-d, of dtype int64 "
                f"and on the CPU, but got shape {list(given.shape)} of "
                f"{given.dtype.name} on {given._device_name}"
            )
        given = given.tolist()
    return given if isinstance(given, int) else list(given)


@function
def tensor_split(input, indices_or_sections, dim=0):
    """Views: so many, of sizes that differ by at most 1, or cut at the given places."""
    if input.ndim == 0:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor "
            "with 0 dims"
        )
    cuts, size = _sections(indices_or_sections, "tensor_split"), input.size(dim)
    if not isinstance(cuts, int):
        edges = [0, *cuts, size]
        ends = zip(edges, edges[1:])
        return tuple(ops.slice(input, dim, a, b, 1) for a, b in ends)
    if cuts <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {cuts}")
    short, longer = divmod(size, cuts)
    return _parts(input, [short + (i < longer) for i in range(cuts)], dim)


def _split_along(name, dim, least):
    def f(input, indices_or_sections=None, *, indices=None, sections=None):
        given = [x for x in (indices_or_sections, indices, sections) if x is not None]
        cuts = _sections(given[0], name)
        if input.ndim < least:
            raise RuntimeError(
                f"{name} requires a tensor with at least {least} dimension"
                f"{'s' if least > 1 else ''}, but got a tensor with {input.ndim} "
                "dimensions!"
            )
        d = dim if input.ndim > dim else 0
        if isinstance(cuts, int) and (cuts <= 0 or input.size(d) % cuts):
            raise RuntimeError(
                f"{name} attempted to split along dimension {d}, but the size of "
                f"the dimension {input.size(d)} is not divisible by the split_size "
                f"{cuts}!"
            )
        return tensor_split(input, cuts, d)

    f.__name__ = name
    f.__doc__ = f"tensor_split along dimension {dim}, into parts of equal size."
    return function(f)


_split_along("hsplit", 1, 1)
_split_along("vsplit", 0, 2)
_split_along("dsplit", 2, 3)
