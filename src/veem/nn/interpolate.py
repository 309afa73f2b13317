"""Planes brought to another size."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import veem
from veem import Tensor, ops
from veem.autograd.names import recorded_as

from . import pool_functions
from .module import Module

# Which modes take planes of how many dimensions.
_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
_MODES = ("nearest", "nearest-exact", "area", "bicubic", *_LINEAR)
_SHARPNESS = -0.75  # of the cubic
_KEPT = 256  # tables of weights


def _name(_out, input, mode, antialias):
    if mode == "area":
        return None
    kind = "".join(part.capitalize() for part in mode.split("-"))
    aa = "Aa" if antialias else ""
    return f"Upsample{kind}{input.ndim - 2}D{aa}"


@recorded_as(_name)
def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """input (N, C, 1 to 3 dimensions) brought to `size`, or to its scale_factor-fold.

    mode: "nearest" (of the element that floor(i / scale) names), "nearest-exact" (of
    the middle), "linear", "bilinear" or "trilinear" by the number of dimensions,
    "bicubic", or "area" (means of what an element covers). align_corners: the first and
    last elements stay where they are; else the edges of the planes do. Distances follow
    scale_factor as it is given, unless recompute_scale_factor takes it from the sizes.
    """
    dims = input.ndim - 2
    _check(input, mode, align_corners, antialias)
    new, scales = _sizes(input, size, scale_factor, recompute_scale_factor)
    if min(new) <= 0 or 0 in input.shape[1:]:
        raise RuntimeError(
            "Input and output sizes should be greater than 0, but got input "
            f"{tuple(input.shape)} and output size {new}"
        )
    if mode == "area":
        return getattr(pool_functions, f"adaptive_avg_pool{dims}d")(input, new)
    kind = "linear" if mode in _LINEAR else "cubic" if mode == "bicubic" else mode
    for dim in range(input.ndim - 1, 1, -1):  # the last first, as its lines are short
        tables = _tables(
            kind,
            input.shape[dim],
            new[dim - 2],
            scales[dim - 2],
            bool(align_corners),
            antialias,
            "float64" if input.dtype == veem.float64 else "float32",
            str(input.device),
        )
        if tables is not None:
            input = ops.resample(input, dim, new[dim - 2], *tables)
    return input


def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """interpolate by its former name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """interpolate with mode "nearest"."""
    return interpolate(input, size, scale_factor)


