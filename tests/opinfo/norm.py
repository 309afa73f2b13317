"""Normalisation."""

import numpy as np

from opinfo import OpInfo, Sample, Wrong, values
from veem.nn import functional as F


def _samples(
    rng,
    dtype,
    shapes=(((4, 6), (6,)), ((2, 3, 5), (3, 5)), ((3, 70), (70,)), ((1,), (1,))),
):
    out = []
    for x, s in shapes:
        x = values(rng, x, dtype)
        out.append(Sample((x, s)))
        out.append(Sample((x + 100, s, values(rng, s, dtype), values(rng, s, dtype))))
        out.append(Sample((x, s, values(rng, s, dtype), None, 1e-3)))
    return out


def _layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    dims = tuple(range(-len(shape), 0))
    y = (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps)
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


ROWS = [
    OpInfo(
        "layer_norm",
        _layer_norm,
        _samples,
        call=F.layer_norm,
        torch="nn.functional.layer_norm",
        # In float32, x + 100 is rounded to 2^-18 before its mean is taken away.
        tolerance=3e-5,
        gradient_samples=lambda rng, dtype: _samples(
            rng, dtype, (((3, 4), (4,)), ((2, 2, 3), (2, 3)))
        ),
        wrong=(
            Wrong((np.ones((2, 3)), (2,)), RuntimeError, r"normalized_shape=\[2\]"),
            Wrong((np.ones((2, 3)), (3,), np.ones(2)), RuntimeError, "weight of shape"),
        ),
    ),
]
