"""Sums, means and maxima of rows of a table, bag by bag."""

from __future__ import annotations

import math
from typing import Any

import veem
from veem import Tensor, ops
from veem.autograd.names import recorded_as

from . import init
from .embedding import by_frequency, limit_norms, norm_text, refuse_sparse, row_of
from .module import Module
from .parameter import Parameter


@recorded_as("EmbeddingBag")
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or max of the rows of `weight` that each bag of indices names.

    input (B, N): B bags of N; or (N) with offsets (B), where each bag begins, and with
    include_last_offset where the last one ends. weight (n, d) -> (B, d). In sums, rows
    are multiplied by per_sample_weights, of input's shape. Indices padding_idx do not
    count; a bag of none gives zeros. The rest is as in embedding.
    """
    _check(input, weight, offsets, mode, scale_grad_by_freq, sparse, per_sample_weights)
    if input.ndim == 2:
        count, length = input.shape
        starts = [i * length for i in range(count + 1)]
    else:
        assert offsets is not None  # as was checked
        starts = _starts(offsets.tolist(), input.shape[0], include_last_offset)
    ids = input.reshape(-1).long()
    if max_norm is not None:
        limit_norms(weight, ids, max_norm, norm_type)
    kept = None
    if padding_idx is not None:
        kept = ids.ne(row_of(padding_idx, weight.shape[0]))
    rows = ops.index_select(weight, 0, ids)
    if scale_grad_by_freq:
        rows = by_frequency(rows, ids, weight.shape[0])
    if mode == "max":
        return _largest(rows, starts, kept)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1, 1)
    return _total(rows, starts, kept, mean=mode == "mean")


def _total(rows: Tensor, starts: list[int], kept: Tensor | None, mean: bool) -> Tensor:
    count = len(starts) - 1
    bag = [i for i in range(count) for _ in range(starts[i + 1] - starts[i])]
    bag_of = veem.tensor(bag, dtype=veem.int64, device=rows.device)
    if kept is not None:
        rows = ops.where(kept.unsqueeze(1), rows, 0.0)
    total = ops.index_add_(rows.new_zeros((count, rows.shape[1])), 0, bag_of, rows)
    if not mean:
        return total
    ones = rows.new_ones(rows.shape[0]) if kept is None else kept.to(rows.dtype)
    sizes = rows.new_zeros(count).index_add_(0, bag_of, ones.detach())
    return total / sizes.clamp(min=1).unsqueeze(1)


def _largest(rows: Tensor, starts: list[int], kept: Tensor | None) -> Tensor:
    """Bags side by side, the short ones filled with -inf."""
    sizes = [b - a for a, b in zip(starts, starts[1:])]
    widest = max(sizes, default=0)
    if widest == 0:
        return rows.new_zeros((len(sizes), rows.shape[1]))
    places = [[a + min(j, max(n - 1, 0)) for j in range(widest)]
              for a, n in zip(starts, sizes)]  # fmt: skip
    at = veem.tensor(places, device=rows.device).clamp(max=rows.shape[0] - 1)
    numbers = veem.arange(widest, device=rows.device)
    counts = numbers < veem.tensor(sizes, device=rows.device).unsqueeze(1)
    if kept is not None:
        counts = counts & kept[at]
    spread = ops.where(counts.unsqueeze(2), rows[at], -math.inf)
    top = spread.max(1)[0]
    return ops.where(counts.any(1, keepdim=True), top, 0.0)


def _starts(offsets: list[int], length: int, include_last: bool) -> list[int]:
    """Where each bag begins, and where the last one ends."""
    if include_last and not offsets:
        raise RuntimeError(
            "embedding_bag: include_last_offset: number of offsets should be at least 1"
        )
    if offsets and offsets[0] != 0:
        raise RuntimeError(
            "embedding_bag: offsets[0] has to be 0, i.e., the first sequence in the "
            "mini-batch has to start from position 0. However, got " + str(offsets[0])
        )
    if offsets and offsets[-1] > length:
        raise RuntimeError(
            "embedding_bag: offsets[-1] can not be greater than input's length "
            f"{length}, but got offsets[-1] of {offsets[-1]}"
        )
    return offsets if include_last else [*offsets, length]


def _check(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None,
    mode: str,
    scale_grad_by_freq: bool,
    sparse: bool,
    per_sample_weights: Tensor | None,
) -> None:
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({list(per_sample_weights.shape)}) "
            "is not None, then it must have the same shape as the input "
            f"({list(input.shape)})"
        )
    if weight.ndim != 2:
        raise ValueError(
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}"
        )
    if input.ndim not in (1, 2):
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}"
        )
    if input.ndim == 2 and offsets is not None:
        raise ValueError(
            "if input is 2D, then offsets has to be None, as input is treated is a "
            "mini-batch of fixed length sequences. However, found offsets of type "
            f"{type(offsets)}"
        )
    if input.ndim == 1 and (offsets is None or offsets.ndim != 1):
        got = "None" if offsets is None else f"shape {list(offsets.shape)}"
        raise ValueError(f"offsets has to be a 1D Tensor but got {got}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError(
            "max mode does not support scaling the gradient by the frequency"
        )
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    refuse_sparse(sparse)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is "
            f"only supported for mode='sum' (got mode='{mode}')."
        )


# What from_pretrained takes behind its first two arguments, in order.
_OPTIONS = (
    "max_norm",
    "norm_type",
    "scale_grad_by_freq",
    "mode",
    "sparse",
    "include_last_offset",
    "padding_idx",
)


class EmbeddingBag(Module):
    """Bags of indices -> the sum, mean or max of each bag's rows of a table.

    (B, N), or (N) with offsets (B), -> (B, embedding_dim). weight (num_embeddings,
    embedding_dim) starts normal. Arguments: see functional.embedding_bag.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        refuse_sparse(sparse)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode, self.sparse = mode, sparse
        self.include_last_offset = include_last_offset
        if padding_idx is not None:
            padding_idx = row_of(padding_idx, num_embeddings)
        self.padding_idx = padding_idx
        shape = (num_embeddings, embedding_dim)
        if _weight is None:
            self.weight = Parameter(veem.empty(shape, device=device, dtype=dtype))
            self.reset_parameters()
        elif tuple(_weight.shape) == shape:
            self.weight = Parameter(_weight)
        else:
            raise AssertionError(
                "Shape of weight does not match num_embeddings and embedding_dim"
            )

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, *args: Any, **kwargs: Any
    ) -> EmbeddingBag:
        """An EmbeddingBag of a given table (n, d), not trained if `freeze`.

        Then max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset
        and padding_idx.
        """
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        options: dict[str, Any] = dict(zip(_OPTIONS, args)) | kwargs
        rows, width = embeddings.shape
        bag = cls(rows, width, _weight=embeddings, **options)
        bag.weight.requires_grad = not freeze
        return bag

    def reset_parameters(self) -> None:
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with veem.no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        return embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}{norm_text(self)}"
        text += f", mode={self.mode!r}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        return text
