"""Orthogonal matrices as functions of any matrix."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np

import veem
from veem import Tensor
from veem.triangular import cholesky, solve_lower, solve_upper

from ..module import Module
from .parametrize import register_parametrization

M = TypeVar("M", bound=Module)
MAPS = ("matrix_exp", "cayley", "householder")


class _Orthogonal(Module):
    """An orthogonal matrix from X, times `base` if that is kept: then X = -1 gives
    base, and training moves away from there."""

    base: Tensor

    def __init__(self, weight: Tensor, orthogonal_map: str, keeps_base: bool) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        self.keeps_base = keeps_base
        if keeps_base:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        reflects = self.orthogonal_map == "householder"
        q = _reflections(x) if reflects else _rotation(x, self.orthogonal_map)
        q = self.base @ q if self.keeps_base else q
        return q.mT if wide else q

    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a "
                f"tensor of shape {q.shape}."
            )
        wide = q.shape[-2] < q.shape[-1]
        tall = q.mT if wide else q
        if self.keeps_base:
            self.base = _completed(tall)
            return -veem.eye(*q.shape[-2:], dtype=q.dtype).to(q.device).expand(q.shape)
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley "
                "parametrizations when use_trivialization=False."
            )
        x = _reflectors(tall)
        return x.mT if wide else x


def _rotation(x: Tensor, how: str) -> Tensor:
    """exp(A) or Cayley's (I - A/2)⁻¹ (I + A/2) of A = L - Lᵀ, L x's lower triangle:
    its first columns, where x (..., n, k) is not square."""
    n, k = x.shape[-2:]
    lower = x.tril()
    if n != k:
        lower = veem.cat([lower, lower.new_zeros((*x.shape[:-1], n - k))], -1)
    a = lower - lower.mT
    q = _matrix_exp(a) if how == "matrix_exp" else _cayley(a)
    return q[..., :k]


def _cayley(a: Tensor) -> Tensor:
    """(I - A/2)⁻¹ (I + A/2) is (I - A²/4)⁻¹ (I + A/2)², whose first factor is the
    inverse of a positive definite matrix: two triangular systems."""
    eye = veem.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    half = eye + a / 2
    lower = cholesky(half @ half.mT)
    return solve_upper(lower.mT, solve_lower(lower, half @ half))


def _matrix_exp(a: Tensor) -> Tensor:
    """exp of matrices: Taylor's series of a / 2ˢ, small enough, squared s times."""
    norm = a.detach().abs().sum(-1).amax().item() if a.numel() else 0.0
    squarings = max(0, math.ceil(math.log2(norm / 0.5))) if norm > 0 else 0
    a = a / 2**squarings
    eye = veem.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    result = eye + a / 14
    for i in range(13, 0, -1):  # Horner's rule; the rest is below 0.5¹⁵ / 15!
        result = eye + a @ result / i
    for _ in range(squarings):
        result = result @ result
    return result


def _reflections(x: Tensor) -> Tensor:
    """The product of the reflections at the columns of x's lower triangle, a 1 on the
    diagonal; its columns change sign where x's diagonal is -1."""
    n, k = x.shape[-2:]
    eye = veem.eye(n, k, dtype=x.dtype, device=x.device)
    columns = x.tril(-1) + eye
    q = eye.expand(x.shape)
    for i in reversed(range(k)):
        v = columns[..., :, i : i + 1]
        q = q - (2 / (v * v).sum(-2, keepdim=True)) * v @ (v.mT @ q)
    return q * x.detach().diagonal(dim1=-2, dim2=-1).trunc().unsqueeze(-2)


def _completed(q: Tensor) -> Tensor:
    """q (..., n, k) as it is if orthogonal, else made so; random columns added."""
    n, k = q.shape[-2:]
    if n != k:
        rest = veem.randn((*q.shape[:-1], n - k), dtype=q.dtype)
        return _made_orthogonal(veem.cat([q, rest.to(q.device)], -1))
    eye = veem.eye(n, dtype=q.dtype, device=q.device)
    eps = 10 * n * float(np.finfo(q.dtype.name).eps)
    near = ((q.mT @ q - eye).abs() <= eps + 1e-5 * eye).all()
    return q.clone() if near else _made_orthogonal(q)


def _made_orthogonal(a: Tensor) -> Tensor:
    """Q of a = Q R, the diagonal of R not negative."""
    q, r = np.linalg.qr(a.numpy(force=True))
    signs = np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    return veem.from_numpy(q * signs).to(a.device)


def _reflectors(q: Tensor) -> Tensor:
    """What _reflections takes to q, or to the nearest that QR makes of it."""
    raw, tau = np.linalg.qr(q.numpy(force=True), mode="raw")
    x = np.array(np.swapaxes(raw, -2, -1))
    at = np.arange(x.shape[-1])
    signs = np.sign(x[..., at, at])
    x[..., at, at] = np.where(tau == 0, -signs, signs)
    return veem.from_numpy(x).to(q.device)


def orthogonal(
    module: M,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> M:
    """Makes module.weight (..., n, k) orthogonal: QᵀQ = I, or QQᵀ = I where n < k.

    orthogonal_map is "matrix_exp" or "cayley", of a skew-symmetric matrix, or
    "householder", a product of reflections; by default the first of square matrices,
    else the last. use_trivialization keeps where it began in a buffer (Lezcano-Casado,
    "Trivializations for gradient-based optimization on manifolds", 2019).
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(
            f"Module '{module}' has no parameter or buffer with name '{name}'"
        )
    if weight.ndim < 2:
        raise ValueError(
            "Expected a matrix or batch of matrices. Got a tensor of "
            f"{weight.ndim} dimensions."
        )
    square = weight.shape[-2] == weight.shape[-1]
    how = orthogonal_map or ("matrix_exp" if square else "householder")
    if how not in MAPS:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    parametrization = _Orthogonal(weight, how, use_trivialization)
    return register_parametrization(module, name, parametrization, unsafe=True)
