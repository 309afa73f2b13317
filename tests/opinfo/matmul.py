"""Products of matrices."""

import math

import numpy as np

from opinfo import FLOATS, NUMBERS, OpInfo, Sample, Wrong, values
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


def cdist(a, b, p=2.0):
    apart = a[..., :, None, :] - b[..., None, :, :]
    return np.linalg.norm(apart, p, -1)


def added(name, product, *shapes):
    """A row for beta * input + alpha * a product."""

    def samples(*options):
        return lambda rng, dtype: [
            Sample(tuple(values(rng, s, dtype) for s in shapes), kw) for kw in options
        ]

    scaled = {"beta": 2, "alpha": 3}
    return OpInfo(
        name,
        lambda c, a, b, beta=1, alpha=1: beta * c + alpha * product(a, b),
        samples({}, scaled, {"beta": 0}),
        gradient_samples=samples({"beta": 2}, {"alpha": 2}),
        dtypes=NUMBERS,
        tolerance=1e-5,
        halves=16.0,
        wrong=(
            Wrong((np.ones(9), *map(np.ones, shapes[1:])), RuntimeError, "must match"),
        ),
    )


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
    OpInfo("vdot", np.dot, products(((7,), (7,))), dtypes=NUMBERS),
    OpInfo("outer", np.outer, products(((3,), (4,))), dtypes=NUMBERS),
    OpInfo("ger", np.outer, products(((3,), (4,))), dtypes=NUMBERS),
    OpInfo("inner", np.inner, products(((2, 3), (4, 3)), ((3,), (2, 2, 3)), ((), (2,))),
           dtypes=NUMBERS, wrong=(Wrong((ONE, ONE.T), RuntimeError, "must match"),)),
    OpInfo("vecdot", lambda x, y: (x * y).sum(-1), products(((2, 3), (3,))),
           dtypes=FLOATS, torch="linalg.vecdot"),
    OpInfo("tensordot", np.tensordot, lambda rng, dtype: [
               Sample((values(rng, a, dtype), values(rng, b, dtype), dims))
               for a, b, dims in (((2, 3, 4), (3, 4, 2), 2), ((2,), (3,), 0),
                                  ((2, 3, 4), (4, 5, 2), ([0, -1], [2, 0])))],
           dtypes=NUMBERS, tolerance=1e-5, wrong=(
               Wrong((ONE, ONE, 1), RuntimeError, "need to match"),
               Wrong((ONE, ONE, 3), RuntimeError, "dims < ndim"),
               Wrong((ONE, ONE, ([0], [0, 1])), RuntimeError, "same length"))),
    OpInfo("einsum", np.einsum, lambda rng, dtype: [
               Sample((equation, *(values(rng, s, dtype) for s in shapes)))
               for equation, *shapes in (
                   ("ij,jk->ik", (2, 3), (3, 4)),
                   ("bij,bkj->bik", (2, 3, 4), (2, 2, 4)),
                   ("ij->ji", (2, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)),
                   ("i,j", (2,), (3,)), ("...ij,jk", (2, 1, 3), (3, 2)),
                   ("...i,...i->...", (2, 3), (3,)),
                   ("ij,ij,j->", (2, 3), (2, 3), (3,)),
                   ("bhqd,bkhd->bhqk", (1, 2, 3, 2), (1, 4, 2, 2)))],
           dtypes=NUMBERS, tolerance=1e-5, halves=8.0, wrong=(
               Wrong(("ij,jk", ONE, ONE), RuntimeError, "does not broadcast"),
               Wrong(("ij,jk", ONE), RuntimeError, "operands"),
               Wrong(("ijk", ONE), RuntimeError, "number of subscripts"),
               Wrong(("ij->k", ONE), RuntimeError, "does not appear"),
               Wrong(("ij->ii", ONE), RuntimeError, "more than once"),
               Wrong(("i?", ONE), RuntimeError, "invalid subscript"),
               Wrong(("ii", ONE), RuntimeError, "sizes don't match"))),
    OpInfo("chain_matmul", lambda *x: np.linalg.multi_dot(x),
           products(((2, 3), (3, 4), (4, 1))), dtypes=FLOATS, tolerance=1e-5,
           halves=8.0, wrong=(Wrong((ONE, ONE[0]), RuntimeError, "expected 2"),)),
    OpInfo("matrix_power", np.linalg.matrix_power, lambda rng, dtype: [
               Sample((values(rng, (2, 3, 3), dtype, -1, 1), n)) for n in (1, 2, 3)],
           dtypes=NUMBERS, tolerance=1e-5, halves=16.0,
           wrong=(Wrong((ONE, 2), RuntimeError, "square"),)),
    OpInfo("cross", np.cross, products(((2, 3), (2, 3)), ((3,), (3,))), dtypes=NUMBERS,
           halves=16.0,
           wrong=(Wrong((ONE[:, :2], ONE[:, :2]), RuntimeError, "size 3"),)),
    OpInfo("cdist", cdist, lambda rng, dtype: [
               Sample((values(rng, a, dtype), values(rng, b, dtype), p))
               for a, b in (((3, 2), (4, 2)), ((2, 1, 3), (3, 3)))
               for p in (2.0, 1.0, 0.5, 3.0, np.inf)],
           tolerance=1e-4, halves=None, wrong=(
               Wrong((ONE, np.ones((2, 2))), RuntimeError, "number of columns"),
               Wrong((ONE, ONE[0]), RuntimeError, "at least 2D"),
               Wrong((ONE, ONE, -1.0), RuntimeError, "non-negative"),
               Wrong((ONE, ONE.astype(int)), RuntimeError, "floating"))),
    OpInfo("cdist", cdist, products(((30, 3), (4, 3))), tolerance=1e-3, halves=None),
    OpInfo("pdist", lambda x: cdist(x, x)[np.triu_indices(len(x), 1)],
           products(((4, 2),)), tolerance=1e-4, halves=None,
           wrong=(Wrong((ONE[0],), RuntimeError, "2D"),)),
    added("addmm", np.matmul, (4,), (2, 3), (3, 4)),
    added("addmv", np.matmul, (2,), (2, 3), (3,)),
    added("addr", np.outer, (3, 1), (3,), (4,)),
    added("baddbmm", np.matmul, (2, 1), (2, 2, 3), (2, 3, 4)),
    added("addbmm", lambda a, b: (a @ b).sum(0), (1, 4), (2, 2, 3), (2, 3, 4)),
    OpInfo("linear", lambda x, w, b: x @ w.T + (0 if b is None else b), _linear,
           call=ops.linear, torch="nn.functional.linear", tolerance=TOLERANCE,
           gradient_samples=lambda rng, dtype: _linear(
               rng, dtype, ((4, 3), (5, 3)), ((3,), (2, 3)), ((2, 2, 3), (2, 3))),
           wrong=(Wrong((ONE, np.ones((4, 2)), None), RuntimeError, "in-features"),
                  Wrong((ONE, ONE, np.ones(3)), RuntimeError, "bias of shape"))),
    *map(_activated, ("relu", "gelu", "gelu_tanh", "silu", "sigmoid", "tanh")),
]  # fmt: skip
