"""Rows of a table by their indices."""

from __future__ import annotations

from typing import Any

import veem
from veem import Tensor, ops
from veem.autograd.names import recorded_as

from . import init
from .module import Module
from .parameter import Parameter


@recorded_as("Embedding")
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Row i of `weight` for every index i. input (*), weight (n, d) -> (*, d).

    Row `padding_idx` gets no gradient. Rows whose norm_type-norm is above max_norm are
    first scaled down to it, in place. scale_grad_by_freq divides a row's gradient by
    how often it was taken. IndexError for an index outside [0, n).
    """
    refuse_sparse(sparse)
    if weight.ndim != 2:
        raise RuntimeError(
            f"embedding: 'weight' must be 2-D, got shape {list(weight.shape)}"
        )
    if padding_idx is not None:
        padding_idx = row_of(padding_idx, weight.shape[0])
    input = input.long() if input.dtype == veem.int32 else input
    if max_norm is not None:
        limit_norms(weight, input, max_norm, norm_type)
    out = ops.embedding(input, weight, padding_idx)
    return by_frequency(out, input, weight.shape[0]) if scale_grad_by_freq else out


def limit_norms(weight: Tensor, ids: Tensor, max_norm: float, p: float) -> None:
    """Scales the rows that ids name to a p-norm of max_norm at most, in place."""
    with veem.no_grad():
        ids = ids.reshape(-1)
        rows = ops.index_select(weight, 0, ids)
        norm = rows.norm(p, 1, keepdim=True)
        # PyTorch's 1e-7: the norm comes out below max_norm, never above.
        weight[ids] = ops.where(
            norm > max_norm, rows * (max_norm / (norm + 1e-7)), rows
        )


class _ScaledGradient(veem.autograd.Function):
    """The identity, whose gradient is multiplied by `scale`."""

    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(scale)
        return x.view(x.shape)

    @staticmethod
    def backward(ctx, g):
        (scale,) = ctx.saved_tensors
        return g * scale, None


def by_frequency(rows: Tensor, ids: Tensor, count: int) -> Tensor:
    """rows (*, d) of ids (*) out of `count`, whose gradient is shared by their uses."""
    flat = ids.reshape(-1)
    uses = rows.new_zeros(count).index_add_(0, flat, rows.new_ones(flat.shape[0]))
    scale = 1 / ops.index_select(uses, 0, flat)
    return _ScaledGradient.apply(rows, scale.reshape((*ids.shape, 1)))


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """(*) indices -> (*, num_classes) of int64: 1 at the index, 0 elsewhere.

    num_classes is one more than the largest index if it is not given.
    """
    if tensor.dtype != veem.int64:
        raise RuntimeError(
            "one_hot is only applicable to index tensor of type LongTensor."
        )
    if tensor.numel() == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if tensor.numel() > 0:
        lowest, highest = tensor.min().item(), tensor.max().item()
        num_classes = highest + 1 if num_classes == -1 else num_classes
        if lowest < 0:
            raise RuntimeError("Class values must be non-negative.")
        if highest >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    classes = veem.arange(num_classes, device=tensor.device)
    return (tensor.unsqueeze(-1) == classes).to(veem.int64)


class Embedding(Module):
    """Indices (*) -> their rows (*, embedding_dim) of a table of num_embeddings rows.

    weight (num_embeddings, embedding_dim) starts normal; row padding_idx starts at zero
    and gets no gradient. max_norm, norm_type and scale_grad_by_freq: see
    functional.embedding.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        refuse_sparse(sparse)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        if padding_idx is not None:
            padding_idx = row_of(padding_idx, num_embeddings)
        self.padding_idx = padding_idx
        shape = (num_embeddings, embedding_dim)
        if _weight is None:
            table = veem.empty(shape, device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != shape:
                raise AssertionError(
                    "Shape of weight does not match num_embeddings and embedding_dim"
                )
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An Embedding of a given table (n, d), not trained if `freeze`."""
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, width = embeddings.shape
        return cls(
            rows,
            width,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def reset_parameters(self) -> None:
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with veem.no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Tensor) -> Tensor:
        return embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        return text + norm_text(self)


def row_of(padding_idx: int, rows: int) -> int:
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


def refuse_sparse(sparse: bool) -> None:
    if sparse:
        raise NotImplementedError(
            "embedding: sparse=True is not implemented; gradients of a table are "
            "dense, use sparse=False"
        )


def norm_text(table: Any) -> str:
    """What the repr of a table says about norms and frequencies."""
    text = "" if table.max_norm is None else f", max_norm={table.max_norm}"
    text += "" if table.norm_type == 2 else f", norm_type={table.norm_type}"
    return text + (", scale_grad_by_freq=True" if table.scale_grad_by_freq else "")
