"""Shapes: views wherever one can do it."""

import math

from veem import _core, ops
from veem.autograd.names import recorded_as
from veem.functions.registry import alias, function, listed, method, plain
from veem.layout import check_format, contiguous_format
from veem.tensor import Tensor


@function
def reshape(input, *sizes, shape=None):
    """Another shape, the same elements in order: a view where possible, else a copy."""
    return ops.reshape(input, listed(sizes, shape))


@method
def reshape_as(self, other):
    """reshape to the other's shape."""
    return ops.reshape(self, other.shape)


@method
def view(self, *sizes, size=None, dtype=None):
    """Another shape over the same memory; raises where only a copy can do it.

    Given a dtype, the same bytes as elements of that: of another size, they make the
    last dimension, whose stride must be 1, longer or shorter.
    """
    if sizes and isinstance(sizes[0], _core.dtype):
        (dtype,) = sizes
    return (
        ops.view(self, listed(sizes, size))
        if dtype is None
        else view_dtype(self, dtype)
    )


def view_dtype(x, dtype):
    return x if dtype == x.dtype else ops.view_as(x, dtype)


@method
def view_as(self, other):
    """A view of the other's shape."""
    return ops.view(self, other.shape)


@function
def flatten(input, start_dim=0, end_dim=-1):
    """Dimensions start_dim to end_dim as one."""
    start, end = input._wrap(start_dim), input._wrap(end_dim)
    if input.ndim == 0:
        return ops.reshape(input, (1,))
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
    sizes = listed((sizes,))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    dim, shape = input._wrap(dim), input.shape
    size = input.size(dim)
    known = -math.prod(sizes) if -1 in sizes else math.prod(sizes)
    if (known == 0 and -1 in sizes) or (size % known if -1 in sizes else known != size):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of "
            f"dim {dim} ({size}) in the input tensor"
        )
    sizes = tuple(size // known if s == -1 else s for s in sizes)
    return ops.view(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))


@function
def ravel(input):
    """All elements in one dimension."""
    return ops.reshape(input, (-1,))


# ---- the dimensions in another order -------------------------------------------------


@function
def transpose(input, dim0, dim1):
    """Two dimensions exchanged."""
    return ops.transpose(input, dim0, dim1)


@function
def permute(input, *order, dims=None):
    """The dimensions in another order."""
    return ops.permute(input, listed(order, dims))


@function
@recorded_as("T")
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
def adjoint(input):
    """The last two dimensions exchanged (of complex numbers: conjugated too)."""
    return input.mT


