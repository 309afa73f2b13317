"""Activations made of straight lines, some with a jump.

Each is a function (also in nn.functional) and a module that keeps its arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

from veem import Tensor, ops

from .activation import _Activation, _apply, _inplace

# --- functions -----------------------------------------------------------------------


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x limited to [min_val, max_val]; the gradient at the limits is 0."""
    if min_val > max_val:
        raise ValueError("hardtanh: min_val cannot be greater than max_val")
    if not input.dtype.is_floating_point:
        min_val, max_val = int(min_val), int(max_val)
        if min_val < 0 and not input.dtype.is_signed:
            raise RuntimeError(
                f"hardtanh: a limit of {input.dtype.name} cannot be {min_val}"
            )
    return _apply("hardtanh", input, min_val, max_val, inplace=inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x), 6)."""
    return hardtanh(input, 0, 6, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x + 3), 6) / 6: sigmoid made of lines."""
    return _apply("hardsigmoid", input, inplace=inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · hardsigmoid(x)."""
    return _apply("hardswish", input, inplace=inplace)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 where |x| <= lambd, else x."""
    return ops.hardshrink(input, lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved by lambd towards 0, and not beyond."""
    if lambd < 0:
        raise RuntimeError(
            f"softshrink: lambda must be greater or equal to 0, but found {lambd}"
        )
    return ops.softshrink(input, lambd)


def threshold(
    input: Tensor, threshold: float, value: float, inplace: bool = False
) -> Tensor:
    """x where x > threshold, else value."""
    return _apply("threshold", input, threshold, value, inplace=inplace)


hardtanh_, threshold_ = _inplace(hardtanh), _inplace(threshold)

# --- modules -------------------------------------------------------------------------


@dataclass(repr=False, eq=False)
class Hardtanh(_Activation):
    """x limited to [min_val, max_val]."""

    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_val >= self.max_val:
            raise AssertionError("max_val must be larger than min_val")

    def forward(self, input: Tensor) -> Tensor:
        return hardtanh(input, self.min_val, self.max_val, self.inplace)


@dataclass(repr=False, eq=False)
class ReLU6(_Activation):
    """min(max(0, x), 6)."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return relu6(input, self.inplace)


@dataclass(repr=False, eq=False)
class Hardsigmoid(_Activation):
    """min(max(0, x + 3), 6) / 6: sigmoid made of lines."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return hardsigmoid(input, self.inplace)


@dataclass(repr=False, eq=False)
class Hardswish(_Activation):
    """x · hardsigmoid(x).

    Howard et al., "Searching for MobileNetV3", 2019.
    """

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return hardswish(input, self.inplace)


@dataclass(repr=False, eq=False)
class Hardshrink(_Activation):
    """0 where |x| <= lambd, else x."""

    lambd: float = 0.5

    def forward(self, input: Tensor) -> Tensor:
        return hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


@dataclass(repr=False, eq=False)
class Softshrink(_Activation):
    """x moved by lambd towards 0, and not beyond."""

    lambd: float = 0.5

    def forward(self, input: Tensor) -> Tensor:
        return softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


@dataclass(repr=False, eq=False)
class Threshold(_Activation):
    """x where x > threshold, else value."""

    threshold: float
    value: float
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return threshold(input, self.threshold, self.value, self.inplace)
