"""Inverses, determinants and systems of equations."""

import numpy as np

from veem import ops, return_types
from veem.autograd import Function
from veem.autograd.names import recorded_as
from veem.linalg.host import (
    LinAlgError,
    check_cpu,
    check_floats,
    check_square,
    lapack,
)

# ---- inverses ------------------------------------------------------------------------


class Inverse(Function):
    """d(A⁻¹) = -A⁻¹ dA A⁻¹."""

    @staticmethod
    def forward(ctx, a):
        out = lapack("linalg.inv", np.linalg.inv, a)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return -(out.mT @ g @ out.mT)


@recorded_as("LinalgInvEx")
def inv(A):
    """The inverse of square matrices (..., n, n). LinAlgError where one is singular."""
    check_square("linalg.inv", A)
    return Inverse.apply(A)


# ---- systems of equations ------------------------------------------------------------


class Solve(Function):
    """A X = B: dX = A⁻¹ (dB - dA X)."""

    @staticmethod
    def forward(ctx, a, b):
        out = lapack("linalg.solve", np.linalg.solve, a, b)
        ctx.save_for_backward(a, out)
        return out

    @staticmethod
    def backward(ctx, g):
        a, out = ctx.saved_tensors
        to_b = Solve.apply(a.mT, g)
        return -(to_b @ out.mT), to_b


def is_vector_batch(A, B):
    """Is B one vector for each matrix of A, and no matrix?"""
    return B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])


def _check_system(op, A, B, left, vector):
    check_cpu(op, A, B)
    check_floats(op, A, B)
    size = B.shape[-1 if vector or not left else -2]
    if size != A.shape[-1]:
        raise RuntimeError(
            f"{op}: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'}: {list(A.shape)} and {list(B.shape)}"
        )


@recorded_as("LinalgSolveEx")
def solve(A, B, *, left=True):
    """X with A X = B (or X A = B): A (..., n, n), B (..., n, k), or (..., n) vectors.

    LinAlgError where a matrix is singular.
    """
    check_square("linalg.solve", A)
    vector = is_vector_batch(A, B)
    if vector and not left:
        raise ValueError(
            "linalg.solve: Vector broadcasting of the left hand side is not "
            "supported for left=False; use B.unsqueeze(-1)"
        )
    _check_system("linalg.solve", A, B, left, vector)
    if vector:
        return Solve.apply(A, B.unsqueeze(-1)).squeeze(-1)
    return Solve.apply(A, B) if left else Solve.apply(A.mT, B.mT).mT


