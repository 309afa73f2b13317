"""Norms of vectors and matrices, on every device but for those of singular values."""

import math

from veem import ops
from veem.functions.registry import listed
from veem.functions.statistics import vector_norm
from veem.linalg.decompose import svdvals


def _as_floats(op, x, dtype):
    if dtype is not None:
        if not dtype.is_floating_point:
            raise RuntimeError(f"{op}: dtype should be floating point, but got {dtype}")
        if dtype.itemsize < x.dtype.itemsize and x.is_floating_point():
            raise RuntimeError(
                f"{op}: the dtype of the input ({x.dtype.name}) should be convertible "
                f"without narrowing to the specified dtype ({dtype.name})"
            )
        return x.to(dtype)
    if not x.is_floating_point():
        raise RuntimeError(
            f"{op}: Expected a floating point tensor as input. Got {x.dtype.name}; "
            "convert it first, e.g. x.float()"
        )
    return x


_ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """The norms of the matrices that two dimensions make. Floating point.

    ord "fro": of their elements as vectors; "nuc": the sum of singular values; 2, -2:
    the largest, the smallest of them; 1, -1: the largest, the smallest sum of a
    column's absolute values; inf, -inf: of a row's.
    """
    op = "linalg.matrix_norm"
    if ord not in _ORDERS:
        raise RuntimeError(f"{op}: Order {ord} not supported.")
    dims = listed((dim,))
    if A.ndim < 2:
        raise RuntimeError(
            f"{op}: The input tensor A must have at least 2 dimensions, got {A.ndim}"
        )
    if len(dims) != 2:
        raise RuntimeError(f"{op}: dim must be a 2-tuple. Got {dims}")
    rows, columns = (A._wrap(d) for d in dims)
    if rows == columns:
        raise RuntimeError(f"{op}: dims must be different. Got {dims}")
    A = _as_floats(op, A, dtype)
    if ord == "fro":
        return vector_norm(A, 2, dims, keepdim)
    if ord in ("nuc", 2, -2):
        return _of_singular_values(A, ord, rows, columns, keepdim)
    first, second = (rows, columns) if abs(ord) == 1 else (columns, rows)
    out = _extreme(ops.sum(ops.abs(A), (first,), True, None), second, ord > 0)
    return out if keepdim else ops.squeeze(out, (rows, columns))


def _extreme(values, dim, largest):
    """The largest or the smallest of numbers >= 0; the largest of none is 0."""
    if largest and values.size(dim) == 0:
        return values.sum(dim, keepdim=True)
    if largest:
        return ops.amax(values, (dim,), True)
    if values.size(dim) == 0:
        raise IndexError(
            "linalg.matrix_norm: Expected reduction dim to have non-zero size, got the "
            f"shape {list(values.shape)}"
        )
    return ops.amin(values, (dim,), True)


def _of_singular_values(A, ord, rows, columns, keepdim):
    values = svdvals(A.movedim((rows, columns), (-2, -1)))
    if ord == "nuc":
        out = values.sum(-1)
    else:
        out = _extreme(values, -1, ord == 2).squeeze(-1)
    for d in sorted((rows, columns)) if keepdim else ():
        out = ops.unsqueeze(out, d)
    return out


def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """vector_norm or matrix_norm: of a matrix where dim names two dimensions, or where
    ord is given without dim and A is 2-d.
    """
    if dim is not None and len(listed((dim,))) not in (1, 2) and ord is not None:
        raise RuntimeError(
            "linalg.norm: If dim is specified, it must be of length 1 or 2. Got "
            f"{list(listed((dim,)))}"
        )
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None and A.ndim not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or "
            f"2D. Got {A.ndim}D"
        )
    if dim is None and A.ndim == 2:
        return matrix_norm(A, ord, (0, 1), keepdim, dtype=dtype)
    if dim is not None and len(listed((dim,))) == 2:
        return matrix_norm(A, ord, dim, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: Order {ord} needs a matrix, got a vector")
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)