@function
def movedim(input, source, destination):
    """Dimensions moved to other places, the rest kept in order."""
    source, target = (
        [input._wrap(d) for d in listed((s,))] for s in (source, destination)
    )
    if len(source) != len(target):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({source} dims) should contain the same number of dims as destination "
            f"({target} dims)"
        )
    for what, dims in (("source", source), ("destination", target)):
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{what}` ({dims})")
    rest = iter([d for d in range(input.ndim) if d not in source])
    moved = dict(zip(target, source))
    return ops.permute(
        input, tuple(moved[i] if i in moved else next(rest) for i in range(input.ndim))
    )


# ---- dimensions of size 1 ------------------------------------------------------------


@function
def squeeze(input, dim=None):
    """Without the dimensions of size 1, or without those in `dim` that have it."""
    dim = (dim,) if isinstance(dim, int) else dim
    if dim is not None and len({input._wrap(d) for d in dim}) < len(dim):
        raise RuntimeError(f"squeeze: dim appears multiple times in the list of {dim}")
    return ops.squeeze(input, dim)


@function
def unsqueeze(input, dim):
    """With a dimension of size 1 inserted at dim."""
    return ops.unsqueeze(input, dim)


@method
def expand(self, *sizes, size=None):
    """Dimensions of size 1 repeated without copying; -1 leaves one as it is."""
    return ops.expand(self, listed(sizes, size))


@method
def expand_as(self, other):
    """expand to the other's shape."""
    return ops.expand(self, other.shape)


@function
def broadcast_to(input, size):
    """Dimensions of size 1 repeated without copying."""
    return ops.expand(input, tuple(size))


def _at_least(raise_one):
    """f(x) of one tensor, or a tuple for several or for a sequence."""

    def f(*tensors):
        one = len(tensors) == 1
        if one and not isinstance(tensors[0], _core.Tensor):
            one, tensors = False, tensors[0]
        out = tuple(raise_one(x) for x in tensors)
        return out[0] if one else out

    f.__name__, f.__doc__ = raise_one.__name__, raise_one.__doc__
    return plain(f)


@_at_least
def atleast_1d(x):
    """Tensors with a dimension where they have none."""
    return x if x.ndim else ops.view(x, (1,))


@_at_least
def atleast_2d(x):
    """Tensors with at least two dimensions: new ones come first."""
    return x if x.ndim > 1 else ops.view(x, (1, x.numel()))


@_at_least
def atleast_3d(x):
    """Tensors with at least three dimensions: (n) is (1, n, 1), (m, n) is (m, n, 1)."""
    x = atleast_2d(x)
    return x if x.ndim > 2 else ops.unsqueeze(x, -1)


# ---- windows on memory ---------------------------------------------------------------


@function
def as_strided(input, size, stride, storage_offset=None):
    """A view of the memory behind input: element [i, j] lies at offset + i s0 + j s1.

    Without storage_offset it starts where input does. It may overlap itself.
    """
    offset = input.storage_offset() if storage_offset is None else storage_offset
    return ops.as_strided(input, listed((size,)), listed((stride,)), offset)


@method
def unfold(self, dimension, size, step):
    """Windows of `size` elements along a dimension, `step` apart, as a view.

    (..., n, ...) becomes (..., (n - size) // step + 1, ..., size).
    """
    return ops.unfold(self, dimension, size, step)


@function
def narrow(input, dim, start, length):
    """The `length` entries from `start` on along dim, as a view."""
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    size = input.size(dim)
    if isinstance(start, _core.Tensor):
        if start.ndim or start.is_floating_point() or start.dtype == _core.bool:
            raise RuntimeError("narrow: start must be an 0-dim integral Tensor.")
        start = start.item()
    if not -size <= start <= size:
        raise IndexError(
            f"narrow: start out of range (expected to be in range of [-{size}, "
            f"{size}], but got {start})"
        )
    start = start + size if start < 0 else start
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if start + length > size:
        raise RuntimeError(
            f"narrow: start ({start}) + length ({length}) exceeds dimension size "
            f"({size})."
        )
    return ops.slice(input, dim, start, start + length, 1)


@function
@recorded_as("NarrowCopy")
def narrow_copy(input, dim, start, length):
    """narrow as a copy."""
    return ops.clone(narrow(input, dim, start, length))


@function
def select(input, dim, index):
    """One index of a dimension, which disappears, as a view."""
    return ops.select(input, dim, index)


# ---- copies --------------------------------------------------------------------------


@function
def contiguous(input, *, memory_format=None):
    """The tensor itself where it lies in memory row by row, else a copy that does."""
    check_format("contiguous", memory_format)
    return input if input.is_contiguous() else ops.contiguous(input)


@function
def clone(input, *, memory_format=None):
    """A copy; gradients flow through it."""
    check_format("clone", memory_format)
    if memory_format is contiguous_format and not input.is_contiguous():
        return ops.contiguous(input)
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


@method
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


@method
@recorded_as("Zero")
def zero_(self):
    """Sets every element to 0."""
    return _core.ops.fill_(self, 0)


@method
def copy_(self, src, non_blocking=False):
    """Copies src into self: broadcast, cast, from any device."""
    return ops.copy_from_(self, src)


alias("swapaxes", "transpose")
alias("swapdims", "transpose")
alias("moveaxis", "movedim")


# ---- views that a tensor becomes itself ----------------------------------------------


def _itself(view):
    """x.squeeze_(): x becomes the view of itself that x.squeeze() is."""

    def f(self, *args, **kwargs):
        out = view(self, *args, **kwargs)
        if self.requires_grad and self.is_leaf and _core.is_grad_enabled():
            raise RuntimeError(
                f"{f.__name__}: a leaf Variable that requires grad is being used in an "
                "in-place operation; wrap it in veem.no_grad()"
            )
        self.data = out
        if out.grad_fn is not None:
            self._set_history(out.grad_fn, out.output_nr)
        self._bump_version()
        return self

    f.__name__, f.__doc__ = view.__name__ + "_", f"{view.__name__} in place."
    return method(f)


for _f in (squeeze, unsqueeze, transpose, t, as_strided):
    _itself(_f)
Tensor.swapaxes_ = Tensor.swapdims_ = Tensor.transpose_


@method
def resize_(self, *sizes, size=None, memory_format=None):
    """Another shape over its memory from its first element on; new memory if that is
    too little, where elements beyond the old ones are whatever was there.
    """
    check_format("resize_", memory_format)
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape = listed(sizes, size)
    if min(shape, default=0) < 0:
        raise RuntimeError(f"resize_: negative size in {list(shape)}")
    needed = self.storage_offset() + math.prod(shape)
    memory = _core.whole_storage(self)
    if memory.numel() < needed:
        larger = memory.new_empty(needed)
        larger[: memory.numel()] = memory
        memory = larger
    strides = tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
    self.data = ops.as_strided(memory, shape, strides, self.storage_offset())
    self._bump_version()
    return self


@method
def resize_as_(self, the_template, *, memory_format=None):
    """resize_ to the shape of another tensor."""
    return resize_(self, the_template.shape, memory_format=memory_format)
