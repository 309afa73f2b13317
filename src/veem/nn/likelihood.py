"""Losses that are negative log likelihoods of a distribution whose parameters are
predicted; losses as in loss.py."""

from __future__ import annotations

import math
from typing import Any

import veem
from veem import Tensor

from .loss import _Loss, _reduce, _reduction


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(x) - y · x if log_input, else x - y · log(x + eps), of counts y.

    full adds Stirling's approximation of log(y!), y · log y - y + log(2π · y) / 2,
    where y > 1.
    """
    reduction = _reduction(reduction, size_average, reduce)
    if log_input:
        loss = input.exp() - target * input
    else:
        loss = input - target * (input + eps).log()
    if full:
        some = veem.where(target > 1, target, 1.0)
        log_factorial = some * some.log() - some + 0.5 * (2 * math.pi * some).log()
        loss = loss + veem.where(target > 1, log_factorial, 0.0)
    return _reduce(loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log v + (x - y)² / v) / 2 with v = max(var, eps); full adds log(2π) / 2.

    var has input's shape, or that without its last dimension, or a 1 in one dimension,
    or is a number. Its gradient flows as if it had not been clamped.
    """
    v = var if isinstance(var, Tensor) else veem.full_like(input, var)
    if (v < 0).any():
        raise ValueError("var has negative entry/entries")
    if v.shape == input.shape[:-1] != input.shape:
        v = v.unsqueeze(-1)
    sizes = zip(input.shape, v.shape)
    if v.ndim != input.ndim or sum(b for a, b in sizes if a != b) not in (0, 1):
        raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    v = v + (v.detach().clamp(min=eps) - v.detach())
    loss = 0.5 * (v.log() + (input - target) ** 2 / v)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduce(loss, reduction)


class PoissonNLLLoss(_Loss):
    """The likelihood of counts. See poisson_nll_loss."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: Any = None,
        eps: float = 1e-8,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """The likelihood of numbers with a predicted variance. See gaussian_nll_loss."""

    def __init__(
        self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return gaussian_nll_loss(
            input, target, var, self.full, self.eps, self.reduction
        )
