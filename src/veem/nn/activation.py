"""Activations: smooth functions of one element, and rectifiers.

Each is a function (also in nn.functional) and a module that keeps its arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from veem import Tensor, _core, creation, no_grad, ops
from veem.autograd.names import recorded_as

from .module import Module
from .parameter import Parameter

# --- functions -----------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x)."""
    return input.relu_() if inplace else input.relu()


def leaky_relu(
    input: Tensor, negative_slope: float = 0.01, inplace: bool = False
) -> Tensor:
    """x where x > 0, else negative_slope · x."""
    return _apply("leaky_relu", input, negative_slope, inplace=inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha · (exp(x) - 1)."""
    return _apply("elu", input, alpha, inplace=inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha · (exp(x / alpha) - 1): its slope has no kink at 0."""
    if alpha == 0:
        raise ZeroDivisionError("celu: alpha cannot be 0")
    return _apply("celu", input, alpha, inplace=inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """scale · elu(x, alpha), constants for which mean 0 and variance 1 are stable."""
    return _apply("selu", input, inplace=inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight · x: one weight, or one per channel (dimension 1)."""
    if weight.ndim > 1:
        raise RuntimeError(
            f"prelu: expected weight of 0 or 1 dimensions, got {weight.ndim}"
        )
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.numel() not in (1, channels):
        raise RuntimeError(
            "prelu: mismatch of parameter numbers and input channel size; found "
            f"{weight.numel()} weights and {channels} channels in shape "
            f"{list(input.shape)}"
        )
    if input.dtype != weight.dtype:
        raise RuntimeError(
            f"prelu: input and weight must have one dtype, got {input.dtype.name} and "
            f"{weight.dtype.name}"
        )
    shape = (1, -1, *[1] * (input.ndim - 2)) if input.ndim > 1 else ()
    return ops.leaky_relu(input, weight.reshape(shape) if input.ndim else weight.sum())


@recorded_as("RreluWithNoise")
def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """leaky_relu with a slope drawn from [lower, upper] for each element; their mean
    when not training."""
    if lower > upper:
        raise RuntimeError(
            f"rrelu: lower bound {lower} should be at most the upper bound {upper}"
        )
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    below = input.detach() <= 0
    slope = creation.ones_like(below, dtype=input.dtype)
    # In double where there is one, which is PyTorch's stream of random numbers.
    wide = _core.float64 if input.device.type == "cpu" else input.dtype
    draws = input.new_empty(int(below.sum()), dtype=wide).uniform_(lower, upper)
    slope[below] = draws.to(input.dtype)
    return _apply("leaky_relu", input, slope, inplace=inplace)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x · Φ(x), Φ the normal distribution's cdf; or its approximation by "tanh"."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return ops.gelu(input) if approximate == "none" else ops.gelu_tanh(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x · sigmoid(x)."""
    return _apply("silu", input, inplace=inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · tanh(softplus(x))."""
    return _apply("mish", input, inplace=inplace)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


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


def _apply(name: str, input: Tensor, *args: Any, inplace: bool) -> Tensor:
    """The op of that name, or its twin that works in place."""
    return (
        getattr(ops, name)(input, *args)
        if not inplace
        else getattr(_core.ops, name + "_")(input, *args)
    )


def _inplace(f: Callable) -> Callable:
    """relu_ for relu: writes over its argument."""

    def twin(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return f(input, *args, **kwargs, inplace=True)

    twin.__name__, twin.__doc__ = f"{f.__name__}_", f"{f.__name__} in place."
    return twin


relu_, leaky_relu_, elu_ = _inplace(relu), _inplace(leaky_relu), _inplace(elu)
celu_, selu_, rrelu_ = _inplace(celu), _inplace(selu), _inplace(rrelu)

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
class CELU(_Activation):
    """x where x > 0, else alpha · (exp(x / alpha) - 1).

    Barron, "Continuously differentiable exponential linear units", 2017.
    """

    alpha: float = 1.0
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return celu(input, self.alpha, self.inplace)


@_activation
class SELU(_Activation):
    """scale · elu(x, alpha), constants for which mean 0 and variance 1 are stable.

    Klambauer et al., "Self-normalizing neural networks", 2017.
    """

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return selu(input, self.inplace)


@_activation
class RReLU(_Activation):
    """leaky_relu; in training, with a slope drawn from [lower, upper] per element.

    Xu et al., "Empirical evaluation of rectified activations in convolution network",
    2015.
    """

    lower: float = 1 / 8
    upper: float = 1 / 3
    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return rrelu(input, self.lower, self.upper, self.training, self.inplace)


class PReLU(Module):
    """x where x > 0, else weight · x; learns its weights, one or one per channel.

    He et al., "Delving deep into rectifiers", 2015.
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(
            creation.full((num_parameters,), init, device=device, dtype=dtype)
        )

    def reset_parameters(self) -> None:
        with no_grad():
            self.weight.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


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
class Mish(_Activation):
    """x · tanh(softplus(x)).

    Misra, "Mish: a self regularized non-monotonic activation function", 2019.
    """

    inplace: bool = False

    def forward(self, input: Tensor) -> Tensor:
        return mish(input, self.inplace)


@_activation
class Softsign(_Activation):
    """x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        return softsign(input)


@_activation
class Tanhshrink(_Activation):
    """x - tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return tanhshrink(input)


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
