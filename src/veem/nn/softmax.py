"""Softmax and its kin: functions of a row, and of the two halves of one.

Each is a function (also in nn.functional) and a module that keeps its arguments.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import veem
from veem import Tensor
from veem.autograd.names import recorded_as

from .activation import _Activation

# --- functions -----------------------------------------------------------------------


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


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """softmax(-x): the smallest gets the most."""
    dim = _implicit_dim("softmin", input, _stacklevel) if dim is None else dim
    return (-input).softmax(dim, dtype=dtype)


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
) -> Tensor:
    """A draw of a class that lets gradients through: softmax((logits + g) / tau), the
    numbers g being of the Gumbel distribution.

    hard: one-hot, with the gradient of the soft draw. eps is without effect.
    Jang et al., "Categorical reparameterization with Gumbel-softmax", 2017.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    like = {"dtype": logits.dtype, "device": logits.device}
    gumbels = -veem.empty(logits.shape, **like).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.argmax(dim, keepdim=True)
    one_hot = veem.zeros_like(logits).scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft


@recorded_as("Glu")
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a · sigmoid(b), the halves of the input along `dim`."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    size = input.size(dim)
    if size % 2:
        raise RuntimeError(
            f"glu: halving dimension must be even, but dimension {dim} is size {size}"
        )
    return (
        input.narrow(dim, 0, size // 2)
        * input.narrow(dim, size // 2, size // 2).sigmoid()
    )


def _implicit_dim(name: str, input: Tensor, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input.ndim in (0, 1, 3) else 1


# --- modules -------------------------------------------------------------------------


@dataclass(repr=False, eq=False)
class Softmax(_Activation):
    """exp(x) / sum(exp(x)) along `dim`."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        return softmax(input, self.dim, _stacklevel=5)


@dataclass(repr=False, eq=False)
class LogSoftmax(_Activation):
    """log(softmax(x)) along `dim`."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        return log_softmax(input, self.dim, _stacklevel=5)


@dataclass(repr=False, eq=False)
class Softmin(_Activation):
    """softmax(-x) along `dim`."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        return softmin(input, self.dim, _stacklevel=5)


@dataclass(repr=False, eq=False)
class Softmax2d(_Activation):
    """Softmax over the channels of images, (N, C, H, W) or (C, H, W), at each pixel."""

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead"
            )
        return softmax(input, -3)


@dataclass(repr=False, eq=False)
class GLU(_Activation):
    """a · sigmoid(b), the halves of the input along `dim`.

    Dauphin et al., "Language modeling with gated convolutional networks", 2016.
    """

    dim: int = -1

    def forward(self, input: Tensor) -> Tensor:
        return glu(input, self.dim)
