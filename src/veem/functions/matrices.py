"""Parts of matrices: triangles, diagonals, blocks."""

from veem import _core, creation, ops
from veem.autograd.names import recorded_as
from veem.functions.registry import function, method, names, plain
from veem.tensor import Tensor


def _below(rows, columns, diagonal, device):
    """True at and below the diagonal."""
    row = creation.arange(rows, device=device)
    column = creation.arange(columns, device=device)
    return row.unsqueeze(1) + diagonal >= column


def _matrix_mask(x, name, diagonal):
    if x.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    return _below(x.shape[-2], x.shape[-1], diagonal, x.device)


@function
@recorded_as("Tril")
def tril(input, diagonal=0):
    """The lower triangle of the last two dimensions; 0 above the diagonal."""
    return ops.where(_matrix_mask(input, "tril", diagonal), input, False)


@function
@recorded_as("Triu")
def triu(input, diagonal=0):
    """The upper triangle of the last two dimensions; 0 below the diagonal."""
    return ops.where(_matrix_mask(input, "triu", diagonal - 1), False, input)


Tensor.tril_ = lambda self, diagonal=0: self.copy_(tril(self, diagonal))
Tensor.triu_ = lambda self, diagonal=0: self.copy_(triu(self, diagonal))


def tril_indices(row, col, offset=0, *, dtype=_core.int64, device="cpu"):
    """(2, n): rows and columns of the lower triangle."""
    return ops.transpose(ops.nonzero(_below(row, col, offset, device)), 0, 1).to(dtype)


def triu_indices(row, col, offset=0, *, dtype=_core.int64, device="cpu"):
    """(2, n): rows and columns of the upper triangle."""
    upper = ops.logical_not(_below(row, col, offset - 1, device))
    return ops.transpose(ops.nonzero(upper), 0, 1).to(dtype)


names.update(tril_indices=tril_indices, triu_indices=triu_indices)


@function
def diagonal(input, offset=0, dim1=0, dim2=1):
    """The diagonal of two dimensions, as the last dimension of a view."""
    return ops.diagonal(input, offset, dim1, dim2)


@function
@recorded_as("Trace")
def trace(input):
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise RuntimeError(
            f"trace: expected a matrix, but got tensor with {input.ndim} dims"
        )
    return ops.diagonal(input, 0, 0, 1).sum()


def _diag_name(_out, input):
    return "DiagonalBackward0_copy" if input.ndim == 2 else "DiagEmbed"


@function
@recorded_as(_diag_name)
def diag(input, diagonal=0):
    """A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector."""
    if input.ndim == 2:
        return ops.clone(ops.diagonal(input, diagonal, 0, 1))
    if input.ndim != 1:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return diag_embed(input, diagonal)


@function
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """The last dimension as the diagonal of two new ones, zeros elsewhere."""
    ndim = input.ndim + 1
    for d in (dim1, dim2):
        if not -ndim <= d < ndim:
            raise IndexError(
                f"diag_embed: Dimension out of range (expected to be in range of "
                f"[{-ndim}, {ndim - 1}], but got {d})"
            )
    a, b = sorted((dim1 % ndim, dim2 % ndim))
    if a == b:
        raise RuntimeError(
            f"diag_embed: diagonal dimensions cannot be identical {dim1}, {dim2}"
        )
    shape = list(input.shape)
    n = shape.pop() + abs(offset)
    shape.insert(a, n)
    shape.insert(b, n)
    return ops.diagonal_backward(input, tuple(shape), offset, dim1, dim2)


@function
def diagflat(input, offset=0):
    """All elements as the diagonal of a matrix."""
    return diag_embed(input.reshape(-1), offset)


@method
def fill_diagonal_(self, fill_value, wrap=False):
    """Sets the diagonal; with wrap, that of a tall matrix begins again below."""
    if self.ndim < 2:
        raise RuntimeError("fill_diagonal_: dimensions must larger than 1")
    if self.ndim > 2 and len(set(self.shape)) > 1:
        raise RuntimeError(
            "fill_diagonal_: all dimensions of input must be of equal length"
        )
    mask = self.new_zeros(self.shape, dtype=_core.bool)
    step, n = sum(mask.stride()), min(self.shape)
    if wrap and self.ndim == 2:
        n = -(-self.numel() // step)
    elif n:
        n = min(n, -(-self.numel() // step))
    mask.as_strided((n,), (step,)).fill_(True)
    return _core.ops.masked_fill_(self, mask, fill_value)


@function
def kron(input, other):
    """Every element of input times other, as blocks: (a, b) by (c, d) to (ac, bd)."""
    ndim = max(input.ndim, other.ndim)
    x, y = (z.reshape((1,) * (ndim - z.ndim) + tuple(z.shape)) for z in (input, other))
    blocks = x.reshape([n for s in x.shape for n in (s, 1)]) * y.reshape(
        [n for s in y.shape for n in (1, s)]
    )
    return blocks.reshape([m * n for m, n in zip(x.shape, y.shape)])


def powers(x, n):
    """1, x, x^2 ... as a last dimension: products, as exact as they can be."""
    if n < 0:
        raise RuntimeError(f"vander: N must be non-negative, got {n}")
    x = x if x.is_floating_point() else x.long()
    exponents = creation.arange(n, device=x.device)
    return x.unsqueeze(-1) ** exponents


@plain
def vander(x, N=None, increasing=False):
    """The powers of a vector's elements as columns, the highest first."""
    if x.ndim != 1:
        raise RuntimeError("vander: x must be a one-dimensional tensor.")
    out = powers(x, len(x) if N is None else N)
    return out if increasing else out.flip(1)


def _check_src(op, src, view):
    if src.shape != view.shape:
        raise RuntimeError(
            f"{op}: expected src to have the shape of the part that it takes the place "
            f"of, {list(view.shape)}, got {list(src.shape)}"
        )


def _replaced(input, index, src):
    out = ops.clone(input)
    out[index] = src
    return out


@function
@recorded_as("SelectScatter")
def select_scatter(input, src, dim, index):
    """input, with src at one index of a dimension."""
    _check_src("select_scatter", src, ops.select(input, dim, index))
    return _replaced(input, (slice(None),) * input._wrap(dim) + (index,), src)


@function
@recorded_as("SliceScatter")
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """input, with src at a slice of a dimension."""
    index = (slice(None),) * input._wrap(dim) + (slice(start, end, step),)
    _check_src("slice_scatter", src, input[index])
    return _replaced(input, index, src)


@function
@recorded_as("DiagonalScatter")
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """input, with src as the diagonal of two dimensions."""
    where = (offset, dim1, dim2)
    _check_src("diagonal_scatter", src, ops.diagonal(input, *where))
    mask = ops.diagonal_backward(
        creation.ones_like(src, dtype=_core.bool), input.shape, *where
    )
    return ops.where(mask, ops.diagonal_backward(src, input.shape, *where), input)
