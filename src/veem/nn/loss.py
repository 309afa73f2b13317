"""Losses: how far a prediction is from its target.

Each is a function (also in nn.functional) and a module that keeps its arguments. All
take reduction="mean", "sum" or "none" (one loss for each element). Losses of many
classes are in cross_entropy.py.
"""

from __future__ import annotations

import warnings
from typing import Any

import veem
from veem import Tensor
from veem.autograd.names import recorded_as

from .activation import logsigmoid
from .module import Module

# --- what all losses share -----------------------------------------------------------


def _reduction(reduction: str, size_average: Any = None, reduce: Any = None) -> str:
    """The reduction, checked; size_average and reduce are how it was once given."""
    if size_average is not None or reduce is not None:
        mean = size_average is None or size_average
        summed = reduce is None or reduce
        reduction = "none" if not summed else "mean" if mean else "sum"
        warnings.warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
            stacklevel=4,
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def _weigh(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """Reduces weight · loss; the mean is divided by the sum of the weights."""
    if weight is None:
        return _reduce(loss, reduction)
    if weight.shape != loss.shape:
        raise ValueError("Weights and input must have the same size.")
    total = _reduce(weight * loss, "none" if reduction == "none" else "sum")
    return total / weight.sum() if reduction == "mean" else total


def _warn_of_broadcasting(input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to "
            "broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


# --- regression ----------------------------------------------------------------------


@recorded_as("MseLoss")
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(x - y)²."""
    reduction = _reduction(reduction, size_average, reduce)
    _warn_of_broadcasting(input, target)
    return _weigh((input - target).square(), weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|x - y|."""
    reduction = _reduction(reduction, size_average, reduce)
    _warn_of_broadcasting(input, target)
    return _weigh((input - target).abs(), weight, reduction)


@recorded_as("SmoothL1Loss")
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d² / (2 · beta) where d = |x - y| is below beta, else d - beta / 2.

    Girshick, "Fast R-CNN", 2015.
    """
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return l1_loss(input, target, size_average, reduce, reduction)
    reduction = _reduction(reduction, size_average, reduce)
    _warn_of_broadcasting(input, target)
    d = (input - target).abs()
    return _reduce(
        veem.where(d < beta, d.square() / (2 * beta), d - beta / 2), reduction
    )


@recorded_as("HuberLoss")
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """d² / 2 where d = |x - y| is at most delta, else delta · (d - delta / 2).

    Huber, "Robust estimation of a location parameter", 1964.
    """
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    _warn_of_broadcasting(input, target)
    d = (input - target).abs()
    loss = veem.where(d <= delta, d.square() / 2, delta * (d - delta / 2))
    return _reduce(loss if weight is None else weight * loss, _reduction(reduction))


# --- probabilities of two classes ----------------------------------------------------


class _BinaryCrossEntropy(veem.autograd.Function):
    """The logarithms are kept above -100, and the gradient finite: at a probability of
    0 or 1 the chain rule would give 0 · inf."""

    @staticmethod
    def forward(ctx, p, y):
        ctx.save_for_backward(p, y)
        yes, no = p.log().clamp(min=-100), (-p).log1p().clamp(min=-100)
        return (y - 1) * no - y * yes

    @staticmethod
    def backward(ctx, g):
        p, y = ctx.saved_tensors
        grad_p = g * (p - y) / (p * (1 - p)).clamp(min=1e-12)
        grad_y = g * ((-p).log1p() - p.log()) if ctx.needs_input_grad[1] else None
        return grad_p, grad_y


@recorded_as("BinaryCrossEntropy")
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """-(y · log(p) + (1 - y) · log(1 - p)) of probabilities p, times weight.

    Prefer binary_cross_entropy_with_logits: it loses no accuracy near 0 and 1.
    """
    reduction = _reduction(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if not ((input >= 0) & (input <= 1)).all():
        raise RuntimeError("all elements of input should be between 0 and 1")
    loss = _BinaryCrossEntropy.apply(input, target)
    return _reduce(loss if weight is None else loss * weight, reduction)


@recorded_as("BinaryCrossEntropyWithLogits")
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """binary_cross_entropy of p = sigmoid(x), times weight; pos_weight multiplies the
    part of y = 1."""
    reduction = _reduction(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size "
            f"({input.shape})"
        )
    # log(1 - sigmoid(x)) = log(sigmoid(x)) - x
    log_p = logsigmoid(input)
    strength = 1 if pos_weight is None else 1 + (pos_weight - 1) * target
    loss = (1 - target) * input - strength * log_p
    return _reduce(loss if weight is None else loss * weight, reduction)


# --- modules -------------------------------------------------------------------------


class _Loss(Module):
    def __init__(
        self, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        legacy = size_average is not None or reduce is not None
        self.reduction = (
            _reduction("mean", size_average, reduce) if legacy else reduction
        )


class MSELoss(_Loss):
    """(x - y)². See mse_loss."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """|x - y|. See l1_loss."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """A parabola within beta of the target, else a line. See smooth_l1_loss."""

    def __init__(
        self,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """smooth_l1_loss times delta. See huber_loss."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return huber_loss(input, target, self.reduction, self.delta)


class _WeightedLoss(_Loss):
    """A loss whose weight is a buffer: it moves and is saved with the module."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class BCELoss(_WeightedLoss):
    """Cross entropy of probabilities in [0, 1]. See binary_cross_entropy."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy(
            input, target, self.weight, reduction=self.reduction
        )


class BCEWithLogitsLoss(_WeightedLoss):
    """Cross entropy of sigmoid(x). See binary_cross_entropy_with_logits."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(
            input,
            target,
            self.weight,
            reduction=self.reduction,
            pos_weight=self.pos_weight,
        )
