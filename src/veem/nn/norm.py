"""Normalisation within each element of a batch: layer, group and RMS norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import veem
from veem import Tensor, ops
from veem.autograd.names import recorded_as

from . import init
from .module import Module
from .parameter import Parameter


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(var + eps) · weight + bias, over the last dimensions.

    The input ends in normalized_shape, which is the shape of weight and bias too.
    """
    return ops.layer_norm(input, tuple(normalized_shape), weight, bias, eps)[0]


def channel_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, groups: int, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """input (N, C, *) normalised: for each of `groups` of channels within each of N or,
    where groups is 0, for each channel over all. With it the mean and the variance."""
    return ops.channel_norm(input, weight, bias, groups, eps)


@recorded_as("NativeGroupNorm")
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(var + eps) · weight + bias for each of num_groups of channels.

    input (N, C, *), weight and bias (C). The moments are taken over a group's channels
    and *, for each of N.
    """
    if input.ndim < 2:
        raise RuntimeError(
            "group_norm: Expected at least 2 dimensions for input tensor but received "
            f"{input.ndim}"
        )
    if num_groups <= 0:
        raise RuntimeError(
            f"group_norm: Expected num groups to be greater than 0, got {num_groups}"
        )
    count = input.numel() // max(input.shape[0] * num_groups, 1)
    if count == 1 and input.shape[0] == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{list(input.shape)}"
        )
    return channel_norm(input, weight, bias, num_groups, eps)[0]


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """x / √(mean(x²) + eps) · weight, over the last dimensions.

    The input ends in normalized_shape, which is the shape of weight too. eps is the
    dtype's if not given.
    """
    shape = tuple(normalized_shape)
    if tuple(input.shape[max(input.ndim - len(shape), 0) :]) != shape or not shape:
        raise RuntimeError(
            f"rms_norm: given normalized_shape={list(shape)}, expected input with "
            f"shape [*, {', '.join(map(str, shape))}], but got input of size "
            f"{list(input.shape)}"
        )
    if weight is not None and tuple(weight.shape) != shape:
        raise RuntimeError(
            "rms_norm: expected weight to be of same shape as normalized_shape, but "
            f"got weight of shape {list(weight.shape)} and normalized_shape = "
            f"{list(shape)}"
        )
    if eps is None:  # that of the dtype in which it is computed
        eps = 2.0 ** (-52 if input.dtype == veem.float64 else -23)
    last = tuple(range(-len(shape), 0))
    out = input * (input.square().mean(last, keepdim=True) + eps).rsqrt()
    return out if weight is None else out * weight


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + alpha · mean of x² over `size` neighbouring channels) ** beta.

    input (N, C, *); channels beyond the first and the last count as zeros.
    """
    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)"
        )
    if input.numel() == 0:
        return input
    square = input.square().transpose(0, 1)
    before, after = size // 2, (size - 1) // 2
    pad = lambda n: square.new_zeros((n, *square.shape[1:]))
    padded = veem.cat([pad(before), square, pad(after)])
    channels = square.shape[0]
    total = padded[:channels]
    for i in range(1, size):
        total = total + padded[i : i + channels]
    return input / (total.transpose(0, 1) * (alpha / size) + k) ** beta


class LayerNorm(Module):
    """Normalises over the last dimensions, normalized_shape, then scales and shifts.

    y = (x - E[x]) / √(Var[x] + eps) · weight + bias; weight starts at 1, bias at 0.
    Ba et al., "Layer normalization", 2016.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        shape = self.normalized_shape
        _add_parameters(self, shape, elementwise_affine, bias, device, dtype)

    def reset_parameters(self) -> None:
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(
            input, self.normalized_shape, self.weight, self.bias, self.eps
        )

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine="
            f"{self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """Normalises each of num_groups of channels, then scales and shifts each channel.

    (N, num_channels, *): y = (x - E[x]) / √(Var[x] + eps) · weight + bias; weight
    starts at 1, bias at 0. Wu & He, "Group normalization", 2018.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups "
                f"({num_groups})"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        _add_parameters(self, (num_channels,), affine, bias, device, dtype)

    def reset_parameters(self) -> None:
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        sizes = f"{self.num_groups}, {self.num_channels}, eps={self.eps}"
        return f"{sizes}, affine={self.affine}, bias={self.bias is not None}"


class RMSNorm(Module):
    """Divides by the root of the mean square of the last dimensions, then scales.

    y = x / √(E[x²] + eps) · weight; weight starts at 1.
    Zhang & Sennrich, "Root mean square layer normalization", 2019.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        shape = self.normalized_shape
        _add_parameters(self, shape, elementwise_affine, None, device, dtype)

    def reset_parameters(self) -> None:
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}"
        )


class LocalResponseNorm(Module):
    """x / (k + alpha · mean of x² over `size` neighbouring channels) ** beta.

    Krizhevsky et al., "ImageNet classification with deep convolutional neural
    networks", 2012.
    """

    def __init__(
        self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
    ) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def _as_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def _add_parameters(
    module: Module,
    shape: tuple[int, ...],
    affine: bool,
    bias: bool | None,
    device: Any,
    dtype: Any,
) -> None:
    """weight of 1 and bias of 0, or None where they are not wanted. A bias that is None
    does not even get its name."""
    wanted = {"weight": affine}
    if bias is not None:
        wanted["bias"] = affine and bias
    for name, is_wanted in wanted.items():
        empty = veem.empty(shape, device=device, dtype=dtype) if is_wanted else None
        module.register_parameter(name, None if empty is None else Parameter(empty))
    _reset(module)


def _reset(module: Any) -> None:
    if module.weight is not None:
        init.ones_(module.weight)
    if module._parameters.get("bias") is not None:
        init.zeros_(module.bias)
