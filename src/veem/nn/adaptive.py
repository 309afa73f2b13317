"""Cross entropies that have the last linear layer in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import veem
from veem import Tensor

from .containers import ModuleList, Sequential
from .cross_entropy import cross_entropy
from .linear import Linear, linear
from .loss import _WeightedLoss
from .module import Module
from .softmax import log_softmax


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: None = None,
) -> Tensor:
    """cross_entropy of linear(input, linear_weight, linear_bias).

    input (N, d) or (d), linear_weight (C, *, d) and linear_bias (C, *) give logits
    (N, C, *) or (C). options, PyTorch's choice of chunks, must be None.
    """
    if options is not None:
        raise NotImplementedError(
            "linear_cross_entropy: options for chunks are not there; pass options=None"
        )
    shape = linear_weight.shape[:-1]
    flat = linear_weight.reshape(-1, linear_weight.shape[-1])
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = linear(input, flat, bias).reshape(input.shape[:-1] + shape)
    return cross_entropy(
        logits,
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


class LinearCrossEntropyLoss(_WeightedLoss):
    """A linear layer and the cross entropy of its outputs. See linear_cross_entropy."""

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: None = None,
    ) -> None:
        if weight is not None and weight.shape != (num_classes,):
            raise RuntimeError(
                f"expected weight shape to be {(num_classes,)}, got "
                f"{tuple(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(
                f"expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight, reduction=reduction)
        self.num_classes, self.out_features = num_classes, out_features
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing
        self.options = options
        size = num_classes * math.prod(out_features)
        self.linear = Linear(in_features, size, bias, device, dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape, layer = (self.num_classes, *self.out_features), self.linear
        return linear_cross_entropy(
            input,
            layer.weight.reshape(*shape, layer.in_features),
            target,
            linear_bias=None if layer.bias is None else layer.bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class OutputAndLoss(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log probabilities of many classes of which few are frequent.

    Classes below cutoffs[0] are outputs of the head, as is one for each further range
    of classes: a cluster, whose own layer has its inputs cut to in_features /
    div_value^(i + 1). Grave et al., "Efficient softmax approximation for GPUs", 2017.
    input (N, d) or (d), target (N) or (): gives each target's log probability, and
    minus their mean.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if len(cutoffs) == 0:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        rising = all(a < b for a, b in zip([0, *cutoffs], [*cutoffs, n_classes]))
        if not rising or any(int(c) != c for c in cutoffs):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in "
                "an increasing order, where each value is between 1 and n_classes-1"
            )
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        place = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, head_bias, **place)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            hidden = int(in_features // div_value ** (i + 1))
            down = Linear(in_features, hidden, False, **place)
            up = Linear(hidden, high - low, False, **place)
            self.tail.append(Sequential(down, up))

    def reset_parameters(self) -> None:
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> OutputAndLoss:
        self._check(input_, target_)
        rows, target = input_.reshape(-1, self.in_features), target_.reshape(-1)
        head = log_softmax(self.head(rows), 1)
        at, output = target, veem.zeros_like(head[:, 0])
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            chosen = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if chosen.numel():
                inside = log_softmax(self.tail[i](rows[chosen]), 1)
                own = inside.gather(1, (target[chosen] - low).unsqueeze(1)).squeeze(1)
                output = output.index_add(0, chosen, own)
                at = at.index_fill(0, chosen, self.shortlist_size + i)
        output = output + head.gather(1, at.unsqueeze(1)).squeeze(1)
        return OutputAndLoss(output.reshape(target_.shape), (-output).mean())

    def _check(self, input: Tensor, target: Tensor) -> None:
        if target.ndim > 1:
            raise RuntimeError(
                "0D or 1D target tensor expected, multi-target not supported"
            )
        if target.ndim == 1 and input.shape[0] != target.shape[0]:
            raise RuntimeError(
                "Input and target should have the same size in the batch dimension."
            )
        if input.ndim != target.ndim + 1:
            raise RuntimeError(
                f"{target.ndim}D target tensor expects {target.ndim + 1}D input "
                f"tensors, but found inputs with size {input.size()}"
            )
        if ((target < 0) | (target >= self.n_classes)).any():
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in "
                f"range [{target.min().item()}, {target.max().item()}] were found. "
            )

    def log_prob(self, input: Tensor) -> Tensor:
        """The log probabilities of all classes: (N, d) -> (N, n_classes)."""
        head = log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            inside = log_softmax(cluster(input), 1)
            parts.append(inside + head[:, self.shortlist_size + i, None])
        return veem.cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable classes: (N, d) -> (N)."""
        best = self.head(input).argmax(1)
        rare = best >= self.shortlist_size
        if rare.any():  # then every class counts
            best[rare] = self.log_prob(input[rare]).argmax(1)
        return best
