"""Writes the type stub of veem._core from what the module says about itself.

    python tools/stubs.py src/veem/_core.pyi

Run it (or `make stubs`) after a change of the bindings; tests/test_stubs.py compares.
"""

import pathlib
import re
import sys

from veem import _core

HEADER = '''"""veem's compiled core. Written by tools/stubs.py: run `make stubs`."""

import builtins
from typing import Any

import numpy

_dtype = dtype  # for use beside fields of that name

'''
# pybind11 spells these differently from version to version.
PLAIN = {
    r"(typing\.)?SupportsInt( \| (typing\.)?SupportsIndex)?": "int",
    r"(typing\.)?SupportsFloat( \| (typing\.)?SupportsIndex)?": "float",
    r"collections\.abc\.": "",
    r"\bveem\._core\.": "",
    r"\b[Oo]bject\b": "Any",
    r"\bbool\b": "builtins.bool",
}
# Of the native types' fields, which say only their names.
FIELDS = {
    "shape": "tuple[int, ...]",
    "dtype": "_dtype",
    "grad": "Any",
    "name": "str",
    "__name__": "str",
    "kind": "str",
}
FIELDS |= dict.fromkeys(("ndim", "itemsize", "output_nr", "_version"), "int")
FIELDS |= dict.fromkeys(
    ("requires_grad", "is_leaf", "is_floating_point", "is_signed", "is_complex"),
    "builtins.bool",
)
# Functions and most methods are attached to Tensor in Python.
OPEN = {
    "Tensor": "    def __getattr__(self, name: str) -> Any: ...\n",
    "Node": "    def __init__(self, *args: Any) -> None: ...\n",
}
# What every object has, or no type checker asks for.
SKIPPED = {
    *("__doc__", "__module__", "__new__", "__repr__", "__hash__", "__eq__", "__ne__"),
    *("__dict__", "__weakref__", "__reduce__", "__getattribute__", "__setattr__"),
    *("__delattr__", "__get__", "__format__", "_pybind11_conduit_v1_"),
}


def plain(signature):
    for pattern, name in PLAIN.items():
        signature = re.sub(pattern, name, signature)
    return signature


def function(name, f, indent="", self=False):
    """`def` lines for a function, from the signatures in its docstring."""
    found = re.findall(rf"^(?:\d+\. )?{name}(\(.*\) -> .*)$", f.__doc__ or "", re.M)
    if not found:
        found = ["(self, *args: Any) -> Any" if self else "(*args: Any) -> Any"]
    found = [re.sub(r"^\(self: [\w.]+", "(self", s) for s in found][:1]
    return "".join(f"{indent}def {name}{plain(s)}: ...\n" for s in found)


def native_type(name, cls):
    """A class with its fields and methods."""
    lines = [f"class {name}:\n"]
    for key in sorted(vars(cls).keys() - SKIPPED):
        value = vars(cls)[key]
        if type(value).__name__ in (
            "getset_descriptor",
            "member_descriptor",
            "property",
        ):
            lines.append(f"    {key}: {FIELDS.get(key, 'Any')}\n")
        elif isinstance(value, staticmethod):
            lines.append("    @staticmethod\n" + function(key, value, "    "))
        elif callable(value):
            lines.append(function(key, value, "    ", self=True))
    lines.append(OPEN.get(name, ""))
    return "".join(lines) if len(lines) > 2 else f"class {name}: ...\n"


def stub():
    """The whole text, in the order of names."""
    members = {
        n: o for n, o in vars(_core).items() if n[:2] != "__" or n == "__version__"
    }
    kinds = {"types": [], "values": [], "functions": []}
    for name, value in sorted(members.items()):
        if isinstance(value, type):
            kinds["types"].append(native_type(name, value))
        elif callable(value):
            kinds["functions"].append(function(name, value))
        elif name not in ("ops", "metal"):  # metal is there in some builds only
            kinds["values"].append(f"{name}: {type(value).__name__}\n")
    ops = "".join(f"    {name}: Op\n" for name in sorted(vars(_core.ops)))
    kinds["types"].append(
        f"class _Ops:\n{ops}    def __getattr__(self, name: str) -> Op: ...\n"
    )
    kinds["values"].append("ops: _Ops\n")
    return HEADER + "\n".join(
        "\n".join(text) if kind == "types" else "".join(text)
        for kind, text in kinds.items()
    )


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(stub())
