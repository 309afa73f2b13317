"""Triangles, diagonals, blocks; elements in another order or number."""

import itertools

import numpy as np

from opinfo import ANY, NUMBERS, OpInfo, Sample, Wrong, values


def row(name, reference, *calls, shape=(3, 3), dtypes=ANY, **kwargs):
    """A row for an op of tensors: ("values", shape) among the arguments is one more."""

    def samples(rng, dtype):
        def fresh(a):
            wanted = isinstance(a, tuple) and a[:1] == ("values",)
            return values(rng, a[1], dtype) if wanted else a

        return [
            Sample((values(rng, shape, dtype), *map(fresh, args))) for args in calls
        ]

    return OpInfo(name, reference, samples, dtypes=dtypes, **kwargs)


def repeat_interleave(x, n, dim=None):
    return np.repeat(x, n, dim)


def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    n = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], n, n), x.dtype)
    i = np.arange(x.shape[-1])
    out[..., i + max(0, -offset), i + max(0, offset)] = x
    return np.moveaxis(out, (-2, -1), (dim1, dim2))


def replaced(index):
    def f(x, src, *args):
        out = x.copy()
        out[index(*args)] = src
        return out

    return f


def diagonal_scatter(x, src, offset=0):
    out = x.copy()
    i = np.arange(len(src))
    out[i + max(0, -offset), i + max(0, offset)] = src
    return out


def combinations(x, r=2, with_replacement=False):
    take = itertools.combinations_with_replacement if with_replacement else (
        itertools.combinations)  # fmt: skip
    return np.array(list(take(x, r)), x.dtype).reshape(-1, r)


def whole(axis):
    return (slice(None),) * axis


X, VECTOR = np.ones((3, 3)), np.ones(3)
SLICE = replaced(lambda d, a, b, s: (*whole(d), slice(a, b, s)))
ROWS = [
    row("tril", np.tril, (), (1,), (-1,),
        wrong=(Wrong((np.ones(3),), RuntimeError, "at least 2 dimensions"),)),
    row("triu", np.triu, (), (1,), (-2,), shape=(2, 3, 4)),
    row("diagonal", np.diagonal, (), (1,), (-1, 1, 0), shape=(2, 3, 4)),
    row("diag", np.diag, (), (1,), (-1,)),
    row("trace", np.trace, (), dtypes=NUMBERS),
    row("diag_embed", diag_embed, (), (1,), (-2,), (0, 0, 2), (1, -1, 0),
        shape=(2, 3), wrong=(
            Wrong((X, 0, 1, 1), RuntimeError, "identical"),
            Wrong((X, 0, 0, 3), IndexError, "out of range"))),
    row("diagflat", np.diagflat, (), (1,), (-1,), shape=(2, 2)),
    row("kron", np.kron, (("values", (3, 1)),), (("values", (2,)),),
        (("values", (2, 2, 2)),), shape=(2, 2)),
    row("vander", lambda x, n=None, up=False: np.vander(x, n, up), (), (2,), (4, True),
        shape=(3,), dtypes=NUMBERS,
        wrong=(Wrong((X,), RuntimeError, "one-dimensional"),
               Wrong((VECTOR, -1), RuntimeError, "non-negative"))),
    row("select_scatter", replaced(lambda d, i: (*whole(d), i)),
        (("values", (3, 2)), 1, -1), shape=(3, 4, 2),
        wrong=(Wrong((X, VECTOR[:2], 0, 0), RuntimeError, "shape of the part"),)),
    row("slice_scatter", SLICE, (("values", (3, 2, 2)), 1, 1, None, 2),
        (("values", (2, 4, 2)), 0, -2, 7, 1), shape=(3, 4, 2),
        wrong=(Wrong((X, X, 0, 1), RuntimeError, "shape of the part"),)),
    row("diagonal_scatter", diagonal_scatter, (("values", (3,)),),
        (("values", (2,)), 1), (("values", (2,)), -1),
        wrong=(Wrong((X, VECTOR, 1), RuntimeError, "shape of the part"),)),
    row("combinations", combinations, (), (3,), (1,), (2, True), shape=(4,),
        wrong=(Wrong((X,), RuntimeError, "1D vector"),
               Wrong((VECTOR, -1), RuntimeError, "non-negative"))),
    row("flip", lambda x, d: np.flip(x, d), ((0,),), ((0, -1),), shape=(2, 3, 4),
        wrong=(Wrong((X, (0, 0)), RuntimeError, "multiple times"),
               Wrong((X, (2,)), IndexError, "out of range"))),
    row("fliplr", np.fliplr, (), wrong=(Wrong((VECTOR,), RuntimeError, ">= 2-d"),)),
    row("flipud", np.flipud, (), shape=(3,),
        wrong=(Wrong((np.array(1.0),), RuntimeError, ">= 1-d"),)),
    row("rot90", np.rot90, (), (2,), (-1, (1, 2)), (4,), shape=(2, 3, 4),
        wrong=(Wrong((X, 1, (0, 0)), RuntimeError, "different"),
               Wrong((X, 1, (0, 2)), IndexError, "out of range"),
               Wrong((X, 1, (0,)), RuntimeError, "rotation dims == 2"),
               Wrong((VECTOR,), RuntimeError, "total dims >= 2"))),
    row("roll", np.roll, (1,), (-1, 0), ((1, 2), (0, 1)), shape=(2, 3, 4),
        wrong=(Wrong((X, (1, 2), 0), RuntimeError, "must align"),
               Wrong((X, 1, 2), IndexError, "out of range"))),
    row("repeat", np.tile, ((2, 1),), ((2, 1, 3),), ((0, 1),), torch="Tensor.repeat",
        call=lambda x, n: x.repeat(n),
        wrong=(Wrong((X, (2,)), RuntimeError, "can not be smaller"),
               Wrong((X, (-1, 2)), RuntimeError, "negative"))),
    row("tile", np.tile, ((2,),), ((2, 1, 3),)),
    row("repeat_interleave", repeat_interleave, (2,), (3, 1), (0, 0),
        (np.array([2, 0, 1]), 1),
        wrong=(Wrong((X, np.array([1, 2]), 0), RuntimeError, "same size"),
               Wrong((X, -1), RuntimeError, "negative"))),
]  # fmt: skip
