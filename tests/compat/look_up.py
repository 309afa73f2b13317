"""Run with `python -m veem run`: prints what of names.py is not as it says, as JSON."""

import importlib
import json
import sys
import types

from names import PRESENT, REFUSED

from veem.compat.modules import resolve


def has(owner, name):
    """Is it an attribute? Of a class, its fields count: instances have them."""
    return hasattr(owner, name) or name in getattr(owner, "__annotations__", ())


wrong = []
for owner, names in PRESENT.items():
    try:
        home = resolve(owner)
    except (AttributeError, ImportError) as error:
        wrong.append(f"{owner}: {error}")
        continue
    if isinstance(home, types.ModuleType):
        assert importlib.import_module(owner) is home
    for name in names.split():
        if not has(home, name):
            wrong.append(f"{owner}.{name}")

for word, names in REFUSED.items():
    for name in names.split():
        value = resolve(name)
        try:
            value()
        except NotImplementedError as error:
            if word not in str(error) or name not in str(error):
                wrong.append(f"{name}: {error}")
        else:
            wrong.append(f"{name} is not refused")

json.dump(wrong, sys.stdout)
