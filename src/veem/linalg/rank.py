"""Of matrices that need not have an inverse: pseudo-inverse, least squares, rank."""

import math

import numpy as np

from veem import _core, creation, ops, return_types
from veem.autograd import Function
from veem.autograd.names import recorded_as
from veem.linalg.decompose import eigh, svdvals
from veem.linalg.host import check_floats, check_matrix, check_square, lapack
from veem.linalg.norms import norm
from veem.linalg.solve import inv, is_vector_batch
from veem.tensor import Tensor


def _values(op, A, hermitian):
    """Singular values, or the absolute eigenvalues of a symmetric matrix."""
    if hermitian:
        check_square(op, A)
        return eigh(A).eigenvalues.abs()
    check_matrix(op, A)
    return svdvals(A)


def _threshold(A, largest, atol, rtol):
    """Below it a singular value counts as 0: (..., 1)."""
    if rtol is None:
        given = isinstance(atol, Tensor) or (atol is not None and atol > 0)
        rtol = 0.0 if given else _eps(A.dtype) * max(A.shape[-2:])
    atol = 0.0 if atol is None else atol
    column = lambda t: t.unsqueeze(-1).to(A.dtype) if isinstance(t, Tensor) else t
    by_size = largest * column(rtol)
    atol = column(atol)
    return (
        by_size.maximum(atol) if isinstance(atol, Tensor) else by_size.clamp(min=atol)
    )


def _eps(dtype):
    return float(np.finfo(dtype.name).eps)


# ---- the pseudo-inverse --------------------------------------------------------------


class PseudoInverse(Function):
    """Where the rank stays the same (Golub and Pereyra, 1973)."""

    @staticmethod
    def forward(ctx, a, cut, hermitian):
        def pinv(a, cut):
            if hermitian:  # the triangle that eigh reads
                a = np.tril(a) + np.swapaxes(np.tril(a, -1), -1, -2)
            u, s, vh = np.linalg.svd(a, full_matrices=False)
            keep = s > cut
            s = np.where(keep, 1 / np.where(keep, s, 1), 0)
            return np.swapaxes(vh, -1, -2) @ (s[..., None] * np.swapaxes(u, -1, -2))

        out = lapack("linalg.pinv", pinv, a, cut)
        ctx.save_for_backward(a, out)
        return out

    @staticmethod
    def backward(ctx, g):
        a, out = ctx.saved_tensors
        return _pinv_backward(g, out, a), None, None


def _pinv_backward(g, p, a):
    gt, pt = g.mT, p.mT
    if a.shape[-2] <= a.shape[-1]:
        k = gt @ p
        kpt = k @ pt
        return -(p @ k).mT + kpt - (a @ p) @ kpt + (pt @ p) @ (gt - k @ a)
    k = p @ gt
    ptk = pt @ k
    return -(k @ p).mT + (gt - a @ k) @ (p @ pt) + ptk - (ptk @ p) @ a


@recorded_as("LinalgPinv")
def pinv(A, *, atol=None, rtol=None, hermitian=False):
    """The Moore-Penrose pseudo-inverse: (..., m, n) to (..., n, m).

    Singular values up to max(atol, rtol * the largest) count as 0; rtol is by default
    max(m, n) times the dtype's precision.
    """
    values = _values("linalg.pinv", A.detach(), hermitian)
    if A.numel() == 0:
        return ops.clone(A.mT)
    largest = values.amax(-1, keepdim=True)
    cut = _threshold(A, largest, atol, rtol)
    return PseudoInverse.apply(A, cut.detach(), hermitian)


# ---- rank and condition --------------------------------------------------------------


def matrix_rank(A, *, atol=None, rtol=None, hermitian=False):
    """How many singular values are above max(atol, rtol * the largest): int64."""
    values = _values("linalg.matrix_rank", A.detach(), hermitian)
    if A.numel() == 0:
        return A.new_zeros(A.shape[:-2], dtype=_core.int64)
    cut = _threshold(A, values.amax(-1, keepdim=True), atol, rtol)
    return (values > cut).sum(-1)


