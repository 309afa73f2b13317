"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from veem import Tensor
from veem.nn import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """module(*args, **kwargs) with other tensors for its parameters and buffers.

    The tensors are given by their dotted names; those not given stay as they are, but
    if strict all must be there. Gradients flow to the given tensors. A tensor that the
    module has under several names is replaced under all of them if tie_weights.
    """
    dicts = _dicts(parameter_and_buffer_dicts)
    given = {name: tensor for part in dicts for name, tensor in part.items()}
    if len(given) < sum(map(len, dicts)):
        twice = [n for n in given if sum(n in part for part in dicts) > 1]
        raise ValueError(
            f"{twice} appeared in multiple dictionaries; behavior of functional call "
            "is ambiguous"
        )
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def _dicts(given: Any) -> list[dict[str, Tensor]]:
    if isinstance(given, dict):
        return [given]
    if not isinstance(given, (list, tuple)):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of "
            f"dicts, but got {type(given)}"
        )
    if not all(isinstance(part, dict) for part in given):
        raise ValueError(
            "Expected all elements of parameter_and_buffer_dicts to be dictionaries"
        )
    return list(given)


@contextmanager
def _replaced(
    module: Module, given: dict[str, Tensor], tie_weights: bool, strict: bool
) -> Iterator[None]:
    """The module with `given` in the places of its own tensors, for a while."""
    places: dict[str, tuple[dict, str]] = {}
    for path, owner in module.named_modules(remove_duplicate=False):
        for home in owner._parameters, owner._buffers:
            for name, tensor in home.items():
                if tensor is not None:
                    places[f"{path}.{name}" if path else name] = home, name
    own = {key: home[name] for key, (home, name) in places.items()}
    new = {key: tensor for key, tensor in given.items() if key in own}
    if tie_weights:
        by_tensor = {id(own[key]): tensor for key, tensor in new.items()}
        new.update(
            {key: by_tensor[id(t)] for key, t in own.items() if id(t) in by_tensor}
        )
        new.update({key: given[key] for key in given if key in own})
    if strict:
        _check_keys(given, own, new)
    try:
        for key, tensor in new.items():
            home, name = places[key]
            home[name] = tensor
        yield
    finally:
        for key in new:
            home, name = places[key]
            home[name] = own[key]


def _check_keys(given: dict, own: dict, new: dict) -> None:
    unexpected = [key for key in given if key not in own]
    missing = [key for key in own if key not in new]
    if unexpected or missing:
        words = [f"Unexpected key(s): {', '.join(unexpected)}."] if unexpected else []
        words += [f"Missing key(s): {', '.join(missing)}."] if missing else []
        raise RuntimeError("Error(s) in reparametrizing: " + " ".join(words))
