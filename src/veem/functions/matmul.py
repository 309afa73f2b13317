"""Products of matrices and vectors."""

import math

from veem import _core, creation, ops
from veem.autograd.names import recorded_as
from veem.functions.arranging import broadcast_shapes
from veem.functions.registry import alias, function, listed, method, plain


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
@recorded_as("Bmm")
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
@recorded_as("Vdot")
def vdot(input, other):
    """The inner product of two vectors (of complex numbers: the first conjugated)."""
    _need("vdot", input=(input, 1), other=(other, 1))
    return ops.matmul(input, other)


@function
def outer(input, vec2):
    """The matrix of all products of two vectors' elements."""
    _need("outer", input=(input, 1), vec2=(vec2, 1))
    return ops.unsqueeze(input, 1) * vec2


alias("ger", "outer")


@function
def inner(input, other):
    """Sums of products along the last dimension of both."""
    if input.ndim == 0 or other.ndim == 0:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got "
            f"shapes {list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


# ---- a product added to something ----------------------------------------------------


def _mix(op, input, product, beta, alpha):
    """beta * input + alpha * product, where beta = 0 does not look at the input."""
    if input.dtype != product.dtype:
        raise RuntimeError(
            f"{op}: expected input and the matrices to have the same dtype, but got "
            f"{input.dtype.name} and {product.dtype.name}"
        )
    input = ops.expand(input, product.shape)
    if not input.is_floating_point():
        whole = bool if input.dtype == _core.bool else int
        beta, alpha = whole(beta), whole(alpha)
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else product + (input if beta == 1 else input * beta)


def _added(op, multiply, doc):
    """The function op, and its in-place twin."""

    def f(input, a, b, *, beta=1, alpha=1):
        return _mix(op, input, multiply(a, b), beta, alpha)

    def f_(self, a, b, *, beta=1, alpha=1):
        product = multiply(a, b)
        if product.shape != self.shape:
            raise RuntimeError(
                f"{op}_: The expanded size of the tensor {list(self.shape)} must match "
                f"the shape of the product, {list(product.shape)}"
            )
        return self.copy_(_mix(op + "_", self, product, beta, alpha))

    f.__name__, f.__doc__ = op, doc
    f_.__name__, f_.__doc__ = op + "_", doc
    method(f_)
    return function(recorded_as(op.capitalize())(f))


def _sum_of_products(batch1, batch2):
    """The sum over the batch as one product of matrices."""
    _need("addbmm", batch1=(batch1, 3), batch2=(batch2, 3))
    b, m, k = batch1.shape
    if batch2.shape[:2] != (b, k):
        raise RuntimeError(
            "addbmm: batch sizes and inner sizes must be equal, got shapes "
            f"{list(batch1.shape)} and {list(batch2.shape)}"
        )
    left = batch1.permute(1, 0, 2).reshape(m, b * k)
    return ops.matmul(left, batch2.reshape(b * k, batch2.shape[2]))


_added("addmm", mm, "beta * input + alpha * mat1 @ mat2.")
_added("addmv", mv, "beta * input + alpha * mat @ vec.")
_added("addr", outer, "beta * input + alpha * the outer product of two vectors.")
_added("baddbmm", bmm, "beta * input + alpha * batch1 @ batch2, batch by batch.")
_added(
    "addbmm", _sum_of_products, "beta * input + alpha * batch1 @ batch2, summed over b."
)


# ---- over any dimensions -------------------------------------------------------------


def _contracted(a, b, dims):
    if isinstance(dims, _core.Tensor):
        dims = dims.tolist()
    if not isinstance(dims, int):
        return [[x._wrap(d) for d in listed((ds,))] for x, ds in zip((a, b), dims)]
    if dims < 0:
        raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
    if dims > min(a.ndim, b.ndim):
        raise RuntimeError(
            f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims} for "
            f"shapes {list(a.shape)} and {list(b.shape)}"
        )
    return list(range(a.ndim - dims, a.ndim)), list(range(dims))


@plain
def tensordot(a, b, dims=2):
    """Sums of products over dims: two lists, or a number of a's last and b's first."""
    sums = _contracted(a, b, dims)
    if len(sums[0]) != len(sums[1]):
        raise RuntimeError(
            "tensordot: both dimension lists should have same length, got "
            f"{sums[0]} and {sums[1]}"
        )
    for i, j in zip(*sums):  # a size of 1 broadcasts
        m, n = a.shape[i], b.shape[j]
        if m == 1 != n:
            b = b.sum(j, keepdim=True, dtype=b.dtype)
        elif n == 1 != m:
            a = a.sum(i, keepdim=True, dtype=a.dtype)
        elif m != n:
            raise RuntimeError(
                f"tensordot: contracted dimensions need to match, but first has size "
                f"{m} in dim {i} and second has size {n} in dim {j}"
            )
    rows, columns = (
        [d for d in range(x.ndim) if d not in used] for x, used in zip((a, b), sums)
    )
    inner_size = math.prod(a.shape[d] for d in sums[0])
    shape = [a.shape[d] for d in rows] + [b.shape[d] for d in columns]
    left = a.permute(*rows, *sums[0]).reshape(
        math.prod(a.shape[d] for d in rows), inner_size
    )
    right = b.permute(*sums[1], *columns).reshape(
        inner_size, math.prod(b.shape[d] for d in columns)
    )
    return ops.matmul(left, right).reshape(shape)


