"""Products of matrices."""

import math

import numpy as np

from opinfo import NUMBERS, OpInfo, Sample, Wrong, values
from veem import ops

SHAPES = (
    ((2, 3), (3, 4)),
    ((5,), (5,)),
    ((3, 5), (5,)),
    ((5,), (5, 2)),
    ((4, 2, 3), (3, 5)),
    ((2, 1, 3, 4), (5, 4, 2)),
    ((4,), (2, 4, 3)),
    ((2, 3, 4), (4,)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((1, 1), (1, 1)),
)
LARGER = (((67, 130), (130, 45)), ((33, 257), (257, 70)), ((3, 65, 40), (3, 40, 33)))


def products(*shapes):
    def samples(rng, dtype):
        return [Sample(tuple(values(rng, s, dtype) for s in pair)) for pair in shapes]

    return samples


def _linear(rng, dtype, *shapes):
    out = []
    for x, w in shapes or (
        ((4, 3), (5, 3)),
        ((3,), (2, 3)),
        ((2, 4, 3), (5, 3)),
        ((70, 90), (40, 90)),
    ):
        x, w = values(rng, x, dtype), values(rng, w, dtype)
        out.append(Sample((x, w, values(rng, w.shape[:1], dtype))))
        out.append(Sample((x, w, None)))
    return out


def _activated(name):
    """The linear layer that ends with this function."""
    formula = {
        "relu": lambda x: np.maximum(x, 0),
        "gelu": lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / 2**0.5)),
        "gelu_tanh": lambda x: (
            x * 0.5 * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
        ),
        "silu": lambda x: x / (1 + np.exp(-x)),
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
    }[name]
    return OpInfo(
        f"linear_{name}",
        lambda x, w, b: formula(x @ w.T + (0 if b is None else b)),
        lambda rng, dtype: _linear(
            rng, dtype, *(((4, 3), (5, 3)), ((3,), (2, 3)), ((2, 4, 3), (5, 3)),
                          ((3, 90), (40, 90)), ((70, 90), (45, 90)), ((2, 0), (3, 0)))
        ),
        call=lambda x, w, b: ops.linear_activation(x, w, b, name),
        torch=None,
        tolerance=TOLERANCE,
        gradient_samples=lambda rng, dtype: _linear(
            rng, dtype, ((4, 3), (5, 3)), ((3,), (2, 3)), ((2, 2, 3), (2, 3))
        ),
        wrong=(
            Wrong((ONE, np.ones((4, 2)), None), RuntimeError, "in-features"),
            Wrong((ONE.astype("int64"),) * 2 + (None,), RuntimeError, "floating point"),
        ),
    )  # fmt: skip


# 257 products of up to 9: rounding them in float32 leaves about 257 * 9 * 2^-24 / 3.
TOLERANCE = 5e-5
ONE = np.ones((2, 3))
ROWS = [
    OpInfo(
        "matmul",
        np.matmul,
        products(*SHAPES, *LARGER),
        gradient_samples=products(*SHAPES),
        dtypes=NUMBERS,
        tolerance=TOLERANCE,
        wrong=(
            Wrong((ONE, ONE), RuntimeError, r"2x3 and 2x3"),
            Wrong((ONE, np.ones((3, 2), dtype="float32")), RuntimeError, "same dtype"),
            Wrong((ONE, np.array(1.0)), RuntimeError, "at least 1-d"),
            Wrong((ONE > 0, (ONE > 0).T), RuntimeError, "bool"),
        ),
    ),
    OpInfo("mm", np.matmul, products(((2, 3), (3, 4))), dtypes=NUMBERS,
           wrong=(Wrong((ONE, np.ones(3)), RuntimeError, "2-d"),)),
    OpInfo("bmm", np.matmul, products(((2, 3, 4), (2, 4, 2))), dtypes=NUMBERS,
           wrong=(Wrong((np.ones((2, 1, 1)), np.ones((3, 1, 1))), RuntimeError,
                        "batch sizes"),)),
    OpInfo("mv", np.matmul, products(((2, 3), (3,))), dtypes=NUMBERS),
    OpInfo("dot", np.dot, products(((7,), (7,))), dtypes=NUMBERS),
    OpInfo("outer", np.outer, products(((3,), (4,))), dtypes=NUMBERS),
    OpInfo("addmm", lambda c, a, b, beta=1, alpha=1: beta * c + alpha * (a @ b),
           lambda rng, dtype: [
               Sample((*(values(rng, s, dtype) for s in ((4,), (2, 3), (3, 4))),), kw)
               for kw in ({}, {"beta": 2, "alpha": 3}, {"beta": 0})],
           dtypes=NUMBERS, gradient_samples=lambda rng, dtype: [
               Sample((*(values(rng, s, dtype) for s in ((4,), (2, 3), (3, 4))),),
                      {"beta": 2})]),
    OpInfo("linear", lambda x, w, b: x @ w.T + (0 if b is None else b), _linear,
           call=ops.linear, torch="nn.functional.linear", tolerance=TOLERANCE,
           gradient_samples=lambda rng, dtype: _linear(
               rng, dtype, ((4, 3), (5, 3)), ((3,), (2, 3)), ((2, 2, 3), (2, 3))),
           wrong=(Wrong((ONE, np.ones((4, 2)), None), RuntimeError, "in-features"),
                  Wrong((ONE, ONE, np.ones(3)), RuntimeError, "bias of shape"))),
    *map(_activated, ("relu", "gelu", "gelu_tanh", "silu", "sigmoid", "tanh")),
]  # fmt: skip
