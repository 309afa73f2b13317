"""Layer normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import veem
from veem import Tensor, ops

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
        if isinstance(normalized_shape, int):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        for name, wanted in ("weight", elementwise_affine), ("bias", bias):
            param = None
            if elementwise_affine and wanted:
                empty = veem.empty(self.normalized_shape, device=device, dtype=dtype)
                param = Parameter(empty)
            self.register_parameter(name, param)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(
            input, self.normalized_shape, self.weight, self.bias, self.eps
        )

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine="
            f"{self.elementwise_affine}, bias={self.bias is not None}"
        )
