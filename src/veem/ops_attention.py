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


def _attention_grads(g, out, q, k, v, mask, scale, causal):
    dq, dk, dv = attention_backward(g[0], q, k, v, mask, *out, scale, causal)
    return dq, dk, dv, None, None, None


def _plain_attention_backward(g, q, k, v, mask, _out, _lse, scale, causal):
    p = attention_weights(q, k, mask, scale, causal)
    dp = matmul(g, transpose(v, -2, -1))
    ds = p * (dp - (dp * p).sum(-1, True)) * scale
    dq, dk = matmul(ds, k), matmul(transpose(ds, -2, -1), q)
    return dq, dk, matmul(transpose(p, -2, -1), g)


attention = op("attention", joint=_attention_grads)
attention_backward = op("attention_backward", plain=_plain_attention_backward)
