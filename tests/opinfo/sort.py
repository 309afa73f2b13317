"""Running results, sorting and searching."""

import numpy as np

from opinfo import ANY, FLOATS, NUMBERS, OpInfo, Sample, Wrong, values

SHAPES = ((), (1,), (5,), (3, 4), (2, 3, 4), (0,), (2, 0, 3), (37, 70), (3, 1100))
SMALL = ((), (5,), (3, 4), (2, 3, 4))
SPECIAL = np.array(
    [
        [1.0, np.nan, 3.0, np.nan, 2.0],
        [np.inf, 1.0, -np.inf, 1.0, 1.0],
        [-np.inf] * 5,
        [0.0, -0.0, 0.0, -0.0, 1.0],
    ]
)


def distinct(rng, shape, dtype):
    """Numbers of which no two are equal, as far as the dtype has so many."""
    n = int(np.prod(shape))
    x = rng.permutation(n).reshape(shape)
    if dtype == "uint8":
        return np.asarray(x % 256).astype(dtype)
    return np.asarray(x * 0.1 - 0.03 * n if dtype in FLOATS else x - n // 2).astype(
        dtype
    )


def ordered(rng, dtype):
    """Samples for sort, which in PyTorch takes dim by name beside `stable`."""
    ways = ({"stable": True}, {"stable": True, "descending": True})
    return [
        Sample((s.args[0],), {"dim": s.args[1], **s.kwargs})
        for s in along(more=ways)(rng, dtype)
    ]


def along(shapes=SHAPES, special=True, make=values, empty=True, more=({},), first=()):
    """Every dimension of every shape, with each of the keywords in `more`."""

    def samples(rng, dtype):
        inputs = [make(rng, s, dtype) for s in shapes if empty or 0 not in s]
        inputs += [SPECIAL.astype(dtype)] if special and dtype in FLOATS else []
        return [
            Sample((x, *first, dim), kwargs)
            for i, x in enumerate(inputs)
            for j, dim in enumerate(range(-1, max(x.ndim - 1, 1)))
            for kwargs in [more[(i + j) % len(more)]]
        ]

    return samples


X = np.arange(6.0).reshape(2, 3)
EMPTY = np.ones((0, 3))
RANGE = Wrong((X, 2), IndexError, r"range of \[-2, 1\], but got 2")
TRUTH = Wrong((X > 0, 0), NotImplementedError, "bool")

# ---- running results -----------------------------------------------------------------


def wide(f):
    return lambda x, dim: f(x.astype(np.int64) if x.dtype.kind in "bui" else x, dim)


def over_rows(f):
    """A function of rows along a dimension; of 0-d arrays too."""

    def call(x, dim, *args, **kwargs):
        rows = np.moveaxis(x, dim, -1) if x.ndim else x.reshape(1)
        out = f(rows, *args, **kwargs)
        outs = out if isinstance(out, tuple) else (out,)
        outs = [np.moveaxis(o, -1, dim) if x.ndim else o.reshape(()) for o in outs]
        return tuple(outs) if isinstance(out, tuple) else outs[0]

    return call


def running(f):
    return over_rows(lambda x: f(x, -1))


def extreme(better):
    def rows(x):
        out, at = x.copy(), np.zeros(x.shape, np.int64)
        for i in range(1, x.shape[-1]):
            a, b = out[..., i - 1], x[..., i]
            new = np.isnan(b) | (~np.isnan(a) & better(b, a))
            out[..., i] = np.where(new, b, a)
            at[..., i] = np.where(new, i, at[..., i - 1])
        return out, at

    return over_rows(rows)


def log_cumsum(x):
    return np.logaddexp.accumulate(x, -1) if x.shape[-1] else x


def with_zeros(rng, dtype):
    """Rows with no zero, one, two and nothing else."""
    x = values(rng, (4, 3), dtype)
    x[1, 1] = x[2, :2] = x[3] = 0
    small = along(SMALL, special=False)(rng, dtype)
    return [*small, Sample((x, 1)), Sample((x, 0))]


def finite(shapes):
    return along(shapes, special=False)


