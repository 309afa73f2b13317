"""The gradient rules of attention, in the manner of ops.py."""

import math

from veem import _core, creation
from veem.rules import define as op

ops = _core.ops
matmul, transpose, where = ops.matmul, ops.transpose, ops.where


def attention_weights(q, k, mask, scale, causal):
    """softmax(q kᵀ · scale + mask) in plain ops; 0 for a row that sees nothing."""
    scores = matmul(q, transpose(k, -2, -1)) * scale
    if mask is not None:
        scores = scores + mask
    if causal:
        rows, columns = (creation.arange(n, device=q.device) for n in scores.shape[-2:])
        scores = where(rows.unsqueeze(1) >= columns, scores, -math.inf)
    if mask is None:
        return ops.softmax(scores, -1)
    blind = (scores == -math.inf).all(-1, keepdim=True)
    return where(blind, 0.0, ops.softmax(where(blind, 0.0, scores), -1))


def drawn_again(stream, drop, weights):
    """What dropout multiplied weights by; stream: the generator's state before."""
    generator = _core.Generator(weights._device_name)
    generator.set_state(stream.view(_core.uint8))
    keep = creation.empty(weights.shape, dtype=weights.dtype, device=weights.device)
    return ops.bernoulli_(keep, 1 - drop, generator) / (1 - drop)


def _attention_grads(g, out, q, k, v, mask, scale, causal, drop, _generator):
    args = (g[0], q, k, v, mask, *out, scale, causal, drop)
    dq, dk, dv = attention_backward(*args)
    dmask = None
    if mask is not None and mask.requires_grad:
        dmask = attention_mask_backward(*args)
    return dq, dk, dv, dmask, None, None, None, None


def _plain_slopes(g, q, k, v, mask, _out, _lse, stream, scale, causal, drop):
    """The weights as they multiplied v, and the gradients of the scores."""
    p = attention_weights(q, k, mask, scale, causal)
    dp, kept = matmul(g, transpose(v, -2, -1)), p
    if drop > 0:
        factor = drawn_again(stream, drop, p)
        dp, kept = dp * factor, p * factor
    return kept, p * (dp - (dp * p).sum(-1, True))


def _plain_attention_backward(g, q, k, v, mask, out, lse, stream, scale, causal, drop):
    args = (g, q, k, v, mask, out, lse, stream, scale, causal, drop)
    kept, slopes = _plain_slopes(*args)
    ds = slopes * scale
    dq, dk = matmul(ds, k), matmul(transpose(ds, -2, -1), q)
    return dq, dk, matmul(transpose(kept, -2, -1), g)


def _plain_attention_mask_backward(*args):
    return _plain_slopes(*args)[1].sum_to_size(args[4].shape)


attention = op("attention", joint=_attention_grads)
attention_backward = op("attention_backward", plain=_plain_attention_backward)
attention_mask_backward = op(
    "attention_mask_backward", plain=_plain_attention_mask_backward
)
