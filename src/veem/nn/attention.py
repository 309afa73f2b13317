"""Attention."""

from __future__ import annotations

import math

import veem
from veem import Tensor, ops

from .dropout import dropout


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(q kᵀ · scale + mask) v.

    Vaswani et al., "Attention is all you need", 2017.
    query (*, L, E), key (*, S, E), value (*, S, V) -> (*, L, V); scale is 1 / √E if not
    given. attn_mask broadcasts to (*, L, S): numbers are added to the scores, bools say
    what may be looked at; with is_causal, query i sees the keys up to i. A row that
    sees nothing gives zeros. enable_gqa: a head of keys serves a group of query heads.

    dropout_p: the share of the softmax's weights that are dropped, as `dropout` would
    draw them; whether a module is training is not asked.

    One kernel does it all, forward and backward, and never holds the L x S scores. What
    dropout keeps is drawn again where it is needed.
    """
    _check(query, key, value, attn_mask, dropout_p, is_causal)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    shape = query.shape[:-1]
    if enable_gqa:
        query, key, value, attn_mask = _by_group(query, key, value, attn_mask)
    mask = attn_mask
    if mask is not None and mask.dtype == veem.bool:
        mask = ops.where(mask, 0.0, -math.inf).to(query.dtype)
    if 0 in (query.numel(), key.numel(), value.numel()):
        weights = ops.attention_weights(query, key, mask, scale, is_causal)
        out = dropout(weights, dropout_p) @ value
    else:
        drawn = 0 < dropout_p < 1
        stream = veem.random.stream_of(query._device_name) if drawn else None
        drop = dropout_p if drawn else 0.0
        out = ops.attention(query, key, value, mask, scale, is_causal, drop, stream)[0]
        if dropout_p == 1:
            out = out * 0.0
    return out.reshape((*shape, value.shape[-1])) if enable_gqa else out


def _by_group(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """The heads of query (*, H, L, E) as (*, K, H / K, L, E) beside K heads of keys."""
    heads, groups = query.shape[-3], key.shape[-3]
    if value.shape[-3] != groups or heads % groups != 0:
        raise RuntimeError(
            "scaled_dot_product_attention: with enable_gqa the heads of key and value "
            f"must divide those of query, got {heads}, {groups} and {value.shape[-3]}"
        )
    split = lambda x: x.reshape((*x.shape[:-3], groups, -1, *x.shape[-2:]))
    if mask is not None and mask.ndim > 2:
        mask = split(mask) if mask.shape[-3] == heads else mask.unsqueeze(-3)
    return split(query), key.unsqueeze(-3), value.unsqueeze(-3), mask


def _check(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout_p: float,
    is_causal: bool,
) -> None:
    name = "scaled_dot_product_attention"
    tensors = (query, key, value)
    if any(x.ndim < 2 for x in tensors):
        raise RuntimeError(
            f"{name}: Expected query, key, and value to all be at least 2 dimensional, "
            f"but got {', '.join(str(x.ndim) for x in tensors)} dimensions"
        )
    if len({x.dtype for x in tensors}) > 1:
        raise RuntimeError(
            f"{name}: Expected query, key, and value to have the same dtype, but got "
            f"{', '.join(str(x.dtype) for x in tensors)}"
        )
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(
            f"{name}: dropout probability has to be between 0 and 1, but got "
            f"{dropout_p}"
        )
    if is_causal and mask is not None:
        raise RuntimeError(f"{name}: attn_mask and is_causal=True exclude each other")
    if mask is not None and mask.dtype not in (veem.bool, query.dtype):
        raise RuntimeError(
            f"{name}: Expected attn_mask dtype to be bool or to match query dtype, but "
            f"got {mask.dtype} and {query.dtype}"
        )
