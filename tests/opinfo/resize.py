"""Planes brought to another size, shuffled, and sampled at places of a grid."""

import math

import numpy as np

from opinfo import OpInfo, Sample, Wrong, values
from veem.nn import functional as F

# ---- interpolate: for each dimension a matrix, by the definition of each mode --------


def cubic(x, a):
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def matrix(n, size, scale, mode, align, antialias):
    w = np.zeros((size, n))
    step = 1 / scale if scale else n / size
    if align:
        step = (n - 1) / (size - 1) if size > 1 else 0.0
    for i in range(size):
        if mode == "area":
            covered = slice(i * n // size, -(-(i + 1) * n // size))
            w[i, covered] = 1 / (covered.stop - covered.start)
        elif mode.startswith("nearest"):
            middle = 0.5 if mode == "nearest-exact" else 0.0
            w[i, min(math.floor((i + middle) * step), n - 1)] = 1
        elif antialias:
            wide = max(step, 1)
            reach = 1 if mode == "bilinear" else 2
            middle = (i + 0.5) * step
            at = np.arange(n) + 0.5
            kernel = (
                (lambda x: max(1 - abs(x), 0))
                if reach == 1
                else (lambda x: cubic(x, -0.5))
            )
            near = abs(at - middle) <= reach * wide
            w[i] = [kernel((a - middle) / wide) * b for a, b in zip(at, near)]
            w[i] /= w[i].sum()
        else:
            at = i * step if align else (i + 0.5) * step - 0.5
            if mode == "bicubic":
                low = math.floor(at)
                for t in range(low - 1, low + 3):
                    w[i, min(max(t, 0), n - 1)] += cubic(at - t, -0.75)
            else:
                at = min(max(at, 0), n - 1)
                low = math.floor(at)
                w[i, low] += 1 - (at - low)
                w[i, min(low + 1, n - 1)] += at - low
    return w


def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=False,
                recompute_scale_factor=None, antialias=False):  # fmt: skip
    dims = x.ndim - 2
    each = lambda v: v if isinstance(v, tuple) else (v,) * dims
    scales = each(scale_factor)
    if size is None:
        size = tuple(math.floor(n * s) for n, s in zip(x.shape[2:], scales))
        if recompute_scale_factor or mode == "area":
            scales = (None,) * dims
    for d, (n, s) in enumerate(zip(each(size), scales)):
        w = matrix(x.shape[2 + d], n, s, mode, align_corners, antialias)
        x = np.moveaxis(np.tensordot(x, w, [[2 + d], [1]]), -1, 2 + d)
    return x


SIZES = (
    ((2, 3, 7), {"size": 11}),
    ((1, 2, 6), {"scale_factor": 0.6}),
    ((1, 2, 4, 5), {"scale_factor": 2}),
    ((2, 1, 5, 4), {"size": (8, 3)}),
    ((1, 2, 5, 6), {"scale_factor": (1.7, 0.4)}),
    ((1, 2, 3, 4, 3), {"size": (4, 2, 5)}),
)
MODES = {1: ("linear",), 2: ("bilinear", "bicubic"), 3: ("trilinear",)}


def resized(rng, dtype, sizes=SIZES):
    out = []
    for shape, how in sizes:
        x = values(rng, shape, dtype)
        for mode in ("nearest", "nearest-exact", "area"):
            out.append(Sample((x,), {**how, "mode": mode}))
        for mode in MODES[len(shape) - 2]:
            for align in (False, True):
                more = {"mode": mode, "align_corners": align}
                out.append(Sample((x,), {**how, **more}))
    x = values(rng, (1, 2, 9, 8), dtype)
    for mode in ("bilinear", "bicubic"):
        out.append(Sample((x,), {"size": (4, 11), "mode": mode, "antialias": True}))
    again = {"scale_factor": 1.3, "mode": "bilinear", "recompute_scale_factor": True}
    return [*out, Sample((x,), again)]


