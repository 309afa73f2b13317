"""Convolution (cross-correlation, as everywhere in deep learning) and its transpose."""

from __future__ import annotations

from collections.abc import Sequence

from veem import Tensor, ops

from .padding import pad

Ints = int | Sequence[int]


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: str | Ints = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """conv2d with one dimension: input (N, C, L) or (C, L), weight (out, C / groups,
    k)."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: str | Ints = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """out[n, o, y, x] = bias[o] + Σ weight[o, c, i, j] · input[n, c, y', x']

    with y' = y · stride + i · dilation and x' likewise, summed over c, i and j.
    input (N, C, H, W) or (C, H, W), weight (out, C / groups, kh, kw), bias (out).
    H becomes (H + 2 · padding - dilation · (kh - 1) - 1) // stride + 1; the padding is
    of zeros, "same" keeps H and W, "valid" is 0. Integers wrap around.
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: str | Ints = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """conv2d with three dimensions: input (N, C, D, H, W) or (C, D, H, W), weight
    (out, C / groups, kd, kh, kw)."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """conv_transpose2d with one dimension."""
    return _conv_transpose(
        1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """The gradient of conv2d's input, as a layer: each element gives its window its
    product with the weight, and what overlaps is added up.

    input (N, C, H, W) or (C, H, W), weight (C, out / groups, kh, kw), bias (out). H
    becomes (H - 1) · stride - 2 · padding + dilation · (kh - 1) + output_padding + 1.
    """
    return _conv_transpose(
        2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """conv_transpose2d with three dimensions."""
    return _conv_transpose(
        3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def per_dim(value: Ints, dims: int, name: str = "argument") -> tuple[int, ...]:
    """A number for each of so many dimensions; one stands for all."""
    if isinstance(value, int):
        return (value,) * dims
    if len(value) == 1:
        return tuple(value) * dims
    if len(value) != dims:
        raise RuntimeError(f"expected {name} to have {dims} numbers, got {value}")
    return tuple(value)


def batched(input: Tensor, dims: int, op: str) -> tuple[Tensor, bool]:
    """(input with a batch dimension, whether it lacked one)"""
    if input.ndim not in (dims + 1, dims + 2):
        names = ("length", "height, width", "depth, height, width")[dims - 1]
        raise RuntimeError(
            f"{op}: expected input of (batch, channels, {names}) or (channels, {names})"
            f", got shape {tuple(input.shape)}"
        )
    lacks = input.ndim == dims + 1
    return (input.unsqueeze(0) if lacks else input), lacks


def same_padding(kernel: Sequence[int], dilation: Sequence[int]) -> list[int]:
    """What `pad` takes to keep all sizes at stride 1: the last dimension first."""
    out = []
    for size, d in zip(reversed(kernel), reversed(dilation)):
        # What cannot be halved goes to the right and below.
        total = d * (size - 1)
        out += [total // 2, total - total // 2]
    return out


def _conv(dims, input, weight, bias, stride, padding, dilation, groups) -> Tensor:
    op = f"conv{dims}d"
    stride, dilation = per_dim(stride, dims, "stride"), per_dim(dilation, dims)
    input, lacks_batch = batched(input, dims, op)
    _check_weight(weight, dims, op)
    if padding == "valid":
        padding = 0
    elif padding == "same":
        if any(s != 1 for s in stride):
            raise RuntimeError(
                f"{op}: padding='same' is not supported for strided convolutions"
            )
        amounts = same_padding(weight.shape[2:], dilation)
        if amounts[::2] == amounts[1::2]:
            padding = amounts[::-2]
        else:
            input, padding = pad(input, amounts), 0
    elif isinstance(padding, str):
        raise RuntimeError(f"{op}: Invalid padding string: '{padding}'")
    padding = per_dim(padding, dims, "padding")
    out = ops.convolution(input, weight, bias, stride, padding, dilation, groups)
    return out.squeeze(0) if lacks_batch else out


def _conv_transpose(
    dims, input, weight, bias, stride, padding, output_padding, groups, dilation
) -> Tensor:
    op = f"conv_transpose{dims}d"
    stride, dilation = per_dim(stride, dims, "stride"), per_dim(dilation, dims)
    padding, extra = per_dim(padding, dims, "padding"), per_dim(output_padding, dims)
    input, lacks_batch = batched(input, dims, op)
    _check_weight(weight, dims, op)
    size: list[int] = []
    zeros: list[int] = []
    how = zip(input.shape[2:], weight.shape[2:], stride, padding, dilation, extra)
    for n, k, s, p, d, e in how:
        if e < 0 or e >= max(s, d):
            raise RuntimeError(
                f"{op}: output padding must be smaller than either stride or dilation, "
                f"got output_padding={extra}, stride={stride} and dilation={dilation}"
            )
        size.append((n - 1) * s - 2 * p + d * (k - 1) + e + 1)
        # Elements that such a result would take: with a dilation above the stride,
        # output_padding makes room for more.
        zeros = [0, e // s, *zeros]
    if min(size) <= 0:
        raise RuntimeError(
            f"{op}: given input of shape {tuple(input.shape)}, the calculated output "
            f"size {tuple(size)} is too small"
        )
    if any(zeros):
        input = pad(input, zeros)
    out = ops.conv_transpose(
        input, weight, bias, tuple(size), stride, padding, dilation, groups
    )
    return out.squeeze(0) if lacks_batch else out


def _check_weight(weight: Tensor, dims: int, op: str) -> None:
    if weight.ndim != dims + 2:
        raise RuntimeError(
            f"{op}: expected a weight of {dims + 2} dimensions, got shape "
            f"{tuple(weight.shape)}"
        )
