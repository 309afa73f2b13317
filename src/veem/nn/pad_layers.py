"""Padding as layers: what lies around a signal, an image or a volume."""

from __future__ import annotations

from collections.abc import Sequence

from veem import Tensor

from .module import Module
from .padding import pad

Ints = int | Sequence[int]


class _Pad(Module):
    """padding: a number, or (left, right) of the last dimension, then of the others."""

    dims = 2
    mode = "constant"
    padding: tuple[int, ...]

    def __init__(self, padding: Ints) -> None:
        super().__init__()
        self.padding = self._around(padding)

    def _around(self, padding: Ints) -> tuple[int, ...]:
        each = (padding,) * (2 * self.dims) if isinstance(padding, int) else padding
        return tuple(each)

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Ints, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """`value` around (..., L)."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """`value` around (..., H, W)."""


class ConstantPad3d(_ConstantPad):
    """`value` around (..., D, H, W)."""

    dims = 3


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Ints) -> None:
        super().__init__(padding, 0.0)

    extra_repr = _Pad.extra_repr


class ZeroPad1d(_ZeroPad):
    """Zeros around (..., L)."""

    dims = 1


class ZeroPad2d(_ZeroPad):
    """Zeros around (..., H, W)."""


class ZeroPad3d(_ZeroPad):
    """Zeros around (..., D, H, W)."""

    dims = 3


class _ReflectionPad(_Pad):
    mode = "reflect"


class ReflectionPad1d(_ReflectionPad):
    """(N, C, L) mirrored at its ends, which are not repeated. N may be absent."""

    dims = 1


class ReflectionPad2d(_ReflectionPad):
    """(N, C, H, W) mirrored at its edges, which are not repeated. N may be absent."""


class ReflectionPad3d(_ReflectionPad):
    """(N, C, D, H, W) mirrored at its faces, which are not repeated, or (C, ...)."""

    dims = 3


class _ReplicationPad(_Pad):
    mode = "replicate"


class ReplicationPad1d(_ReplicationPad):
    """(N, C, L) with its ends repeated. N may be absent."""

    dims = 1


class ReplicationPad2d(_ReplicationPad):
    """(N, C, H, W) with its edges repeated. N may be absent."""


class ReplicationPad3d(_ReplicationPad):
    """(N, C, D, H, W) with its faces repeated. N may be absent."""

    dims = 3


class _CircularPad(_Pad):
    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (self.dims + 1, self.dims + 2):
            raise ValueError(
                f"expected {self.dims + 1}D or {self.dims + 2}D input "
                f"(got {input.ndim}D input)"
            )
        return super().forward(input)


class CircularPad1d(_CircularPad):
    """(N, C, L) continued from its other end. N may be absent."""

    dims = 1


class CircularPad2d(_CircularPad):
    """(N, C, H, W) continued from its other edges. N may be absent."""


class CircularPad3d(_CircularPad):
    """(N, C, D, H, W) continued from its other faces. N may be absent."""

    dims = 3
