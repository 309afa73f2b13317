"""Matrices as products: QR, singular values, eigenvalues, Cholesky."""

import numpy as np

from veem import _core, creation, ops, return_types
from veem.autograd import Function
from veem.autograd.names import recorded_as
from veem.linalg.host import (
    check_matrix,
    check_square,
    half_diagonal,
    lapack,
)
from veem.linalg.solve import solve_triangular


def _apart(values):
    """E[i, j] = values[j] - values[i], with ones on the diagonal."""
    e = values.unsqueeze(-2) - values.unsqueeze(-1)
    return e + creation.eye(values.shape[-1], dtype=values.dtype)


# ---- QR ------------------------------------------------------------------------------


class QR(Function):
    @staticmethod
    def forward(ctx, a, mode):
        if mode == "r":
            r = lapack("linalg.qr", np.linalg.qr, a, mode="r")
            q = a.new_empty(0)
        else:
            q, r = lapack("linalg.qr", np.linalg.qr, a, mode=mode)
        ctx.save_for_backward(a, q, r)
        ctx.mode = mode
        return q, r

    @staticmethod
    def backward(ctx, gq, gr):
        a, q, r = ctx.saved_tensors
        m, n = a.shape[-2:]
        if ctx.mode == "r":
            raise RuntimeError(
                "linalg.qr: The derivative depends on Q, which is not computed when "
                "mode='r'. Please use linalg.qr(A, mode='reduced') if you are going to "
                "require gradients"
            )
        if ctx.mode == "complete" and m > n:
            raise RuntimeError(
                "linalg.qr: The QR decomposition is not differentiable when "
                "mode='complete' and nrows > ncols"
            )
        if m >= n:
            return _qr_backward(q, r, gq, gr), None
        # A = [X Y], R = [U V]: X = Q U, and V = Qᵀ Y
        y, gu, gv = a[..., m:], gr[..., :m], gr[..., m:]
        gx = _qr_backward(q, r[..., :m], gq + y @ gv.mT, gu)
        return ops.cat(-1, gx, q @ gv), None


def _qr_backward(q, r, gq, gr):
    inner = (gr @ r.mT - q.mT @ gq).triu()
    inner = inner + inner.mT - inner.diagonal(0, -2, -1).diag_embed()
    return solve_triangular(r.mT, gq + q @ inner, upper=False, left=False)


@recorded_as("LinalgQr")
def qr(A, mode="reduced"):
    """(Q, R) with A = Q R, Q orthogonal, R upper triangular: (..., m, n).

    mode "reduced": (..., m, k) and (..., k, n) for k = min(m, n); "complete": Q is
    (..., m, m); "r": Q is empty, and there is no gradient.
    """
    check_matrix("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"linalg.qr: received unrecognized mode '{mode}' but expected one of "
            "'reduced' (default), 'r', or 'complete'"
        )
    return return_types.linalg_qr(*QR.apply(A, mode))


# ---- singular values -----------------------------------------------------------------


class SVD(Function):
    """A = U diag(S) Vᵀ. Where singular values are equal, the gradient of U and V is
    not finite."""

    @staticmethod
    def forward(ctx, a, full_matrices):
        out = lapack("linalg.svd", np.linalg.svd, a, full_matrices=full_matrices)
        ctx.save_for_backward(a, *out)
        ctx.set_materialize_grads(False)
        return out

    @staticmethod
    def backward(ctx, gu, gs, gvh):
        a, u, s, vh = ctx.saved_tensors
        (m, n), k = a.shape[-2:], s.shape[-1]
        u, vh = u[..., :k], vh[..., :k, :]
        if gu is None and gvh is None:
            return (None if gs is None else u @ (gs.unsqueeze(-1) * vh)), None
        gu = None if gu is None else gu[..., :k]
        gv = None if gvh is None else gvh[..., :k, :].mT
        inner = 0.0 if gs is None else gs.diag_embed()
        e = _apart(s * s)
        row, column = s.unsqueeze(-2), s.unsqueeze(-1)
        if gu is not None:
            inner = inner + _skew(u.mT @ gu) / e * row
        if gv is not None:
            inner = inner + column * (_skew(vh @ gv) / e)
        out = u @ inner @ vh
        if gu is not None and m > k:
            free = gu / row
            out = out + (free - u @ (u.mT @ free)) @ vh
        if gv is not None and n > k:
            free = gv / row
            out = out + u @ (free - vh.mT @ (vh @ free)).mT
        return out, None


def _skew(x):
    return x - x.mT


@recorded_as("LinalgSvd")
def svd(A, full_matrices=True, *, driver=None):
    """(U, S, Vh) with A = U diag(S) Vh: (..., m, n). S falls; U and Vh are orthogonal.

    full_matrices: U (..., m, m) and Vh (..., n, n), else with min(m, n) columns and
    rows. Gradients through U or Vh are not finite where singular values are equal, and
    depend on a sign that is arbitrary: use what does not.
    """
    check_matrix("linalg.svd", A)
    _check_driver("linalg.svd", driver)
    return return_types.linalg_svd(*SVD.apply(A, full_matrices))


