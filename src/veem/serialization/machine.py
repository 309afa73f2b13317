"""A pickle machine that runs no code of a file's.

A pickle is a program for a small machine with a stack. This one knows the steps that
build numbers, strings, containers and tensors. Functions are called, and objects made,
only where `safe` allows their names. Containers grow with the file's length, and what
a step claims to be long is read before it takes memory.
"""

import collections
import pickle
import pickletools

from . import arrays, safe
from .rebuild import FUNCTIONS, check_key
from .words import brief

_DICTS = (dict, collections.OrderedDict, collections.Counter)
_SIZED = (str, bytes, bytearray, tuple, list, set, frozenset, dict)
_ROOM = 1 << 16  # elements that calls may copy besides four times the file's length


class Machine:
    """Machine(file, persistent_load).load() is what a pickle in a binary file makes.

    Raises pickle.UnpicklingError for what is not allowed, and any exception for what
    is damaged.
    """

    def __init__(self, file, persistent_load=None):
        self.file, self.persistent_load = file, persistent_load
        self.added = safe.added()
        self.room = _ROOM + 4 * _length(file)
        self.stack, self.outer, self.memo = [], [], {}

    def load(self):
        for op, argument, _ in pickletools.genops(self.file):
            step = _STEPS.get(op.name)
            if step is None:
                raise pickle.UnpicklingError(
                    f"the step {op.name} is not allowed in files of weights"
                )
            step(self, argument)
        (result,) = self.stack
        return result

    def push(self, value):
        self.stack.append(value)

    def pop(self):
        return self.stack.pop()

    def mark(self, _):
        self.outer.append(self.stack)
        self.stack = []

    def pop_mark(self, _=None):
        items, self.stack = self.stack, self.outer.pop()
        return items

    # ---- containers ------------------------------------------------------------------

    def top(self, *kinds):
        if type(self.stack[-1]) not in kinds:
            raise pickle.UnpicklingError(
                f"a {type(self.stack[-1]).__name__} cannot be filled like a "
                f"{kinds[0].__name__}"
            )
        return self.stack[-1]

    def extend(self, items):
        self.top(list).extend(items)

    def update(self, items):
        into = self.top(*_DICTS)
        for key, value in zip(items[::2], items[1::2], strict=True):
            check_key(key)
            into[key] = value

    def add(self, items):
        into = self.top(set)
        for key in items:
            check_key(key)
            into.add(key)

    def tuple_of(self, count):
        items = tuple(self.stack[-count:])
        if len(items) != count:
            raise IndexError("the stack is too short for a tuple")
        self.stack[-count:] = [items]

    # ---- names and calls -------------------------------------------------------------

    def find(self, module, name):
        full = safe.full_name(module, name)
        if full in safe.ALLOWED:
            return self.push(safe.ALLOWED[full])
        if full in self.added and not safe.is_blocked(full):
            return self.push(self.added[full])
        safe.check_known(full)
        raise pickle.UnpicklingError(
            f"the file asks for {full:.200}, which weights_only=True does not allow. "
            "If you trust it, allow it with veem.serialization.add_safe_globals, or "
            "load with weights_only=False: the file can then run any code"
        )

    def is_added(self, thing):
        return any(thing is other for other in self.added.values())

    def spend(self, *copied):
        """Counts what a call copies: a few bytes could ask for that many times."""
        self.room -= sum(len(part) for part in copied if isinstance(part, _SIZED))
        if self.room < 0:
            raise pickle.UnpicklingError(
                "the pickle copies its parts more often than honest ones do"
            )

    def call(self, _):
        arguments, function = self.pop(), self.pop()
        known = any(function is other for other in FUNCTIONS.values())
        if not (known or self.is_added(function)):
            raise pickle.UnpicklingError(f"a call of {brief(function)}")
        self.spend(*arguments)
        self.push(function(*arguments))

    def new(self, arguments, named):
        cls = self.pop()
        if not (isinstance(cls, type) and self.is_added(cls)):
            raise pickle.UnpicklingError(f"a new object of {brief(cls)}")
        self.push(cls.__new__(cls, *arguments, **named))

    def new_ex(self, _):
        named = self.pop()
        self.new(self.pop(), named)

    def build(self, _):
        """Gives an object its attributes."""
        state, thing = self.pop(), self.stack[-1]
        self.spend(state, *(state if isinstance(state, tuple) else ()))
        if fill := arrays.filler(thing):
            self.spend(*(state if isinstance(state, tuple) else ()))
            return fill(thing, state)
        slots = {}
        if self.is_added(type(thing)):
            if hasattr(thing, "__setstate__"):
                return thing.__setstate__(state)
            if isinstance(state, tuple) and len(state) == 2:
                state, slots = state
        elif type(thing) is not collections.OrderedDict:
            raise pickle.UnpicklingError(f"attributes for a {type(thing).__name__}")
        thing.__dict__.update(state or {})
        for name, value in (slots or {}).items():
            setattr(thing, name, value)

    def storage(self, _):
        if self.persistent_load is None:
            raise pickle.UnpicklingError("a storage where none can be")
        self.push(self.persistent_load(self.pop()))

    def global_(self, name):
        self.find(*name.split(" ", 1))

    def stack_global(self, _):
        name, module = self.pop(), self.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise pickle.UnpicklingError("a name that is no string")
        self.find(module, name)

    # ---- the memo --------------------------------------------------------------------

    def put(self, i):
        self.memo[i] = self.stack[-1]

    def get(self, i):
        self.push(self.memo[i])