def _substitute(a, b, upper, unitriangular):
    """One row of X after the other, for the whole batch at once."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = np.broadcast_to(b, (*batch, *b.shape[-2:])).copy()
    n = a.shape[-1]
    for i in reversed(range(n)) if upper else range(n):
        known = slice(i + 1, n) if upper else slice(0, i)
        x[..., i, :] -= np.squeeze(a[..., i : i + 1, known] @ x[..., known, :], -2)
        if not unitriangular:
            x[..., i, :] /= a[..., i, i, None]
    return x


class SolveTriangular(Function):
    @staticmethod
    def forward(ctx, a, b, upper, unitriangular):
        out = lapack(
            "linalg.solve_triangular",
            _substitute,
            a,
            b,
            upper=upper,
            unitriangular=unitriangular,
        )
        ctx.save_for_backward(a, out)
        ctx.form = upper, unitriangular
        return out

    @staticmethod
    def backward(ctx, g):
        a, out = ctx.saved_tensors
        upper, unitriangular = ctx.form
        to_b = SolveTriangular.apply(a.mT, g, not upper, unitriangular)
        to_a = -(to_b @ out.mT)
        skip = int(unitriangular)
        to_a = to_a.triu(skip) if upper else to_a.tril(-skip)
        return to_a, to_b, None, None


@recorded_as("LinalgSolveTriangular")
def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """X with A X = B (or X A = B) for triangular A: the other half is not read.

    unitriangular takes A's diagonal for ones. A zero on it gives inf or nan.
    """
    op = "linalg.solve_triangular"
    check_square(op, A)
    if B.ndim < 2:
        raise RuntimeError(f"{op}: B must have at least 2 dimensions, got {B.ndim}")
    _check_system(op, A, B, left, False)
    if left:
        return SolveTriangular.apply(A, B, upper, unitriangular)
    return SolveTriangular.apply(A.mT, B.mT, not upper, unitriangular).mT


# ---- determinants --------------------------------------------------------------------


class Cofactors(Function):
    """The gradient of det, also where that is 0: det(A) A⁻ᵀ in terms of the SVD."""

    @staticmethod
    def forward(ctx, a):
        def cofactors(a):
            u, s, vh = np.linalg.svd(a)
            others = [np.delete(s, i, -1).prod(-1) for i in range(s.shape[-1])]
            sign = np.linalg.det(u) * np.linalg.det(vh)
            others = np.stack(others, -1) * sign[..., None]
            return ((u * others[..., None, :]) @ vh).astype(a.dtype)

        return lapack("linalg.det", cofactors, a)

    @staticmethod
    def backward(ctx, g):
        raise NotImplementedError(
            "linalg.det: the second derivative at a singular matrix is not implemented"
        )


class Determinant(Function):
    @staticmethod
    def forward(ctx, a):
        out = lapack("linalg.det", np.linalg.det, a)
        ctx.save_for_backward(a, out)
        return out

    @staticmethod
    def backward(ctx, g):
        a, out = ctx.saved_tensors
        if a.numel() == 0:
            return a.new_zeros(a.shape)
        g, out = (x.unsqueeze(-1).unsqueeze(-1) for x in (g, out))
        try:
            return g * out * Inverse.apply(a).mT
        except LinAlgError:
            return g * Cofactors.apply(a)


@recorded_as("LinalgDet")
def det(A):
    """The determinant of square matrices: (..., n, n) to (...)."""
    check_square("linalg.det", A)
    return Determinant.apply(A)


class SignAndLogDeterminant(Function):
    """d log|det A| = tr(A⁻¹ dA); the sign is constant."""

    @staticmethod
    def forward(ctx, a):
        sign, logabsdet = lapack("linalg.slogdet", np.linalg.slogdet, a)
        ctx.save_for_backward(a)
        return sign, logabsdet

    @staticmethod
    def backward(ctx, _, g):
        (a,) = ctx.saved_tensors
        return g.unsqueeze(-1).unsqueeze(-1) * Inverse.apply(a).mT


@recorded_as("LinalgSlogdet")
def slogdet(A):
    """(sign, logabsdet) of the determinant, which may be too large for a float."""
    check_square("linalg.slogdet", A)
    return return_types.linalg_slogdet(*SignAndLogDeterminant.apply(A))


def logdet(A):
    """The logarithm of the determinant; nan where it is negative."""
    check_square("logdet", A)
    sign, logabsdet = slogdet(A)
    return ops.where(sign < 0, float("nan"), logabsdet)


# ---- tensors as matrices -------------------------------------------------------------


def tensorinv(A, ind=2):
    """The inverse of A as a map from its dimensions after `ind` to those before."""
    if ind <= 0:
        raise RuntimeError(
            f"linalg.tensorinv: Expected a strictly positive ind, got {ind}"
        )
    rows, columns = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    m, n = (int(np.prod(s, dtype=np.int64)) for s in (rows, columns))
    if m != n:
        raise RuntimeError(
            "linalg.tensorinv: Expected self to satisfy the requirement "
            f"prod(self.shape[ind:]) == prod(self.shape[:ind]), but got {n} != {m}"
        )
    return inv(A.reshape(m, n)).reshape(columns + rows)


def tensorsolve(A, B, dims=None):
    """X with tensordot(A, X, X.ndim) = B; `dims` of A are moved to its end before."""
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(-len(dims), 0)))
    rest = tuple(A.shape[B.ndim :])
    n = int(np.prod(rest, dtype=np.int64))
    if n != B.numel():
        raise RuntimeError(
            "linalg.tensorsolve: Expected self to satisfy the requirement "
            f"prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got "
            f"{n} != {B.numel()}"
        )
    return solve(A.reshape(-1, n), B.reshape(-1)).reshape(rest)
