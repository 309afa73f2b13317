"""Multi-head attention: several attentions side by side, between two projections."""

from __future__ import annotations

import math
from typing import Any

import veem
from veem import Tensor

from . import init
from .attention import scaled_dot_product_attention
from .dropout import dropout
from .linear import NonDynamicallyQuantizableLinear, linear
from .module import Module
from .parameter import Parameter


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What MultiheadAttention computes, from its parameters.

    query (L, N, E), key (S, N, kdim), value (S, N, vdim), or all without N. Returns
    (L, N, E) and, with need_weights, the weights (N, L, S), or (N, heads, L, S) unless
    they are averaged.
    """
    if static_k is not None or static_v is not None:
        raise NotImplementedError(
            "multi_head_attention_forward: static_k and static_v are not implemented; "
            "call scaled_dot_product_attention with them"
        )
    alone = query.ndim == 2
    _check_shapes(query, key, value, key_padding_mask, embed_dim_to_check, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if alone:
        query, key, value = (x.unsqueeze(1) for x in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    weights: Any = (q_proj_weight, k_proj_weight, v_proj_weight)
    if not use_separate_proj_weight:
        assert in_proj_weight is not None
        weights = in_proj_weight.chunk(3)
    q, k, v = _project(
        query,
        key,
        value,
        in_proj_weight,
        in_proj_bias,
        weights,
        use_separate_proj_weight,
    )
    length, count = query.shape[:2]
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # its meaning is known
    else:
        is_causal = False
        _check_mask(attn_mask, length, key.shape[0], count * num_heads)
    if bias_k is not None and bias_v is not None:
        k = veem.cat([k, bias_k.expand(1, count, -1)])
        v = veem.cat([v, bias_v.expand(1, count, -1)])
    q, k, v = (
        x.reshape(-1, count, num_heads, x.shape[2] // num_heads) for x in (q, k, v)
    )
    q, k, v = (x.permute(1, 2, 0, 3) for x in (q, k, v))  # (N, heads, L or S, size)
    if add_zero_attn:
        zeros = k.new_zeros((count, num_heads, 1, k.shape[3]))
        k, v = veem.cat([k, zeros], 2), veem.cat([v, zeros], 2)
    added = k.shape[2] - key.shape[0]
    mask = _merged_mask(attn_mask, key_padding_mask, q, added)
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        scores = (q * math.sqrt(1 / q.shape[3])) @ k.transpose(2, 3)
        scores = scores if mask is None else scores + mask
        attention = dropout(scores.softmax(-1), dropout_p)
        out = attention @ v
    else:
        out = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
    out = out.permute(2, 0, 1, 3).reshape(length, count, -1)
    out = linear(out, out_proj_weight, out_proj_bias)
    out = out.squeeze(1) if alone else out
    if not need_weights:
        return out, None
    attention = attention.mean(1) if average_attn_weights else attention
    return out, attention.squeeze(0) if alone else attention


def _project(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    packed: Any,
    bias: Tensor | None,
    weights: Any,
    separate: bool,
) -> Any:
    """q, k and v: of one product where all come from the same."""
    if not separate and query is key and key is value:
        return linear(query, packed, bias).chunk(3, -1)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return (linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases))


def _merged_mask(
    attn_mask: Tensor | None, padding: Tensor | None, q: Tensor, added: int
) -> Tensor | None:
    """Both masks as one to be added to scores (N, heads, L, S + added)."""
    count, heads, length = q.shape[:3]
    mask = None
    if attn_mask is not None:
        mask = _additive(attn_mask, q)
        if mask.ndim == 3:
            mask = mask.reshape(count, heads, length, -1)
    if padding is not None:
        by_key = _additive(padding, q).reshape(count, 1, 1, -1)
        mask = by_key if mask is None else mask + by_key
    if mask is not None and added:
        zeros = mask.new_zeros((*mask.shape[:-1], added))
        mask = veem.cat([mask, zeros], -1)
    return mask


def _additive(mask: Tensor, q: Tensor) -> Tensor:
    """A bool mask, true where not to look, as numbers to add."""
    if mask.dtype != veem.bool:
        return mask
    zeros = veem.zeros(mask.shape, dtype=q.dtype, device=q.device)
    return zeros.masked_fill_(mask, -math.inf)


def _check_shapes(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    padding: Tensor | None,
    embed_dim: int,
    heads: int,
) -> None:
    if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
        raise AssertionError(
            "query, key and value should be all 3-D (batched) or all 2-D (unbatched), "
            f"but found {query.ndim}-D, {key.ndim}-D and {value.ndim}-D tensors"
        )
    if query.shape[-1] != embed_dim:
        raise AssertionError(
            f"was expecting embedding dimension of {embed_dim}, but got "
            f"{query.shape[-1]}"
        )
    if embed_dim % heads != 0:
        raise AssertionError(
            f"embed_dim {embed_dim} not divisible by num_heads {heads}"
        )
    if key.shape[:-1] != value.shape[:-1]:
        raise AssertionError(
            f"key's sequence and batch dims {list(key.shape[:-1])} do not match "
            f"value's {list(value.shape[:-1])}"
        )
    wanted = (key.shape[1], key.shape[0]) if key.ndim == 3 else (key.shape[0],)
    if padding is not None and tuple(padding.shape) != wanted:
        raise AssertionError(
            f"expecting key_padding_mask shape of {wanted}, but got {padding.shape}"
        )


def _check_mask(mask: Tensor | None, length: int, keys: int, rows: int) -> None:
    if mask is None:
        return
    wanted = (length, keys) if mask.ndim == 2 else (rows, length, keys)
    if tuple(mask.shape) != wanted:
        raise RuntimeError(
            f"The shape of the {mask.ndim}D attn_mask is {tuple(mask.shape)}, but "
            f"should be {wanted}."
        )


class MultiheadAttention(Module):
    """softmax(q kᵀ / √(E / heads)) v for each head, of projections of what is given.

    Vaswani et al., "Attention is all you need", 2017.
    query (L, N, E), key (S, N, kdim), value (S, N, vdim), with N first if batch_first
    and without N for no batch -> (L, N, E) and the weights (N, L, S), or None without
    need_weights, which is faster. key_padding_mask (N, S) and attn_mask (L, S) or
    (N · heads, L, S): true, or -inf, where not to look; other numbers are added.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        self.dropout, self.batch_first = dropout, batch_first
        self.add_zero_attn = add_zero_attn
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        place = {"device": device, "dtype": dtype}
        same = self._qkv_same_embed_dim
        shapes: dict[str, tuple | None] = {
            "q_proj_weight": None if same else (embed_dim, embed_dim),
            "k_proj_weight": None if same else (embed_dim, self.kdim),
            "v_proj_weight": None if same else (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim) if same else None,
            "in_proj_bias": (3 * embed_dim,) if bias else None,
            "bias_k": (1, 1, embed_dim) if add_bias_kv else None,
            "bias_v": (1, 1, embed_dim) if add_bias_kv else None,
        }
        for name, shape in shapes.items():
            value = None if shape is None else Parameter(veem.empty(shape, **place))
            self.register_parameter(name, value)
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias, **place
        )
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for name in ("in", "q", "k", "v"):
            weight = self._parameters[f"{name}_proj_weight"]
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for added in (self.bias_k, self.bias_v):
            if added is not None:
                init.xavier_normal_(added)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        swaps = self.batch_first and query.ndim == 3
        if swaps:  # what is one tensor stays one
            same, pair = query is key and key is value, key is value
            query = query.transpose(0, 1)
            key = query if same else key.transpose(0, 1)
            value = key if pair else value.transpose(0, 1)
        out, weights = multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            self.training,
            key_padding_mask,
            need_weights,
            attn_mask,
            not self._qkv_same_embed_dim,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return out.transpose(0, 1) if swaps else out, weights
