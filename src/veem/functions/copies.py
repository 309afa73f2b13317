"""Views that are copies: x.t_copy() has memory of its own where x.t() has x's."""

from veem import creation, ops
from veem.functions.registry import function, names
from veem.functions.twins import with_out
from veem.tensor import Tensor

# Of functions that give a view, or a tuple of views.
VIEWS = """as_strided detach diagonal expand permute select split squeeze t transpose
unbind unfold unsqueeze view"""


def copying(name):
    """The function of a view, as one that gives memory of its own."""
    view = names.get(name) or getattr(Tensor, name)

    def copy(input, *args, **kwargs):
        out = view(input, *args, **kwargs)
        return tuple(map(ops.clone, out)) if isinstance(out, tuple) else ops.clone(out)

    copy.__name__ = name + "_copy"
    copy.__doc__ = f"A copy of what {name} is a view of."
    return with_out(copy)


names.update({name + "_copy": copying(name) for name in VIEWS.split()})
names["split_with_sizes_copy"] = names["split_copy"]


@with_out
def alias_copy(input):
    """A copy of the whole tensor."""
    return ops.clone(input)


names["alias_copy"] = alias_copy


@function
def unsafe_split(input, split_size, dim=0):
    """split, whose parts may be changed in place apart from each other."""
    return names["split_copy"](input, split_size, dim)


@function
def unsafe_chunk(input, chunks, dim=0):
    """chunk, whose parts may be changed in place apart from each other."""
    return tuple(map(ops.clone, names["chunk"](input, chunks, dim)))


names["unsafe_split_with_sizes"] = Tensor.unsafe_split_with_sizes = unsafe_split


@function
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of input with src where as_strided(input, size, stride, offset) looks."""
    offset = input.storage_offset() if storage_offset is None else storage_offset
    count = input.untyped_storage().nbytes() // input.itemsize
    places = creation.arange(count, device=input.device)
    kept = places.as_strided(input.shape, input.stride(), input.storage_offset())
    changed = places.as_strided(size, stride, offset)
    if changed.shape != src.shape:
        raise RuntimeError(
            "as_strided_scatter: expected src to have a size equal to the slice of "
            f"self: {list(src.shape)} and {list(changed.shape)}"
        )
    memory = input.new_zeros(count).scatter(0, kept.reshape(-1), input.reshape(-1))
    memory = memory.scatter(0, changed.reshape(-1), src.to(input.dtype).reshape(-1))
    return memory[kept]
