"""Reductions and softmax."""

import numpy as np

from opinfo import ANY, FLOATS, NUMBERS, OpInfo, Sample, Wrong, values

SHAPES = ((), (5,), (3, 4), (2, 3, 4), (0,), (2, 0, 3), (37, 70), (3, 1100))
SMALL = ((), (5,), (3, 4), (2, 3, 4))
SPECIAL = np.array(
    [
        [1.0, np.nan, 3.0, np.nan, 2.0],
        [np.inf, 1.0, -np.inf, 1.0, 1.0],
        [-np.inf] * 5,
        [3.0, 3.0, 1.0, 0.0, -0.0],
        [np.inf, 1.0, np.inf, 0.0, 1.0],
    ]
)


def _dims(ndim, several):
    """None, every dimension, and some sets of them."""
    out = [None, *range(-1, ndim)] if ndim else [None, 0]
    return out + (
        [(0, 1), (-1, 0), (1, 2), (0, 1, 2)][: (0, 0, 2, 4)[ndim]] if several else []
    )


def _apart(rng, shape, dtype):
    """Numbers of which no two are close: a shuffled row of steps."""
    if dtype not in FLOATS:
        return values(rng, shape, dtype)
    n = int(np.prod(shape))
    x = rng.permutation(n).reshape(shape) * 0.1 - 0.03 * n
    return np.asarray(x).astype(dtype)


def samples(
    shapes=SHAPES, several=True, special=True, empty=True, none=True, make=values
):
    def sample(rng, dtype):
        out = []
        for shape in shapes:
            if 0 in shape and not empty:
                continue
            x = make(rng, shape, dtype)
            for i, dim in enumerate(_dims(len(shape), several)):
                if dim is None and not none:
                    continue
                kwargs = {"keepdim": True} if i % 2 and dim is not None else {}
                out.append(Sample((x,) if dim is None else (x, dim), kwargs))
        if special and dtype in FLOATS:
            x = SPECIAL.astype(dtype)
            out += [Sample((x, dim)) for dim in (0, 1)]
        return out

    return sample


def reference(f, wide=False):
    def call(x, dim=None, keepdim=False):
        x = x.astype(np.int64) if wide and x.dtype.kind in "biu" else x
        return f(x, axis=dim, keepdims=keepdim) if x.ndim else f(x)

    return call


def _mean(x, dim=None, keepdim=False):
    total = reference(np.sum)(x, dim, keepdim)
    n = (
        x.size
        if dim is None
        else np.prod([x.shape[d] for d in np.atleast_1d(dim)] if x.ndim else 1)
    )
    return total / np.float64(n)


def _first(f):
    """NumPy's argmax with PyTorch's results for dim=None."""

    def call(x, dim=None, keepdim=False):
        return f(x, axis=dim, keepdims=keepdim) if x.ndim else np.int64(0)

    return call


def _with_index(values_of, index_of):
    def call(x, dim=None, keepdim=False):
        if dim is None:
            return values_of(x)
        if x.ndim == 0:
            return x, np.int64(0)
        return values_of(x, axis=dim, keepdims=keepdim), index_of(
            x, axis=dim, keepdims=keepdim
        )

    return call


def _with_zeros(rng, dtype):
    """Rows with no zero, one, two and nothing else."""
    x = values(rng, (4, 3), dtype)
    x[1, 1] = x[2, :2] = x[3] = 0
    return [
        *samples(SMALL, several=False, special=False)(rng, dtype),
        Sample((x, 1)),
        Sample((x, 0)),
        Sample((x[:2],)),
    ]


