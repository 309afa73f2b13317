"""Shapes, views and copies."""

import numpy as np

from opinfo import ANY, OpInfo, Sample, Wrong, values


def row(name, reference, *calls, shape=(2, 3, 4), **kwargs):
    """A row for an op of one tensor, called with each of these further arguments."""

    def samples(rng, dtype):
        return [Sample((values(rng, shape, dtype), *args)) for args in calls]

    return OpInfo(name, reference, samples, dtypes=ANY, **kwargs)


def windows(x, dim, size, step):
    last = np.moveaxis(x, dim, -1)
    starts = range(0, last.shape[-1] - size + 1, step)
    parts = np.stack([last[..., a : a + size] for a in starts], -2)
    return np.moveaxis(parts, -2, dim % x.ndim)


def strided(x, shape, strides, offset=0):
    flat, places = np.ravel(x), np.full(shape, offset)
    for d, stride in enumerate(strides):
        step = np.arange(shape[d]) * stride
        places = places + step.reshape([-1] + [1] * (len(shape) - d - 1))
    return flat[places]


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
        (1, 1, 2), (2, 0, 3), (-1, -2, 1),
        wrong=(Wrong((ONE, 1, 2, 2), RuntimeError, "exceeds"),
               Wrong((ONE, 1, 4, 0), IndexError, "start out of range"),
               Wrong((ONE, 1, 0, -1), RuntimeError, "non-negative"),
               Wrong((np.array(1.0), 0, 0, 1), RuntimeError, "0-dim"))),
    row("narrow_copy", lambda x, d, s, n: np.take(x, range(s, s + n), d), (1, 1, 2)),
    row("select", lambda x, d, i: np.take(x, i, d), (0, 1), (2, -1),
        wrong=(Wrong((ONE, 0, 2), IndexError, "out of bounds"),)),
    row("adjoint", lambda x: np.swapaxes(x, -1, -2), (),
        wrong=(Wrong((np.ones(3),), RuntimeError, "matrices"),)),
    row("atleast_1d", np.atleast_1d, (), shape=()),
    row("atleast_2d", np.atleast_2d, (), shape=(3,)),
    row("atleast_3d", np.atleast_3d, (), shape=(3, 2)),
    row("expand", np.broadcast_to, ((5, 2, 3),), shape=(2, 1), torch="Tensor.expand",
        wrong=(Wrong((ONE, (2, 4)), RuntimeError, "must match the existing size"),
               Wrong((ONE, (3,)), RuntimeError, "fewer dimensions"))),
    row("unfold", windows, (1, 2, 1), (-1, 3, 2), (0, 1, 1), (2, 0, 1),
        torch="Tensor.unfold", shape=(2, 3, 5),
        wrong=(Wrong((ONE, 1, 4, 1), RuntimeError, "maximum size"),
               Wrong((ONE, 1, 2, 0), RuntimeError, "step is 0"),
               Wrong((ONE, 2, 2, 1), IndexError, "out of range"))),
    row("as_strided", strided, ((2, 3), (1, 2)), ((2, 2, 2), (1, 1, 3), 2),
        ((3, 2), (0, 5)), call=lambda x, *a: x.contiguous().as_strided(*a),
        wrong=(Wrong((ONE, (2, 3), (3,)), RuntimeError, "same length"),
               Wrong((ONE, (7,), (1,)), RuntimeError, "reach beyond"),
               Wrong((ONE, (2,), (-1,)), RuntimeError, "not be negative"))),
]  # fmt: skip
