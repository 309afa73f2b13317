"""LU: rows exchanged, A is a lower triangle with ones times an upper one: A = P L U."""

import math

import numpy as np

from veem import _core, creation, ops, return_types
from veem.autograd import Function
from veem.linalg.host import check_floats, check_matrix, lapack
from veem.linalg.solve import solve_triangular


def _eliminate(a, pivot):
    """(L and U in one matrix, pivots from 1 on, info) column by column, for the batch.

    info is the number of the first pivot that is 0, or 0.
    """
    a = a.copy()
    *batch, m, n = a.shape
    k, flat = min(m, n), a.reshape(math.prod(batch), m, n)
    pivots = np.tile(np.arange(1, k + 1, dtype=np.int32), (len(flat), 1))
    info, every = np.zeros(len(flat), np.int32), np.arange(len(flat))
    for j in range(k):
        if pivot:
            row = j + np.abs(flat[:, j:, j]).argmax(-1)
            pivots[:, j] = row + 1
            upper = flat[:, j].copy()
            flat[:, j] = flat[every, row]
            flat[every, row] = upper
        zero = flat[:, j, j] == 0
        info[zero & (info == 0)] = j + 1
        flat[:, j + 1 :, j] /= np.where(zero, 1, flat[:, j, j])[:, None]
        flat[:, j + 1 :, j + 1 :] -= (
            flat[:, j + 1 :, j, None] * flat[:, j, None, j + 1 :]
        )
    return flat.reshape(a.shape), pivots.reshape(*batch, k), info.reshape(batch)


def _order(pivots, m):
    """Of which row of A each row of L U is made: (..., k) exchanges to (..., m)."""
    *batch, k = pivots.shape
    exchanges = pivots.numpy().reshape(math.prod(batch), k)
    rows = np.tile(np.arange(m), (len(exchanges), 1))
    every = np.arange(len(rows))
    for i, j in enumerate(exchanges.T - 1):
        upper = rows[:, i].copy()
        rows[:, i] = rows[every, j]
        rows[every, j] = upper
    return rows.reshape(*batch, m)


def _permutation(pivots, m, dtype):
    """P of A = P L U, (..., m, m)."""
    order = _core.from_numpy(_order(pivots, m))
    rows = creation.arange(m)
    return (rows.unsqueeze(-1) == order.unsqueeze(-2)).to(dtype)


def _lower(packed):
    """L, (..., m, k), from the matrix with both."""
    m, n = packed.shape[-2:]
    k = min(m, n)
    return packed[..., :k].tril(-1) + creation.eye(m, k, dtype=packed.dtype)


def _upper(packed):
    return packed[..., : packed.shape[-1], :][..., : min(packed.shape[-2:]), :].triu()


class LU(Function):
    """With L U = PᵀA: dL U + L dU = PᵀdA.

    Of a square matrix, G = L⁻ᵀ (tril₋₁(LᵀgL) + triu(gU Uᵀ)) U⁻ᵀ is the gradient of PᵀA.
    Where A is wider or taller, the columns or rows beyond the square are L or U times
    known ones; what they send to those is inside of the brackets.
    """

    @staticmethod
    def forward(ctx, a, pivot):
        packed, pivots, info = lapack("linalg.lu_factor", _eliminate, a, pivot=pivot)
        ctx.save_for_backward(packed, pivots)
        ctx.mark_non_differentiable(pivots, info)
        return packed, pivots, info

    @staticmethod
    def backward(ctx, g, _pivots, _info):
        packed, pivots = ctx.saved_tensors
        m, n = packed.shape[-2:]
        k = min(m, n)
        low, up = _lower(packed), _upper(packed)
        square_low, square_up = low[..., :k, :], up[..., :k]
        corner = g[..., :k, :k]
        to_low = square_low.mT @ corner.tril(-1)
        to_up = corner.triu() @ square_up.mT
        if n > k:
            to_low = to_low - g[..., k:] @ up[..., k:].mT
        if m > k:
            to_up = to_up - low[..., k:, :].mT @ g[..., k:, :]
        inner = to_low.tril(-1) + to_up.triu()
        inner = solve_triangular(square_up.mT, inner, upper=False, left=False)
        out = solve_triangular(square_low.mT, inner, upper=True, unitriangular=True)
        if n > k:
            rest = solve_triangular(
                square_low.mT, g[..., k:], upper=True, unitriangular=True
            )
            out = ops.cat(-1, out, rest)
        if m > k:
            rest = solve_triangular(
                square_up.mT, g[..., k:, :], upper=False, left=False
            )
            out = ops.cat(-2, out, rest)
        return _permutation(pivots, m, g.dtype) @ out, None


