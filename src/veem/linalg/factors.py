"""Reflections, exponentials, and factors of low rank."""

import math

import numpy as np

from veem import creation, random, return_types
from veem.linalg.decompose import qr, svd
from veem.linalg.host import check_floats, check_matrix, lapack
from veem.linalg.solve import solve_triangular

# ---- Householder's reflections -------------------------------------------------------


def geqrf(input):
    """(a, tau): R in a's upper triangle, and below it the reflections that make Q.

    It has no gradient; linalg.qr has.
    """
    check_matrix("geqrf", input)

    def raw(a):
        packed, tau = np.linalg.qr(a, mode="raw")
        return np.swapaxes(packed, -1, -2), tau

    return return_types.geqrf(*lapack("geqrf", raw, input.detach()))


def _check_reflections(op, input, tau):
    check_matrix(op, input)
    check_floats(op, input, tau)
    if tau.shape[-1:] > input.shape[-1:] or tau.shape[:-1] != input.shape[:-2]:
        raise RuntimeError(
            f"{op}: input.shape[-1] must be greater than or equal to tau.shape[-1], "
            f"and batches equal, got {list(input.shape)} and {list(tau.shape)}"
        )


def _reflect(x, input, tau, order):
    """H x for H = 1 - tau v vᵀ, one after the other; v has a 1 and zeros above it."""
    unit = input.tril(-1) + creation.eye(*input.shape[-2:], dtype=input.dtype)
    for i in order:
        v = unit[..., i : i + 1]
        x = x - tau[..., i, None, None] * v @ (v.mT @ x)
    return x


def householder_product(A, tau):
    """The first n columns of H₀ H₁ ... from geqrf's results: (..., m, n)."""
    op = "linalg.householder_product"
    _check_reflections(op, A, tau)
    if A.shape[-2] < A.shape[-1]:
        raise RuntimeError(
            f"{op}: input.shape[-2] must be greater than or equal to input.shape[-1], "
            f"got {list(A.shape)}"
        )
    one = creation.eye(*A.shape[-2:], dtype=A.dtype).expand(A.shape)
    return _reflect(one, A, tau, reversed(range(tau.shape[-1])))


def ormqr(input, tau, other, left=True, transpose=False):
    """Q other (or other Q) for the whole Q of geqrf's results; Qᵀ if transpose."""
    _check_reflections("ormqr", input, tau)
    check_matrix("ormqr", other)
    if other.shape[-2 if left else -1] != input.shape[-2]:
        raise RuntimeError(
            f"ormqr: other.shape[{-2 if left else -1}] must be equal to "
            f"input.shape[-2], got {list(other.shape)} and {list(input.shape)}"
        )
    if not left:  # (Qᵀ otherᵀ)ᵀ
        return ormqr(input, tau, other.mT, True, not transpose).mT
    order = range(tau.shape[-1])
    return _reflect(other, input, tau, order if transpose else reversed(order))


# ---- the exponential -----------------------------------------------------------------

_TERMS = 18  # of the series; for a norm of at most 1, the next is 1/19! = 8e-18


def matrix_exp(A):
    """1 + A + A²/2! + ... of square matrices (..., n, n).

    A is halved until its norm is below 1, and the series' sum squared as often.
    """
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_exp: A must be batches of square matrices, but they have "
            f"shape {list(A.shape)}"
        )
    if not A.is_floating_point():
        raise RuntimeError(
            f"linalg.matrix_exp: Expected a floating point tensor, got {A.dtype.name}"
        )
    if A.numel() == 0:
        return A.clone()
    norm = A.detach().abs().sum(-2).amax().item()
    halvings = max(0, math.ceil(math.log2(norm))) if 0 < norm < math.inf else 0
    small, one = (
        A * 2.0**-halvings,
        creation.eye(A.shape[-1], dtype=A.dtype, device=A.device),
    )
    out = one + small / _TERMS
    for i in range(_TERMS - 1, 0, -1):  # Horner: 1 + A/1 (1 + A/2 (1 + A/3 ...))
        out = one + small @ out / i
    for _ in range(halvings):
        out = out @ out
    return out


# ---- low rank ------------------------------------------------------------------------


def _approximate_basis(A, q, niter):
    """Q (..., m, q) whose columns nearly span A's: algorithm 4.4 of Halko, 2009."""
    start = random.randn(A.shape[-1], q, dtype=A.dtype)
    Q = qr(A @ start).Q
    for _ in range(niter):
        Q = qr(A @ qr(A.mT @ Q).Q).Q
    return Q


def svd_lowrank(A, q=6, niter=2, M=None):
    """(U, S, V) with A - M nearly U diag(S) Vᵀ of rank q: (..., m, n).

    By a random basis, made better `niter` times.
    """
    check_matrix("svd_lowrank", A)
    A = A if M is None else A - M.expand(A.shape)
    m, n = A.shape[-2:]
    if not 0 <= q <= min(m, n):
        raise ValueError(
            f"svd_lowrank: q (={q}) must be a non-negative integer and not greater "
            f"than min(m, n) = {min(m, n)}"
        )
    if niter < 0:
        raise ValueError(f"svd_lowrank: niter (={niter}) must be non-negative")
    wide = m < n
    A = A.mT if wide else A
    Q = _approximate_basis(A, q, niter)
    U, S, Vh = svd(Q.mT @ A, full_matrices=False)
    U, V = Q @ U, Vh.mT
    return (V, S, U) if wide else (U, S, V)


def pca_lowrank(A, q=None, center=True, niter=2):
    """svd_lowrank of A less the means of its columns: principal components in V."""
    check_matrix("pca_lowrank", A)
    q = min(6, *A.shape[-2:]) if q is None else q
    if not 0 <= q <= min(A.shape[-2:]):
        raise ValueError(
            f"pca_lowrank: q (={q}) must be a non-negative integer and not greater "
            f"than min(m, n) = {min(A.shape[-2:])}"
        )
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


def triangular_solve(b, A, upper=True, transpose=False, unitriangular=False):
    """(X, A) with A X = b, or Aᵀ X = b; linalg.solve_triangular gives X alone."""
    X = solve_triangular(
        A.mT if transpose else A,
        b,
        upper=upper != transpose,
        unitriangular=unitriangular,
    )
    return return_types.triangular_solve(X, A.clone())
