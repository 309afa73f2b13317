"""Losses that are 0 once a prediction is right by a margin; losses as in loss.py."""

from __future__ import annotations

from typing import Any

import veem
from veem import Tensor
from veem.autograd.names import recorded_as

from .activation import logsigmoid
from .loss import _Loss, _reduce, _reduction, _WeightedLoss

# --- two classes, -1 and 1 -----------------------------------------------------------


@recorded_as("SoftMarginLoss")
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-y · x)), y being -1 or 1. Large -y · x do not overflow."""
    reduction = _reduction(reduction, size_average, reduce)
    return _reduce(-logsigmoid(target * input), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """x where y = 1, max(0, margin - x) where y = -1: x is a distance."""
    reduction = _reduction(reduction, size_average, reduce)
    alike = veem.where(target != -1, input, 0.0)
    apart = veem.where(target != 1, (margin - input).clamp(min=0), 0.0)
    return _reduce(alike + apart, reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(x1, x2) where y = 1, max(0, cos(x1, x2) - margin) where y = -1.

    Inputs (N, D) with target (N), or (D) with target ().
    """
    reduction = _reduction(reduction, size_average, reduce)
    if target.ndim > 1:
        raise RuntimeError(
            "0D or 1D target tensor expected, multi-target not supported"
        )
    if input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, "
            f"but found inputs with sizes {list(input1.shape)} and "
            f"{list(input2.shape)}."
        )
    along = lambda a, b: (a * b).sum(-1)
    eps = 1e-12
    squares = (along(input1, input1) + eps) * (along(input2, input2) + eps)
    cos = along(input1, input2) / squares.sqrt()
    alike = veem.where(target == 1, 1 - cos, 0.0)
    apart = veem.where(target == -1, (cos - margin).clamp(min=0), 0.0)
    return _reduce(alike + apart, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin - y · (x1 - x2)): y = 1 if x1 should rank higher, else -1."""
    reduction = _reduction(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss: All input tensors should have same dimension but got "
            f"sizes: input1: {list(input1.shape)}, input2: {list(input2.shape)}, "
            f"target: {list(target.shape)}"
        )
    return _reduce((-target * (input1 - input2) + margin).clamp(min=0), reduction)


# --- many classes --------------------------------------------------------------------


@recorded_as("MultiMarginLoss")
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Σ over i ≠ y of weight[y] · max(0, margin - x[y] + x[i])ᵖ, divided by C.

    input (N, C) or (C), target (N) or () of class indices; p is 1 or 2.
    """
    reduction = _reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    rows, target = _rows_and_targets(input, target)
    classes = rows.shape[1]
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(
            f"multi_margin_loss: inconsistent weight size, expected {classes} but got "
            f"{list(weight.shape)}"
        )
    index = target.unsqueeze(1)
    excess = (margin - rows.gather(1, index) + rows).clamp(min=0) ** p
    if weight is not None:
        excess = excess * weight[target].unsqueeze(1)
    right = veem.arange(classes, device=rows.device) == index
    loss = excess.masked_fill(right, 0.0).sum(1) / classes
    return _reduce(loss[0] if input.ndim < 2 else loss, reduction)


def _rows_and_targets(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C) and (N), checked, of (N, C) and (N) or (C) and ()."""
    rows = input.reshape(1, -1) if input.ndim < 2 else input
    if input.ndim > 2 or rows.shape[1] == 0:
        raise RuntimeError(
            "multi_margin_loss: Expected non-empty vector or matrix with optional "
            f"0-dim batch size, but got: {list(input.shape)}"
        )
    if target.dtype != veem.int64:
        raise RuntimeError(
            f"multi_margin_loss: expected target of int64, but got {target.dtype}"
        )
    if target.ndim > 1 or target.numel() != rows.shape[0]:
        raise RuntimeError(
            f"multi_margin_loss: inconsistent target size, expected {rows.shape[0]} "
            f"but got {list(target.shape)}"
        )
    if ((target < 0) | (target >= rows.shape[1])).any():
        raise RuntimeError(
            f"multi_margin_loss: target out of range of {rows.shape[1]} classes"
        )
    return rows, target.reshape(-1)


@recorded_as("MultilabelMarginLoss")
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Σ over targets j and other classes i of max(0, 1 - x[j] + x[i]), divided by C.

    input (N, C) or (C); target, of the same shape, lists classes up to the first -1.
    """
    reduction = _reduction(reduction, size_average, reduce)
    if input.ndim > 2 or (input.ndim and input.shape[-1] == 0):
        raise RuntimeError(
            "multilabel_margin_loss: Expected non-empty vector or matrix with optional "
            f"0-dim batch size, but got: {list(input.shape)}"
        )
    if target.shape != input.shape:
        raise RuntimeError(
            f"multilabel_margin_loss: inconsistent target size: {list(target.shape)} "
            f"for input of size: {list(input.shape)}"
        )
    rows = input.reshape(1, -1) if input.ndim < 2 else input
    target = target.reshape(rows.shape)
    classes = rows.shape[1]
    if ((target < -1) | (target >= classes)).any():
        raise RuntimeError(
            f"multilabel_margin_loss: target out of range of {classes} classes"
        )
    at = veem.arange(classes, device=rows.device)
    end = veem.where(target < 0, at, classes).amin(1, keepdim=True)
    listed = at < end  # (N, C): is this entry of target before the first -1?
    index = target.masked_fill(listed.logical_not(), 0)
    among = (index.unsqueeze(2) == at) & listed.unsqueeze(2)  # (N, entry, class)
    other = among.any(1, keepdim=True).logical_not() & listed.unsqueeze(2)
    excess = (1 - rows.gather(1, index).unsqueeze(2) + rows.unsqueeze(1)).clamp(min=0)
    loss = veem.where(other, excess, 0.0).sum((1, 2)) / classes
    return _reduce(loss[0] if input.ndim < 2 else loss, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over classes of -y · log p - (1 - y) · log(1 - p), times weight.

    p = sigmoid(x). input and target (..., C), the target 0 or 1; gives (...).
    """
    reduction = _reduction(reduction, size_average, reduce)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    loss = loss if weight is None else loss * weight
    return _reduce(loss.sum(-1) / input.shape[-1], reduction)


# --- modules -------------------------------------------------------------------------


class SoftMarginLoss(_Loss):
    """A smooth margin of two classes. See soft_margin_loss."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """A margin between listed classes and the others. See multilabel_margin_loss."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """A yes or no for each class. See multilabel_soft_margin_loss."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return multilabel_soft_margin_loss(
            input, target, self.weight, reduction=self.reduction
        )


class _MarginLoss(_Loss):
    def __init__(
        self,
        margin: float = 0.0,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class HingeEmbeddingLoss(_MarginLoss):
    """Distances small or beyond a margin. See hinge_embedding_loss."""

    def __init__(
        self,
        margin: float = 1.0,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return hinge_embedding_loss(
            input, target, self.margin, reduction=self.reduction
        )


class CosineEmbeddingLoss(_MarginLoss):
    """Angles small or beyond a margin. See cosine_embedding_loss."""

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return cosine_embedding_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class MarginRankingLoss(_MarginLoss):
    """The right one of two ranks higher. See margin_ranking_loss."""

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return margin_ranking_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class MultiMarginLoss(_WeightedLoss):
    """The right class wins by a margin. See multi_margin_loss."""

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )
