"""Shapes, views and copies."""

import numpy as np

from opinfo import ANY, OpInfo, Sample, Wrong, values


def row(name, reference, *calls, shape=(2, 3, 4), **kwargs):
    """A row for an op of one tensor, called with each of these further arguments."""

    def samples(rng, dtype):
        return [Sample((values(rng, shape, dtype), *args)) for args in calls]

    return OpInfo(name, reference, samples, dtypes=ANY, **kwargs)


def _join_samples(shapes, dims):
    def samples(rng, dtype):
        return [Sample(([values(rng, s, dtype) for s in shapes], d)) for d in dims]

    return samples


ONE = np.ones((2, 3))

ROWS = [
    row("reshape", np.reshape, ((6, 4),), ((-1,),), ((2, -1, 2),),
        wrong=(Wrong((ONE, (4, 2)), RuntimeError, "invalid for input of size 6"),
               Wrong((ONE, (-1, -1)), RuntimeError, "only one dimension"))),
    row("flatten", lambda x, a=0, b=-1: x.reshape(
        x.shape[:a] + (-1,) + (x.shape[b:][1:] if b != -1 else ())), (), (1,), (0, 1)),
    row("unflatten", lambda x, d, s: x.reshape(x.shape[:d] + s + x.shape[d + 1:]),
        (2, (2, 2)), (0, (1, 2)),
        wrong=(Wrong((ONE, 1, (2, 2)), RuntimeError, "don't multiply up"),)),
    row("ravel", np.ravel, ()),
    row("transpose", np.swapaxes, (0, 1), (-1, 0),
        wrong=(Wrong((ONE, 0, 2), IndexError, "out of range"),)),
    row("permute", np.transpose, ((2, 0, 1),), ((-1, 0, 1),),
        wrong=(Wrong((ONE, (0, 0)), RuntimeError, "duplicate"),
               Wrong((ONE, (0,)), RuntimeError, "does not match"))),
    row("t", np.transpose, (), shape=(3, 2),
        wrong=(Wrong((np.ones((1, 2, 3)),), RuntimeError, "<= 2 dimensions"),)),
    row("movedim", np.moveaxis, (0, 2), ((0, 1), (2, 0))),
    row("squeeze", lambda x, d=None: np.squeeze(x) if d is None else np.squeeze(x, d),
        (), (1,), ((1, -1),), shape=(2, 1, 3, 1)),
    row("unsqueeze", np.expand_dims, (0,), (-1,), (1,),
        wrong=(Wrong((ONE, 4), IndexError, "out of range"),)),
    row("broadcast_to", np.broadcast_to, ((5, 2, 3),), ((1, 4, 2, 3),), shape=(2, 1),
        wrong=(Wrong((ONE, (2, 4)), RuntimeError, "must match the existing size"),)),
    row("clone", np.copy, (), torch="same"),
    row("narrow", lambda x, d, s, n: np.take(x, range(s, s + n), d),
        (1, 1, 2), (2, 0, 3),
        wrong=(Wrong((ONE, 1, 2, 2), RuntimeError, "exceeds"),)),
    row("select", lambda x, d, i: np.take(x, i, d), (0, 1), (2, -1),
        wrong=(Wrong((ONE, 0, 2), IndexError, "out of bounds"),)),
    row("split", lambda x, n, d=0: np.split(x, range(n, x.shape[d], n), d),
        (1,), (3, 2)),
    row("chunk", lambda x, n, d=0: np.array_split(x, n, d), (2,), (2, 2),
        wrong=(Wrong((ONE, 0), RuntimeError, "greater than 0"),)),
    row("unbind", lambda x, d=0: [np.take(x, i, d) for i in range(x.shape[d])],
        (), (1,)),
    OpInfo("cat", np.concatenate, _join_samples(((2, 3), (1, 3)), (0, -2)), dtypes=ANY,
           wrong=(Wrong(([ONE, np.ones((2, 4))], 0), RuntimeError, "cat"),
                  Wrong(([],), ValueError, "non-empty"))),
    OpInfo("stack", np.stack, _join_samples(((2, 3), (2, 3)), (0, 1, -1)), dtypes=ANY,
           wrong=(Wrong(([ONE, np.ones((2, 4))],), RuntimeError, "equal size"),)),
]  # fmt: skip
