"""Dropout: of elements or of whole channels, and for networks of selu."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import veem
from veem import Tensor

from .module import Module

# What dropped elements become in a network of selu: its limit at -inf, -scale * alpha.
_ALPHA = 1.7580993408473766


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Sets each element to zero with probability p and divides the others by 1 - p.

    The identity unless `training`.
    """
    return _drop(input, None, p, training, inplace)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Drops whole channels of (N, C, L) or (C, L)."""
    _check(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            "dropout1d: Expected 2D or 3D input, but received a "
            f"{input.ndim}D input: (N, C, L) or (C, L)"
        )
    return _drop_channels(input, p, training, inplace, batched=input.ndim == 3)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Drops whole channels of (N, C, H, W). As in PyTorch, 3-d inputs are (N, C, L)."""
    _check(p)
    if input.ndim not in (3, 4):
        _warn_rank("dropout2d", input)
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that "
            "channel-wise 1D dropout behavior is desired - input is interpreted as "
            "shape (N, C, L); use dropout1d for that",
            stacklevel=2,
        )
    return _drop_channels(input, p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Drops whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    _check(p)
    if input.ndim not in (4, 5):
        _warn_rank("dropout3d", input)
    return _drop_channels(input, p, training, inplace, batched=input.ndim == 5)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout that keeps mean 0 and variance 1, for networks of selu."""
    return _drop(input, None, p, training, inplace, alpha=True)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """alpha_dropout of whole channels of (N, C, *)."""
    _check(p)
    shape = _channels(input) if training and p > 0 else None
    return _drop(input, shape, p, training, inplace, alpha=True)


def _drop_channels(
    input: Tensor, p: float, training: bool, inplace: bool, batched: bool = True
) -> Tensor:
    if not training or p == 0 or input.numel() == 0:
        return input
    shape = _channels(input) if batched else (input.shape[0], *(1,) * (input.ndim - 1))
    return _drop(input, shape, p, training, inplace)


def _channels(input: Tensor) -> tuple[int, ...]:
    if input.ndim < 2:
        raise RuntimeError(
            "Feature dropout requires at least 2 dimensions in the input"
        )
    return (*input.shape[:2], *(1,) * (input.ndim - 2))


def _drop(
    input: Tensor,
    shape: tuple[int, ...] | None,
    p: float,
    training: bool,
    inplace: bool,
    alpha: bool = False,
) -> Tensor:
    """What is kept is drawn for each element, or each of `shape`, which broadcasts."""
    _check(p)
    if not training or p == 0 or input.numel() == 0:
        return input
    if p == 1:
        return input.mul_(0.0) if inplace else input * 0.0
    shift: float | Tensor = 0.0
    with veem.no_grad():
        if shape is None:
            keep = veem.empty_like(input)
        else:
            keep = veem.empty(shape, dtype=input.dtype, device=input.device)
        keep.bernoulli_(1 - p)
        if alpha:
            a = 1 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
            shift = (keep - 1).mul_(_ALPHA * a).add_(_ALPHA * a * p)
            keep.mul_(a)
        else:
            keep.div_(1 - p)
    out = input.mul_(keep) if inplace else input * keep
    return out.add_(shift) if alpha else out


class _Dropout(Module):
    function: Callable

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        _check(p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        return type(self).function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, zeroes each element with probability p and divides the others by
    1 - p, so that the mean stays; the identity after eval(). Any shape.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", 2014.
    """

    function = staticmethod(dropout)


class Dropout1d(_Dropout):
    """Dropout of whole channels of (N, C, L) or (C, L)."""

    function = staticmethod(dropout1d)


class Dropout2d(_Dropout):
    """Dropout of whole channels of (N, C, H, W).

    Tompson et al., "Efficient object localization using convolutional networks", 2015.
    """

    function = staticmethod(dropout2d)


class Dropout3d(_Dropout):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(dropout3d)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1, for networks of selu.

    Klambauer et al., "Self-normalizing neural networks", 2017.
    """

    function = staticmethod(alpha_dropout)


class FeatureAlphaDropout(_Dropout):
    """AlphaDropout of whole channels of (N, C, *)."""

    function = staticmethod(feature_alpha_dropout)


def _check(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _warn_rank(name: str, input: Tensor) -> None:
    warnings.warn(
        f"{name}: Received a {input.ndim}-D input to {name}, which is deprecated and "
        "will result in an error in a future release. To retain the behavior and "
        "silence this warning, please use feature_dropout instead.",
        stacklevel=3,
    )
