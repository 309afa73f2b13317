"""The names that a file may ask for while weights_only=True holds.

Beyond those of `rebuild`, which make tensors and containers, a program can allow
classes and functions of its own.
"""

import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

from .rebuild import ALLOWED

_BLOCKED = ("sys", "os", "posix", "nt")  # modules from which nothing is ever safe
_added: set = set()


def add_safe_globals(safe_globals):
    """Allows classes and functions, or (function, its full name in files) pairs, in
    files that are loaded with weights_only=True. Their code runs then."""
    _added.update(safe_globals)


def get_safe_globals():
    """What has been added, as a list."""
    return list(_added)


def clear_safe_globals():
    """Allows nothing any more but what makes tensors and containers."""
    _added.clear()


class safe_globals:
    """Within it, these are allowed besides: with safe_globals([MyClass]): load(...)."""

    def __init__(self, safe_globals):
        self.safe_globals = safe_globals

    def __enter__(self):
        add_safe_globals(self.safe_globals)

    def __exit__(self, *error):
        _added.difference_update(self.safe_globals)


def added():
    """The added ones by their full names."""
    named = {}
    for item in _added:
        if not isinstance(item, tuple):
            named[f"{item.__module__}.{item.__qualname__}"] = item
            continue
        if len(item) != 2:
            raise ValueError(
                f"safe_globals: expected (global, full name), got {len(item)} items"
            )
        if not isinstance(item[1], str):
            raise TypeError(f"safe_globals: the full name is a string, got {item[1]!r}")
        named[item[1]] = item[0]
    return named


def full_name(module, name):
    """The name that a pickle of any protocol means, as Python 3 has it."""
    module, name = NAME_MAPPING.get((module, name), (module, name))
    return f"{IMPORT_MAPPING.get(module, module)}.{name}"


def check_known(name):
    """Raises where only PyTorch could know a name: no permission helps then."""
    if name.startswith("torch.") and name not in ALLOWED:
        raise pickle.UnpicklingError(
            f"the file holds {name:.200} of PyTorch's, which veem has not; of a model, "
            "save model.state_dict() there"
        )


def is_blocked(name):
    return name.partition(".")[0] in _BLOCKED