def lu_factor_ex(A, *, pivot=True, check_errors=False):
    """(LU, pivots, info) of (..., m, n): L lies below the diagonal, U from there on.

    pivots: int32, from 1 on: row i was exchanged with row pivots[i]. info: int32, the
    number of the first pivot that is 0; 0 where there is none. pivot: False exchanges
    no rows.
    """
    check_matrix("linalg.lu_factor", A)
    out = return_types.linalg_lu_factor_ex(*LU.apply(A, pivot))
    if check_errors and out.info.any():
        raise RuntimeError(
            "linalg.lu_factor: U is singular: a pivot is 0, and solving with these "
            f"factors would divide by it (the first at info = {out.info.tolist()})"
        )
    return out


def lu_factor(A, *, pivot=True):
    """(LU, pivots) of (..., m, n), for lu_solve. See lu_factor_ex."""
    return return_types.linalg_lu_factor(*lu_factor_ex(A, pivot=pivot)[:2])


def lu(A, *, pivot=True):
    """(P, L, U), A = P L U: (..., m, m), (..., m, k) and (..., k, n), k = min(m, n).

    P is empty where pivot is False.
    """
    check_matrix("linalg.lu", A)
    packed, pivots, _ = LU.apply(A, pivot)
    P = _permutation(pivots, A.shape[-2], A.dtype) if pivot else A.new_empty(0)
    return return_types.linalg_lu(P, _lower(packed), _upper(packed))


def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True):
    """(P, L, U) of what lu_factor gave; empty ones where they are not asked for."""
    if LU_pivots.dtype != _core.int32:
        raise RuntimeError(
            "lu_unpack: LU_pivots is expected to be a contiguous tensor of "
            f"veem.int32 dtype, not {LU_pivots.dtype}"
        )
    none = LU_data.new_empty(0)
    P = _permutation(LU_pivots, LU_data.shape[-2], LU_data.dtype)
    L, U = (_lower(LU_data), _upper(LU_data)) if unpack_data else (none, none)
    return return_types.lu_unpack(P if unpack_pivots else none, L, U)


def solve_factored(LU, pivots, B, *, left=True, adjoint=False):
    """X with A X = B (or X A = B) from A's lu_factor; with Aᵀ for A if adjoint."""
    op = "linalg.lu_solve"
    check_matrix(op, LU, B)
    check_floats(op, LU, B)
    if LU.shape[-1] != LU.shape[-2]:
        raise RuntimeError(f"{op}: LU must be square, got {list(LU.shape)}")
    if pivots.dtype != _core.int32:
        raise RuntimeError(f"{op}: pivots should be int32, not {pivots.dtype.name}")
    if LU.shape[-1] != pivots.shape[-1]:
        raise RuntimeError(
            f"{op}: Number of pivots per batch should be same as the dimension of the "
            f"matrix, got {pivots.shape[-1]} and {LU.shape[-1]}"
        )
    if B.shape[-2 if left else -1] != LU.shape[-1]:
        raise RuntimeError(
            f"{op}: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'}: {list(LU.shape)} and {list(B.shape)}"
        )
    if not left:
        return solve_factored(LU, pivots, B.mT, adjoint=not adjoint).mT
    P = _permutation(pivots, LU.shape[-1], LU.dtype)
    if adjoint:
        half = solve_triangular(LU.mT, B, upper=False)
        whole = solve_triangular(LU.mT, half, upper=True, unitriangular=True)
        return P @ whole
    half = solve_triangular(LU, P.mT @ B, upper=False, unitriangular=True)
    return solve_triangular(LU, half, upper=True)
