"""Attention."""

from __future__ import annotations

import math

import veem
from veem import Tensor

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
    what may be looked at. enable_gqa: a head of keys serves a group of query heads.
    """
    if enable_gqa:
        group = query.shape[-3] // key.shape[-3]
        key = key.repeat_interleave(group, -3)
        value = value.repeat_interleave(group, -3)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * scale) @ key.transpose(-2, -1)
    if is_causal and attn_mask is not None:
        raise RuntimeError(
            "scaled_dot_product_attention: attn_mask and is_causal=True exclude each "
            "other"
        )
    if is_causal:
        square = scores.shape[-2:]
        past = veem.ones(square, dtype=veem.bool, device=query.device).tril()
        weights = scores.masked_fill(past.logical_not(), -math.inf).softmax(-1)
    elif attn_mask is not None:
        weights = _masked_softmax(scores, attn_mask)
    else:
        weights = scores.softmax(-1)
    return dropout(weights, dropout_p) @ value


def _masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """softmax(scores + mask); a row that may look at nothing gives zeros, not NaN."""
    if mask.dtype == veem.bool:
        scores = scores.masked_fill(mask.logical_not(), -math.inf)
    else:
        scores = scores + mask
    blind = scores.eq(-math.inf).all(-1, keepdim=True)
    return scores.masked_fill(blind, 0.0).softmax(-1).masked_fill(blind, 0.0)
