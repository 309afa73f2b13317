"""Triangular matrices, column by column in plain ops: small ones, on every device."""

from __future__ import annotations

import veem
from veem import Tensor


def cholesky(a: Tensor) -> Tensor:
    """The lower triangle L with L Lᵀ = a, (..., n, n); NaN where a is not positive
    definite."""
    columns: list[Tensor] = []
    for j in range(a.shape[-1]):
        rest = a[..., j:, j]
        if columns:
            left = veem.stack(columns, -1)
            rest = rest - (left[..., j:, :] * left[..., j : j + 1, :]).sum(-1)
        column = rest / rest[..., :1].sqrt()
        above = column.new_zeros((*column.shape[:-1], j))
        columns.append(veem.cat([above, column], -1))
    return veem.stack(columns, -1)


def solve_lower(lower: Tensor, b: Tensor) -> Tensor:
    """x with lower · x = b: (..., n, n) and (..., n, m), which broadcast."""
    rows: list[Tensor] = []
    for i in range(lower.shape[-1]):
        rest = b[..., i, :]
        if rows:
            rest = rest - (lower[..., i, :i, None] * veem.stack(rows, -2)).sum(-2)
        rows.append(rest / lower[..., i, i, None])
    return veem.stack(rows, -2)


def solve_upper(upper: Tensor, b: Tensor) -> Tensor:
    """x with upper · x = b: as solve_lower, from the last row to the first."""
    turned = upper.flip((-2, -1))
    return solve_lower(turned, b.flip((-2,))).flip((-2,))


def squared_distance(lower: Tensor, x: Tensor) -> Tensor:
    """|L⁻¹ x|²: Mahalanobis's distance of x (..., n) for the covariance L Lᵀ."""
    return solve_lower(lower, x.unsqueeze(-1)).squeeze(-1).square().sum(-1)


def log_diagonal(lower: Tensor) -> Tensor:
    """The logarithm of a triangular matrix's determinant."""
    return lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)
