"""Variances, norms, sums that leave out NaN, counts and histograms."""

import numpy as np

import veem
from opinfo import ANY, FLOATS, OpInfo, Sample, Wrong, values
from opinfo.reduce import SMALL, SPECIAL, _apart, samples

X = np.ones((2, 3))
WHOLE = np.arange(3)
EMPTY = np.ones((0, 3))
RANGE = Wrong((X, 2), IndexError, r"range of \[-2, 1\], but got 2")
FLOAT = Wrong((WHOLE,), RuntimeError, "floating point")


def some(*ways, shapes=SMALL, make=values):
    """Shapes with each of the keywords; those without a dim in None and every dim."""

    def sample(rng, dtype):
        out = []
        for shape in shapes:
            x = make(rng, shape, dtype)
            for i, dim in enumerate([None, *range(-1, max(len(shape) - 1, 1))]):
                kwargs = dict(ways[i % len(ways)])
                out.append(Sample((x,), {"dim": dim, "keepdim": i % 2 == 1, **kwargs}))
            if len(shape) == 3:
                out.append(Sample((x,), {"dim": (0, -1), **ways[-1]}))
        return out

    return sample


def with_nan(rng, shape, dtype):
    x = values(rng, shape, dtype)
    if x.ndim and dtype in FLOATS:
        x.reshape(-1)[::3] = np.nan
    return x


def axes(x, dim, keepdim):
    return {"axis": dim if x.ndim else None, "keepdims": keepdim}


# ---- variance ------------------------------------------------------------------------


