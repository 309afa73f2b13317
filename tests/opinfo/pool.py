"""Pooling over one to three dimensions, its inverse, and windows as columns."""

import math

import numpy as np

from opinfo import FLOATS, NUMBERS, OpInfo, Sample, Wrong, values
from opinfo.conv import each, windows
from veem.nn import functional as F


def batched(f):
    """The same for planes without a batch, whose dimensions come first."""

    def g(dims):
        return lambda x, *a, **how: (
            f(dims, x, *a, **how)
            if x.ndim == dims + 2
            else f(dims, x[None], *a, **how)[0]
        )

    return g


def counts(size, kernel, stride, padding, ceil_mode, dilation=1):
    """How many windows there are in a dimension."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    n = (-(-room // stride) if ceil_mode else room // stride) + 1
    return n - 1 if ceil_mode and (n - 1) * stride >= size + padding else n


def placed(dims, x, kernel, stride, padding, ceil_mode, dilation=1, fill=0.0):
    stride = kernel if stride is None else stride
    how = [each(v, dims) for v in (kernel, stride, padding)]
    d = each(dilation, dims)
    out = [counts(n, k, s, p, ceil_mode, e)
           for n, k, s, p, e in zip(x.shape[2:], *how, d)]  # fmt: skip
    return windows(x, *how, d, fill, out), tuple(range(2 + dims, 2 + 2 * dims))


@batched
def max_pool(dims, x, kernel, stride=None, padding=0, dilation=1, ceil_mode=False):
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    seen, last = placed(dims, x, kernel, stride, padding, ceil_mode, dilation, least)
    return seen.max(last)


@batched
def avg_pool(
    dims,
    x,
    kernel,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    seen, last = placed(dims, x, kernel, stride, padding, ceil_mode)
    # Ones where an element counts: on the plane, and perhaps in its padding.
    pads = each(padding, dims)
    ones = np.ones((1, 1, *x.shape[2:]))
    around = [(0, 0), (0, 0), *((p, p) for p in pads)]
    ones = np.pad(ones, around, constant_values=float(count_include_pad))
    stride = kernel if stride is None else stride
    counted = windows(
        ones, each(kernel, dims), stride, 0, 1, 0.0, seen.shape[2 : 2 + dims]
    )
    return seen.sum(last) / (divisor_override or counted.sum(last))


def evenly(n, count):
    return [slice(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


def adaptive(reduce):
    @batched
    def f(dims, x, size):
        size = each(size, dims) if isinstance(size, int) else size
        size = [n if s is None else s for n, s in zip(x.shape[2:], size)]
        out = np.empty((*x.shape[:2], *size))
        edges = [evenly(n, s) for n, s in zip(x.shape[2:], size)]
        for at in np.ndindex(*size):
            part = x[(..., *(edges[d][i] for d, i in enumerate(at)))]
            out[(..., *at)] = reduce(part, tuple(range(2, 2 + dims)))
        return out

    return f


@batched
def lp_pool(dims, x, p, kernel, stride=None, ceil_mode=False):
    seen, last = placed(dims, x, kernel, stride, 0, ceil_mode)
    if not ceil_mode:
        return (seen**p).sum(last) ** (1 / p)
    # A window that is cut off counts as if the rest of it had the mean of its part.
    ones = placed(dims, np.ones_like(x), kernel, stride, 0, True)[0].sum(last)
    return ((seen**p).sum(last) / ones * math.prod(each(kernel, dims))) ** (1 / p)


@batched
def max_unpool(dims, x, indices, kernel, stride=None, padding=0, output_size=None):
    how = [each(v, dims) for v in (kernel, stride or kernel, padding)]
    usual = [(n - 1) * s + k - 2 * p for n, k, s, p in zip(x.shape[2:], *how)]
    size = usual if output_size is None else output_size
    out = np.zeros((*x.shape[:2], math.prod(size)))
    np.put_along_axis(
        out, indices.reshape(*x.shape[:2], -1), x.reshape(*x.shape[:2], -1), 2
    )
    return out.reshape(*x.shape[:2], *size)


def unfold(x, kernel, dilation=1, padding=0, stride=1):
    if x.ndim == 3:
        return unfold(x[None], kernel, dilation, padding, stride)[0]
    seen = windows(x, each(kernel, 2), stride, padding, dilation)
    return seen.transpose(0, 1, 4, 5, 2, 3).reshape(
        len(x), x.shape[1] * math.prod(each(kernel, 2)), -1
    )


def fold(columns, size, kernel, dilation=1, padding=0, stride=1):
    if columns.ndim == 2:
        return fold(columns[None], size, kernel, dilation, padding, stride)[0]
    # Which element of the planes each number of the columns is; 0 is the padding.
    planes = columns.shape[1] // math.prod(each(kernel, 2))
    number = 1 + np.arange(planes * math.prod(each(size, 2)))
    at = unfold(
        number.reshape(1, planes, *each(size, 2)), kernel, dilation, padding, stride
    )
    out = np.zeros((len(columns), len(number) + 1))
    for o, c in zip(out, columns):
        np.add.at(o, at[0], c)
    return out[:, 1:].reshape(len(columns), planes, *each(size, 2))


# ---- samples -------------------------------------------------------------------------

PLANES = {1: (2, 3, 11), 2: (2, 3, 7, 9), 3: (1, 2, 5, 6, 7)}
SMALL = {1: (1, 2, 7), 2: (1, 1, 5, 4), 3: (1, 1, 3, 4, 3)}
MAXIMA = (
    ((2,), {}),
    ((3, 2, 1), {}),
    ((2, 1), {"dilation": 2}),
    ((3, 2), {"ceil_mode": True}),
    ((2, 2, 1), {"ceil_mode": True}),
    ((3, 1, 1), {"ceil_mode": True, "dilation": 1}),
)
MEANS = (
    ((2,), {}),
    ((3, 2, 1), {}),
    ((3, 2, 1), {"ceil_mode": True}),
    ((2, 2, 1), {"ceil_mode": True, "count_include_pad": False}),
    ((3, 1, 1), {"count_include_pad": False}),
)
OVERRIDE = (((3, 2), {"divisor_override": 4}),)
WINDOWS = (
    ((2,), {}),
    (((2, 3),), {"stride": 2, "padding": 1}),
    ((2,), {"dilation": (2, 3), "padding": 2}),
    (((3, 1),), {"stride": (1, 3)}),
)


def apart(rng, shape, dtype):
    """Numbers without ties, which stay apart by a small step."""
    return (rng.permutation(math.prod(shape)).reshape(shape) / 7).astype(dtype)


def samples(shape, cases, make=apart):
    def f(rng, dtype):
        out = [Sample((make(rng, shape, dtype), *a), how) for a, how in cases]
        a, how = cases[0]
        return [*out, Sample((make(rng, shape[1:], dtype), *a), how)]

    return f


def row(name, dims, reference, cases, make=apart, wrong=(), **more):
    return OpInfo(
        name,
        reference(dims) if dims else reference,
        samples(PLANES[dims or 2], cases, make),
        call=getattr(F, name),
        torch=f"nn.functional.{name}",
        gradient_samples=samples(SMALL[dims or 2], cases, make),
        wrong=wrong,
        tolerance=1e-5,
        **more,
    )


def sizes(dims):
    """Numbers of windows: one for all, one for each, None."""
    mixed = ((2, 3, 1)[:dims], (None if dims > 1 else 4, 2, 2)[:dims])
    return [((n,), {}) for n in (1, 2, 3, *mixed)]


def unpooled(shape):
    def f(rng, dtype):
        out = []
        dims = len(shape) - 2
        for kernel, how in ((2, {}), (3, {"stride": 2}), (2, {"output_size": True})):
            stride = how.get("stride", kernel)
            size = [(n - 1) * stride + kernel for n in shape[2:]]
            if how.pop("output_size", False):
                size = [n + 1 for n in size]
                how["output_size"] = tuple(size)
            places = [rng.permutation(math.prod(size))[: math.prod(shape[2:])]
                      for _ in range(math.prod(shape[:2]))]  # fmt: skip
            x = values(rng, shape, dtype)
            out.append(Sample((x, np.array(places).reshape(shape), kernel), how))
        x, indices, kernel = out[0].args
        assert dims == x.ndim - 2
        return [*out, Sample((x[0], indices[0], kernel))]

    return f


def columns(rng, dtype):
    out = []
    for size, (kernel,), how in [((6, 7), *case) for case in WINDOWS]:
        taps = math.prod(each(kernel, 2))
        places = unfold(np.zeros((1, 1, *size)), kernel, **how).shape[2]
        out.append(
            Sample((values(rng, (2, 3 * taps, places), dtype), size, kernel), how)
        )
    return [*out, Sample((out[0].args[0][0], *out[0].args[1:]))]


def wrong_pools(dims, peer=None):
    x = np.ones((1, 3, *[5] * dims))
    return (
        Wrong((x, 2, 2, 2), RuntimeError, "at most half"),
        Wrong((x, 7), RuntimeError, "too small"),
        Wrong((x[:, :0], 2), RuntimeError, "positive length"),
        Wrong((x[0, 0], 2), RuntimeError, "batch, channels", peer=peer),
        Wrong((x, (2,) * (dims + 1)), RuntimeError, "numbers"),
        Wrong((x > 0, 2), NotImplementedError, "not implemented for bool"),
    )


def wrong_means(dims):
    x = np.ones((1, 3, *[5] * dims))
    # PyTorch's avg_pool2d and unfold stumble over a missing dimension.
    rows = (
        *wrong_pools(dims, IndexError if dims == 2 else None),
        Wrong((x.astype("int32"), 2), NotImplementedError, "not implemented for int32"),
    )
    over = Wrong((x, 2), RuntimeError, "divisor", {"divisor_override": 0})
    return (*rows, over) if dims > 1 else rows


def wrong_unpools(dims):
    x = np.ones((1, 1, *[2] * dims))
    at = np.arange(2**dims).reshape(x.shape)
    far = {"output_size": (9,) * dims}
    return (
        Wrong((x, at[:, :, :1], 2), RuntimeError, "shape of indices"),
        Wrong((x, at, 2), ValueError, "invalid output_size", far),
        Wrong(
            (x, at, 2), ValueError, "should be a sequence", {"output_size": (4,) * 6}
        ),
    )


def rows(n):
    sign = lambda rng, shape, dtype: values(rng, shape, dtype, 0.1)
    # Without indices PyTorch's max_pool1d takes floats alone.
    numbers = NUMBERS if n > 1 else FLOATS
    wrong = wrong_pools(n)
    yield row(f"max_pool{n}d", n, max_pool, MAXIMA, wrong=wrong, dtypes=numbers)
    more = OVERRIDE if n > 1 else ()
    cases, wrong, numbers = MEANS + more, wrong_means(n), (*FLOATS, "int64")
    yield row(f"avg_pool{n}d", n, avg_pool, cases, values, wrong, dtypes=numbers)
    norms = (((2, 2), {}), ((3, 3, 1), {}), ((1, 2), {"ceil_mode": True}))
    yield row(f"lp_pool{n}d", n, lp_pool, norms, sign)
    yield row(f"adaptive_avg_pool{n}d", n, adaptive(np.mean), sizes(n), values)
    yield row(f"adaptive_max_pool{n}d", n, adaptive(np.max), sizes(n))
    yield OpInfo(
        f"max_unpool{n}d",
        max_unpool(n),
        unpooled((2, 2, *(2, 3, 2)[:n])),
        call=getattr(F, f"max_unpool{n}d"),
        torch=f"nn.functional.max_unpool{n}d",
        gradient_samples=unpooled((1, 1, *(2, 1, 2)[:n])),
        wrong=wrong_unpools(n),
    )


IMAGE, COLUMNS = np.ones((1, 2, 5, 5)), np.ones((1, 8, 16))
ROWS = [
    *(r for n in (1, 2, 3) for r in rows(n)),
    row(
        "unfold",
        0,
        unfold,
        WINDOWS,
        values,
        (
            Wrong((IMAGE, 7), RuntimeError, "smaller than the kernel"),
            Wrong((IMAGE[0, 0], 2), RuntimeError, "batch, channels", peer=IndexError),
        ),
        dtypes=(*FLOATS, "bool"),
    ),
    OpInfo(
        "fold",
        fold,
        columns,
        call=F.fold,
        torch="nn.functional.fold",
        wrong=(
            Wrong((COLUMNS, 5, 3), RuntimeError, "divisible by the product"),
            Wrong((COLUMNS, 6, 2), RuntimeError, "number of windows, 25, but got 16"),
        ),
    ),
]
