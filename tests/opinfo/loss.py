"""Losses of predicted classes, as they are fused."""

import numpy as np

from opinfo import OpInfo, Sample, Wrong, values
from veem.nn import functional as F


def _cross_entropy(x, y, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    top = x.max(1, keepdims=True)
    log_p = x - top - np.log(np.exp(x - top).sum(1, keepdims=True))
    kept = y != ignore_index
    hit = np.take_along_axis(log_p, np.where(kept, y, 0)[:, None], 1)[:, 0]
    loss = -(1 - label_smoothing) * hit - label_smoothing * log_p.mean(1)
    loss = np.where(kept, loss, 0)
    if reduction == "none":
        return loss
    return loss.sum() / (kept.sum() if reduction == "mean" else 1)


def _samples(rng, dtype, shapes=((4, 10), (3, 5), (7, 33), (130, 64), (1, 1))):
    out = []
    for n, c in shapes:
        x, y = values(rng, (n, c), dtype), rng.integers(0, c, n)
        out.append(Sample((x, y)))
        out.append(Sample((x + 100, y), {"reduction": "none"}))
        out.append(Sample((x, y), {"reduction": "sum", "label_smoothing": 0.1}))
        if n > 1:
            ignored = np.where(np.arange(n) == 1, -1, y)
            how = {"ignore_index": -1, "label_smoothing": 0.3}
            out.append(Sample((x, ignored), how))
    return out


X = np.ones((2, 3))
ROWS = [
    OpInfo(
        "cross_entropy",
        _cross_entropy,
        _samples,
        call=F.cross_entropy,
        torch="nn.functional.cross_entropy",
        tolerance=1e-5,
        gradient_samples=lambda rng, dtype: _samples(rng, dtype, ((3, 4),)),
        wrong=(
            Wrong((X, np.array([0, 3])), IndexError, "Target 3 is out of bounds"),
            Wrong((X, np.array([0, 1, 2])), ValueError, "batch_size"),
            Wrong(
                (X, np.array([0, 1])),
                ValueError,
                "not a valid value",
                {"reduction": "x"},
            ),
        ),
    )
]