# ---- shuffles ------------------------------------------------------------------------


def pixel_shuffle(x, r):
    *lead, c, h, w = x.shape
    out = np.empty((*lead, c // r**2, h * r, w * r))
    for i, j in np.ndindex(r, r):
        out[..., i::r, j::r] = x[..., i * r + j :: r**2, :, :]
    return out


def pixel_unshuffle(x, r):
    *lead, c, h, w = x.shape
    out = np.empty((*lead, c * r**2, h // r, w // r))
    for i, j in np.ndindex(r, r):
        out[..., i * r + j :: r**2, :, :] = x[..., i::r, j::r]
    return out


def channel_shuffle(x, groups):
    return np.concatenate([x[:, i :: x.shape[1] // groups]
                           for i in range(x.shape[1] // groups)], 1)  # fmt: skip


def called(*calls):
    return lambda rng, dtype: [
        Sample((values(rng, shape, dtype), *args)) for shape, *args in calls
    ]


# ---- grid_sample: one place after the other ------------------------------------------


def reflected(at, low, high):
    if low == high:
        return 0.0
    turns, rest = divmod(abs(at - low), high - low)
    return low + (rest if turns % 2 == 0 else high - low - rest)


def inside(at, size, padding_mode, align):
    if padding_mode == "reflection":
        ends = (0, size - 1) if align else (-0.5, size - 0.5)
        at = reflected(at, *ends)
    return at if padding_mode == "zeros" else min(max(at, 0), size - 1)


def taps(at, mode):
    low = math.floor(at)
    if mode == "nearest":
        return [(round(at), 1.0)]
    if mode == "bilinear":
        return [(low, low + 1 - at), (low + 1, at - low)]
    return [(low + t, cubic(at - low - t, -0.75)) for t in (-1, 0, 1, 2)]


def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    sizes = x.shape[2:]
    out = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for n, *place in np.ndindex(*grid.shape[:-1]):
        dims = []
        for size, at in zip(sizes, grid[(n, *place)][::-1]):
            at = (
                (at + 1) / 2 * (size - 1)
                if align_corners
                else (at + 1) * size / 2 - 0.5
            )
            if mode != "bicubic":
                at = inside(at, size, padding_mode, align_corners)
            found = [(inside(t, size, padding_mode, align_corners), w)
                     for t, w in taps(at, mode)]  # fmt: skip
            dims.append([(int(t), w) for t, w in found if 0 <= t < size])
        for combined in np.ndindex(*map(len, dims)):
            chosen = [dims[d][i] for d, i in enumerate(combined)]
            weight = math.prod(w for _, w in chosen)
            out[(n, slice(None), *place)] += (
                weight * x[(n, slice(None), *(t for t, _ in chosen))]
            )
    return out


def gridded(rng, dtype, modes=("bilinear", "nearest", "bicubic")):
    out = []
    for shape, places in (((2, 3, 5, 4), (3, 2)), ((1, 2, 4, 3, 2), (2, 1, 3))):
        for mode in modes if len(shape) == 4 else modes[:2]:
            for padding in ("zeros", "border", "reflection"):
                x = values(rng, shape, dtype)
                grid = values(rng, (shape[0], *places, len(places)), dtype, -1.6, 1.6)
                how = {"mode": mode, "padding_mode": padding}
                out.append(
                    Sample((x, grid), {**how, "align_corners": padding == "zeros"})
                )
                out.append(
                    Sample((x, grid), {**how, "align_corners": padding != "zeros"})
                )
    return out


def smooth_grids(rng, dtype):
    """Places between elements, where the derivatives by the place exist."""
    x = values(rng, (1, 1, 4, 4), dtype)
    at = rng.integers(-1, 5, (1, 2, 2, 2)) + rng.uniform(0.2, 0.8, (1, 2, 2, 2))
    for mode in ("bilinear", "bicubic"):
        for padding in ("zeros", "reflection"):
            grid = (at * 2 / 3 - 1).astype(dtype)
            yield Sample((x, grid), {"mode": mode, "padding_mode": padding,
                                     "align_corners": True})  # fmt: skip


def affine_grid(theta, size, align_corners=False):
    lines = []
    for n in size[2:]:
        at = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        lines.append(at if align_corners else at * (n - 1) / n)
    numbers = np.meshgrid(*lines, indexing="ij")[::-1]
    places = np.stack([*numbers, np.ones(tuple(size[2:]))], -1)
    return np.einsum("...j,nij->n...i", places, theta)


def affine(rng, dtype):
    return [
        Sample((values(rng, theta, dtype), size), {"align_corners": align})
        for theta, size in (((2, 2, 3), (2, 1, 3, 4)), ((1, 3, 4), (1, 2, 2, 1, 3)))
        for align in (False, True)
    ]


X, G = np.ones((1, 2, 4, 4)), np.ones((1, 3, 3, 2))


def row(name, reference, samples, wrong, **more):
    more |= {"call": getattr(F, name), "torch": f"nn.functional.{name}"}
    return OpInfo(name, reference, samples, wrong=wrong, **more)


ROWS = [
    row(
        "interpolate",
        interpolate,
        resized,
        (
            Wrong((X,), ValueError, "either size"),
            Wrong((X, 2, 2.0), ValueError, "only one of"),
            Wrong((X, (2, 2, 2)), ValueError, "same number of spatial"),
            Wrong((X, 0), RuntimeError, "greater than 0"),
            Wrong((X, 3), NotImplementedError, "Only 3D", {"mode": "linear"}),
            Wrong((X, 3), NotImplementedError, "Only 3D", {"mode": "cubic"}),
            Wrong((X, 3), ValueError, "align_corners option", {"align_corners": True}),
            Wrong((X, 3), ValueError, "Anti-alias", {"antialias": True}),
        ),
        tolerance=2e-5,  # of places up to 11, by float32
        gradient_samples=lambda rng, dtype: resized(rng, dtype, SIZES[1:4]),
    ),
    row(
        "pixel_shuffle",
        pixel_shuffle,
        called(((2, 8, 2, 3), 2), ((9, 2, 2), 3), ((1, 4, 0, 2), 2)),
        (
            Wrong((X, 2), RuntimeError, "divisible by"),
            Wrong((X, 0), RuntimeError, "positive"),
            Wrong((X[0, 0], 2), RuntimeError, "at least 3"),
        ),
    ),
    row(
        "pixel_unshuffle",
        pixel_unshuffle,
        called(((2, 2, 4, 6), 2), ((1, 3, 3), 3), ((1, 2, 0, 3), 1)),
        (Wrong((X, 3), RuntimeError, "divisible by"),),
    ),
    row(
        "channel_shuffle",
        channel_shuffle,
        called(((2, 6, 3), 3), ((1, 4, 2, 3), 2)),
        (Wrong((X, 3), RuntimeError, "divisible by groups"),),
    ),
    row(
        "grid_sample",
        grid_sample,
        gridded,
        (
            Wrong((X, G), ValueError, "mode to be", {"mode": "cubic"}),
            Wrong((X, G), ValueError, "padding_mode to be", {"padding_mode": "no"}),
            Wrong((X, np.ones((2, 3, 3, 2))), RuntimeError, "same batch"),
            Wrong((X, np.ones((1, 3, 3, 3))), RuntimeError, "4D or 5D"),
        ),
        tolerance=2e-5,
        gradient_samples=lambda rng, dtype: list(smooth_grids(rng, dtype)),
    ),
    row(
        "affine_grid",
        affine_grid,
        affine,
        (
            Wrong((G[0], (1, 1, 2, 2)), ValueError, "affine matrices"),
            Wrong((np.ones((1, 2, 3)), (1, 1, 0, 2)), ValueError, "non-zero"),
        ),
    ),
]  # fmt: skip