def upsample_bilinear(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """interpolate with mode "bilinear" and align_corners."""
    return interpolate(input, size, scale_factor, "bilinear", True)


def _check(input, mode, align_corners, antialias) -> None:
    dims = input.ndim - 2
    if mode in ("nearest", "nearest-exact", "area"):
        if align_corners is not None:
            raise ValueError(
                "interpolate: align_corners option can only be set with the "
                "interpolating modes: linear | bilinear | bicubic | trilinear, "
                f"not with {mode!r}"
            )
    if antialias and not (mode in ("bilinear", "bicubic") and dims == 2):
        raise ValueError(
            "interpolate: Anti-alias option is restricted to bilinear and bicubic "
            f"modes and requires a 4-D tensor as input, got {mode!r} and {input.ndim}-D"
        )
    fits = 1 <= dims <= 3 and mode in _MODES
    if mode in _LINEAR or mode == "bicubic":
        fits = dims == _LINEAR.get(mode, 2)
    if not fits:
        raise NotImplementedError(
            "interpolate: Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{input.ndim}D) for the modes: nearest | linear | bilinear | bicubic | "
            f"trilinear | area | nearest-exact (got {mode})"
        )


def _sizes(input, size, scale_factor, recompute) -> tuple[Any, Any]:
    """(the new size, what each dimension is scaled by; None: the ratio of sizes)"""
    dims = input.ndim - 2
    if (size is None) == (scale_factor is None):
        raise ValueError(
            "only one of size or scale_factor should be defined"
            if size is not None
            else "either size or scale_factor should be defined"
        )
    for name, given in (("output size", size), ("scale_factor", scale_factor)):
        if isinstance(given, Sequence) and len(given) != dims:
            raise ValueError(
                f"Input and {name} must have the same number of spatial dimensions, "
                f"but got input with spatial dimensions of {list(input.shape[2:])} and "
                f"{name} of {given}."
            )
    if size is not None:
        if recompute:
            raise ValueError(
                "recompute_scale_factor is not meaningful with an explicit size."
            )
        each = tuple(size) if isinstance(size, Sequence) else (size,) * dims
        return each, (None,) * dims
    each = scale_factor
    if not isinstance(each, Sequence):
        each = (each,) * dims
    new = tuple(math.floor(n * s) for n, s in zip(input.shape[2:], each))
    return new, (None,) * dims if recompute else tuple(map(float, each))


# ---- the weights of one dimension ----------------------------------------------------


@functools.lru_cache(maxsize=_KEPT)
def _tables(kind, n, size, scale, align, antialias, dtype, device):
    """What ops.resample takes: rows of weights, and the same transposed. None where
    nothing changes."""
    # As in PyTorch, linear resampling to the same size is a copy whatever the scale.
    if n == size and not antialias and (kind == "linear" or scale in (None, 1.0)):
        return None
    if antialias:
        rows = _smooth_rows(kind, n, size, scale, align)
    else:
        # float32 rounds as PyTorch's kernels do, which decides between neighbours.
        wide = dtype == "float64" and not kind.startswith("nearest")
        exact = veem.float64 if wide else veem.float32
        at = _sources(kind, n, size, scale, align, exact)
        rows = _ROWS[kind](at, n)
    columns: list[list[tuple[int, float]]] = [[] for _ in range(n)]
    for i, row in enumerate(rows):
        for at, weight in row:
            columns[at].append((i, weight))
    return *_compressed(rows, dtype, device), *_compressed(columns, dtype, device)


def _compressed(rows, dtype, device):
    first, index, weight = [0], [], []
    for row in rows:
        index += [at for at, _ in row]
        weight += [w for _, w in row]
        first.append(len(index))
    arrays = (first, "int64"), (index, "int64"), (weight, dtype)
    return tuple(veem.tensor(np.array(a, t), device=device) for a, t in arrays)


def _step(n, size, scale, align):
    """How far apart the sources of neighbours are."""
    if align:
        return (n - 1) / (size - 1) if size > 1 else 0.0
    return 1 / scale if scale else n / size


def _sources(kind, n, size, scale, align, dtype) -> list[float]:
    """Where each element of the result lies among those of the input."""
    i = veem.arange(size, dtype=dtype)
    step = _step(n, size, scale, align)
    if kind == "nearest" or align:
        at = i * step
    elif kind == "nearest-exact":
        at = (i + 0.5) * step
    else:
        at = (i + 0.5) * step - 0.5
    return (at.clamp(min=0) if kind == "linear" else at).tolist()


def _nearest_rows(at, n):
    return [[(min(math.floor(x), n - 1), 1.0)] for x in at]


def _linear_rows(at, n):
    rows = []
    for x in at:
        low = min(math.floor(x), n - 1)
        part = min(x - low, 1.0)
        rows.append([(low, 1 - part), (min(low + 1, n - 1), part)])
    return rows


def _cubic(x: float, a: float) -> float:
    """The weight of an element at distance x."""
    x = abs(x)
    if x <= 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0


def _cubic_rows(at, n):
    rows = []
    for x in at:
        low = math.floor(x)
        taps = [(low + t, _cubic(x - low - t, _SHARPNESS)) for t in (-1, 0, 1, 2)]
        rows.append([(min(max(t, 0), n - 1), w) for t, w in taps])
    return rows


_ROWS = {
    "nearest": _nearest_rows,
    "nearest-exact": _nearest_rows,
    "linear": _linear_rows,
    "cubic": _cubic_rows,
}


def _smooth_rows(kind, n, size, scale, align):
    """Weights over all that an element covers when the input shrinks: no aliasing."""
    step = _step(n, size, scale, align)
    wide = max(step, 1.0)
    reach = (1 if kind == "linear" else 2) * wide
    rows = []
    for i in range(size):
        middle = step * (i + 0.5)
        low = max(int(middle - reach + 0.5), 0)
        high = min(int(middle + reach + 0.5), n)
        far = [(t - middle + 0.5) / wide for t in range(low, high)]
        if kind == "linear":
            weights = [max(1 - abs(x), 0.0) for x in far]
        else:
            weights = [_cubic(x, -0.5) for x in far]
        total = sum(weights) or 1.0
        rows.append([(low + t, w / total) for t, w in enumerate(weights)])
    return rows


# ---- as layers -----------------------------------------------------------------------


class Upsample(Module):
    """(N, C, 1 to 3 dimensions) brought to another size; see interpolate."""

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.scale_factor: Any = None
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(map(float, scale_factor))
        elif scale_factor:
            self.scale_factor = float(scale_factor)  # type: ignore[arg-type]
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Upsample with mode "nearest", for images."""

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Upsample with mode "bilinear" and align_corners, for images."""

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
