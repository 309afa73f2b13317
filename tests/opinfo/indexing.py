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


def scatter(x, dim, index, src, reduce=None):
    f = {"add": np.add, "multiply": np.multiply, None: lambda _, new: new}[reduce]
    return scattered(x, dim, index, src, f)


def scattered(x, dim, index, src, f):
    out = x.copy()
    for at in np.ndindex(index.shape):
        to = list(at)
        to[dim] = index[at]
        out[tuple(to)] = f(out[tuple(to)], src[at] if np.ndim(src) else src)
    return out


def scatter_add(x, dim, index, src):
    return scattered(x, dim, index, src, np.add)


def scatter_reduce(x, dim, index, src, reduce, include_self=True):
    """All that meet in a list, then reduced."""
    met = np.frompyfunc(lambda v: [v], 1, 1)(x)
    for at in np.ndindex(index.shape):
        to = list(at)
        to[dim] = index[at]
        met[tuple(to)].append(src[at])
    f = {"sum": np.sum, "prod": np.prod, "amax": np.max, "amin": np.min}
    f["mean"] = np.mean if x.dtype.kind == "f" else lambda v: np.sum(v) // len(v)

    def whole(values):
        kept = values if include_self or len(values) == 1 else values[1:]
        return f[reduce](np.array(kept, x.dtype))

    return np.frompyfunc(whole, 1, 1)(met).astype(x.dtype)


def index_reduce(x, dim, index, src, reduce, include_self=True):
    shape = [-1 if d == dim else 1 for d in range(x.ndim)]
    across = np.broadcast_to(index.reshape(shape), src.shape)
    return scatter_reduce(x, dim, across, src, reduce, include_self)


def index_add(x, dim, index, src):
    out = x.copy()
    np.add.at(out, (slice(None),) * dim + (index,), src)
    return out


def index_fill(x, dim, index, value):
    out = x.copy()
    out[(slice(None),) * dim + (index,)] = value
    return out


def put(x, index, src, accumulate=False):
    out = x.copy()
    (np.add.at if accumulate else np.ndarray.__setitem__)(out.reshape(-1), index, src)
    return out


def masked_scatter(x, mask, src):
    out = x.copy()
    mask = np.broadcast_to(mask, x.shape)
    out[mask] = src.reshape(-1)[: mask.sum()]
    return out


