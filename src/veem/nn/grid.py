"""Planes sampled wherever a grid of places points."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Sequence

import veem
from veem import Tensor
from veem.autograd.names import recorded_as

_SHARPNESS = -0.75  # of the cubic


def _name(_out, input):
    return f"GridSampler{input.ndim - 2}D"


@recorded_as(_name)
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """out[n, c, y, x] = input[n, c] at the place grid[n, y, x] = (x', y').

    input (N, C, H, W), grid (N, H', W', 2) -> (N, C, H', W'); or with a depth, and 3
    numbers for a place. Places count from -1 to 1, from edge to edge, or from the
    middle of the first element to that of the last if align_corners. mode: "bilinear"
    (also of volumes), "nearest", or "bicubic". What lies outside is 0 ("zeros"), the
    nearest element ("border"), or mirrored ("reflection").
    """
    _check(input, grid, mode, padding_mode)
    if input.dtype not in (veem.float32, veem.float64):  # 16 bits hold no place
        places = input.float(), grid.float()
        wide = grid_sample(*places, mode, padding_mode, align_corners)
        return wide.to(input.dtype)
    align = bool(align_corners)
    sizes = input.shape[2:]
    dims = []  # for each dimension: (number of an element, its weight) of each tap
    for size, at in zip(sizes, reversed(grid.unbind(-1))):
        at = (at + 1) / 2 * (size - 1) if align else ((at + 1) * size - 1) / 2
        if mode != "bicubic":
            at = _kept(at, size, padding_mode, align)
        dims.append([
            _element(_kept(place, size, padding_mode, align), weight, size)
            for place, weight in _TAPS[mode](at)
        ])  # fmt: skip
    flat = input.flatten(2)
    parts = (_sampled(flat, sizes, taps) for taps in itertools.product(*dims))
    return functools.reduce(operator.add, parts)


def _check(input, grid, mode, padding_mode) -> None:
    if mode not in _TAPS:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or "
            f"'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', "
            f"'border', or 'reflection', but got: '{padding_mode}'"
        )
    dims = input.ndim - 2
    fits = dims in (2, 3) and grid.ndim == input.ndim and grid.shape[-1] == dims
    if not fits or grid.shape[0] != input.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and a grid of the same batch and "
            "dimensions with a place in its last, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if mode == "bicubic" and dims != 2:
        raise RuntimeError("grid_sampler(): bicubic interpolation takes 4D input only")
    if input.dtype != grid.dtype or not input.is_floating_point():
        raise RuntimeError(
            "grid_sampler(): expected input and grid to have the same floating dtype, "
            f"but input has {input.dtype} and grid has {grid.dtype}"
        )
    if 0 in input.shape[2:]:
        raise RuntimeError(
            "grid_sampler(): expected input to have non-empty spatial dimensions, but "
            f"input has sizes {list(input.shape)}"
        )


def _kept(at: Tensor, size: int, padding_mode: str, align: bool) -> Tensor:
    """Places brought inside, or left outside if zeros lie there."""
    if padding_mode == "zeros":
        return at
    if padding_mode == "reflection":
        low, span = (0.0, size - 1) if align else (-0.5, size)
        if span == 0:
            return at * 0
        away = (at - low).abs()
        turns = (away / span).floor().detach()
        rest = away - turns * span
        at = veem.where(turns % 2 == 0, rest, span - rest) + low
    return at.clamp(0, size - 1)


def _nearest(at):
    return [(at.round(), None)]


def _linear(at):
    low = at.floor().detach()
    part = at - low
    return [(low, 1 - part), (low + 1, part)]


def _cubic(at):
    low, a = at.floor().detach(), _SHARPNESS
    part = at - low
    near = lambda x: ((a + 2) * x - (a + 3)) * x * x + 1
    far = lambda x: ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    weights = far(part + 1), near(part), near(1 - part), far(2 - part)
    return [(low + t - 1, weight) for t, weight in enumerate(weights)]


_TAPS = {"bilinear": _linear, "nearest": _nearest, "bicubic": _cubic}


def _element(place: Tensor, weight: Tensor | None, size: int) -> tuple[Tensor, Tensor]:
    """The number of the element at a place, and its weight: 0 if it is outside."""
    inside = ((place >= 0) & (place <= size - 1)).to(place.dtype)
    number = place.detach().clamp(0, size - 1).long()
    return number, inside if weight is None else weight * inside


def _sampled(flat: Tensor, sizes: Sequence[int], taps) -> Tensor:
    """The elements at one tap of each dimension, times their weights."""
    numbers, weights = zip(*taps)
    index = numbers[0]
    for size, number in zip(sizes[1:], numbers[1:]):
        index = index * size + number
    rows = index.flatten(1).unsqueeze(1).expand(-1, flat.shape[1], -1)
    taken = flat.gather(2, rows).unflatten(2, index.shape[1:])
    return taken * functools.reduce(operator.mul, weights).unsqueeze(1)


def affine_grid(
    theta: Tensor, size: Sequence[int], align_corners: bool | None = None
) -> Tensor:
    """The grid of places that grid_sample takes to turn, move and stretch images.

    theta (N, 2, 3) and size (N, C, H, W) -> (N, H, W, 2): theta @ (x, y, 1) for each
    place; or theta (N, 3, 4) and size (N, C, D, H, W) -> (N, D, H, W, 3).
    """
    dims = len(size) - 2
    if not theta.is_floating_point():
        raise ValueError(
            f"Expected theta to have floating point type, but got {theta.dtype}"
        )
    if dims not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine "
            f"transforms, respectively. Got size {tuple(size)}."
        )
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} "
            f"for size {tuple(size)}. Got {tuple(theta.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    space, place = tuple(size[2:]), {"dtype": theta.dtype, "device": theta.device}
    numbers = []
    for d in reversed(range(dims)):  # x first
        at = (
            veem.linspace(-1, 1, space[d], **place)
            if space[d] > 1
            else (veem.zeros(1, **place))
        )
        if not align_corners:
            at = at * ((space[d] - 1) / space[d])
        numbers.append(at.reshape(-1, *[1] * (dims - 1 - d)).expand(space))
    base = veem.stack([*numbers, veem.ones(space, **place)], -1)
    grid = base.reshape(1, -1, dims + 1) @ theta.transpose(1, 2)
    return grid.reshape(theta.shape[0], *space, dims)
