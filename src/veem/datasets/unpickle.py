"""Reading pickles of plain data, without unpickling: no code of theirs can run.

A small machine for the instructions that pickles of numbers, texts, lists, dicts and
NumPy arrays consist of. What a pickle wants to import or call is noted, not done.
"""

import dataclasses
import pickletools
import typing

import numpy as np

MOST_STEPS = 500_000  # CIFAR's longest takes about 200,000; one holds < 200 bytes


@dataclasses.dataclass
class Call:
    """function(*arguments) with a state, as the pickle wants it."""

    function: str
    arguments: typing.Any
    state: typing.Any = None


def read_pickle(data, path):
    """The object in a pickle: dicts, lists, tuples, numbers, strings, Calls.

    Strings of Python 2 become str, byte for byte. ValueError naming the file where the
    pickle is damaged, or asks for more than plain data.
    """
    try:
        return _run(data)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path}: damaged, or no pickle of plain data: {error!r:.200}"
        ) from None


def _run(data):
    stack: list = []
    marks: list = []
    memo: dict = {}

    def since_mark():
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    def put(items):
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, (str, bytes)):  # others can take for ever to hash
                raise TypeError(f"a key of type {type(key).__name__}")
            stack[-1][key] = value

    for step, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        name = opcode.name
        if step == MOST_STEPS:
            raise ValueError(f"more than {MOST_STEPS} steps")
        if name in VALUES:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memo[argument])
        elif name == "MARK":
            marks.append(len(stack))
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "TUPLE":
            stack.append(tuple(since_mark()))
        elif name in SIZES:
            stack[-SIZES[name] :] = [tuple(stack[-SIZES[name] :])]
        elif name == "APPEND":
            item = stack.pop()
            stack[-1].append(item)
        elif name == "APPENDS":
            items = since_mark()
            stack[-1].extend(items)
        elif name == "SETITEM":
            items = [stack.pop(-2), stack.pop()]
            put(items)
        elif name == "SETITEMS":
            items = since_mark()
            put(items)
        elif name == "GLOBAL":
            stack.append(argument.replace(" ", "."))
        elif name == "STACK_GLOBAL":
            stack[-2:] = [".".join(_short(part) for part in stack[-2:])]
        elif name == "REDUCE":
            stack[-2:] = [Call(stack[-2], stack[-1])]
        elif name == "BUILD":
            state = stack.pop()
            stack[-1].state = state
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise ValueError(f"the instruction {name}")
    (result,) = stack
    return result


def _short(name):
    """A name as names are: joined to itself again and again, it could fill memory."""
    if not isinstance(name, str) or len(name) > 100:
        raise ValueError("a name that is none")
    return name


VALUES = set(
    "INT BININT BININT1 BININT2 LONG1 BINFLOAT BINSTRING SHORT_BINSTRING BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8".split()
)
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def byte_matrix(call, path):
    """The uint8 array (rows, columns) that a Call of NumPy's stands for, read-only."""
    try:
        _, (rows, columns), dtype, by_columns, body = call.state
        (kind, *_) = dtype.arguments
        if isinstance(body, Call):  # how Python 3 writes bytes in Python 2's protocol
            (body, *_) = body.arguments
        body = body.encode("latin-1") if isinstance(body, str) else body
        plain = kind in ("u1", "|u1") and type(rows) is type(columns) is int
        if not plain or rows * columns != len(body) or rows < 0:
            raise ValueError
        array = np.frombuffer(body, np.uint8) if body else np.empty(0, np.uint8)
        return array.reshape((rows, columns), order="F" if by_columns else "C")
    except (LookupError, TypeError, AttributeError, ValueError):
        raise ValueError(
            f"{path}: expected a matrix of bytes, and as many bytes as its shape says"
        ) from None
