"""Losses of predictions of one class among many; losses as in loss.py.

The classes lie along dim 1, or along dim 0 of a vector.
"""

from __future__ import annotations

from typing import Any

import veem
from veem import Tensor, ops
from veem.autograd.names import recorded_as

from .loss import _Loss, _reduce, _reduction, _WeightedLoss
from .softmax import log_softmax


def _name(_loss, input, target, reduction, label_smoothing):
    return "Add" if label_smoothing else _nll_name(_loss, input, target, reduction)


def _nll_name(_loss, input, target, reduction):
    if target.shape == input.shape:
        return "DivBackward1" if reduction == "mean" else "Neg"
    return "NllLoss" if input.ndim < 3 else "NllLoss2D"


@recorded_as(_nll_name)
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """-weight[y] · log p[y], of log probabilities. The mean is over the weights.

    input (N, C, ...) or (C), target (N, ...) or () of class indices; where the target
    is ignore_index the loss is 0 and weighs nothing.
    """
    reduction = _reduction(reduction, size_average, reduce)
    return _nll(input, target, weight, ignore_index, reduction, 0.0)


@recorded_as(_name)
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-weight[y] · log softmax(x)[y]: nll_loss(log_softmax(x), y).

    input (N, C, ...) or (C) of any numbers. target: indices as in nll_loss, or
    probabilities in the shape of input. label_smoothing moves that fraction of the
    target evenly to all classes (Szegedy et al., "Rethinking the Inception
    architecture", 2015).
    """
    reduction = _reduction(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}"
        )
    if input.ndim == 2 and weight is None and target.dtype == veem.int64:
        if target.shape == input.shape[:1]:  # the usual case has a kernel of its own
            how = (ignore_index, label_smoothing, reduction)
            return ops.cross_entropy(input, target, *how)[0]
    log_p = log_softmax(input, _class_dim(input))
    if target.shape == input.shape:
        return _soft_cross_entropy(log_p, target, weight, reduction, label_smoothing)
    return _nll(log_p, target, weight, ignore_index, reduction, label_smoothing)


def _class_dim(input: Tensor) -> int:
    return 1 if input.ndim > 1 else 0


def _along_classes(weight: Tensor | None, log_p: Tensor) -> Any:
    """One weight for each class, in a shape that broadcasts to log_p."""
    if weight is None:
        return 1
    dim = _class_dim(log_p)
    if weight.shape != (log_p.shape[dim],):
        raise RuntimeError(
            "weight tensor should be defined either for all "
            f"{log_p.shape[dim]} classes or no classes but got weight tensor of shape: "
            f"{list(weight.shape)}"
        )
    return weight.view([-1] + [1] * (log_p.ndim - dim - 1))


def _soft_cross_entropy(log_p, target, weight, reduction, smoothing) -> Tensor:
    if not target.is_floating_point():
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, "
            f"got {target.dtype}"
        )
    dim = _class_dim(log_p)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / log_p.shape[dim]
    loss = -(log_p * target * _along_classes(weight, log_p)).sum(dim)
    return _reduce(loss, reduction)


def _nll(log_p, target, weight, ignore_index, reduction, smoothing) -> Tensor:
    _check_classes(log_p, target, ignore_index)
    dim = _class_dim(log_p)
    kept = target != ignore_index
    index = veem.where(kept, target, 0).to(veem.int64)
    weights = _along_classes(weight, log_p)
    strength = kept.to(log_p.dtype)
    if weight is not None:
        strength = strength * weight[index]
    loss = -log_p.gather(dim, index.unsqueeze(dim)).squeeze(dim) * strength
    if smoothing:
        even = -(log_p * weights).sum(dim)
        loss = (1 - smoothing) * loss + smoothing / log_p.shape[dim] * even
    loss = loss.masked_fill(kept.logical_not(), 0.0)
    if reduction == "mean":
        return loss.sum() / strength.sum()
    return _reduce(loss, reduction)


def _check_classes(log_p: Tensor, target: Tensor, ignore_index: int) -> None:
    """Raises unless target holds one class index for each row of classes."""
    dim = _class_dim(log_p)
    if target.dtype not in (veem.int64, veem.uint8):
        raise RuntimeError(
            f"expected target dtype to be int64 or uint8, but got {target.dtype}"
        )
    shape = log_p.shape[:dim] + log_p.shape[dim + 1 :]
    if target.shape != shape:
        if dim == 1 and target.ndim > 0 and target.shape[0] != shape[0]:
            raise ValueError(
                f"Expected input batch_size ({shape[0]}) to match target batch_size "
                f"({target.shape[0]})."
            )
        raise RuntimeError(
            f"Expected target size {list(shape)}, got {list(target.shape)}"
        )
    wrong = ((target < 0) | (target >= log_p.shape[dim])) & (target != ignore_index)
    if wrong.any():
        raise IndexError(f"Target {target[wrong][0].item()} is out of bounds.")


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """y · (log y - x), x and (if log_target) y being log probabilities.

    "batchmean", the sum divided by the first dimension, is the Kullback-Leibler
    divergence; "mean" divides by all elements.
    """
    by_batch = reduction == "batchmean"
    reduction = _reduction("sum" if by_batch else reduction, size_average, reduce)
    if log_target:
        loss = target.exp() * (target - input)
    else:
        some = target > 0  # 0 · log 0 is 0
        log_y = veem.where(some, target, 1.0).log()
        loss = target * (log_y - input)
    loss = _reduce(loss, reduction)
    return loss / input.shape[0] if by_batch and input.ndim else loss


# --- modules -------------------------------------------------------------------------


class NLLLoss(_WeightedLoss):
    """Negative log likelihood, of log probabilities. See nll_loss."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of softmax(x). See cross_entropy."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class KLDivLoss(_Loss):
    """The Kullback-Leibler divergence. See kl_div."""

    def __init__(
        self,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return kl_div(
            input, target, reduction=self.reduction, log_target=self.log_target
        )
