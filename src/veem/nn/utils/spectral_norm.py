"""Spectral normalization by a hook, as it was before parametrizations."""

from __future__ import annotations

from typing import Any, TypeVar

import veem
from veem import Tensor

from ..distance import normalize
from ..module import Module
from ..parameter import Parameter
from .weight_norm import hook_of, remove_hook

M = TypeVar("M", bound=Module)


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """dim as the rows, all other dimensions as the columns."""
    return weight.movedim(dim, 0).flatten(1)


@veem.no_grad()
def power_method(matrix: Tensor, u: Tensor, v: Tensor, times: int, eps: float) -> None:
    """Turns u and v, in place, towards the first singular vectors of a matrix."""
    for _ in range(times):
        v.copy_(normalize(matrix.T @ u, dim=0, eps=eps))
        u.copy_(normalize(matrix @ v, dim=0, eps=eps))


class SpectralNorm:
    """Computes module.weight from weight_orig before each forward."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float):
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.name, self.dim, self.eps = name, dim, eps
        self.n_power_iterations = n_power_iterations

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        weight, u, v = (
            getattr(module, self.name + end) for end in ("_orig", "_u", "_v")
        )
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            power_method(matrix.detach(), u, v, self.n_power_iterations, self.eps)
        sigma = u.clone() @ (matrix @ v.clone())
        return weight / sigma

    def remove(self, module: Module) -> None:
        with veem.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for end in "", "_u", "_v", "_orig":
            delattr(module, self.name + end)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        weight = self.compute_weight(module, do_power_iteration=module.training)
        setattr(module, self.name, weight)


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divides module.weight by its largest singular value, which n_power_iterations of
    the power method estimate at each forward in training.

    dim holds the outputs: 1 for transposed convolutions, else 0. Miyato et al.,
    "Spectral normalization for generative adversarial networks", 2018.
    parametrizations.spectral_norm does the same.
    """
    if hook_of(module, SpectralNorm, name) is not None:
        raise RuntimeError(
            f"Cannot register two spectral_norm hooks on the same parameter {name}"
        )
    hook = SpectralNorm(name, n_power_iterations, output_dim(module, dim), eps)
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(
            f"`SpectralNorm` cannot be applied as parameter `{name}` is None"
        )
    for end, size in zip("uv", as_matrix(weight.detach(), hook.dim).shape):
        start = normalize(weight.new_empty(size).normal_(0, 1), dim=0, eps=eps)
        module.register_buffer(f"{name}_{end}", start)
    delattr(module, name)
    module.register_parameter(name + "_orig", weight)
    setattr(module, name, weight.data)
    module.register_forward_pre_hook(hook)
    return module


def output_dim(module: Module, dim: int | None) -> int:
    """The dimension of a layer's outputs in its weight."""
    if dim is not None:
        return dim
    return int(type(module).__name__.startswith("ConvTranspose"))


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Makes module.weight a parameter again, with the value it has."""
    remove_hook(module, SpectralNorm, name, "spectral_norm")
    return module
