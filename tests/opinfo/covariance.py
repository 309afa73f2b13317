"""Covariances and trapezoids."""

import numpy as np

from opinfo import OpInfo, Sample, Wrong, values

X = np.ones((2, 3))
TRUTH = X > 0


def matrices(rng, dtype):
    return [Sample((values(rng, shape, dtype),)) for shape in ((3, 8), (1, 5), (7,))]


def weighted(rng, dtype):
    x = values(rng, (3, 5), dtype)
    often, much = np.array([1, 0, 2, 1, 3]), rng.random(5)
    return [
        *matrices(rng, dtype),
        *(Sample((x,), {"correction": c}) for c in (0, 2)),
        Sample((x,), {"often": often}),
        Sample((x,), {"much": much.astype(dtype), "correction": 0}),
        Sample((x,), {"often": often, "much": much.astype(dtype)}),
    ]


def cov(x, correction=1, often=None, much=None):
    return np.cov(x, ddof=correction, fweights=often, aweights=much)


def integrals(rng, dtype):
    y, x = values(rng, (3, 4), dtype), values(rng, (4,), dtype)
    return [
        Sample((y,)), Sample((y, x)), Sample((y[:, :1],)), Sample((y[0],)),
        Sample((y,), {"dx": 2, "dim": 0}), Sample((y, x[:3]), {"dim": 0}),
        Sample((y, np.sort(y)),),
    ]  # fmt: skip


def trapezoid(y, x=None, dx=1, dim=-1):
    return np.trapezoid(y, x, dx, dim)


def cumulative(y, x=None, dx=1, dim=-1):
    y = np.moveaxis(y, dim, -1)
    step = dx if x is None else np.diff(x)
    return np.moveaxis(np.cumsum((y[..., 1:] + y[..., :-1]) * step / 2, -1), -1, dim)


def called(name):
    """cov with arrays as its weights, by name."""
    import veem

    def call(x, often=None, much=None, **kwargs):
        given = {"fweights": often, "aweights": much}
        given = {
            k: veem.tensor(w).to(x.device) for k, w in given.items() if w is not None
        }
        return getattr(veem, name)(x, **given, **kwargs)

    return call


WRONG = (
    Wrong((TRUTH,), RuntimeError, "bool"),
    Wrong((X, np.ones(2)), RuntimeError, "one `x` value"),
    Wrong((np.array(1.0),), IndexError, "no dimensions"),
)
ROWS = [
    OpInfo("cov", cov, weighted, call=called("cov"), torch=None, tolerance=2e-5,
           gradient_samples=matrices,
           wrong=(Wrong((TRUTH,), RuntimeError, "bool"),
                  Wrong((np.ones((2, 2, 2)),), RuntimeError, "two or fewer"))),
    OpInfo("corrcoef", np.corrcoef, lambda rng, dtype: matrices(rng, dtype)[::2],
           tolerance=2e-5),
    OpInfo("trapezoid", trapezoid, integrals, tolerance=1e-5, wrong=WRONG),
    OpInfo("cumulative_trapezoid", cumulative, integrals, tolerance=1e-5, wrong=WRONG),
]  # fmt: skip
