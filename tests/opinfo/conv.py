"""Convolution and pooling of images."""

import numpy as np

from opinfo import OpInfo, Sample, Wrong, values
from veem.nn import functional as F


def _pair(v):
    return (v, v) if isinstance(v, int) else v


def _windows(x, kernel, stride, padding, dilation, fill=0.0, out=None):
    """(kh, kw, N, C, oh, ow): what each element of the window meets."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(
        _pair, (kernel, stride, padding, dilation)
    )
    grow = ((0, 0), (0, 0), (ph, ph + kh * dh + sh), (pw, pw + kw * dw + sw))
    oh = (x.shape[2] + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    ow = (x.shape[3] + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    oh, ow = out or (oh, ow)
    x = np.pad(x, grow, constant_values=fill)
    return np.array([
        [
            x[:, :, i * dh :, j * dw :][:, :, : oh * sh : sh, : ow * sw : sw]
            for j in range(kw)
        ]
        for i in range(kh)
    ])  # fmt: skip


def _conv(x, w, bias=None, stride=1, padding=0, dilation=1, groups=1):
    seen = _windows(x, w.shape[2:], stride, padding, dilation)
    outs = []
    for c, f in zip(np.split(seen, groups, 3), np.split(w, groups, 0)):
        outs.append(np.einsum("ijncyx,ocij->noyx", c, f))
    out = np.concatenate(outs, 1)
    return out if bias is None else out + bias[:, None, None]


def _pool(x, kernel, stride=None, padding=0, dilation=1, ceil_mode=False):
    out = None
    if ceil_mode:
        (k, _), (s, _), (p, _) = map(_pair, (kernel, stride or kernel, padding))
        sizes = [-(-(n + 2 * p - k) // s) + 1 for n in x.shape[2:]]
        out = [o - 1 if (o - 1) * s >= n + p else o for o, n in zip(sizes, x.shape[2:])]
    seen = _windows(x, kernel, stride or kernel, padding, dilation, -np.inf, out)
    return seen.max((0, 1))


CASES = (
    ((2, 3, 7, 8), (4, 3, 3, 3), {}),
    ((1, 2, 6, 5), (3, 2, 2, 3), {"stride": 2, "padding": 1}),
    ((2, 4, 7, 7), (6, 2, 3, 2), {"groups": 2, "dilation": 2, "padding": (1, 2)}),
    ((1, 3, 5, 5), (3, 1, 3, 3), {"groups": 3, "padding": "same"}),
    ((2, 1, 9, 9), (2, 1, 1, 1), {"stride": (2, 3)}),
)
LARGER = (
    ((3, 3, 32, 30), (16, 3, 5, 5), {"padding": 2}),
    ((2, 16, 14, 14), (33, 16, 3, 3), {"stride": 2}),
)


def _samples(rng, dtype, cases=CASES + LARGER):
    out = []
    for x, w, how in cases:
        bias = values(rng, w[:1], dtype)
        out.append(Sample((values(rng, x, dtype), values(rng, w, dtype), bias), how))
    x, w, how = cases[0]
    out.append(Sample((values(rng, x[1:], dtype), values(rng, w, dtype)), how))
    return out


def _conv_reference(x, w, bias=None, padding=0, **how):
    if padding == "same":
        padding = tuple((k - 1) // 2 for k in w.shape[2:])
    if x.ndim == 3:
        return _conv(x[None], w, bias, padding=padding, **how)[0]
    return _conv(x, w, bias, padding=padding, **how)


POOLS = (
    ((2, 3, 6, 8), (2,), {}),
    ((1, 2, 7, 7), (3, 2, 1), {}),
    ((2, 1, 7, 5), (2, 2), {"ceil_mode": True}),
    ((1, 1, 9, 9), ((3, 2), (2, 1)), {"dilation": 2}),
)


def _pool_samples(rng, dtype):
    out = []
    for shape, args, how in POOLS:
        x = rng.permutation(np.prod(shape)).reshape(shape) / 7  # no ties
        out.append(Sample((x.astype(dtype), *args), how))
    return out


X, W = np.ones((1, 3, 5, 5)), np.ones((2, 3, 3, 3))
ROWS = [
    OpInfo(
        "conv2d",
        _conv_reference,
        _samples,
        call=F.conv2d,
        torch="nn.functional.conv2d",
        tolerance=1e-4,  # up to 144 products of up to 9
        gradient_samples=lambda rng, dtype: _samples(
            rng,
            dtype,
            (
                ((1, 2, 4, 4), (2, 2, 3, 2), {"padding": 1}),
                ((1, 2, 5, 4), (2, 1, 2, 2), {"stride": 2, "groups": 2}),
                ((1, 1, 5, 5), (1, 1, 2, 2), {"dilation": 2}),
            ),
        ),
        wrong=(
            Wrong((X, np.ones((2, 4, 3, 3))), RuntimeError, "4 channels, but got 3"),
            Wrong(
                (X, np.ones((2, 3, 7, 3))),
                RuntimeError,
                "greater than actual input size",
            ),
            Wrong((X, W, np.ones(3)), RuntimeError, "bias to be 1-dimensional with 2"),
            Wrong((X, W), RuntimeError, "non-positive stride", {"stride": 0}),
            Wrong((np.ones((3, 3)), W), RuntimeError, "batch, channels"),
        ),
    ),
    OpInfo(
        "max_pool2d",
        _pool,
        _pool_samples,
        call=F.max_pool2d,
        torch="nn.functional.max_pool2d",
        gradient_samples=lambda rng, dtype: [
            Sample((rng.permutation(30).reshape(1, 1, 5, 6).astype(dtype), 2), how)
            for how in ({}, {"stride": 1}, {"padding": 1})
        ],
        wrong=(
            Wrong((X, 2, 2, 2), RuntimeError, "at most half"),
            Wrong((X, 7), RuntimeError, "too small"),
        ),
    ),
]
