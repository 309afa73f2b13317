"""Saving a Module's parameters and buffers under dotted names, and loading them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import veem

from .hooks import RemovableHandle, register
from .parameter import Parameter

EXTRA = "_extra_state"


class _IncompatibleKeys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        missing, unexpected = self
        return (
            f"_IncompatibleKeys(missing_keys={missing}, unexpected_keys={unexpected})"
        )


class Stateful:
    """The part of Module that writes and reads state_dicts."""

    _version: int
    _modules: dict[str, Any]
    _state_dict_pre_hooks: OrderedDict
    _state_dict_hooks: OrderedDict
    _load_state_dict_pre_hooks: OrderedDict
    _load_state_dict_post_hooks: OrderedDict

    def state_dict(
        self, *, destination=None, prefix: str = "", keep_vars: bool = False
    ):
        """An OrderedDict of dotted name -> tensor: parameters and persistent buffers.

        The tensors share the module's memory and are detached unless `keep_vars`.
        """
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local
        for hook in tuple(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(
                    destination=destination,
                    prefix=f"{prefix}{name}.",
                    keep_vars=keep_vars,
                )
        for hook in tuple(self._state_dict_hooks.values()):
            hook(self, destination, prefix, local)
        return destination

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copies tensors into the parameters and buffers of the same names.

        With `assign` the tensors take the parameters' places instead. Returns the
        missing and the unexpected keys; when `strict`, raises RuntimeError for them.
        Shapes that differ always raise.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"Expected state_dict to be dict-like, got {type(state_dict)}."
            )
        keys = _IncompatibleKeys([], [])
        errors: list[str] = []
        metadata = getattr(state_dict, "_metadata", None) or {}
        _load_tree(self, OrderedDict(state_dict), metadata, "", assign, keys, errors)
        if strict:
            for kind, names in ("Unexpected", keys[1]), ("Missing", keys[0]):
                if names:
                    quoted = ", ".join(f'"{name}"' for name in names)
                    errors.insert(0, f"{kind} key(s) in state_dict: {quoted}. ")
        if errors:
            text = "\n\t".join(errors)
            name = type(self).__name__
            raise RuntimeError(f"Error(s) in loading state_dict for {name}:\n\t{text}")
        return keys

    # What one module saves and loads for itself, without its children. Override these
    # to change the format; the version that wrote a state_dict is in local_metadata.

    def _save_to_state_dict(self, destination, prefix: str, keep_vars: bool) -> None:
        for name, tensor in _own_state(self):
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if _has_extra_state(self):
            destination[prefix + EXTRA] = self.get_extra_state()

    def _load_from_state_dict(
        self,
        state_dict,
        prefix,
        local_metadata,
        strict,
        missing_keys,
        unexpected_keys,
        error_msgs,
    ) -> None:
        for hook in tuple(self._load_state_dict_pre_hooks.values()):
            hook(
                self,
                state_dict,
                prefix,
                local_metadata,
                strict,
                missing_keys,
                unexpected_keys,
                error_msgs,
            )
        assign = local_metadata.get("assign_to_params_buffers", False)
        own: dict[str, Any] = dict(_own_state(self))
        missing = []
        for name, tensor in own.items():
            key = prefix + name
            if key not in state_dict:
                missing.append(key)
            elif problem := _misfit(key, tensor, state_dict[key]):
                error_msgs.append(problem)
            else:
                _load_tensor(self, name, tensor, state_dict[key], assign)
        if _has_extra_state(self):
            own[EXTRA] = None
            if prefix + EXTRA in state_dict:
                self.set_extra_state(state_dict[prefix + EXTRA])
            else:
                missing.append(prefix + EXTRA)
        if strict:
            missing_keys += missing
            unexpected_keys += _unexpected(self, prefix, own, state_dict)

    def get_extra_state(self) -> Any:
        """Define this, with set_extra_state, to save more than tensors."""
        raise RuntimeError(
            "a module that saves extra state must define get_extra_state()"
        )

    def set_extra_state(self, state: Any) -> None:
        raise RuntimeError(
            "a module that saves extra state must define set_extra_state()"
        )

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """hook(module, prefix, keep_vars) runs before state_dict() reads the module."""
        return register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """hook(module, state_dict, prefix, local_metadata) may change state_dict."""
        return register(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs) runs before a module's own tensors are loaded."""
        return register(self._load_state_dict_pre_hooks, hook)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable, with_module: bool = False
    ) -> RemovableHandle:
        """An older name, whose hooks do not take the module."""
        whole = hook if with_module else lambda module, *args: hook(*args)
        return self.register_load_state_dict_pre_hook(whole)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """hook(module, incompatible_keys) may clear or extend the lists of keys."""
        return register(self._load_state_dict_post_hooks, hook)


def _own_state(module) -> Iterator[tuple[str, veem.Tensor]]:
    """What one module saves: its parameters, then its persistent buffers."""
    for name, param in module._parameters.items():
        if param is not None:
            yield name, param
    for name, buffer in module._buffers.items():
        if buffer is not None and name not in module._non_persistent_buffers_set:
            yield name, buffer


def _has_extra_state(module) -> bool:
    return type(module).get_extra_state is not Stateful.get_extra_state


def _load_tree(module, state, metadata, prefix, assign, keys, errors) -> None:
    local = dict(metadata.get(prefix[:-1], {}))
    if assign:
        local["assign_to_params_buffers"] = True
    module._load_from_state_dict(state, prefix, local, True, *keys, errors)
    for name, child in module._modules.items():
        if child is not None:
            inside = f"{prefix}{name}."
            part = OrderedDict((k, v) for k, v in state.items() if k.startswith(inside))
            _load_tree(child, part, metadata, inside, assign, keys, errors)
    for hook in tuple(module._load_state_dict_post_hooks.values()):
        hook(module, keys)


def _misfit(key: str, tensor: veem.Tensor, value: Any) -> str | None:
    """Why `value` cannot be loaded into `tensor`; None where it can."""
    if not isinstance(value, veem.Tensor):
        return (
            f'While copying the parameter named "{key}", expected veem.Tensor or '
            f"Tensor-like object from checkpoint but received {type(value)}"
        )
    if tensor.shape != value.shape and not _is_old_scalar(tensor, value):
        return (
            f"size mismatch for {key}: copying a param with shape {value.shape} from "
            f"checkpoint, the shape in current model is {tensor.shape}."
        )
    return None


def _is_old_scalar(tensor: veem.Tensor, value: veem.Tensor) -> bool:
    """PyTorch before 0.4 wrote scalars with the shape (1,)."""
    return tensor.ndim == 0 and value.shape == (1,)


def _load_tensor(module, name: str, tensor, value, assign: bool) -> None:
    value = value[0] if _is_old_scalar(tensor, value) else value
    with veem.no_grad():
        if not assign:
            tensor.copy_(value)
            return
        if isinstance(tensor, Parameter):
            if isinstance(value, Parameter):
                value.requires_grad_(tensor.requires_grad)
            else:
                value = Parameter(value, tensor.requires_grad)
        setattr(module, name, value)


def _unexpected(module, prefix: str, own: Mapping, state_dict: Mapping) -> list[str]:
    """The keys under `prefix` that name neither own state nor a child."""
    names = []
    for key in state_dict:
        head, dot, _ = key[len(prefix) :].partition(".")
        if key.startswith(prefix) and head not in (module._modules if dot else own):
            names.append(key)
    return names