# ---- of several matrices -------------------------------------------------------------


def _best_splits(sizes):
    """Where to split each run of matrices so that the products cost least."""
    n = len(sizes) - 1
    cost, split = {(i, i): 0 for i in range(n)}, {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (
                    cost[i, k]
                    + cost[k + 1, j]
                    + sizes[i] * sizes[k + 1] * sizes[j + 1],
                    k,
                )
                for k in range(i, j)
            )
    return split


def multi_dot(tensors):
    """The product of matrices in the cheapest order; both ends may be vectors."""
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError(
            f"multi_dot(): expected at least 2 tensors but got {len(tensors)}"
        )
    ends = tensors[0].ndim == 1, tensors[-1].ndim == 1
    if ends[0]:
        tensors[0] = tensors[0].unsqueeze(0)
    if ends[1]:
        tensors[-1] = tensors[-1].unsqueeze(1)
    for i, x in enumerate(tensors):
        if x.ndim != 2:
            raise RuntimeError(
                f"multi_dot(): tensor {i} must be 2D"
                f"{'' if 0 < i < len(tensors) - 1 else ' or 1D'} but got {x.ndim}D"
            )
    split = _best_splits([tensors[0].shape[0], *(x.shape[1] for x in tensors)])

    def product(i, j):
        if i == j:
            return tensors[i]
        k = split[i, j]
        return ops.matmul(product(i, k), product(k + 1, j))

    out = product(0, len(tensors) - 1)
    dims = tuple(d for d, vector in enumerate(ends) if vector)
    return ops.squeeze(out, dims) if dims else out


@plain
def chain_matmul(*matrices):
    """The product of matrices in the cheapest order."""
    for x in matrices:
        if x.ndim != 2:
            raise RuntimeError(
                f"chain_matmul: Tensor dimension is {x.ndim}, expected 2"
            )
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


@function
def matrix_power(input, n):
    """The product of n square matrices; of the inverse if n < 0. (..., m, m)."""
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            "matrix_power: A must be batches of square matrices, but got shape "
            f"{list(input.shape)}"
        )
    if n < 0:
        from veem import linalg

        input, n = linalg.inv(input), -n
    if n == 0:
        one = creation.eye(input.shape[-1], dtype=input.dtype, device=input.device)
        return ops.copy_from_(ops.clone(input), one)
    out = None
    while n:
        if n % 2:
            out = input if out is None else ops.matmul(out, input)
        n //= 2
        input = ops.matmul(input, input) if n else input
    return out


# ---- of vectors ----------------------------------------------------------------------


def _cross_dim(a, b, dim):
    if dim is not None:
        return dim
    shape = broadcast_shapes(a.shape, b.shape)
    if 3 not in shape:
        raise RuntimeError(f"cross: no dimension of size 3 in input of shape {shape}")
    return shape.index(3) - len(shape)


@function
@recorded_as("LinalgCross")
def cross(input, other, dim=None):
    """The vector product along dim, of size 3; by default the first of that size."""
    if input.ndim != other.ndim and dim is not None:
        raise RuntimeError(
            "cross: inputs must have the same number of dimensions, got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    dim = _cross_dim(input, other, dim)
    for x in (input, other):
        if x.size(dim) != 3:
            raise RuntimeError(
                f"cross: inputs dimension {dim} must have length 3. Got "
                f"{input.size(dim)} and {other.size(dim)}"
            )
    next_, last = (
        creation.tensor(order, device=input.device) for order in ((1, 2, 0), (2, 0, 1))
    )
    part = ops.index_select
    return part(input, dim, next_) * part(other, dim, last) - part(
        input, dim, last
    ) * part(other, dim, next_)


@plain
def vecdot(x, y, *, dim=-1):
    """Sums of products along one dimension; the others broadcast."""
    if x.size(dim) != y.size(dim):
        raise RuntimeError(
            "vecdot: Expected x and y to have the same size in the reduced dimension, "
            f"got shapes {list(x.shape)} and {list(y.shape)}"
        )
    x, y = x.movedim(dim, -1), y.movedim(dim, -1)
    return ops.matmul(x.unsqueeze(-2), y.unsqueeze(-1)).squeeze((-2, -1))