ROWS = [
    OpInfo("cumsum", wide(running(np.cumsum)), along(), dtypes=ANY, tolerance=1e-4,
           wrong=(RANGE,), gradient_samples=finite(SMALL)),
    OpInfo("cumprod", wide(running(np.cumprod)), along(SHAPES[:7], special=False),
           dtypes=ANY, tolerance=1e-5, wrong=(RANGE,), gradient_samples=with_zeros),
    OpInfo("logcumsumexp", over_rows(log_cumsum), along(), tolerance=1e-5,
           wrong=(RANGE, Wrong((X.astype(int), 0), NotImplementedError, "x.float")),
           gradient_samples=finite(SMALL)),
    OpInfo("cummax", extreme(np.greater_equal), along(), dtypes=ANY, wrong=(RANGE,),
           gradient_samples=along(SMALL, special=False, make=distinct)),
    OpInfo("cummin", extreme(np.less_equal), along(), dtypes=ANY, wrong=(RANGE,),
           gradient_samples=along(SMALL, special=False, make=distinct)),
    OpInfo("diff", lambda x, n, dim: np.diff(x, n, dim),
           along(((5,), (3, 4), (2, 3, 4), (37, 70), (0,), (1,)), special=False,
                 first=(2,)), dtypes=ANY, halves=4,
           wrong=(Wrong((np.array(1.0),), RuntimeError, "at least one-dim"),
                  Wrong((X, -1), RuntimeError, "non-negative"))),
]  # fmt: skip

# ---- sorting -------------------------------------------------------------------------


def order(x, descending=False):
    """The stable order of rows: NaN is largest."""
    if not descending:
        return np.argsort(x, -1, kind="stable")
    return x.shape[-1] - 1 - np.argsort(x[..., ::-1], -1, kind="stable")[..., ::-1]


def sort(x, descending=False, stable=False):
    at = order(x, descending)
    return np.take_along_axis(x, at, -1), at


def topk(x, k, dim, largest=True):
    return over_rows(lambda x: tuple(a[..., :k] for a in sort(x, largest)))(x, dim)


def ranked(rank):
    """The element of a rank, which is a function of the rows' length."""

    def pick(x, dim=None, keepdim=False):
        rows = x.reshape(-1) if dim is None else x
        dim = -1 if dim is None else dim

        def rows_of(x):
            n = rank(x.shape[-1])
            return tuple(a[..., n : n + 1] for a in sort(x))

        out = over_rows(rows_of)(rows, dim)
        out = (
            out if keepdim or not rows.ndim else tuple(np.squeeze(a, dim) for a in out)
        )
        return out

    return pick


