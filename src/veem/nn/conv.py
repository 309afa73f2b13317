"""Convolutions as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import veem
from veem import Tensor

from . import conv_functions as functions
from .conv_functions import Ints, per_dim, same_padding
from .linear import reset_weight_and_bias
from .module import Module
from .padding import pad
from .parameter import Parameter

_MODES = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """What all of them share: their numbers, checked, and a weight and a bias."""

    dims = 2
    transposed = False
    output_padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints,
        padding: str | Ints,
        dilation: Ints,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
        output_padding: Ints = 0,
    ) -> None:
        super().__init__()
        each = lambda value: _tuple(value, self.dims)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = each(kernel_size), each(stride)
        self.padding = padding if isinstance(padding, str) else each(padding)
        self.dilation, self.groups = each(dilation), groups
        self.output_padding = each(output_padding)
        self.padding_mode = padding_mode
        self._check()
        place = {"device": device, "dtype": dtype}
        first, second = out_channels, in_channels
        if self.transposed:
            first, second = second, first
        shape = (first, second // groups, *self.kernel_size)
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
            if self.padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError(
                    "padding='same' is not supported for strided convolutions"
                )
        if self.padding_mode not in _MODES:
            raise ValueError(
                f"padding_mode must be one of {_MODES}, but got "
                f"padding_mode='{self.padding_mode}'"
            )
        if self.transposed and self.padding_mode != "zeros":
            raise ValueError(
                'Only "zeros" padding mode is supported for '
                f"{type(self).__name__}, got padding_mode='{self.padding_mode}'"
            )

    def reset_parameters(self) -> None:
        reset_weight_and_bias(self.weight, self.bias)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        ]
        if self.padding != (0,) * self.dims:
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.dims:
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * self.dims:
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


def _tuple(value: Ints, dims: int) -> tuple[int, ...]:
    return (value,) * dims if isinstance(value, int) else tuple(value)


class _Forward(_Conv):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: str | Ints = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = self._pad(input), 0
        conv = getattr(functions, f"conv{self.dims}d")
        return conv(
            input,
            self.weight,
            self.bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
        )

    def _pad(self, input: Tensor) -> Tensor:
        if self.padding == "valid":
            return input
        if self.padding == "same":
            amounts = same_padding(self.kernel_size, self.dilation)
        else:
            around = per_dim(self.padding, self.dims)  # type: ignore[arg-type]
            amounts = [n for n in reversed(around) for _ in range(2)]
        return pad(input, amounts, self.padding_mode)


class _Transposed(_Conv):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
            output_padding,
        )

    def forward(
        self, input: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """output_size, with or without the leading dimensions, is one that the
        convolution would bring to the input's size; output_padding if not given."""
        extra = self.output_padding
        if output_size is not None:
            extra = self._extra(input, list(output_size))
        conv = getattr(functions, f"conv_transpose{self.dims}d")
        return conv(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            extra,
            self.groups,
            self.dilation,
        )

    def _extra(self, input: Tensor, size: list[int]) -> tuple[int, ...]:
        lead = input.ndim - self.dims
        if len(size) == lead + self.dims:
            size = size[lead:]
        if len(size) != self.dims:
            raise ValueError(
                f"{type(self).__name__}: for {input.ndim}D input, output_size must "
                f"have {self.dims} or {lead + self.dims} elements (got {len(size)})"
            )
        how = zip(
            input.shape[lead:],
            self.stride,
            self.padding,
            self.dilation,
            self.kernel_size,
        )
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1  # type: ignore[operator]
            for n, s, p, d, k in how
        ]
        most = [low + s - 1 for low, s in zip(least, self.stride)]
        if any(not low <= n <= high for n, low, high in zip(size, least, most)):
            raise ValueError(
                f"requested an output size of {size}, but valid sizes range from "
                f"{least} to {most} (for an input of {tuple(input.shape[lead:])})"
            )
        return tuple(n - low for n, low in zip(size, least))


class Conv1d(_Forward):
    """(N, in_channels, L) -> (N, out_channels, L'); as Conv2d, with weight (out,
    in / groups, k)."""

    dims = 1


class Conv2d(_Forward):
    """(N, in_channels, H, W) -> (N, out_channels, H', W'); see conv2d for the sizes.

    weight (out, in / groups, kh, kw) and bias (out) start uniform in ±1 / √fan_in.
    Around an image is what padding_mode says: zeros, reflect, replicate or circular.
    """


class Conv3d(_Forward):
    """(N, in_channels, D, H, W) -> (N, out_channels, D', H', W'); as Conv2d, with
    weight (out, in / groups, kd, kh, kw)."""

    dims = 3


class ConvTranspose1d(_Transposed):
    """(N, in_channels, L) -> (N, out_channels, L'); as ConvTranspose2d, with weight
    (in, out / groups, k)."""

    dims = 1


class ConvTranspose2d(_Transposed):
    """(N, in_channels, H, W) -> (N, out_channels, H', W'); see conv_transpose2d.

    weight (in, out / groups, kh, kw) and bias (out) start uniform in ±1 / √(out /
    groups · kh · kw).
    """


class ConvTranspose3d(_Transposed):
    """(N, in_channels, D, H, W) -> (N, out_channels, D', H', W'); as ConvTranspose2d,
    with weight (in, out / groups, kd, kh, kw)."""

    dims = 3