X = np.ones((2, 3))
EMPTY = np.ones((0, 3))
RANGE = Wrong((X, 2), IndexError, r"range of \[-2, 1\], but got 2")
TWICE = Wrong((X, (0, -2)), RuntimeError, "dim 0 appears multiple times")
NO_SIZE = Wrong((EMPTY, 0), IndexError, "reduction dim 0 to have non-zero size")
ROWS = [
    # Each of up to 1100 numbers is below 3: so is the error of their sum over 2^-24.
    OpInfo("sum", reference(np.sum, wide=True), samples(), dtypes=ANY, tolerance=1e-5,
           wrong=(RANGE, TWICE),
           gradient_samples=samples(SMALL, special=False)),
    OpInfo("mean", _mean, samples(), tolerance=1e-5, wrong=(
               RANGE, TWICE, Wrong((X > 0,), RuntimeError, "got bool.*float")),
           gradient_samples=samples(SMALL, special=False)),
    OpInfo("prod", reference(np.prod, wide=True), samples(SHAPES[:6], several=False),
           dtypes=ANY,
           wrong=(RANGE,), gradient_samples=_with_zeros),
    OpInfo("amax", reference(np.max), samples(empty=False), dtypes=ANY,
           gradient_samples=samples(SMALL, special=False, make=_apart),
           wrong=(RANGE, TWICE, NO_SIZE, Wrong((EMPTY,), RuntimeError, "no elements"))),
    OpInfo("amin", reference(np.min), samples(empty=False), dtypes=ANY,
           gradient_samples=samples(SMALL, special=False, make=_apart),
           wrong=(RANGE, TWICE, NO_SIZE, Wrong((EMPTY,), RuntimeError, "no elements"))),
    OpInfo("max", _with_index(np.max, np.argmax), samples(several=False, empty=False),
           dtypes=ANY,
           gradient_samples=samples(SMALL, several=False, special=False, make=_apart),
           wrong=(RANGE, NO_SIZE)),
    OpInfo("min", _with_index(np.min, np.argmin), samples(several=False, empty=False),
           dtypes=ANY,
           gradient_samples=samples(SMALL, several=False, special=False, make=_apart),
           wrong=(RANGE, NO_SIZE)),
    OpInfo("any", reference(np.any), samples(),
           dtypes=ANY, order=0, wrong=(RANGE, TWICE)),
    OpInfo("all", reference(np.all), samples(),
           dtypes=ANY, order=0, wrong=(RANGE, TWICE)),
    OpInfo("argmax", _first(np.argmax), samples(several=False, empty=False),
           dtypes=NUMBERS,
           order=0, wrong=(RANGE, NO_SIZE,
                            Wrong((X > 0,), RuntimeError, "bool.*x.long"))),
    OpInfo("argmin", _first(np.argmin), samples(several=False, empty=False),
           dtypes=NUMBERS,
           order=0, wrong=(RANGE, NO_SIZE,
                            Wrong((X > 0,), RuntimeError, "bool.*x.long"))),
]  # fmt: skip


# ---- softmax -------------------------------------------------------------------------


def _softmax(x, dim):
    if x.ndim == 0:
        return x - x + 1
    e = np.exp(x - x.max(dim, keepdims=True, initial=-np.inf))
    return e / e.sum(dim, keepdims=True)


def _log_softmax(x, dim):
    if x.ndim == 0:
        return x - x
    d = x - x.max(dim, keepdims=True, initial=-np.inf)
    return d - np.log(np.exp(d).sum(dim, keepdims=True))


def _masked(rng, dtype):
    """As attention masks rows: -inf, exponentials of 0 or subnormal, large ones."""
    x = values(rng, (6, 40), dtype, -5, 5)
    x[1, 20:] = -np.inf
    x[2, 1:] = -np.inf
    x[3] += 3000
    x[4, ::2] = -1e9
    x[5, ::2] -= 95
    return [Sample((x, 1)), Sample((x, 0)), Sample((np.ascontiguousarray(x.T), 0))]


def _softmaxes(rng, dtype):
    return samples(none=False, several=False)(rng, dtype)


ROWS += [
    OpInfo(name, f, lambda rng, dtype: [Sample(s.args) for s in _softmaxes(rng, dtype)]
           + _masked(rng, dtype),
           gradient_samples=lambda rng, dtype: [
               Sample(s.args)
               for s in samples(SMALL, False, False, none=False)(rng, dtype)],
           wrong=(RANGE, Wrong((X > 0, 1), NotImplementedError, "bool.*float")))
    for name, f in (("softmax", _softmax), ("log_softmax", _log_softmax))
]  # fmt: skip
