"""Modules whose first values do not matter."""

from __future__ import annotations

import inspect
from typing import Any

import veem

from ..module import Module


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Any:
    """module_cls(*args, **kwargs), with parameters that are to be loaded or filled.

    Random numbers that the class draws do not count: the generator stays as it is.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    before = veem.get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        veem.set_rng_state(before)
