"""Fusion: layers of a Sequential that run as one kernel.

A Linear and the activation after it are one call of functional.linear, whose result is
the same. It is done only where nobody can tell: not where a hook looks on, nor for
classes derived from these, nor for an instance with a forward of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from .activation import GELU, ReLU, Sigmoid, SiLU, Tanh
from .linear import Linear
from .module import Module

_NAMES: dict[type, Callable] = {
    ReLU: lambda _: "relu",
    GELU: lambda m: "gelu" if m.approximate == "none" else "gelu_tanh",
    SiLU: lambda _: "silu",
    Sigmoid: lambda _: "sigmoid",
    Tanh: lambda _: "tanh",
}


def activation_of(layer: Module, after: Module) -> str | None:
    """linear's name for the activation `after`, if both can run as one; else None."""
    if type(layer) is not Linear or type(after) not in _NAMES:
        return None
    if _is_watched(layer) or _is_watched(after):
        return None
    return _NAMES[type(after)](after)


def _is_watched(module: Module) -> bool:
    return module.has_hooks() or "forward" in module.__dict__
