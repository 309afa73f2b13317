"""What kernels.py times of convolutions, pooling and resizing: what row() takes."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-40, -1e-45)


def windows(x, kernel, stride=1, padding=0, fill=0.0):
    """(N, C, *places, *elements of the window)."""
    axes = tuple(range(2, x.ndim))
    x = np.pad(x, [(0, 0), (0, 0)] + [(padding,) * 2] * len(axes), constant_values=fill)
    seen = sliding_window_view(x, kernel, axes)
    return seen[(slice(None), slice(None), *[slice(None, None, stride)] * len(axes))]


def convolution(x, w, stride=1, padding=0, groups=1):
    dims = x.ndim - 2
    seen = windows(x, w.shape[2:], stride, padding)
    summed = [[1, *range(2 + dims, 2 + 2 * dims)], [1, *range(2, 2 + dims)]]
    outs = [
        np.moveaxis(np.tensordot(c, f, summed), -1, 1)
        for c, f in zip(np.split(seen, groups, 1), np.split(w, groups, 0))
    ]
    return np.concatenate(outs, 1)


def conv_transpose2d(x, w, stride, padding):
    (n, _, high, wide), kernel = x.shape, w.shape[2:]
    size = (high - 1) * stride + kernel[0], (wide - 1) * stride + kernel[1]
    out = np.zeros((n, w.shape[1], *size))
    for i, j in np.ndindex(*kernel):
        part = np.moveaxis(np.tensordot(x, w[..., i, j], [[1], [0]]), -1, 1)
        rows, columns = (
            slice(i, i + high * stride, stride),
            slice(j, j + wide * stride, stride),
        )
        out[:, :, rows, columns][:, :, :high, :wide] += part
    return out[:, :, padding : size[0] - padding, padding : size[1] - padding]


def bilinear(x, factor):
    """Twice as large, or half, along both dimensions; edges stay edges."""
    for axis in (2, 3):
        n = x.shape[axis]
        at = np.clip((np.arange(int(n * factor)) + 0.5) / factor - 0.5, 0, n - 1)
        low = at.astype(int)
        part = (at - low).reshape([-1 if d == axis else 1 for d in range(4)])
        high = np.minimum(low + 1, n - 1)
        x = np.take(x, low, axis) * (1 - part) + np.take(x, high, axis) * part
    return x


def flops(per_place):
    """2 for each weight at each place of the output, of which there are 1 / per_place
    of those of the input."""
    return lambda x, w: 2 * math.prod(w) * x[0] * math.prod(x[2:]) / per_place


CLOSE = {"rtol": 1e-5, "atol": 5e-4, "special": SPECIAL}
IMAGES = {"16x64x56x56": [(16, 64, 56, 56)]}

WINDOWS = [
    {
        "op": "conv1d k5",
        "sizes": {"16x64x1024 to 64": [(16, 64, 1024), (64, 64, 5)]},
        "tensor": lambda T, x, w: T.nn.functional.conv1d(x, w, padding=2),
        "reference": lambda x, w: convolution(x, w, 1, 2),
        "flops": flops(1),
        **CLOSE,
    },
    {
        "op": "conv2d 3x3/2",
        "sizes": {"8x64x56x56 to 128": [(8, 64, 56, 56), (128, 64, 3, 3)]},
        "tensor": lambda T, x, w: T.nn.functional.conv2d(x, w, stride=2, padding=1),
        "reference": lambda x, w: convolution(x, w, 2, 1),
        "flops": flops(4),
        **CLOSE,
    },
    {
        "op": "conv2d 3x3 of small planes",
        "sizes": {"64x256x4x4 to 256": [(64, 256, 4, 4), (256, 256, 3, 3)]},
        "tensor": lambda T, x, w: T.nn.functional.conv2d(x, w, padding=1),
        "reference": lambda x, w: convolution(x, w, 1, 1),
        "flops": flops(1),
        **CLOSE,
    },
    {
        "op": "conv_transpose2d 3x3 of small planes",
        "sizes": {"64x256x4x4 to 256": [(64, 256, 4, 4), (256, 256, 3, 3)]},
        "tensor": lambda T, x, w: T.nn.functional.conv_transpose2d(x, w, padding=1),
        "reference": lambda x, w: conv_transpose2d(x, w, 1, 1),
        "flops": flops(1),
        **CLOSE,
    },
    {
        "op": "conv2d 3x3 depthwise",
        "sizes": {"8x64x56x56": [(8, 64, 56, 56), (64, 1, 3, 3)]},
        "tensor": lambda T, x, w: T.nn.functional.conv2d(x, w, padding=1, groups=64),
        "reference": lambda x, w: convolution(x, w, 1, 1, 64),
        "flops": flops(1),
        **CLOSE,
    },
    {
        "op": "conv3d 3x3x3",
        "sizes": {"2x16x16x28x28 to 32": [(2, 16, 16, 28, 28), (32, 16, 3, 3, 3)]},
        "tensor": lambda T, x, w: T.nn.functional.conv3d(x, w, padding=1),
        "reference": lambda x, w: convolution(x, w, 1, 1),
        "flops": flops(1),
        **CLOSE,
    },
    {
        "op": "conv_transpose2d 4x4/2",
        "sizes": {"8x64x28x28 to 32": [(8, 64, 28, 28), (64, 32, 4, 4)]},
        "tensor": lambda T, x, w: T.nn.functional.conv_transpose2d(
            x, w, stride=2, padding=1
        ),
        "reference": lambda x, w: conv_transpose2d(x, w, 2, 1),
        "flops": flops(1),
        **CLOSE,
    },
    {
        "op": "max_pool2d 2x2",
        "sizes": IMAGES,
        "tensor": lambda T, x: T.nn.functional.max_pool2d(x, 2),
        "reference": lambda x: windows(x, (2, 2), 2).max((4, 5)),
        "special": SPECIAL,
        "rtol": 0,
    },
    {
        "op": "max_pool2d 3x3/2",
        "sizes": IMAGES,
        "tensor": lambda T, x: T.nn.functional.max_pool2d(x, 3, 2, 1),
        "reference": lambda x: windows(x, (3, 3), 2, 1, -np.inf).max((4, 5)),
        "special": SPECIAL,
        "rtol": 0,
    },
    {
        "op": "avg_pool2d 2x2",
        "sizes": IMAGES,
        "tensor": lambda T, x: T.nn.functional.avg_pool2d(x, 2),
        "reference": lambda x: windows(x, (2, 2), 2).mean((4, 5)),
        **CLOSE,
    },
    {
        "op": "adaptive_avg_pool2d 7x7",
        "sizes": IMAGES,
        "tensor": lambda T, x: T.nn.functional.adaptive_avg_pool2d(x, 7),
        "reference": lambda x: windows(x, (8, 8), 8).mean((4, 5)),
        **CLOSE,
    },
    {
        "op": "unfold 3x3",
        "sizes": {"8x32x56x56": [(8, 32, 56, 56)]},
        "tensor": lambda T, x: T.nn.functional.unfold(x, 3, padding=1),
        "reference": lambda x: (
            windows(x, (3, 3), 1, 1).transpose(0, 1, 4, 5, 2, 3).reshape(8, 288, -1)
        ),
        "special": SPECIAL,
        "rtol": 0,
    },
    {
        "op": "bilinear x2",
        "sizes": {"8x32x56x56": [(8, 32, 56, 56)]},
        "tensor": lambda T, x: T.nn.functional.interpolate(
            x, scale_factor=2, mode="bilinear"
        ),
        "reference": lambda x: bilinear(x, 2),
        "rtol": 1e-5,
        "atol": 1e-5,
    },
    {
        "op": "nearest x2",
        "sizes": {"8x32x56x56": [(8, 32, 56, 56)]},
        "tensor": lambda T, x: T.nn.functional.interpolate(x, scale_factor=2),
        "reference": lambda x: x.repeat(2, 2).repeat(2, 3),
        "special": SPECIAL,
        "rtol": 0,
    },
]
