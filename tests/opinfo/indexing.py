"""Elements addressed by index tensors and masks."""

import numpy as np

from opinfo import ANY, NUMBERS, OpInfo, Sample, Wrong, values

IDS = np.array([[0, 2, 1], [1, 1, 0]])
ROWS_IDS = np.array([2, 0, 2])
X = np.ones((3, 3))


def row(name, reference, *calls, shape=(3, 3), dtypes=ANY, **kwargs):
    """A row for an op of one tensor, called with each of these further arguments.

    A tuple among the arguments, ("values", shape), becomes an array of the dtype.
    """

    def samples(rng, dtype):
        def fresh(a):
            wanted = isinstance(a, tuple) and a[0] == "values"
            return values(rng, a[1], dtype) if wanted else a

        return [
            Sample((values(rng, shape, dtype), *map(fresh, args))) for args in calls
        ]

    return OpInfo(name, reference, samples, dtypes=dtypes, **kwargs)


def scatter(x, dim, index, src):
    out = x.copy()
    for at in np.ndindex(index.shape):
        to = list(at)
        to[dim] = index[at]
        out[tuple(to)] = src[at] if np.ndim(src) else src
    return out


def scatter_add(x, dim, index, src):
    out = x.copy()
    for at in np.ndindex(index.shape):
        to = list(at)
        to[dim] = index[at]
        out[tuple(to)] += src[at]
    return out


def index_add(x, dim, index, src):
    out = x.copy()
    np.add.at(out, (slice(None),) * dim + (index,), src)
    return out


def index_fill(x, dim, index, value):
    out = x.copy()
    out[(slice(None),) * dim + (index,)] = value
    return out


OUT = "index 3 is out of bounds for dimension 1 with size 3"
FAR = np.array([[0, 3]])

ROWS = [
    row("gather", lambda x, d, i: np.take_along_axis(x[:2] if d else x, i, d),
        (0, IDS), (1, IDS), (-1, IDS[:, :1]),
        wrong=(Wrong((X, 1, FAR), RuntimeError, OUT),
               Wrong((X, 0, ROWS_IDS), RuntimeError, "same number of dimensions"),
               Wrong((X, 0, FAR.astype(float)), RuntimeError, "long or int"))),
    row("index_select", lambda x, d, i: np.take(x, i, d), (0, ROWS_IDS), (1, ROWS_IDS),
        wrong=(Wrong((X, 1, np.array([3])), RuntimeError, OUT),
               Wrong((X, 1, FAR), IndexError, "vector"))),
    row("scatter", scatter, (0, IDS[:1], ("values", (2, 3))), (1, IDS[:, :1], 2),
        dtypes=NUMBERS, gradient_samples=lambda rng, dtype: [Sample((
            values(rng, (3, 3), dtype), 0, IDS[:1], values(rng, (2, 3), dtype)))],
        wrong=(Wrong((X, 1, FAR, X), RuntimeError, OUT),
               Wrong((X, 1, IDS, X[:1]), RuntimeError, "no larger than src"))),
    row("scatter_add", scatter_add, (0, IDS, ("values", (2, 3))),
        (1, IDS, ("values", (3, 3))), dtypes=NUMBERS,
        wrong=(Wrong((X, 1, FAR, X), RuntimeError, OUT),)),
    row("index_add", index_add, (0, ROWS_IDS, ("values", (3, 3))),
        (1, ROWS_IDS, ("values", (3, 3))), dtypes=NUMBERS,
        wrong=(Wrong((X, 0, ROWS_IDS, X[:2]), RuntimeError, "source of shape"),)),
    row("index_fill", index_fill, (0, ROWS_IDS, 1), (1, ROWS_IDS[:1], 0)),
    row("masked_fill", lambda x, m, v: np.where(m, v, x), (IDS[:1] > 0, 1),
        (np.eye(3) > 0, 0), wrong=(Wrong((X, IDS, 1), RuntimeError, "boolean masks"),)),
    row("masked_select", lambda x, m: x[np.broadcast_to(m, x.shape)], (np.eye(3) > 0,),
        (IDS[:1] > 0,)),
    row("nonzero", lambda x: np.argwhere(x), (), order=0),
    row("take", lambda x, i: np.take(x, i), (IDS,), (np.array(-1),)),
    OpInfo("getitem", lambda x: x[1:, :, None, 0][:, [2, 0]], lambda rng, dtype: [
        Sample((values(rng, (3, 4, 2), dtype),))], dtypes=ANY, torch=None,
        call=lambda x: x[1:, [2, 0], None, 0]),
]  # fmt: skip
