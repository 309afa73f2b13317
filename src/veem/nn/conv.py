"""Convolution (cross-correlation, as everywhere in deep learning)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import veem
from veem import Tensor, ops

from .linear import reset_weight_and_bias
from .module import Module
from .padding import pad
from .parameter import Parameter


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """out[n, o, y, x] = bias[o] + Σ weight[o, c, i, j] · input[n, c, y', x']

    with y' = y · stride + i · dilation and x' likewise, summed over c, i and j.
    input (N, C, H, W) or (C, H, W), weight (out, C / groups, kh, kw), bias (out).
    H becomes (H + 2 · padding - dilation · (kh - 1) - 1) // stride + 1; the padding is
    of zeros, "same" keeps H and W, "valid" is 0.
    """
    stride, dilation = pair(stride), pair(dilation)
    if padding == "valid":
        padding = 0
    elif padding == "same":
        input, padding = _pad_to_same(input, weight, stride, dilation), 0
    elif isinstance(padding, str):
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    images = input.unsqueeze(0) if input.ndim == 3 else input
    out = ops.conv2d(images, weight, bias, stride, pair(padding), dilation, groups)
    return out.squeeze(0) if input.ndim == 3 else out


def pair(value: int | Sequence[int]) -> tuple[int, int]:
    """(height, width); one number stands for both."""
    if isinstance(value, int):
        return value, value
    height, width = value
    return height, width


def _pad_to_same(input: Tensor, weight: Tensor, stride, dilation) -> Tensor:
    if stride != (1, 1):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    high, wide = (d * (size - 1) for d, size in zip(dilation, weight.shape[2:]))
    # What cannot be halved goes to the right and below.
    return pad(input, (wide // 2, wide - wide // 2, high // 2, high - high // 2))


class Conv2d(Module):
    """(N, in_channels, H, W) -> (N, out_channels, H', W'); see conv2d for the sizes.

    weight (out, in / groups, kh, kw) and bias (out) start uniform in ±1 / √fan_in.
    Around an image is what padding_mode says: zeros, reflect, replicate or circular.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        self.padding = padding if isinstance(padding, str) else pair(padding)
        self.dilation, self.groups = pair(dilation), groups
        self.padding_mode = padding_mode
        self._check()
        place = {"device": device, "dtype": dtype}
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(veem.empty(shape, **place))
        if bias:
            self.bias = Parameter(veem.empty(out_channels, **place))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check(self) -> None:
        if self.groups <= 0:
            raise ValueError("groups must be a positive integer")
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        if self.out_channels % self.groups:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(
                    f"Invalid padding string {self.padding!r}, should be one of "
                    "'same', 'valid'"
                )
            if self.padding == "same" and self.stride != (1, 1):
                raise ValueError(
                    "padding='same' is not supported for strided convolutions"
                )
        modes = ("zeros", "reflect", "replicate", "circular")
        if self.padding_mode not in modes:
            raise ValueError(
                f"padding_mode must be one of {modes}, but got "
                f"padding_mode='{self.padding_mode}'"
            )

    def reset_parameters(self) -> None:
        reset_weight_and_bias(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = pad(input, self._around(), self.padding_mode), 0
        return conv2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
        )

    def _around(self) -> tuple[int, int, int, int]:
        """(left, right, above, below) in pixels."""
        if self.padding == "valid":
            return (0, 0, 0, 0)
        if self.padding == "same":
            high, wide = (d * (k - 1) for d, k in zip(self.dilation, self.kernel_size))
            return (wide // 2, wide - wide // 2, high // 2, high - high // 2)
        high, wide = pair(self.padding)  # type: ignore[arg-type]
        return (wide, wide, high, high)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        ]
        if self.padding != (0, 0):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1, 1):
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)
