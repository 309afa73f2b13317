"""Weight normalization by a hook, as it was before parametrizations."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from veem import Tensor

from ..module import Module
from ..parameter import Parameter

M = TypeVar("M", bound=Module)


def norm_except_dim(v: Tensor, dim: int) -> Tensor:
    """The length of v for each index of dim, in a shape that broadcasts to v; of the
    whole tensor, with shape (), where dim is -1."""
    if dim == -1:
        return v.norm()
    dims = tuple(d for d in range(v.ndim) if d != dim % v.ndim)
    return v.norm(2, dims, keepdim=True) if dims else v.abs()


def scaled_to(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """g · v / |v|: the direction of v, the length g."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """Computes module.weight from weight_g and weight_v before each forward."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        v, g = getattr(module, self.name + "_v"), getattr(module, self.name + "_g")
        return scaled_to(v, g, self.dim)

    def remove(self, module: Module) -> None:
        weight = self.compute_weight(module)
        for name in self.name, self.name + "_g", self.name + "_v":
            delattr(module, name)
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Makes module.weight g · v / |v|, with weight_g and weight_v as the parameters.

    g is one number for each index of dim, or one in all if dim is None. Salimans &
    Kingma, "Weight normalization", 2016. parametrizations.weight_norm does the same.
    """
    warnings.warn(
        "`veem.nn.utils.weight_norm` is deprecated in favor of "
        "`veem.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    if hook_of(module, WeightNorm, name) is not None:
        raise RuntimeError(
            f"Cannot register two weight_norm hooks on the same parameter {name}"
        )
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    delattr(module, name)
    g = norm_except_dim(weight.detach(), hook.dim)
    module.register_parameter(name + "_g", Parameter(g))
    module.register_parameter(name + "_v", Parameter(weight.data))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Makes module.weight a parameter again, with the value it has."""
    remove_hook(module, WeightNorm, name, "weight_norm")
    return module


def hook_of(module: Module, kind: type, name: str) -> int | None:
    """The key of the module's forward pre-hook of a kind for a parameter."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook.call, kind) and hook.call.name == name:  # type: ignore
            return key
    return None


def remove_hook(module: Module, kind: type, name: str, what: str) -> None:
    key = hook_of(module, kind, name)
    if key is None:
        raise ValueError(f"{what} of '{name}' not found in {module}")
    module._forward_pre_hooks.pop(key).call.remove(module)
