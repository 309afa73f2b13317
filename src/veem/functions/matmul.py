"""Products of matrices and vectors."""

from veem import ops
from veem.functions.registry import function


def _need(op, **dims):
    for name, (x, ndim) in dims.items():
        if x.ndim != ndim:
            raise RuntimeError(
                f"{op}: {name} must be a {ndim}-d tensor, got shape {list(x.shape)}; "
                "matmul takes any number of dimensions"
            )


@function
def matmul(input, other):
    """input @ other: (..., m, k) by (..., k, n) to (..., m, n); 1-d ones: vectors."""
    return ops.matmul(input, other)


@function
def mm(input, mat2):
    """The product of two matrices."""
    _need("mm", input=(input, 2), mat2=(mat2, 2))
    return ops.matmul(input, mat2)


@function
def bmm(input, mat2):
    """The products of two batches of matrices, (b, m, k) by (b, k, n)."""
    _need("bmm", input=(input, 3), mat2=(mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        raise RuntimeError(
            f"bmm: batch sizes {input.shape[0]} and {mat2.shape[0]} must be equal"
        )
    return ops.matmul(input, mat2)


@function
def mv(input, vec):
    """A matrix by a vector."""
    _need("mv", input=(input, 2), vec=(vec, 1))
    return ops.matmul(input, vec)


@function
def dot(input, tensor):
    """The inner product of two vectors."""
    _need("dot", input=(input, 1), tensor=(tensor, 1))
    return ops.matmul(input, tensor)


@function
def outer(input, vec2):
    """The matrix of all products of two vectors' elements."""
    _need("outer", input=(input, 1), vec2=(vec2, 1))
    return ops.unsqueeze(input, 1) * vec2


def _mix(product, input, beta, alpha):
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else product + (input if beta == 1 else input * beta)


@function
def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * mat1 @ mat2."""
    return _mix(mm(mat1, mat2), input, beta, alpha)


@function
def addmv(input, mat, vec, *, beta=1, alpha=1):
    """beta * input + alpha * mat @ vec."""
    return _mix(mv(mat, vec), input, beta, alpha)


@function
def baddbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * batch1 @ batch2, batch by batch."""
    return _mix(bmm(batch1, batch2), input, beta, alpha)