def _check_driver(op, driver):
    if driver is not None:
        raise RuntimeError(f"{op}: driver keyword is only supported on CUDA inputs")


@recorded_as("LinalgSvd")
def svdvals(A, *, driver=None):
    """The singular values of matrices, falling: (..., m, n) to (..., min(m, n))."""
    check_matrix("linalg.svdvals", A)
    _check_driver("linalg.svdvals", driver)
    if A.requires_grad and _core.is_grad_enabled():
        return SVD.apply(A, False)[1]
    return lapack("linalg.svdvals", np.linalg.svd, A, compute_uv=False)


# ---- eigenvalues ---------------------------------------------------------------------


class Eigh(Function):
    @staticmethod
    def forward(ctx, a, uplo):
        out = tuple(lapack("linalg.eigh", np.linalg.eigh, a, UPLO=uplo))
        ctx.save_for_backward(*out)
        ctx.set_materialize_grads(False)
        return out

    @staticmethod
    def backward(ctx, gl, gv):
        values, vectors = ctx.saved_tensors
        if gv is None:
            to_a = None if gl is None else vectors @ (gl.unsqueeze(-1) * vectors.mT)
            return to_a, None
        inner = vectors.mT @ gv / _apart(values)
        inner = inner - inner.diagonal(0, -2, -1).diag_embed()
        if gl is not None:
            inner = inner + gl.diag_embed()
        return vectors @ inner @ vectors.mT, None


@recorded_as("LinalgEigh")
def eigh(A, UPLO="L"):
    """(eigenvalues, eigenvectors) of symmetric matrices: A = V diag(L) Vᵀ, L rising.

    Only the lower triangle ("L") or the upper ("U") is read. Gradients through V are
    not finite where eigenvalues are equal, and depend on a sign that is arbitrary.
    """
    check_square("linalg.eigh", A)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(
            f"linalg.eigh: Expected UPLO argument to be 'L' or 'U', but got {UPLO}"
        )
    return return_types.linalg_eigh(*Eigh.apply(A, UPLO.upper()))


@recorded_as("LinalgEigh")
def eigvalsh(A, UPLO="L"):
    """The eigenvalues of symmetric matrices, rising: (..., n, n) to (..., n)."""
    return eigh(A, UPLO).eigenvalues


# ---- Cholesky ------------------------------------------------------------------------


class Cholesky(Function):
    @staticmethod
    def forward(ctx, a):
        out = lapack("linalg.cholesky", np.linalg.cholesky, a)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, g):
        (low,) = ctx.saved_tensors
        inner = half_diagonal((low.mT @ g).tril())
        inner = solve_triangular(low.mT, inner + inner.mT, upper=True)
        return 0.5 * solve_triangular(low, inner, upper=False, left=False)


@recorded_as("LinalgCholeskyEx")
def cholesky(A, *, upper=False):
    """L with A = L Lᵀ for symmetric positive definite matrices; U with Uᵀ U if upper.

    Reads that triangle alone. LinAlgError where a matrix is not positive definite.
    """
    check_square("linalg.cholesky", A)
    return Cholesky.apply(A.mT).mT if upper else Cholesky.apply(A)


class CholeskySolve(Function):
    """L Lᵀ X = B: with G = A⁻¹ dX, the gradient of L is -(G Xᵀ + X Gᵀ) L."""

    @staticmethod
    def forward(ctx, b, low):
        half = solve_triangular(low, b, upper=False)
        out = solve_triangular(low.mT, half, upper=True)
        ctx.save_for_backward(low, out)
        return out

    @staticmethod
    def backward(ctx, g):
        low, out = ctx.saved_tensors
        to_b = CholeskySolve.apply(g, low)
        both = to_b @ out.mT
        return to_b, -((both + both.mT) @ low)


@recorded_as("CholeskySolve")
def cholesky_solve(B, L, upper=False):
    """X with A X = B from A's Cholesky factor: B (..., n, k), L (..., n, n)."""
    check_square("cholesky_solve", L)
    if B.ndim < 2 or B.shape[-2] != L.shape[-1]:
        raise RuntimeError(
            "cholesky_solve: Incompatible matrix sizes: each A matrix is "
            f"{L.shape[-2]} by {L.shape[-1]} but B has shape {list(B.shape)}"
        )
    return CholeskySolve.apply(B, L.mT if upper else L)


@recorded_as("CholeskyInverse")
def cholesky_inverse(L, upper=False):
    """The inverse of A from its Cholesky factor: (..., n, n)."""
    check_square("cholesky_inverse", L)
    one = creation.eye(L.shape[-1], dtype=L.dtype).expand(L.shape)
    return CholeskySolve.apply(one, L.mT if upper else L)