def _length(file):
    here = file.tell()
    end = file.seek(0, 2)
    file.seek(here)
    return end - here


def _each(names, step):
    return dict.fromkeys(names.split(), step)


_STEPS = {
    **_each("PROTO FRAME", lambda m, _: None),
    **_each("BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT", Machine.push),
    **_each("BINUNICODE SHORT_BINUNICODE BINUNICODE8", Machine.push),
    **_each("BINSTRING SHORT_BINSTRING", Machine.push),
    **_each("BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8", Machine.push),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_SET": lambda m, _: m.push(set()),
    "MARK": Machine.mark,
    "POP": lambda m, _: m.pop(),
    "POP_MARK": Machine.pop_mark,
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "TUPLE": lambda m, _: m.push(tuple(m.pop_mark())),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "APPEND": lambda m, _: m.extend([m.pop()]),
    "APPENDS": lambda m, _: m.extend(m.pop_mark()),
    "SETITEM": lambda m, _: m.update([m.pop(), m.pop()][::-1]),
    "SETITEMS": lambda m, _: m.update(m.pop_mark()),
    "ADDITEMS": lambda m, _: m.add(m.pop_mark()),
    "FROZENSET": lambda m, _: m.push(FUNCTIONS["builtins.frozenset"](m.pop_mark())),
    "GLOBAL": Machine.global_,
    "STACK_GLOBAL": Machine.stack_global,
    "REDUCE": Machine.call,
    "NEWOBJ": lambda m, _: m.new(m.pop(), {}),
    "NEWOBJ_EX": Machine.new_ex,
    "BUILD": Machine.build,
    "BINPERSID": Machine.storage,
    "STOP": lambda m, _: None,
    **_each("BINPUT LONG_BINPUT", Machine.put),
    **_each("BINGET LONG_BINGET", Machine.get),
    "MEMOIZE": lambda m, _: m.put(len(m.memo)),
}


def globals_of(file):
    """The full names that a pickle asks for."""
    names, strings = set(), []
    for op, argument, _ in pickletools.genops(file):
        if op.name == "GLOBAL":
            names.add(safe.full_name(*argument.split(" ", 1)))
        elif op.name == "STACK_GLOBAL" and len(strings) > 1:
            names.add(safe.full_name(*strings[-2:]))
        if isinstance(argument, str):
            strings.append(argument)
    return names
