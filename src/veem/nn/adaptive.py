"""Cross entropies that have the last linear layer in them."""

from __future__ import annotations

import dataclasses
import math
import warnings
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


@dataclasses.dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How many rows of linear_cross_entropy are computed at a time.

    batch_chunk_size: that many; None chooses by chunking_method: "aspect_ratio" makes
    the logits of a chunk about as large as input, "aspect_ratio:N" an N-th of that,
    "auto" is "aspect_ratio:2", and None means all rows. What else PyTorch has is
    checked and changes nothing: sums are accurate, and graphs may be retained.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        method, size = self.chunking_method, self.batch_chunk_size
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if method not in (None, "auto"):
            name, colon, factor = method.partition(":")
            if name != "aspect_ratio" or (colon and not factor.isdigit()):
                raise ValueError(f"invalid chunking_method: {method!r}")
            if colon and int(factor) == 0:
                raise ValueError(f"invalid chunking_method: {method!r}")
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(
                f"batch_chunk_size must be positive int or None, got {size!r}"
            )
        if self.acc_dtype is not None and not self.acc_dtype.is_floating_point:
            raise ValueError(
                f"acc_dtype must be a floating point dtype or None, got "
                f"{self.acc_dtype!r}"
            )

    def rows(self, input: Tensor, classes: int) -> int:
        """The rows of a chunk of this input (N, d)."""
        (n, d), size, method = input.shape, self.batch_chunk_size, self.chunking_method
        if method == "auto":
            method = "aspect_ratio:2" if size is None else None
        if method is None:
            return max(1, n if size is None else min(size, n))
        wanted = -(-n // -(-classes // d)) if classes and d else n
        power = 1 << max(wanted - 1, 0).bit_length()
        chosen = min(power // int(method.partition(":")[2] or 1), n)
        if size is not None and size != chosen:
            raise ValueError(
                f"batch_chunk_size (={size}) and chunking_method ('{method}') give "
                f"different chunk sizes ({size} vs {chosen}); pass only one."
            )
        return max(1, chosen)


def _check(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | None,
    ignore_index: int | None,
) -> None:
    *shape, size = linear_weight.shape or (0,)
    if not 1 <= input.ndim <= 2:
        raise RuntimeError(
            f"linear_cross_entropy: expected input with dimensionality 1 or 2, got "
            f"{input.ndim}"
        )
    if not shape:
        raise RuntimeError(
            "linear_cross_entropy: expected linear_weight with dimensionality at least "
            f"2, got {linear_weight.ndim}"
        )
    if input.shape[-1] != size:
        raise RuntimeError(
            "linear_cross_entropy: expected equal input and linear_weight last "
            f"dimensions (in_features), got {input.shape[-1]} and {size}, respectively"
        )
    if linear_bias is not None and tuple(linear_bias.shape) != tuple(shape):
        raise RuntimeError(
            f"linear_cross_entropy: expected linear_bias shape {tuple(shape)}, got "
            f"{tuple(linear_bias.shape)}"
        )
    if len(shape) > 1 and input.ndim == 1:
        raise RuntimeError(
            "linear_cross_entropy: K-dimensional loss defined by linear_weight shape "
            f"{tuple(linear_weight.shape)} requires batched input, (N, {size}), got "
            f"unbatched input with shape {tuple(input.shape)}"
        )
    probabilities = tuple(target.shape) == (*input.shape[:-1], *shape)
    if probabilities and ignore_index is not None:
        raise RuntimeError(
            "linear_cross_entropy: ignore_index cannot be specified when target "
            "contains probabilities"
        )


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
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """cross_entropy of linear(input, linear_weight, linear_bias).

    input (N, d) or (d), linear_weight (C, *, d) and linear_bias (C, *) give logits
    (N, C, *) or (C). options: compute classes of input (N, d) in chunks of rows.
    """
    _check(input, linear_weight, target, linear_bias, ignore_index)
    if options is not None:
        if linear_weight.ndim > 2 or label_smoothing or target.dtype != veem.int64:
            warnings.warn(
                "linear_cross_entropy: options ignored; chunks need int64 targets, no "
                "label_smoothing and linear_weight (C, d)",
                stacklevel=2,
            )
        elif input.ndim == 2:
            given = linear_weight, linear_bias, weight, reduction, ignore_index
            return _in_chunks(options, input, target, *given)
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


def _in_chunks(
    options: LinearCrossEntropyOptions,
    input: Tensor,
    target: Tensor,
    linear_weight: Tensor,
    linear_bias: Tensor | None,
    weight: Tensor | None,
    reduction: str,
    ignore_index: int | None,
) -> Tensor:
    """linear_cross_entropy of a chunk of rows after the other."""
    rows = options.rows(input, linear_weight.shape[0])
    ignored = -100 if ignore_index is None else ignore_index

    def loss(x: Tensor, y: Tensor) -> Tensor:
        logits, how = linear(x, linear_weight, linear_bias), reduction
        return cross_entropy(
            logits,
            y,
            weight,
            ignore_index=ignored,
            reduction="sum" if how == "mean" else how,
        )

    chunks = list(zip(input.split(rows), target.split(rows)))
    if reduction not in ("mean", "sum") or target.shape != input.shape[:1]:
        return veem.cat([loss(x, y) for x, y in chunks])
    total = sum((loss(x, y) for x, y in chunks[1:]), loss(*chunks[0]))
    if reduction == "sum":
        return total
    kept: Tensor = veem.ne(target, ignored)
    if weight is None:
        return total / kept.sum()
    return total / (weight[veem.where(kept, target, 0)] * kept).sum()


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
        options: LinearCrossEntropyOptions | None = None,
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