def median(x, dim=None, keepdim=False):
    out = ranked(lambda n: (n - 1) // 2)(x, dim, keepdim)
    if x.dtype.kind == "f":
        whole = {} if dim is None else {"axis": dim if x.ndim else None}
        if dim is not None and x.ndim:
            whole["keepdims"] = keepdim
        bad = np.isnan(x)
        nan, first = np.any(bad, **whole), np.argmax(bad, **whole)
        out = np.where(nan, np.nan, out[0]), np.where(nan, first, out[1])
    return out[0] if dim is None else out


def nanmedian(x, dim):
    def rows(x):
        values, at = sort(x)
        n = np.maximum(np.sum(~np.isnan(x), -1, keepdims=True) - 1, 0) // 2
        return np.take_along_axis(values, n, -1), np.take_along_axis(at, n, -1)

    out = over_rows(rows)(x, dim)
    return tuple(np.squeeze(a, dim) for a in out) if x.ndim else out


def mode(x, dim):
    def row(x):
        seen, count = np.unique(x, return_counts=True)
        value = seen[np.argmax(count)]
        return value, np.flatnonzero(x == value)[-1]

    if x.ndim == 0:
        return x, np.int64(0)
    rows = np.moveaxis(x, dim, -1)
    found = [row(r) for r in rows.reshape(-1, rows.shape[-1])]
    return tuple(np.array(a).reshape(rows.shape[:-1]) for a in zip(*found))


def quantiles(ways, special=False):
    def samples(rng, dtype):
        out = []
        for i, shape in enumerate(((5,), (3, 4), (2, 3, 4), (37, 70))):
            x = distinct(rng, shape, dtype)
            if special:
                x.reshape(-1)[:3] = np.nan
            q = np.array([0.0, 0.3, 0.77, 1.0], dtype)
            for j, dim in enumerate((None, 0, -1)):
                kwargs = {"interpolation": ways[(i + j) % len(ways)], "keepdim": j == 1}
                out += [Sample((x, q, dim), kwargs), Sample((x, 0.4, dim), kwargs)]
        return out

    return samples


def quantile(f):
    def call(x, q, dim=None, keepdim=False, interpolation="linear"):
        return f(x, q, dim, method=interpolation, keepdims=keepdim)

    return call


def whole(rng, shape, dtype):
    """Up to 256 numbers, distinct in 8 bits: PyTorch's indices of ties are open."""
    return distinct(rng, shape, "int64").astype(dtype)


def top(rng, dtype):
    out = []
    for shape in ((), (5,), (3, 4), (2, 3, 4), (3, 80)):
        x = whole(rng, shape, dtype)
        for dim in range(-1, max(x.ndim - 1, 1)):
            n = x.shape[dim] if x.ndim else 1
            out += [
                Sample((x, k, dim), {"largest": bool(k % 2)})
                for k in sorted({min(1, n), min(3, n), n // 2, n})
            ]
    return [s for s in out if s.args[0].ndim or s.args[1]]


def unlike(rng, dtype):  # ties in uint8 may have any index
    return along(SMALL, False, distinct, more=({}, {"keepdim": True}))(rng, dtype)


NO_SIZE = Wrong((EMPTY, 0), IndexError, "dim 0 to have non-zero size")
ROWS += [
    OpInfo("sort", over_rows(sort), ordered, dtypes=ANY, wrong=(RANGE,),
           gradient_samples=along(SMALL, False, distinct)),
    OpInfo("argsort", over_rows(lambda x, stable=True, descending=False: order(
               x, descending)), ordered, dtypes=ANY, order=0, wrong=(RANGE,)),
    OpInfo("msort", lambda x: np.sort(x, 0), lambda rng, dtype: [
               Sample((values(rng, (5, 3), dtype),))], dtypes=ANY,
           gradient_samples=lambda rng, dtype: [
               Sample((distinct(rng, (5, 3), dtype),))]),
    OpInfo("topk", topk, top, dtypes=FLOATS + ("int32", "int64"),
           wrong=(Wrong((X, 4), RuntimeError, "k out of range"),
                  Wrong((X, -1), RuntimeError, "k out of range"),
                  Wrong((X > 0, 1), RuntimeError, "bool"),
                  Wrong((X, 1, 2), IndexError, "but got 2"))),
    OpInfo("kthvalue", lambda x, k, dim, keepdim=False: ranked(lambda n: k - 1)(
               x, dim, keepdim), lambda rng, dtype: [
               Sample((s.args[0], k, s.args[1]), s.kwargs)
               for s in unlike(rng, dtype)
               for k in {1, s.args[0].shape[s.args[1]] if s.args[0].ndim else 1}]
               + [Sample((whole(rng, (3, 80), dtype), 20, 1))],
           dtypes=FLOATS + ("int32", "int64"),
           wrong=(Wrong((X, 0), RuntimeError, "out of range"),
                  Wrong((X, 4), RuntimeError, "out of range"),
                  Wrong((EMPTY, 1, 0), IndexError, "non-zero size"))),
    OpInfo("median", median, lambda rng, dtype: [
               *unlike(rng, dtype),
               *(Sample((distinct(rng, s, dtype),)) for s in SMALL),
               *([Sample((SPECIAL[:2].astype(dtype), 1))] if dtype in FLOATS else [])],
           dtypes=FLOATS + ("int32", "int64"), wrong=(RANGE, NO_SIZE, TRUTH),
           gradient_samples=unlike),
    OpInfo("nanmedian", nanmedian, lambda rng, dtype: [
               *along(SMALL, False, distinct)(rng, dtype),
               *([Sample((SPECIAL[:1].astype(dtype), 1))] if dtype in FLOATS else [])],
           dtypes=FLOATS + ("int32", "int64"), wrong=(RANGE, NO_SIZE),
           gradient_samples=along(SMALL, False, distinct)),
    OpInfo("mode", mode, along(SMALL, False), dtypes=NUMBERS, torch=None,
           wrong=(RANGE, NO_SIZE),
           gradient_samples=along(SMALL, False, distinct)),
    OpInfo("quantile", quantile(np.quantile), quantiles(
               ("linear", "lower", "higher", "midpoint", "nearest")), tolerance=1e-5,
           diff=(0,), halves=None,
           wrong=(Wrong((X, 1.5), RuntimeError, "range"),
                  Wrong((X.astype(int), 0.5), RuntimeError, "float or double"),
                  Wrong((X, 0.5, 0, False), RuntimeError, "one of linear",
                        {"interpolation": "best"}),
                  Wrong((EMPTY, 0.5), RuntimeError, "non-empty"))),
    OpInfo("nanquantile", quantile(np.nanquantile), quantiles(
               ("linear", "midpoint"), True), tolerance=1e-5, diff=(0,), halves=None,
           gradient_samples=quantiles(("linear", "lower"))),
]  # fmt: skip

# ---- distinct elements, searching ----------------------------------------------------


def unique(x, return_inverse=False, return_counts=False, dim=None):
    out = np.unique(x, False, return_inverse, return_counts, dim, equal_nan=False)
    if return_inverse:
        shape = x.shape if dim is None else (x.shape[dim],)
        out = (out[0], out[1].reshape(shape), *out[2:])
    return out


def unique_consecutive(x, return_inverse=False, return_counts=False):
    flat = x.reshape(-1)
    new = np.concatenate([[True][: flat.size], flat[1:] != flat[:-1]]).astype(bool)
    which, starts = np.cumsum(new) - 1, np.flatnonzero(new)
    counts = np.diff(np.append(starts, flat.size))
    out = [flat[new]] + [which.reshape(x.shape)] * return_inverse
    return (
        tuple(out + [counts] * return_counts)
        if len(out) + return_counts > 1
        else out[0]
    )


def some(shapes, **kwargs):
    return lambda rng, dtype: [Sample((values(rng, s, dtype),), kwargs) for s in shapes]


def search(sequence, values, right=False, sorter=None):
    side = "right" if right else "left"
    if sequence.ndim == 1:
        return np.searchsorted(sequence, values, side, sorter)
    rows = sequence.reshape(-1, sequence.shape[-1])
    wanted = values.reshape(len(rows), values.shape[-1])
    found = [np.searchsorted(r, v, side) for r, v in zip(rows, wanted)]
    return np.array(found).reshape(values.shape)


def searches(rng, dtype):
    out = []
    for shape, wanted in (((5,), (3, 4)), ((0,), (2,)), ((2, 3, 40), (2, 3, 7))):
        x = np.sort(values(rng, shape, dtype), -1)
        v = values(rng, wanted, dtype)
        out += [Sample((x, v)), Sample((x, v), {"right": True})]
    return [*out, Sample((np.sort(values(rng, (9,), dtype)), values(rng, (), dtype)))]


FLAGS = {"return_inverse": True, "return_counts": True}
PLENTY = ((), (7,), (3, 4), (37, 70), (0,))
ROWS += [
    OpInfo("unique", unique, lambda rng, dtype: [
               *some(PLENTY)(rng, dtype), *some(PLENTY, **FLAGS)(rng, dtype),
               *(Sample((values(rng, (9, 3), dtype, -1, 1) > 0, ), {"dim": d, **FLAGS})
                 for d in (0, 1))],
           dtypes=ANY, order=0, wrong=(Wrong(
               (np.ones((2, 0)),), RuntimeError, "0 sized", {"dim": 0}),)),
    OpInfo("unique_consecutive", unique_consecutive, lambda rng, dtype: [
               *some(PLENTY)(rng, dtype), *some(PLENTY, **FLAGS)(rng, dtype)],
           dtypes=ANY, order=0),
    OpInfo("searchsorted", search, searches, dtypes=NUMBERS, order=0,
           wrong=(Wrong((X, X[0]), RuntimeError, "dimensions of"),
                  Wrong((X[0], X), RuntimeError, "opposites",
                        {"right": True, "side": "left"}),
                  Wrong((X[0], X), RuntimeError, "'left' or 'right'", {"side": "up"}),
                  Wrong((X, 1.0), RuntimeError, "scalar only"))),
    OpInfo("bucketize", lambda x, b, right=False: np.searchsorted(
               b, x, "right" if right else "left"), lambda rng, dtype: [
               Sample((s.args[1], s.args[0]), s.kwargs)
               for s in searches(rng, dtype) if s.args[0].ndim == 1],
           dtypes=NUMBERS, order=0,
           wrong=(Wrong((X[0], X), RuntimeError, "1 dimension"),)),
    OpInfo("isin", lambda x, tests, invert=False: np.isin(x, tests, invert=invert),
           lambda rng, dtype: [
               Sample((values(rng, (4, 5), dtype), values(rng, n, dtype)),
                      {"invert": bool(n)}) for n in (0, 3, 200)],
           dtypes=NUMBERS, order=0,
           wrong=(Wrong((X > 0, X), RuntimeError, "bool"),
                  Wrong((1, 1), TypeError, "Tensor"))),
]  # fmt: skip
