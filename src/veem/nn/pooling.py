"""Pooling as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from veem import Tensor

from . import pool_functions as functions
from .conv_functions import Ints
from .module import Module
from .pool_functions import Pooled


class _Pool(Module):
    """A layer whose function is called `name` and its number of dimensions."""

    dims = 2

    def _function(self, name: str) -> Any:
        return getattr(functions, f"{name}{self.dims}d")


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Ints,
        stride: Ints | None = None,
        padding: Ints = 0,
        dilation: Ints = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Tensor) -> Pooled:
        return self._function("max_pool")(
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


class MaxPool1d(_MaxPool):
    """The largest element of each window of (N, C, L); see max_pool1d."""

    dims = 1


class MaxPool2d(_MaxPool):
    """The largest element of each window of (N, C, H, W); see max_pool2d."""


class MaxPool3d(_MaxPool):
    """The largest element of each window of (N, C, D, H, W); see max_pool3d."""

    dims = 3


class _MaxUnpool(_Pool):
    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0
    ) -> None:
        super().__init__()
        each = lambda v: (v,) * self.dims if isinstance(v, int) else tuple(v)
        self.kernel_size = each(kernel_size)
        self.stride = each(kernel_size if stride is None else stride)
        self.padding = each(padding)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        how = (self.kernel_size, self.stride, self.padding, output_size)
        return self._function("max_unpool")(input, indices, *how)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}"
        )


class MaxUnpool1d(_MaxUnpool):
    """Puts what MaxPool1d took back to its place; see max_unpool1d."""

    dims = 1


class MaxUnpool2d(_MaxUnpool):
    """Puts what MaxPool2d took back to its place; see max_unpool2d."""


class MaxUnpool3d(_MaxUnpool):
    """Puts what MaxPool3d took back to its place; see max_unpool3d."""

    dims = 3


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Ints,
        stride: Ints | None = None,
        padding: Ints = 0,
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
        return self._function("avg_pool")(
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


class AvgPool1d(_Pool):
    """The mean of each window of (N, C, L); see avg_pool1d."""

    dims = 1

    def __init__(
        self,
        kernel_size: Ints,
        stride: Ints | None = None,
        padding: Ints = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        each = lambda v: (v,) if isinstance(v, int) else tuple(v)
        self.kernel_size = each(kernel_size)
        self.stride = each(kernel_size if stride is None else stride)
        self.padding = each(padding)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        how = (self.kernel_size, self.stride, self.padding)
        return functions.avg_pool1d(input, *how, self.ceil_mode, self.count_include_pad)

    extra_repr = _AvgPool.extra_repr  # type: ignore[assignment]


class AvgPool2d(_AvgPool):
    """The mean of each window of (N, C, H, W); see avg_pool2d."""


class AvgPool3d(_AvgPool):
    """The mean of each window of (N, C, D, H, W); see avg_pool3d."""

    dims = 3


class _LPPool(_Pool):
    def __init__(
        self,
        norm_type: float,
        kernel_size: Ints,
        stride: Ints | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        how = (self.norm_type, self.kernel_size, self.stride, self.ceil_mode)
        return self._function("lp_pool")(input, *how)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """The norm of each window of (N, C, L); see lp_pool1d."""

    dims = 1


class LPPool2d(_LPPool):
    """The norm of each window of (N, C, H, W); see lp_pool2d."""


class LPPool3d(_LPPool):
    """The norm of each window of (N, C, D, H, W); see lp_pool3d."""

    dims = 3


class _AdaptiveAvgPool(_Pool):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return self._function("adaptive_avg_pool")(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means over output_size even windows of (N, C, L)."""

    dims = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means over output_size even windows: AdaptiveAvgPool2d(1) is the global mean."""


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Means over output_size even windows of (N, C, D, H, W)."""

    dims = 3


class _AdaptiveMaxPool(_Pool):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input: Tensor) -> Pooled:
        pool = self._function("adaptive_max_pool")
        return pool(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest elements of output_size even windows of (N, C, L)."""

    dims = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of output_size even windows of (N, C, H, W)."""


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest elements of output_size even windows of (N, C, D, H, W)."""

    dims = 3
