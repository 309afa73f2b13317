"""NumPy's arrays and numbers in files: of plain numbers only, which run no code.

A pickle of an array makes an empty one, then gives it (version, shape, dtype, whether
columns are first, bytes); that of a dtype makes it by name, then gives it a byte order.
"""

import math
import re
from collections.abc import Callable

import numpy as np

from .words import need

# What follows the order in the state of a plain dtype.
_PLAIN = (None, None, None, -1, -1, 0)


def dtype(name, align=False, copy=False):
    """The dtype of a name, as an object of its own."""
    plain = isinstance(name, str) and re.fullmatch(r"b1|[iu][1248]|f[248]|c8|c16", name)
    need(plain, "no dtype of plain numbers:", name)
    return np.dtype(name, copy=True)


def array(cls, shape, code):
    """An array that is to be filled."""
    made = cls is np.ndarray and shape == (0,) and code == b"b"
    need(made, "no empty array:", cls, shape, code)
    return np.empty(0, np.int8)


def number(kind, data):
    """A NumPy number."""
    need(isinstance(kind, np.dtype) and isinstance(data, bytes), "no number:", kind)
    need(len(data) == kind.itemsize, "no number of its size:", kind, data)
    return np.frombuffer(data, kind)[0]


def set_order(kind, state):
    need(isinstance(state, tuple) and len(state) == 8, "no dtype:", state)
    need(state[1] in ("<", ">", "|", "=") and state[2:] == _PLAIN, "no dtype:", state)
    kind.__setstate__(state)


def fill(empty, state):
    need(isinstance(state, tuple) and len(state) == 5, "no array:", state)
    _, shape, kind, columns_first, data = state
    need(isinstance(kind, np.dtype) and isinstance(data, bytes), "no array:", kind)
    whole = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
    need(whole and len(shape) <= 64, "no shape of an array:", shape)
    need(type(columns_first) is bool, "no order of elements:", columns_first)
    wanted = math.prod(shape) * kind.itemsize
    need(wanted == len(data), "an array of other bytes than its shape's:", shape, kind)
    empty.__setstate__(state)


FUNCTIONS: dict[str, Callable] = {"numpy.dtype": dtype}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    FUNCTIONS[f"{_module}._reconstruct"] = array
    FUNCTIONS[f"{_module}.scalar"] = number
VALUES = {"numpy.ndarray": np.ndarray}


def filler(thing):
    """What gives `thing` its state, where it is an array or a dtype."""
    if isinstance(thing, np.dtype):
        return set_order
    return fill if type(thing) is np.ndarray else None
