"""Channels moved into planes and back, and among themselves."""

from __future__ import annotations

import math

from veem import Tensor
from veem.autograd.names import recorded_as

from .module import Module


@recorded_as("PixelShuffle")
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C · r², H, W) -> (*, C, H · r, W · r): every r² channels become the pixels of
    an r x r square."""
    _check(input, upscale_factor, "pixel_shuffle", "upscale_factor")
    *lead, channels, height, width = input.shape
    r = upscale_factor
    if channels % r**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by "
            f"the square of upscale_factor, but input.size(-3)={channels} is not "
            f"divisible by {r**2}"
        )
    split = input.reshape(math.prod(lead), channels // r**2, r, r, height, width)
    out = split.permute(0, 1, 4, 2, 5, 3)
    return out.reshape(*lead, channels // r**2, height * r, width * r)


@recorded_as("PixelUnshuffle")
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H · r, W · r) -> (*, C · r², H, W): the inverse of pixel_shuffle."""
    _check(input, downscale_factor, "pixel_unshuffle", "downscale_factor")
    *lead, channels, height, width = input.shape
    r = downscale_factor
    if height % r or width % r:
        raise RuntimeError(
            "pixel_unshuffle expects height and width to be divisible by "
            f"downscale_factor, but {height} x {width} is not divisible by {r}"
        )
    split = input.reshape(math.prod(lead), channels, height // r, r, width // r, r)
    out = split.permute(0, 1, 3, 5, 2, 4)
    return out.reshape(*lead, channels * r**2, height // r, width // r)


@recorded_as("ChannelShuffle")
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """(N, C, *): the first channels of all groups, then the second, and so on."""
    if input.ndim < 3:
        raise RuntimeError(
            "channel_shuffle expects input with > 2 dims, but got input of shape "
            f"{tuple(input.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            "Number of groups to divide channels in must be positive. Value of "
            f"groups:{groups}"
        )
    batch, channels, *rest = input.shape
    if channels % groups:
        raise RuntimeError(
            "Number of channels must be divisible by groups. Got "
            f"{channels} channels and {groups} groups."
        )
    split = input.reshape(batch, groups, channels // groups, *rest)
    return split.transpose(1, 2).reshape(input.shape)


def _check(input: Tensor, factor: int, op: str, name: str) -> None:
    if input.ndim < 3:
        raise RuntimeError(
            f"{op} expects input to have at least 3 dimensions, but got input with "
            f"{input.ndim} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{op} expects a positive {name}, but got {factor}")


class PixelShuffle(Module):
    """(*, C · r², H, W) -> (*, C, H · r, W · r); see pixel_shuffle."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(*, C, H · r, W · r) -> (*, C · r², H, W); see pixel_unshuffle."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """(N, C, *) with the channels of `groups` groups mixed; see channel_shuffle."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
