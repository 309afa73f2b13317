"""Parameters that are computed: module.weight is f(original) whenever it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, TypeVar

import veem
from veem import Tensor

from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

M = TypeVar("M", bound=Module)

_cache: dict[tuple[int, str], Tensor] | None = None


@contextmanager
def cached() -> Iterator[None]:
    """In its block each parametrized tensor is computed once, at its first use."""
    global _cache
    outer, _cache = _cache, _cache or {}
    try:
        yield
    finally:
        _cache = outer


class ParametrizationList(ModuleList):
    """The maps that make one tensor, first to last, and what they start from.

    That is `original`, or original0, original1, ... where the first map's right_inverse
    returns several tensors. unsafe skips the check that maps keep shape and dtype.
    """

    def __init__(
        self, modules: Sequence[Module], original: Tensor, unsafe: bool = False
    ) -> None:
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with veem.no_grad():
            new: Any = original
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        new = module.right_inverse(new)
                    except NotImplementedError:
                        pass  # then it is the identity
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                f"tuple...). Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if isinstance(new, Tensor):
            if new.dtype != dtype or new.device != original.device:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the "
                    f"dtype or device: {dtype} on {original.device} became "
                    f"{new.dtype} on {new.device}"
                )
            original.data = new.detach()
            set_member(self, "original", original)
        else:
            for i, part in enumerate(new):
                if not isinstance(part, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors "
                        f"(list, tuple...). Got element {i} of the sequence with type "
                        f"{type(part).__name__}."
                    )
                if isinstance(original, Parameter):
                    part = Parameter(part.detach(), original.requires_grad)
                set_member(self, f"original{i}", part)
        if not unsafe:
            check_kept("A parametrization", self(), dtype, shape)

    @property
    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Any) -> None:
        """Sets what the maps start from so that they give `value`."""
        with veem.no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement "
                        "right_inverse."
                    )
                value = module.right_inverse(value)
            if isinstance(value, Tensor) != self.is_tensor:
                what = "a tensor" if self.is_tensor else "a sequence of tensors"
                raise ValueError(
                    f"`right_inverse` should return {what}. Got {type(value).__name__}"
                )
            parts = [value] if self.is_tensor else list(value)
            if len(parts) != self.ntensors:
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors of length "
                    f"{self.ntensors}. Got a sequence of length {len(parts)}."
                )
            for original, part in zip(self._originals, parts):
                if part.dtype != original.dtype:
                    raise ValueError(
                        f"The tensor returned by `right_inverse` has dtype {part.dtype}"
                        f" while `original` has dtype {original.dtype}"
                    )
                original.data = part.detach()

    def forward(self) -> Tensor:
        first, *rest = self
        x = first(*self._originals)
        for module in rest:
            x = module(x)
        return x


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """Makes module.tensor_name what `parametrization` gives for it, from now on.

    Several can be registered, one on the other. A parametrization with a method
    right_inverse(value) can be assigned to: module.weight = value. Parameters then lie
    in module.parametrizations.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        known: Any = module.parametrizations[tensor_name]
        if not unsafe:
            before = getattr(module, tensor_name)
            after, kept = parametrization(before), (before.dtype, before.shape)
            check_kept("A parametrization", after, *kept)
            if hasattr(parametrization, "right_inverse"):
                inverse = parametrization.right_inverse(after)
                check_kept("right_inverse", inverse, *kept)
        known.append(parametrization)
        known.unsafe |= unsafe
        return module
    if tensor_name not in module._buffers and tensor_name not in module._parameters:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized "
            f"element with name '{tensor_name}'"
        )
    original = getattr(module, tensor_name)
    maps = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _give_own_class(module)
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _computed(tensor_name))
    module.parametrizations[tensor_name] = maps
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a tensor of the module, or any if no name is given, is computed."""
    maps = getattr(module, "parametrizations", None)
    if not isinstance(maps, ModuleDict):
        return False
    return len(maps) > 0 if tensor_name is None else tensor_name in maps


def remove_parametrizations(
    module: M, tensor_name: str, leave_parametrized: bool = True
) -> M:
    """Makes module.tensor_name a plain parameter or buffer again: with the value that
    it has, or with that of its original if not leave_parametrized."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(
            f"Module {module} does not have a parametrization on {tensor_name}"
        )
    maps: Any = module.parametrizations[tensor_name]
    value = getattr(module, tensor_name)
    if maps.is_tensor:
        original = maps.original
        if leave_parametrized:
            original.data = value.detach()
    elif leave_parametrized:
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    set_member(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def set_member(module: Module, name: str, tensor: Tensor) -> None:
    """Registers a parameter as one, another tensor as a buffer."""
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def check_kept(what: str, value: Any, dtype: Any, shape: Any) -> None:
    if not isinstance(value, Tensor):
        raise ValueError(f"{what} must return a tensor. Got {type(value).__name__}.")
    if value.dtype != dtype or value.shape != shape:
        raise ValueError(
            f"{what} may not change the dtype or the shape of the tensor, unless the "
            f"`unsafe` flag is enabled: {dtype} of shape {list(shape)} became "
            f"{value.dtype} of shape {list(value.shape)}"
        )


def _give_own_class(module: Module) -> None:
    """A class of its own, on which properties can be put: ParametrizedLinear."""

    def no_pickle(self):
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through "
            "state_dict()."
        )

    def copy(self, memo):
        twin = memo[id(self)] = type(self).__new__(type(self))
        twin.__dict__.update(deepcopy(self.__dict__, memo))
        return twin

    cls = type(module)
    own = {
        "__getstate__": no_pickle,
        "__deepcopy__": copy,
        "__module__": cls.__module__,
    }
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), own)


def _computed(name: str) -> property:
    def read(module):
        if _cache is None:
            return module.parametrizations[name]()
        key = id(module), name
        if key not in _cache:
            _cache[key] = module.parametrizations[name]()
        return _cache[key]

    def write(module, value):
        module.parametrizations[name].right_inverse(value)

    return property(read, write)
