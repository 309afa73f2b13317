"""Distances and angles between vectors. Functions, and modules that keep arguments."""

from __future__ import annotations

import veem
from veem import Tensor
from veem.autograd.names import recorded_as

from .module import Module

pdist = veem.pdist


@recorded_as("NormBackward1")
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension.

    (..., D) and (..., D), which broadcast, give (...).
    """
    return (x1 - x2 + eps).norm(p, -1, keepdim)


def cosine_similarity(
    x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """x1 · x2 / (max(|x1|, eps) · max(|x2|, eps)), the vectors lying along dim.

    The inputs broadcast and must be floating point.
    """
    for x in x1, x2:
        if not x.is_floating_point():
            raise RuntimeError(
                "cosine_similarity: expected both inputs to be floating point, but got "
                f"{x1.dtype} and {x2.dtype}; convert them with .float()"
            )
    x1, x2 = veem.broadcast_tensors(x1, x2)
    return (_direction(x1, dim, eps) * _direction(x2, dim, eps)).sum(dim)


def _direction(x: Tensor, dim: int, eps: float) -> Tensor:
    """x / max(|x|, eps). The square of the length is clamped, not its root, whose
    gradient at 0 is infinite."""
    return x * (x * x).sum(dim, keepdim=True).clamp(min=eps * eps).rsqrt()


def normalize(
    input: Tensor,
    p: float = 2.0,
    dim: int | tuple[int, ...] = 1,
    eps: float = 1e-12,
    out: Tensor | None = None,
) -> Tensor:
    """x / max(|x|, eps), with the p-norm along dim: vectors of length 1."""
    result = input / input.norm(p, dim, keepdim=True).clamp(min=eps)
    return result if out is None else out.copy_(result)


class PairwiseDistance(Module):
    """The p-norm of the difference along the last dimension. See pairwise_distance."""

    def __init__(
        self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
    ) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along dim. See cosine_similarity."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return cosine_similarity(x1, x2, self.dim, self.eps)
