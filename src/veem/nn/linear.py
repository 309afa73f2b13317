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


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear, under the name that it has within PyTorch's MultiheadAttention."""


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


def bilinear(
    input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """input1 weight[o] input2ᵀ + bias[o]: (*, in1), (*, in2) -> (*, out).

    weight is (out, in1, in2), bias (out).
    """
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            "bilinear(): input batch dimensions do not match, got shapes "
            f"{list(input1.shape)} and {list(input2.shape)}"
        )
    for x, i in ((input1, 1), (input2, 2)):
        if x.shape[-1] != weight.shape[i]:
            raise RuntimeError(
                f"bilinear(): input{i} size does not match weight size: got "
                f"{x.shape[-1]} but expected {weight.shape[i]}"
            )
    out = veem.einsum("...i,oij,...j->...o", input1, weight, input2)
    return out if bias is None else out + bias


class Bilinear(Module):
    """(*, in1_features), (*, in2_features) -> (*, out_features): x1 W[o] x2ᵀ + b[o].

    weight (out_features, in1_features, in2_features) and bias (out_features) start
    uniform in ±1 / √in1_features.
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        place = {"device": device, "dtype": dtype}
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(veem.empty(shape, **place))
        if bias:
            self.bias = Parameter(veem.empty(out_features, **place))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
