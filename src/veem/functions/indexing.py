"""Elements addressed by index tensors and masks. Indices are int64 or int32."""

from veem import _core, ops
from veem.functions.arranging import broadcast_tensors
from veem.functions.registry import function
from veem.tensor import Tensor


def _inplace(name, f):
    """Makes f the method x.name_(...), and x.clone().name_(...) the function."""

    def out_of_place(input, *args, **kwargs):
        return f(ops.clone(input), *args, **kwargs)

    out_of_place.__name__, out_of_place.__doc__ = name, f.__doc__
    setattr(Tensor, name + "_", f)
    function(out_of_place)
    return f


# ---- along one dimension -------------------------------------------------------------


@function
def gather(input, dim, index, *, sparse_grad=False):
    """out[i][j] = input[index[i][j]][j] for dim=0, input[i][index[i][j]] for dim=1."""
    return ops.gather(input, dim, index)


@function
def take_along_dim(input, indices, dim=None):
    """gather with the other dimensions broadcast; over all elements if dim is None."""
    if dim is None:
        return ops.gather(input.reshape(-1), 0, indices.reshape(-1))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "take_along_dim(): input and indices should have the same number of "
            f"dimensions, but got {input.ndim} dimensions for input, and "
            f"{indices.ndim} dimensions for indices"
        )
    dim = input._wrap(dim)
    sizes = [max(a, b) for a, b in zip(input.shape, indices.shape)]
    both = [
        x.expand(*sizes[:dim], x.shape[dim], *sizes[dim + 1 :])
        for x in (input, indices)
    ]
    return ops.gather(both[0], dim, both[1])


@function
def index_select(input, dim, index):
    """The slices of dim that a 1-d index names."""
    return ops.index_select(input, dim, index)


def scatter_(self, dim, index, src=None, *, value=None, reduce=None):
    """self[index[i][j]][j] = src[i][j] for dim=0, and so on; src a tensor or a number.

    reduce: "add" or "multiply" instead of assigning.
    """
    src = value if src is None else src
    if reduce is None:
        return ops.scatter_(self, dim, index, src)
    if reduce == "add":
        return ops.scatter_add_(self, dim, index, src)
    if reduce != "multiply":
        raise RuntimeError(
            f"reduce argument must be either add or multiply, not {reduce!r}"
        )
    if isinstance(src, Tensor):
        raise NotImplementedError("scatter_: reduce='multiply' takes a number as src")
    return ops.scatter_(self, dim, index, ops.gather(self, dim, index) * src)


def scatter_add_(self, dim, index, src):
    """self[index[i][j]][j] += src[i][j] for dim=0, and so on; what meets is summed."""
    return ops.scatter_add_(self, dim, index, src)


def index_add_(self, dim, index, source, *, alpha=1):
    """The slices of dim that index names += alpha * source; what meets is summed."""
    return ops.index_add_(self, dim, index, source if alpha == 1 else source * alpha)


def _slices(x, dim, index):
    if index.ndim > 1:
        raise IndexError(f"Index should be a vector or a number, got {index.ndim}-d")
    return (slice(None),) * x._wrap(dim) + (index.reshape(-1),)


def index_fill_(self, dim, index, value):
    """The slices of dim that the index names = a number."""
    return ops.index_put_(self, _slices(self, dim, index), value, False, index)


def index_copy_(self, dim, index, source):
    """The slices of dim that the index names = source."""
    return ops.index_put_(self, _slices(self, dim, index), source, False, index)


def index_put_(self, indices, values, accumulate=False):
    """self[indices] = values, or += where accumulate; what meets is summed."""
    return ops.index_put_(self, tuple(indices), values, accumulate, *indices)


def masked_fill_(self, mask, value):
    """self = value (a number or a 0-d tensor) where mask is true."""
    return ops.masked_fill_(self, mask, value)


for _f in (scatter_, scatter_add_, index_add_, index_fill_, index_copy_, index_put_):
    _inplace(_f.__name__[:-1], _f)
Tensor.masked_fill_ = masked_fill_


# ---- masks and positions -------------------------------------------------------------


def _check_mask(name, mask):
    if mask.dtype != _core.bool:
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype "
            f"{mask.dtype.name}; compare it first, e.g. mask != 0"
        )


@function
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


@function
def masked_select(input, mask):
    """The elements of input where mask is true, in one dimension; they broadcast."""
    _check_mask("masked_select", mask)
    input, mask = broadcast_tensors(input, mask)
    return input[mask] if input.ndim else input.reshape(1)[mask.reshape(1)]


@function
def nonzero(input, *, as_tuple=False):
    """Where input is not 0: (number, ndim), or as_tuple an index for each dimension."""
    if not as_tuple:
        return ops.nonzero(input)
    return tuple(
        ops.transpose(ops.nonzero(input.reshape(1) if input.ndim == 0 else input), 0, 1)
    )


@function
def argwhere(input):
    """Where input is not 0: (number, ndim)."""
    return ops.nonzero(input)


@function
def take(input, index):
    """Elements by their number in the flattened input; negative: from the end."""
    return input.reshape(-1)[index]