def var(x, dim=None, keepdim=False, correction=1):
    how = axes(x, dim, keepdim)
    total = np.sum((x - np.mean(x, **{**how, "keepdims": True})) ** 2, **how)
    left = max(x.size // max(total.size, 1) - correction, 0)
    return total / np.float64(left)


def std(x, dim=None, keepdim=False, correction=1):
    return np.sqrt(var(x, dim, keepdim, correction))


def mean(x, dim, keepdim):
    return np.mean(x, **axes(x, dim, keepdim))


LONG = ((), (5,), (3, 4), (2, 3, 4), (37, 70), (3, 1100))
CORRECTIONS = ({}, {"correction": 0}, {"correction": 2})
UNBIASED = {"correction": 0}
ENOUGH = ((5,), (3, 4), (3, 3, 4))  # elements for a variance above 0
ROWS = [
    OpInfo(name, f, some(*CORRECTIONS, shapes=ENOUGH + LONG[-2:]), tolerance=1e-5,
           gradient_samples=some({}, UNBIASED, shapes=ENOUGH),
           wrong=(FLOAT, Wrong((X, 2), IndexError, "but got 2")))
    for name, f in (("var", var), ("std", std),
                    ("var_mean", lambda x, dim=None, keepdim=False, **kw: (
                        var(x, dim, keepdim, **kw), mean(x, dim, keepdim))),
                    ("std_mean", lambda x, dim=None, keepdim=False, **kw: (
                        std(x, dim, keepdim, **kw), mean(x, dim, keepdim))))
]  # fmt: skip

# ---- log-sum-exp, norms --------------------------------------------------------------


def logsumexp(x, dim, keepdim=False):
    how = axes(x, dim, keepdim)
    peak = np.max(x, **{**how, "keepdims": True}, initial=-np.inf)
    peak = np.where(np.isfinite(peak), peak, 0)
    out = np.log(np.sum(np.exp(x - peak), **how))
    return out + (peak if keepdim else peak.reshape(out.shape))


def norm(x, p=2, dim=None, keepdim=False):
    how = axes(x, dim, keepdim)
    p, size = 2 if p == "fro" else p, np.abs(x)
    if p == 0:
        return np.sum(x != 0, **how).astype(x.dtype)
    if p in (np.inf, -np.inf):
        return (np.max if p > 0 else np.min)(size, **how)
    return np.sum(size**p, **how) ** (1 / p)


ORDERS = [{"p": p} for p in ("fro", 1, 3, 0, np.inf, -np.inf, 1.5, -2, 0.5)]


def norms(name, orders, shapes=LONG):
    def sample(rng, dtype):
        out = []
        for order in orders:
            for s in some({name: order["p"]}, shapes=shapes, make=_apart)(rng, dtype):
                x = np.asarray(s.args[0] + 0.0123)  # none is 0
                out.append(Sample((x.astype(dtype),), s.kwargs))
        return out

    return sample


ROWS += [
    OpInfo("logsumexp", logsumexp, samples(none=False), tolerance=1e-5, wrong=(RANGE,),
           gradient_samples=samples(SMALL, none=False, special=False)),
    OpInfo("norm", norm, norms("p", ORDERS), tolerance=2e-5,
           gradient_samples=norms("p", ORDERS[:2] + ORDERS[4:7], SMALL),
           wrong=(FLOAT, Wrong((X, "best"), RuntimeError, "not supported"),
                  Wrong((EMPTY, np.inf), RuntimeError, "identity"))),
    OpInfo("vector_norm", lambda x, ord=2, dim=None, keepdim=False: norm(
               x, ord, dim, keepdim), norms("ord", [{"p": 2}, *ORDERS[1:]]),
           tolerance=2e-5, call=veem.linalg.vector_norm, torch="linalg.vector_norm",
           gradient_samples=norms(
               "ord", ORDERS[1:3] + ORDERS[4:6], SMALL),
           wrong=(FLOAT, Wrong((EMPTY, -1), RuntimeError, "identity"))),
    OpInfo("dist", lambda a, b, p=2: norm(a - b, p), lambda rng, dtype: [
               Sample((_apart(rng, (3, 4), dtype), 9 + _apart(rng, (4,), dtype), p))
               for p in (2, 1, 3.0, np.inf, 0)], tolerance=1e-5,
           gradient_samples=lambda rng, dtype: [
               Sample((_apart(rng, (3, 4), dtype), 9 + _apart(rng, (4,), dtype), p))
               for p in (2, 3.0)],
           wrong=(Wrong((WHOLE, WHOLE), RuntimeError, "floating point"),)),
    OpInfo("renorm", lambda x, p, dim, most: x * np.minimum(
               1, most / (norm(x, p, tuple(d for d in range(x.ndim) if d != dim), True)
                          + 1e-7)), lambda rng, dtype: [
               Sample((values(rng, (3, 4, 2), dtype), p, dim, 3.5))
               for p, dim in ((2, 0), (1, 1), (np.inf, 2))],
           tolerance=1e-5, gradient_samples=lambda rng, dtype: [
               Sample((values(rng, (3, 4), dtype), 2, 0, m)) for m in (1.0, 99.0)],
           wrong=(Wrong((X, 0, 0, 1.0), RuntimeError, "non-positive"),
                  Wrong((X[0], 2, 0, 1.0), RuntimeError, "at least 2"),
                  Wrong((X, 2, 0, -1.0), RuntimeError, ">= 0"))),
]  # fmt: skip

# ---- without NaN, counts -------------------------------------------------------------


def wide(x):
    return x.astype(np.int64) if x.dtype.kind in "bui" else x


def aminmax(x, dim=None, keepdim=False):
    how = axes(x, dim, keepdim)
    return np.min(x, **how), np.max(x, **how)


def extremes(rng, dtype):
    out = some({})(rng, dtype)[:-1]  # not of two dims at once
    return out + (
        [Sample((SPECIAL.astype(dtype),), {"dim": 1})] if dtype in FLOATS else []
    )


ROWS += [
    OpInfo("nansum", lambda x, dim=None, keepdim=False: np.nansum(
               wide(x), **axes(x, dim, keepdim)), some({}, make=with_nan), dtypes=ANY,
           tolerance=1e-5, wrong=(RANGE,), gradient_samples=some({})),
    OpInfo("nanmean", lambda x, dim=None, keepdim=False: np.nanmean(
               x, **axes(x, dim, keepdim)),
           some({}, shapes=((), (5,), (37, 70)), make=with_nan),
           tolerance=1e-5, wrong=(RANGE, FLOAT), gradient_samples=some({})),
    OpInfo("count_nonzero", lambda x, dim=None: np.count_nonzero(x, axis=dim)
           if x.ndim else np.int64(x != 0), lambda rng, dtype: [
               Sample(s.args, {"dim": s.kwargs["dim"]})
               for s in some({}, make=with_nan)(rng, dtype)],
           dtypes=ANY, order=0, wrong=(RANGE,)),
    OpInfo("aminmax", aminmax, extremes, dtypes=ANY,
           gradient_samples=lambda rng, dtype: some({}, make=_apart)(rng, dtype)[:-1],
           wrong=(Wrong((EMPTY,), RuntimeError, "identity"),
                  Wrong((EMPTY,), IndexError, "non-zero size", {"dim": 0}))),
]  # fmt: skip

# ---- histograms ----------------------------------------------------------------------


def bincount(x, weights=None, minlength=0):
    weights = None if weights is None else np.asarray(weights, np.float64)
    return np.bincount(x, weights, minlength)


def counts(rng, dtype):
    x = np.abs(values(rng, (20,), dtype, 0, 9))
    w = rng.random(20)
    return [Sample((x,)), Sample((x,), {"minlength": 15}), Sample((x[:0],)),
            Sample((x, w.astype(np.float32)))]  # fmt: skip


def histc(x, bins=100, low=0, high=0):
    x = x[~np.isnan(x)]
    ends = (low, high) if low != high else (x.min(), x.max())
    return np.histogram(x, bins, ends)[0]


def histogram(x, bins, range=None, density=False):
    hist, edges = np.histogram(x, bins, range, density)
    return hist, edges


def in_bins(rng, dtype):  # halves of integers, never at an edge
    x = (rng.integers(-8, 9, (5, 8)) / 2 + 0.125).astype(dtype)
    return [Sample((x, 8, -3, 5)), Sample((x, 5, 0, 1)), Sample((x, 1))]


def in_edges(rng, dtype):
    x = (rng.integers(-8, 9, (5, 8)) / 2).astype(dtype)
    edges = np.array([-4, -1.5, 0, 0.5, 3], dtype)
    return [
        Sample((x, 8), {"range": (-4.0, 4.0)}),
        Sample((x, edges)),
        Sample((x, edges), {"density": True}),
        Sample((x, 4)),
    ]


ROWS += [
    OpInfo("bincount", bincount, counts, dtypes=("uint8", "int32", "int64"), order=0,
           tolerance=1e-5,
           wrong=(Wrong((X[0],), NotImplementedError, "float64"),
                  Wrong((WHOLE - 1,), RuntimeError, "non-negative"),
                  Wrong((WHOLE, X[0, :2]), RuntimeError, "same length"),
                  Wrong((WHOLE,), RuntimeError, ">= 0", {"minlength": -1}))),
    OpInfo("histc", histc, in_bins, order=0,
           wrong=(Wrong((WHOLE, 3), NotImplementedError, "int64"),
                  Wrong((X, 0), RuntimeError, "bins must be > 0"),
                  Wrong((X, 3, 2, 1), RuntimeError, "larger than min"),
                  Wrong((X * np.nan, 3), RuntimeError, "not finite"),
                  Wrong((X, 2.5), TypeError, "must be an int"))),
    OpInfo("histogram", histogram, in_edges, order=0,
           wrong=(Wrong((WHOLE, 3), NotImplementedError, "int64"),
                  Wrong((X, 0), RuntimeError, "bins must be > 0"))),
]  # fmt: skip
