"""Pooling: each window of an image gives one number."""

from __future__ import annotations

from collections.abc import Sequence

import veem
from veem import Tensor, ops

from .conv import conv2d, pair
from .module import Module
from .padding import pad


def max_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """The largest element of each window. (N, C, H, W) or (C, H, W).

    stride is kernel_size if not given. H becomes (H + 2 · padding - dilation · (kh - 1)
    - 1) / stride + 1, rounded up if ceil_mode. With return_indices also where in the
    H · W plane each element lay.
    """
    images = input.unsqueeze(0) if input.ndim == 3 else input
    out, indices = ops.max_pool2d(
        images,
        pair(kernel_size),
        pair(kernel_size if stride is None else stride),
        pair(padding),
        pair(dilation),
        ceil_mode,
    )
    if input.ndim == 3:
        out, indices = out.squeeze(0), indices.squeeze(0)
    return (out, indices) if return_indices else out


def avg_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window. (N, C, H, W) or (C, H, W); sizes as in max_pool2d.

    The sum of a window is divided by the number of its elements, those in the padding
    among them if count_include_pad; or by divisor_override.
    """
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    size, kernel, padding = input.shape[-2:], pair(kernel_size), pair(padding)
    stride = pair(kernel_size if stride is None else stride)
    windows = [_windows(*dim, ceil_mode) for dim in zip(size, kernel, stride, padding)]
    # The sums of windows are a convolution of every plane with ones.
    last = [row[-1][1] for row in windows]
    below, right = (max(0, e - n - p) for e, n, p in zip(last, size, padding))
    planes = input.reshape(-1, 1, *size)
    if right or below:
        planes = pad(planes, (0, right, 0, below))
    ones = veem.ones((1, 1, *kernel), dtype=input.dtype, device=input.device)
    sums = conv2d(planes, ones, stride=stride, padding=padding)
    sums = sums.reshape(*input.shape[:-2], *sums.shape[-2:])
    if divisor_override is not None:
        return sums / divisor_override
    margin = padding if count_include_pad else (0, 0)
    high, wide = (
        veem.tensor(
            [min(end, n + p) - max(start, -p) for start, end in row],
            dtype=input.dtype,
            device=input.device,
        )
        for row, n, p in zip(windows, size, margin)
    )
    return sums / (high.unsqueeze(1) * wide)


def _windows(size, kernel, stride, padding, ceil_mode) -> list[tuple[int, int]]:
    """(start, end) of the windows of a row; its padding lies outside [0, size)."""
    if stride == 0:
        raise RuntimeError("stride should not be zero")
    if padding > kernel // 2:
        raise RuntimeError(
            "pad should be at most half of effective kernel size, but got "
            f"pad={padding}, kernel_size={kernel} and dilation=1"
        )
    room = size + 2 * padding - kernel
    count = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1  # a window must not start in the padding after the image
    if count <= 0:
        raise RuntimeError(
            f"a window of {kernel} does not fit into {size} elements with padding "
            f"{padding}"
        )
    starts = [i * stride - padding for i in range(count)]
    return [(start, start + kernel) for start in starts]


def adaptive_avg_pool2d(
    input: Tensor, output_size: int | Sequence[int | None] | None
) -> Tensor:
    """Means over output_size windows that divide an image as evenly as they can.

    (N, C, H, W) or (C, H, W); None keeps a dimension.
    """
    sizes = output_size if isinstance(output_size, Sequence) else (output_size,) * 2
    for dim, count in zip((-2, -1), sizes):
        size = input.shape[dim]
        count = size if count is None else count
        edges = [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        means = [input.narrow(dim, a, b - a).mean(dim) for a, b in edges]
        input = veem.stack(means, dim)
    return input


class MaxPool2d(Module):
    """The largest element of each window; see max_pool2d."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        return max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding="
            f"{self.padding}, dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """The mean of each window; see avg_pool2d."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        sizes = f"kernel_size={self.kernel_size}, stride={self.stride}"
        return f"{sizes}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """Means over output_size even windows: AdaptiveAvgPool2d(1) is the global mean."""

    def __init__(self, output_size: int | Sequence[int | None] | None) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
