"""Attention: one kernel where nothing asks for the scores."""

import numpy as np

from opinfo import OpInfo, Sample, Wrong, values
from veem.nn import functional as F


def attention(q, k, v, mask=None, dropout_p=0.0, is_causal=False, scale=None):
    scores = q @ np.swapaxes(k, -2, -1) * (scale or 1 / np.sqrt(q.shape[-1]))
    if is_causal:
        mask = np.tril(np.ones(scores.shape[-2:], bool))
    if mask is not None:
        scores = (
            np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
        )
    top = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = e.sum(-1, keepdims=True)
    return np.where(total > 0, e / np.where(total > 0, total, 1), 0) @ v


def grouped(q, k, v, mask=None, enable_gqa=True, **kwargs):
    repeat = q.shape[-3] // k.shape[-3]
    return attention(q, k.repeat(repeat, -3), v.repeat(repeat, -3), mask, **kwargs)


def heads(rng, dtype, q, k, width, *batch):
    """A query, a key and a value, whose rows are one number longer."""
    sizes = ((q, width), (k, width), (k, width + 1))
    return tuple(values(rng, (*batch, *s), dtype, -1, 1) for s in sizes)


def visible(rng, *shape):
    """A mask of bools whose second row sees nothing."""
    mask = rng.random(shape) < 0.6
    mask[..., 1, :] = False
    return mask


def few(rng, dtype):
    q, k, v = heads(rng, dtype, 3, 5, 4, 2)
    return [
        Sample((q, k, v)),
        Sample((q, k, v, visible(rng, 3, 5))),
        Sample((q, k, v), {"is_causal": True, "scale": 0.7}),
        Sample((q[0], k, v, visible(rng, 2, 3, 5))),
    ]


def many(rng, dtype):
    """More than one block of queries and of keys."""
    return [
        *few(rng, dtype),
        Sample(heads(rng, dtype, 70, 150, 9, 1)),
        Sample((*heads(rng, dtype, 70, 40, 20), visible(rng, 70, 40))),
        Sample(heads(rng, dtype, 150, 70, 3, 2), {"is_causal": True}),
        Sample(heads(rng, dtype, 33, 140, 5), {"is_causal": True}),
    ]


def masked(rng, dtype):
    q, k, v = heads(rng, dtype, 3, 5, 4, 2, 2)
    mask = values(rng, (2, 1, 3, 5), dtype)
    mask[0, 0, 1] = mask[1, 0, :, 2] = -np.inf
    return [Sample((q, k, v, mask)), Sample((q, k, v, mask[0, 0, :1]), {"scale": 0.3})]


def by_group(rng, dtype):
    q, *_ = heads(rng, dtype, 3, 5, 4, 2, 6)
    _, k, v = heads(rng, dtype, 3, 5, 4, 2, 2)
    gqa = {"enable_gqa": True}
    return [
        Sample((q, k, v), gqa),
        Sample((q, k, v, visible(rng, 6, 3, 5)), gqa),
        Sample((q, k, v), gqa | {"is_causal": True}),
    ]


SQUARE = [np.ones((2, 2, 2))] * 3
KINDS = {"call": F.scaled_dot_product_attention, "tolerance": 1e-5}
KINDS["torch"] = "nn.functional.scaled_dot_product_attention"
ROWS = [
    OpInfo(
        "scaled_dot_product_attention",
        attention,
        many,
        gradient_samples=few,
        wrong=(
            Wrong((*SQUARE, np.ones((2, 2))), RuntimeError, "exclude",
                  {"is_causal": True}),
            Wrong((*SQUARE, np.ones((2, 2), "int64")), RuntimeError, "attn_mask dtype"),
            Wrong((*SQUARE[:2], np.ones((2, 3, 2))), RuntimeError, "value"),
            Wrong((np.ones(2), *SQUARE[1:]), RuntimeError, "at least 2"),
            Wrong((SQUARE[0].astype("float32"), *SQUARE[1:]), RuntimeError,
                  "same dtype"),
        ),
        **KINDS,
    ),
    OpInfo("attention_added_mask", attention, masked, diff=(0, 1, 2), **KINDS),
    OpInfo(
        "attention_trained_mask",
        attention,
        lambda rng, dtype: [
            Sample((*few(rng, dtype)[0].args, values(rng, (3, 5), dtype)))],
        **KINDS,
    ),
    OpInfo(
        "attention_by_group",
        grouped,
        by_group,
        wrong=(
            Wrong((np.ones((3, 2, 2)), *SQUARE[1:]), RuntimeError, "must divide",
                  {"enable_gqa": True}),
        ),
        **KINDS,
    ),
]  # fmt: skip