def reductions(name, reference, index, shape):
    """A row for scatter_reduce or index_reduce, over their reductions."""

    def samples(rng, dtype):
        out = []
        for reduce in ("sum", "prod", "mean", "amax", "amin"):
            if name == "index_reduce" and reduce == "sum":
                continue
            for include_self in (True, False):
                x, src = values(rng, (3, 3), dtype), values(rng, shape, dtype)
                args = (x, 1, index, src, reduce)
                out.append(Sample(args, {"include_self": include_self}))
        return out

    return OpInfo(name, reference, samples, dtypes=NUMBERS, tolerance=1e-5, wrong=(
        Wrong((X, 1, index, np.ones(shape), "median"), RuntimeError, "reduce argument"),
        Wrong((X, 1, index + 3, np.ones(shape), "amax"),
              RuntimeError if name == "scatter_reduce" else IndexError,
              "out of bounds"),
    ))  # fmt: skip


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
    reductions("scatter_reduce", scatter_reduce, IDS, (2, 3)),
    reductions("index_reduce", index_reduce, ROWS_IDS, (3, 3)),
    OpInfo("scatter_", scatter, lambda rng, dtype: [
        Sample((values(rng, (3, 3), dtype), 0, IDS, values(rng, (2, 3), dtype)),
               {"reduce": r}) for r in ("add", "multiply")], dtypes=NUMBERS, order=0,
        call=lambda x, *args, **kw: x.clone().scatter_(*args, **kw),
        torch="scatter", wrong=(
            Wrong((X, 0, IDS, X), RuntimeError, "add or multiply", {"reduce": "max"}),
        )),
    row("index_copy", index_fill, (0, ROWS_IDS[:2], ("values", (2, 3))),
        (1, ROWS_IDS[1:], ("values", (3, 2))),
        wrong=(Wrong((X, 0, FAR[0], X[:2]), IndexError, "out of bounds"),
               Wrong((X, 0, ROWS_IDS, X[:2]), IndexError, "source of shape"),
               Wrong((X, 0, IDS, X), IndexError, "vector"),
               Wrong((X, 0, ROWS_IDS.astype("int32"), X), RuntimeError, "long"))),
    row("index_fill", index_fill, (0, ROWS_IDS, 1), (1, ROWS_IDS[:1], 0),
        (0, -ROWS_IDS, np.array(2)), order=0,
        wrong=(Wrong((X, 0, FAR[0], 1), IndexError, "out of bounds"),
               Wrong((X, 0, IDS, 1), RuntimeError, "vector/scalar"),
               Wrong((X, 0, FAR[0].astype("int32"), 1), IndexError, "long"),
               Wrong((X, 0, ROWS_IDS, X[0]), RuntimeError, "0-dimensional"))),
    OpInfo("index_fill", index_fill, lambda rng, dtype: [
        Sample((values(rng, (3, 3), dtype), 1, ROWS_IDS, values(rng, (), dtype)))],
        call=lambda x, d, i, v: x.index_fill(d, i, v)),
    row("put", put, (IDS, ("values", (2, 3)), True), (ROWS_IDS[:2], ("values", (2,))),
        (-IDS[:1] - 1, ("values", (1, 3))), torch="Tensor.put", dtypes=NUMBERS,
        call=lambda x, *args: x.put(*args),
        wrong=(Wrong((X, np.array([9]), X[0, :1]), IndexError, "out of bounds"),
               Wrong((X, ROWS_IDS, X), IndexError, "same number of elements"),
               Wrong((X, FAR.astype("int32"), X[:1, :2]), RuntimeError, "long"))),
    row("masked_scatter", masked_scatter, (np.eye(3) > 0, ("values", (3, 2))),
        (IDS[:1] > 0, ("values", (9,))),
        wrong=(Wrong((X, X > 0, X[0]), RuntimeError, "Number of elements of source"),
               Wrong((X, X, X), RuntimeError, "boolean masks"))),
    row("take_along_dim", np.take_along_axis, (IDS.T, 1), (-IDS[:1] - 1, 0),
        wrong=(Wrong((X, IDS[0], 0), RuntimeError, "same number of dim"),
               Wrong((X, X, 0), RuntimeError, "Long"))),
    row("masked_fill", lambda x, m, v: np.where(m, v, x), (IDS[:1] > 0, 1),
        (np.eye(3) > 0, 0), wrong=(Wrong((X, IDS, 1), RuntimeError, "boolean masks"),)),
    row("masked_select", lambda x, m: x[np.broadcast_to(m, x.shape)], (np.eye(3) > 0,),
        (IDS[:1] > 0,)),
    row("nonzero", lambda x: np.argwhere(x), (), order=0),
    row("argwhere", lambda x: np.argwhere(x), (), order=0),
    row("take", lambda x, i: np.take(x, i), (IDS,), (np.array(-1),),
        wrong=(Wrong((X, np.array([9])), IndexError, "out of bounds"),
               Wrong((X, X), RuntimeError, "long"))),
    OpInfo("unravel_index", np.unravel_index, lambda rng, dtype: [
        Sample((IDS.astype(dtype), (2, 3))), Sample((IDS.astype(dtype), (7,)))],
        dtypes=("int32", "int64"), order=0, torch="unravel_index",
        wrong=(Wrong((X, (3,)), TypeError, "integer dtype"),
               Wrong((IDS, (-3,)), ValueError, "negative"))),
    OpInfo("getitem", lambda x: x[1:, :, None, 0][:, [2, 0]], lambda rng, dtype: [
        Sample((values(rng, (3, 4, 2), dtype),))], dtypes=ANY, torch=None,
        call=lambda x: x[1:, [2, 0], None, 0]),
]  # fmt: skip
