"""Convolutions and their transposes over one to three dimensions."""

import numpy as np

from opinfo import FLOATS, OpInfo, Sample, Wrong, values
from veem.nn import functional as F


def each(value, dims):
    return (value,) * dims if isinstance(value, int) else tuple(value)


def windows(x, kernel, stride, padding, dilation, fill=0.0, out=None):
    """(N, C, *places, *elements of the window): what the windows of planes x hold.

    out: how many windows there are in each dimension, if not all that fit.
    """
    dims = x.ndim - 2
    how = [each(v, dims) for v in (kernel, stride, padding, dilation)]
    if out is not None:
        span = lambda o, k, s, d: (o - 1) * s + d * (k - 1) + 1
        need = [span(o, k, s, d) for o, k, s, _, d in zip(out, *how)]
        grow = [(p, max(0, n - p - m)) for n, p, m in zip(need, how[2], x.shape[2:])]
    else:
        grow = [(p, p) for p in how[2]]
    x = np.pad(x, [(0, 0), (0, 0), *grow], constant_values=fill)
    spans = [d * (k - 1) + 1 for k, d in zip(how[0], how[3])]
    axes = tuple(range(2, 2 + dims))
    seen = np.lib.stride_tricks.sliding_window_view(x, spans, axes)
    steps = [slice(None, None, s) for s in how[1] + how[3]]
    seen = seen[(slice(None), slice(None), *steps)]
    return seen if out is None else seen[(..., *map(slice, out), *[slice(None)] * dims)]