def cond(A, p=None):
    """norm(A, p) * norm(inv(A), p); for p None, 2 or -2 a ratio of singular values."""
    if p in (None, 2, -2):
        check_matrix("linalg.cond", A)
        s = svdvals(A)
        low, high = s[..., -1], s[..., 0]
        return low / high if p == -2 else high / low
    check_square("linalg.cond", A)
    singular = lapack("linalg.cond", np.linalg.slogdet, A)[0] == 0
    one = creation.eye(A.shape[-1], dtype=A.dtype)
    usable = ops.where(singular.unsqueeze(-1).unsqueeze(-1), one, A)
    size = norm(A, p, (-2, -1)) * norm(inv(usable), p, (-2, -1))
    return ops.where(singular, math.inf, size)


# ---- least squares -------------------------------------------------------------------


class LeastSquares(Function):
    """X = pinv(A) B, without forming pinv(A) where no gradient is asked for."""

    @staticmethod
    def forward(ctx, a, b, cut):
        def solve(a, b, cut):
            u, s, vh = np.linalg.svd(a, full_matrices=False)
            keep = s > cut
            s = np.where(keep, 1 / np.where(keep, s, 1), 0)
            inner = s[..., None] * (np.swapaxes(u, -1, -2) @ b)
            return np.swapaxes(vh, -1, -2) @ inner

        ctx.save_for_backward(a, b, cut)
        return lapack("linalg.lstsq", solve, a, b, cut)

    @staticmethod
    def backward(ctx, g):
        a, b, cut = ctx.saved_tensors
        p = PseudoInverse.apply(a, cut, False)
        return _pinv_backward(g @ b.mT, p, a), p.mT @ g, None


@recorded_as("LinalgLstsq")
def lstsq(A, B, rcond=None, *, driver=None):
    """X of least |A X - B|, the smallest one: A (..., m, n), B (..., m, k) or (..., m).

    Returns (solution, residuals, rank, singular_values). residuals: the squared
    distances that are left, where m > n and every matrix has rank n, else empty. The
    singular values are there for the drivers "gelsd" and "gelss", the rank for all but
    "gels"; all of them compute by the SVD here. Singular values up to rcond * the
    largest count as 0.
    """
    op = "linalg.lstsq"
    check_matrix(op, A)
    if B.ndim < 1:
        raise RuntimeError(f"{op}: input.dim() must be greater or equal to 1")
    driver = "gelsy" if driver is None else driver
    if driver not in ("gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            f"{op}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), "
            f"got {driver}"
        )
    check_floats(op, A, B)
    vector = is_vector_batch(A, B)
    b = B.unsqueeze(-1) if vector else B
    m, n = A.shape[-2:]
    if b.shape[-2] != m:
        raise RuntimeError(
            f"{op}: input.size(-2) should match other.size({-1 if vector else -2}), "
            f"but got shapes {list(A.shape)} and {list(B.shape)}"
        )
    values = svdvals(A.detach())
    rcond = _eps(A.dtype) * max(m, n) if rcond is None else rcond
    rcond = max(rcond, 0.0) if not isinstance(rcond, Tensor) else rcond.unsqueeze(-1)
    cut = (
        values.amax(-1, keepdim=True) * rcond
        if values.numel()
        else values.sum(-1, True)
    )
    x = LeastSquares.apply(A, b, cut)
    rank = (values > cut).sum(-1)
    residuals = x.reshape(-1)[:0]
    full = driver == "gels" or (driver != "gelsy" and bool((rank == n).all()))
    if m > n and full:
        residuals = ops.square(A @ x - b).sum(-2)
    none = A.new_empty(0)
    return return_types.linalg_lstsq(
        x.squeeze(-1) if vector else x,
        residuals,
        none.to(_core.int64) if driver == "gels" else rank,
        values if driver in ("gelsd", "gelss") else none,
    )
