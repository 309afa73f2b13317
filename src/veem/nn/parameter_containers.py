"""Modules that hold parameters: in a list, in a dict."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import veem

from .containers import _Dict
from .module import Module
from .parameter import Parameter


class ParameterList(Module):
    """A list of parameters; a tensor that is put in becomes a Parameter.

    Other values are kept as they are and are not saved.
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def _key(self, index: int) -> str:
        index, size = operator.index(index), len(self)
        if not -size <= index < size:
            raise IndexError(f"index {index} is out of range")
        return str(index % size)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(self[i] for i in range(len(self))[index])
        return getattr(self, self._key(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._key(index), _as_parameter(value))

    def append(self, value: Any) -> ParameterList:
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        if not isinstance(values, Iterable) or isinstance(values, veem.Tensor):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, "
                f"but got {type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    __iadd__ = extend

    def extra_repr(self) -> str:
        return _lines(enumerate(self), lambda x: x.dtype)


class ParameterDict(_Dict, Module):
    """A dict of parameters; a tensor that is put in becomes a Parameter."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def keys(self) -> Iterable[str]:
        return self._keys.keys()

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def update(self, items: Any) -> None:
        """Adds the items of a mapping, or (key, value) pairs; those of a plain dict in
        the order of their keys."""
        if isinstance(items, Mapping) and not isinstance(items, OrderedDict):
            items = sorted(items.items())
        super().update(items)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self.keys()))

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def popitem(self) -> tuple[str, Any]:
        """The last key and its value, which are taken out."""
        key = next(reversed(self))
        return key, self.pop(key)

    def copy(self) -> ParameterDict:
        """Another dict of the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict with one value under all keys."""
        return ParameterDict((key, default) for key in keys)

    def __or__(self, other: ParameterDict) -> ParameterDict:
        copy = self.copy()
        copy.update(other)
        return copy

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        copy = other.copy()
        copy.update(self)
        return copy

    def __ior__(self, other: ParameterDict) -> ParameterDict:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        return _lines(self.items(), lambda x: x.type())


def _as_parameter(value: Any) -> Any:
    is_plain_tensor = isinstance(value, veem.Tensor) and not isinstance(
        value, Parameter
    )
    return Parameter(value) if is_plain_tensor else value


def _lines(items: Iterable[tuple[Any, Any]], element: Callable[[Any], Any]) -> str:
    """Names and values, a value a line; element says what a tensor is of."""
    lines = []
    for name, value in items:
        what = f"Object of type: {type(value).__name__}"
        if isinstance(value, veem.Tensor):
            size = "x".join(map(str, value.shape))
            kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
            what = f"{kind} containing: [{element(value)} of size {size}]"
        lines.append(f"  ({name}): {what}")
    return "\n".join(lines)
