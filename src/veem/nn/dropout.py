"""Dropout."""

from __future__ import annotations

import veem
from veem import Tensor

from .module import Module


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Sets each element to zero with probability p and divides the others by 1 - p.

    The identity unless `training`.
    """
    _check(p)
    if not training or p == 0 or input.numel() == 0:
        return input
    with veem.no_grad():
        keep = veem.empty_like(input).bernoulli_(1 - p)
        if p < 1:
            keep.div_(1 - p)
    return input.mul_(keep) if inplace else input * keep


class Dropout(Module):
    """In training, zeroes each element with probability p and divides the others by
    1 - p, so that the mean stays; the identity after eval(). Any shape.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", 2014.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        _check(p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


def _check(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
