"""Activations: functions of one element, and softmax, a function of a row.

Each is a function (also in nn.functional) and a module that keeps its arguments.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from veem import Tensor, ops

from .module import Module

# --- functions -----------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x)."""
    return input.relu_() if inplace else input.relu()


def relu_(input: Tensor) -> Tensor:
    return input.relu_()


def leaky_relu(
    input: Tensor, negative_slope: float = 0.01, inplace: bool = False
) -> Tensor:
    """x where x > 0, else negative_slope · x."""
    return _apply(ops.leaky_relu, input, negative_slope, inplace=inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha · (exp(x) - 1)."""
    return _apply(ops.elu, input, alpha, inplace=inplace)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x · Φ(x), Φ the normal distribution's cdf; or its approximation by "tanh"."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return ops.gelu(input) if approximate == "none" else ops.gelu_tanh(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x · sigmoid(x)."""
    return _apply(ops.silu, input, inplace=inplace)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return input.tanh()


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta · x)) / beta; just x where beta · x > threshold."""
    return ops.softplus(input, beta, threshold)


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)), without under- or overflow."""
    return ops.log_sigmoid(input)


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """exp(x) / sum(exp(x)) along `dim`; computed in `dtype` if one is given."""
    dim = _implicit_dim("softmax", input, _stacklevel) if dim is None else dim
    return input.softmax(dim, dtype=dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """log(softmax(x)) in one go, so that small probabilities keep their logarithms."""
    dim = _implicit_dim("log_softmax", input, _stacklevel) if dim is None else dim
    return input.log_softmax(dim, dtype=dtype)


def _apply(op: Callable, input: Tensor, *args: Any, inplace: bool) -> Tensor:
    """op(input, ...), written back into `input` if `inplace` (op gets a copy then: its
    gradient may need the old values)."""
    return input.copy_(op(input.clone(), *args)) if inplace else op(input, *args)


def _implicit_dim(name: str, input: Tensor, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input.ndim in (0, 1, 3) else 1


# --- modules: each a dataclass, whose fields are its arguments -----------------------

_activation = dataclass(repr=False, eq=False)


@_activation
class _Activation(Module):
    """Maps a tensor to one of its shape. Prints its fields, `inplace` only if true."""

    def __post_init__(self) -> None:
        super().__init__()

    def extra_repr(self) -> str:
        names = [f.name for f in fields(self)]  # type: ignore[arg-type]
        values = {name: getattr(self, name) for name in names}
        if not values.get("inplace", True):
            del values["inplace"]
        return ", ".join(f"{name}={value!r}" for name, value in values.items())


@_activation
class ReLU(_Activation):
    """max(0, x)."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return relu(input, self.inplace)


@_activation
class LeakyReLU(_Activation):
    """x where x > 0, else negative_slope · x.

    Maas et al., "Rectifier nonlinearities improve neural network acoustic models",
    2013.
    """

    negative_slope: float = 0.01
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return leaky_relu(input, self.negative_slope, self.inplace)


@_activation
class ELU(_Activation):
    """x where x > 0, else alpha · (exp(x) - 1).

    Clevert et al., "Fast and accurate deep network learning by exponential linear
    units", 2015.
    """

    alpha: float = 1.0
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return elu(input, self.alpha, self.inplace)


@_activation
class GELU(_Activation):
    """x · Φ(x), Φ the normal distribution's cdf; or its approximation by "tanh".

    Hendrycks & Gimpel, "Gaussian error linear units", 2016.
    """

    approximate: str = "none"

    def forward(self, input: Tensor) -> Tensor:
        return gelu(input, self.approximate)


@_activation
class SiLU(_Activation):
    """x · sigmoid(x), also called swish."""

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return silu(input, self.inplace)


@_activation
class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Tensor) -> Tensor:
        return sigmoid(input)


@_activation
class Tanh(_Activation):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        return tanh(input)


@_activation
class Softplus(_Activation):
    """log(1 + exp(beta · x)) / beta; just x where beta · x > threshold."""

    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, input: Tensor) -> Tensor:
        return softplus(input, self.beta, self.threshold)


@_activation
class LogSigmoid(_Activation):
    """log(sigmoid(x))."""

    def forward(self, input: Tensor) -> Tensor:
        return logsigmoid(input)


@_activation
class Softmax(_Activation):
    """exp(x) / sum(exp(x)) along `dim`."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        return softmax(input, self.dim, _stacklevel=5)


@_activation
class LogSoftmax(_Activation):
    """log(softmax(x)) along `dim`."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        return log_softmax(input, self.dim, _stacklevel=5)
