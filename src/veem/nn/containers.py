"""Modules that hold modules: in a row, in a list, in a dict."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeVar

from .fusion import activation_of
from .linear import linear
from .module import Module, _block

Self = TypeVar("Self", bound="_Row")


class _Row(Module):
    """What Sequential and ModuleList share: children named "0", "1", ... in order."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def _key(self, index: int) -> str:
        index, size = operator.index(index), len(self)
        if not -size <= index < size:
            raise IndexError(f"index {index} is out of range")
        return list(self._modules)[index]

    def _set_all(self, modules: Iterable[Module]) -> None:
        """Replaces the children, which are numbered anew."""
        modules = list(modules)
        for module in modules:
            if not (module is None or isinstance(module, Module)):
                self.add_module("0", module)  # raises for what is no module
        self._modules.clear()
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            names = list(self._modules)[index]
            return self._slice(OrderedDict((n, self._modules[n]) for n in names))
        return self._modules[self._key(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: int | slice) -> None:
        keep = list(self)
        if isinstance(index, int):
            self._key(index)  # raises out of range
        del keep[index]
        self._set_all(keep)

    def append(self: Self, module: Module) -> Self:
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        modules = list(self)
        modules.insert(index, module)
        self._set_all(modules)

    def extend(self: Self, modules: Iterable[Module]) -> Self:
        for module in list(modules):  # a list, for `row.extend(row)`
            self.append(module)
        return self

    def pop(self, index: int | slice = -1) -> Any:
        module = self[index]
        del self[index]
        return module

    def __iadd__(self: Self, other: Iterable[Module]) -> Self:
        return self.extend(other)


class Sequential(_Row):
    """Modules applied one after the other: Sequential(a, b)(x) is b(a(x)).

    Takes modules, or one OrderedDict of names and modules. Indexing gives a module,
    slicing a Sequential that shares its modules. A Linear and the activation after it
    run as one kernel where no hook looks on (see fusion.py).
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self.extend(args)

    def forward(self, input: Any) -> Any:
        layers = list(self._modules.values())[::-1]
        while layers:
            layer = layers.pop()
            activation = activation_of(layer, layers[-1]) if layers else None
            if activation is None:
                input = layer(input)
            else:
                layers.pop()
                input = linear(input, layer.weight, layer.bias, activation=activation)
        return input

    def _slice(self, modules: OrderedDict) -> Sequential:
        return type(self)(modules)

    def insert(self, index: int, module: Module) -> Sequential:
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        super().insert(index, module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, "
                f"but {type(other)} is given."
            )
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*self._repeated(times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        self._set_all(self._repeated(times))
        return self

    def _repeated(self, times: int) -> list[Module]:
        if not isinstance(times, int):
            raise TypeError(
                f"unsupported operand type(s) for *: {type(self)} and {type(times)}"
            )
        if times <= 0:
            raise ValueError(
                f"Non-positive multiplication factor {times} for {type(self)}"
            )
        return list(self) * times


class ModuleList(_Row):
    """A list of modules, all of whose parameters belong to the module that holds it."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _slice(self, modules: OrderedDict) -> ModuleList:
        return type(self)(modules.values())

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleList.extend should be called with an iterable, "
                f"but got {type(modules).__name__}"
            )
        return super().extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        """Equal neighbours are printed once: "(0-2): 3 x Linear(...)"."""
        lines, first = [], 0
        for text, group in groupby(map(repr, self)):
            count = len(list(group))
            last = first + count - 1
            many = f"({first}-{last}): {count} x {text}"
            lines.append(many if count > 1 else f"({first}): {text}")
            first = last + 1
        body = _block("\n".join(lines)) if lines else ""
        return f"{self._get_name()}({body})"


class _Dict:
    """The dict methods that ModuleDict and ParameterDict share."""

    def __iter__(self: Any) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self: Any) -> int:
        return len(self.keys())

    def __contains__(self: Any, key: str) -> bool:
        return key in self.keys()

    def items(self: Any) -> Iterable[tuple[str, Any]]:
        return [(key, self[key]) for key in self]

    def values(self: Any) -> Iterable[Any]:
        return [self[key] for key in self]

    def pop(self: Any, key: str) -> Any:
        value = self[key]
        del self[key]
        return value

    def clear(self: Any) -> None:
        for key in list(self):
            del self[key]

    def update(self: Any, items: Any) -> None:
        """Adds the items of a mapping, or (key, value) pairs."""
        if not isinstance(items, Iterable):
            raise TypeError(
                f"{type(self).__name__}.update should be called with an iterable of "
                f"key/value pairs, but got {type(items).__name__}"
            )
        pairs = items.items() if hasattr(items, "items") else items
        for i, pair in enumerate(pairs):
            key, value = self._pair(i, pair)
            self[key] = value

    def _pair(self: Any, i: int, pair: Any) -> tuple[str, Any]:
        element = f"{type(self).__name__} update sequence element #{i}"
        if not isinstance(pair, Iterable):
            raise TypeError(f"{element} should be Iterable; is {type(pair).__name__}")
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(f"{element} has length {len(pair)}; 2 is required")
        return pair


class ModuleDict(_Dict, Module):
    """A dict of modules, in the order of insertion."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def keys(self) -> Iterable[str]:
        return self._modules.keys()

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]
