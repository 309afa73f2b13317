"""Linear layers: y = x Wᵀ + b."""

from __future__ import annotations

import math
from typing import Any

import veem
from veem import Tensor, ops

from . import init
from .module import Module
from .parameter import Parameter


def linear(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    activation: str | None = None,
) -> Tensor:
    """x @ weight.T + bias. input (*, in), weight (out, in), bias (out) -> (*, out).

    With activation="relu", "sigmoid", "tanh", "gelu", "gelu_tanh" or "silu" each number
    goes through that function before it is stored: one kernel and one tensor for two.
    (PyTorch's linear lacks it.) The last three want what they were given for their
    gradient: where one is recorded they run by themselves.
    """
    if activation is None:
        return ops.linear(input, weight, bias)
    if activation in _WANT_THEIR_INPUT and _records(input, weight, bias):
        return getattr(ops, activation)(ops.linear(input, weight, bias))
    return ops.linear_activation(input, weight, bias, activation)


_WANT_THEIR_INPUT = ("gelu", "gelu_tanh", "silu")


def _records(*tensors: Tensor | None) -> bool:
    needed = any(t is not None and t.requires_grad for t in tensors)
    return needed and veem.is_grad_enabled()


class Linear(Module):
    """(*, in_features) -> (*, out_features): x @ weight.T + bias.

    weight (out_features, in_features) and bias (out_features) start uniform in
    ±1 / √in_features.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        place = {"device": device, "dtype": dtype}
        self.weight = Parameter(veem.empty((out_features, in_features), **place))
        if bias:
            self.bias = Parameter(veem.empty(out_features, **place))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        reset_weight_and_bias(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"


def reset_weight_and_bias(weight: Tensor, bias: Tensor | None) -> None:
    """Uniform in ±1 / √fan_in: how linear and convolutional layers start."""
    # With a = √5 the gain is √(1/3): the bound of kaiming_uniform_ becomes 1 / √fan_in.
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    fan_in = math.prod(weight.shape[1:])
    if bias is not None:
        bound = 1 / math.sqrt(fan_in) if fan_in else 0
        init.uniform_(bias, -bound, bound)


class Identity(Module):
    """Gives its input back; takes any arguments, so that it can stand for any layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input