def conv(x, w, bias=None, stride=1, padding=0, dilation=1, groups=1):
    dims = w.ndim - 2
    if x.ndim == dims + 1:
        return conv(x[None], w, bias, stride, padding, dilation, groups)[0]
    if padding == "same":
        padding = [d * (k - 1) // 2 for k, d in zip(w.shape[2:], each(dilation, dims))]
    seen = windows(x, w.shape[2:], stride, padding, dilation)
    summed = [[1, *range(2 + dims, 2 + 2 * dims)], [1, *range(2, 2 + dims)]]
    outs = [
        np.moveaxis(np.tensordot(c, f, summed), -1, 1)
        for c, f in zip(np.split(seen, groups, 1), np.split(w, groups, 0))
    ]
    out = np.concatenate(outs, 1)
    return out if bias is None else out + bias.reshape(-1, *[1] * dims)


def conv_transpose(
    x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    dims = w.ndim - 2
    how = (stride, padding, output_padding, groups, dilation)
    if x.ndim == dims + 1:
        return conv_transpose(x[None], w, bias, *how)[0]
    s, p, e, d = (each(v, dims) for v in (stride, padding, output_padding, dilation))
    kernel, size = w.shape[2:], x.shape[2:]
    full = [
        (n - 1) * s[i] + d[i] * (kernel[i] - 1) + 1 + e[i] for i, n in enumerate(size)
    ]
    out = np.zeros((len(x), groups * w.shape[1], *full), x.dtype)
    for tap in np.ndindex(*kernel):
        part = [
            np.moveaxis(np.tensordot(c, f[(..., *tap)], [[1], [0]]), -1, 1)
            for c, f in zip(np.split(x, groups, 1), np.split(w, groups, 0))
        ]
        at = [
            slice(t * d[i], t * d[i] + size[i] * s[i], s[i]) for i, t in enumerate(tap)
        ]
        at = [
            slice(a.start, a.start + (n - 1) * a.step + 1, a.step)
            for a, n in zip(at, size)
        ]
        out[(slice(None), slice(None), *at)] += np.concatenate(part, 1)
    cropped = [slice(p[i], full[i] - p[i]) for i in range(dims)]
    out = out[(slice(None), slice(None), *cropped)]
    return out if bias is None else out + bias.reshape(-1, *[1] * dims)


# ---- samples: shapes of input and weight, and how; the last are large ----------------

CONVS = {
    1: (
        ((2, 3, 9), (4, 3, 3), {"padding": 1}),
        ((1, 4, 10), (6, 2, 2), {"stride": 3, "groups": 2}),
        ((2, 2, 11), (2, 2, 3), {"dilation": 2, "padding": "same"}),
        ((2, 17, 700), (20, 17, 5), {"stride": 2}),
    ),
    2: (
        ((2, 3, 7, 8), (4, 3, 3, 3), {}),
        ((1, 2, 6, 5), (3, 2, 2, 3), {"stride": 2, "padding": 1}),
        ((2, 4, 7, 7), (6, 2, 3, 2), {"groups": 2, "dilation": 2, "padding": (1, 2)}),
        ((1, 3, 5, 5), (3, 1, 3, 3), {"groups": 3, "padding": "same"}),
        ((2, 1, 9, 9), (2, 1, 1, 1), {"stride": (2, 3)}),
        ((3, 3, 32, 30), (16, 3, 5, 5), {"padding": 2}),
        ((2, 16, 14, 14), (33, 16, 3, 3), {"stride": 2}),
    ),
    3: (
        ((2, 2, 4, 5, 6), (3, 2, 2, 3, 2), {"padding": (1, 0, 1)}),
        ((1, 4, 5, 6, 5), (2, 2, 3, 2, 2), {"stride": (2, 3, 1), "groups": 2}),
        ((1, 1, 6, 5, 7), (2, 1, 2, 2, 3), {"dilation": (3, 2, 1), "padding": 1}),
        ((1, 5, 7, 9, 8), (18, 5, 3, 3, 3), {"stride": 2, "padding": 1}),
    ),
}
SMALL_CONVS = {
    1: (
        ((2, 2, 6), (2, 2, 3), {"padding": 1}),
        ((1, 2, 8), (2, 1, 2), {"stride": 3, "groups": 2}),
    ),
    2: (
        ((1, 2, 4, 4), (2, 2, 3, 2), {"padding": 1}),
        ((1, 2, 5, 4), (2, 1, 2, 2), {"stride": 2, "groups": 2}),
        ((1, 1, 5, 5), (1, 1, 2, 2), {"dilation": 2}),
    ),
    3: (
        ((1, 1, 3, 3, 4), (2, 1, 2, 2, 1), {"padding": (1, 0, 0)}),
        ((1, 2, 4, 3, 3), (2, 1, 2, 1, 2), {"stride": (3, 1, 2), "groups": 2}),
    ),
}
TRANSPOSED = {
    1: (
        ((2, 3, 5), (3, 4, 3), {"padding": 1}),
        ((1, 4, 6), (4, 3, 2), {"stride": 3, "groups": 2, "output_padding": 2}),
        ((2, 2, 7), (2, 2, 3), {"dilation": 2, "stride": 2}),
        ((2, 17, 300), (17, 6, 4), {"stride": 2, "padding": 1}),
    ),
    2: (
        ((2, 3, 5, 4), (3, 4, 3, 3), {"padding": 1}),
        ((1, 4, 3, 4), (4, 3, 2, 3), {"stride": (2, 3), "groups": 2}),
        ((2, 2, 4, 4), (2, 2, 2, 2), {"stride": 2, "dilation": 3, "output_padding": 2}),
        ((1, 3, 3, 3), (3, 2, 1, 2), {"stride": 4, "output_padding": (3, 0)}),
        ((2, 20, 9, 7), (20, 12, 4, 4), {"stride": 2, "padding": 1}),
    ),
    3: (
        ((2, 2, 3, 2, 3), (2, 3, 2, 3, 2), {"padding": (1, 1, 0)}),
        ((1, 4, 2, 3, 2), (4, 1, 3, 2, 2), {"stride": (2, 3, 1), "groups": 2}),
        ((1, 1, 3, 2, 2), (1, 2, 2, 2, 1), {"stride": 2, "output_padding": 1}),
        ((1, 9, 4, 3, 4), (9, 7, 2, 2, 2), {"stride": 2}),
    ),
}
SMALL_TRANSPOSED = {
    dims: tuple((x[:1] + (2,) + x[2:], (2, 1, *w[2:]), {**how, "groups": 2})
                for x, w, how in cases[:-1])
    for dims, cases in TRANSPOSED.items()
}  # fmt: skip


def samples(cases, transposed=False):
    def make(rng, dtype):
        out = []
        for x, w, how in cases:
            filters = w[1] * how.get("groups", 1) if transposed else w[0]
            arrays = [values(rng, shape, dtype) for shape in (x, w, (filters,))]
            out.append(Sample(tuple(arrays), how))
        x, w, how = cases[0]
        arrays = (values(rng, x[1:], dtype), values(rng, w, dtype))
        return [*out, Sample(arrays, how)]  # no batch, no bias

    return make


def row(name, reference, cases, small, transposed, wrong):
    return OpInfo(
        name,
        reference,
        samples(cases, transposed),
        call=getattr(F, name),
        torch=f"nn.functional.{name}",
        tolerance=1e-4,  # up to 144 products of up to 9
        gradient_samples=samples(small, transposed),
        wrong=wrong,
        dtypes=(*FLOATS, "int64"),  # of others PyTorch lacks some
    )


def wrong_convs(dims):
    x, w = np.ones((1, 3, *[5] * dims)), np.ones((2, 3, *[3] * dims))
    return (
        Wrong((x, w[:, :2]), RuntimeError, "to have 2 channels, but got 3"),
        Wrong((x, np.ones((2, 3, *[7] * dims))), RuntimeError, "greater than actual"),
        Wrong((x, w, np.ones(3)), RuntimeError, "bias to be 1-dimensional with 2"),
        Wrong((x, w), RuntimeError, "non-positive stride", {"stride": 0}),
        Wrong((x, w), RuntimeError, "negative padding", {"padding": -1}),
        Wrong((x, w), RuntimeError, "divisible by 3", {"groups": 3}),
        Wrong((x[0, 0], w), RuntimeError, "batch, channels"),
        Wrong((x, w[..., 0]), RuntimeError, "expected a weight of"),
        Wrong((x, w), RuntimeError, "strided", {"padding": "same", "stride": 2}),
        Wrong((x, w), RuntimeError, "numbers", {"stride": (1,) * (dims + 1)}),
        Wrong((x > 0, w > 0), NotImplementedError, "not implemented for bool"),
    )


def wrong_transposed(dims):
    x, w = np.ones((1, 3, *[5] * dims)), np.ones((3, 2, *[3] * dims))
    return (
        Wrong((x, w[:2]), RuntimeError, "to have 2 channels, but got 3"),
        Wrong((x, w, np.ones(3)), RuntimeError, "bias to be 1-dimensional with 2"),
        Wrong((x, w), RuntimeError, "output padding must", {"output_padding": 1}),
        Wrong((x, w), RuntimeError, "too small", {"padding": 4}),
        Wrong((x[0, 0], w), RuntimeError, "batch, channels"),
        Wrong((x > 0, w > 0), NotImplementedError, "not implemented for bool"),
    )


ROWS = [
    r
    for n in (1, 2, 3)
    for r in (
        row(f"conv{n}d", conv, CONVS[n], SMALL_CONVS[n], False, wrong_convs(n)),
        row(f"conv_transpose{n}d", conv_transpose, TRANSPOSED[n], SMALL_TRANSPOSED[n],
            True, wrong_transposed(n)),
    )
]  # fmt: skip
