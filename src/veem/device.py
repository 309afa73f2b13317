"""Devices by name: device("cpu")."""

import functools

from veem import _core

# Two names for the device of Apple's GPUs: veem's own, and PyTorch's.
_shown = {"mps": "metal"}


def show_metal_as(name):
    """Which of "metal" and "mps" devices call themselves; both are understood."""
    _shown.clear()
    _shown.update({"mps": name, "metal": name})
    of_name.cache_clear()


class device:
    """Where a tensor lives: ``device("cpu")``, ``device("cuda", 0)``.

    Equal devices compare equal; a string serves wherever a device is asked for.
    """

    __slots__ = ("index", "type")

    def __init__(self, type, index=None):
        if isinstance(type, device):
            type, index = type.type, type.index
        name, _, number = str(type).partition(":")
        if number:
            if index is not None or not number.isdigit():
                raise RuntimeError(f"device: invalid device string: {type!r}")
            index = int(number)
        if name not in ("cpu", "cuda", "metal", "mps"):
            raise RuntimeError(
                f"device: expected one of cpu, cuda, metal, mps device type at start "
                f"of device string: {name}"
            )
        self.type, self.index = _shown.get(name, name), index

    def __enter__(self):
        """``with device("cpu"):``, as tensors are made there anyway."""
        if self.type != "cpu":
            raise NotImplementedError(
                f"with device({str(self)!r}): tensors are made on the CPU unless "
                "device= is given"
            )
        return self

    def __exit__(self, *_):
        pass

    def __repr__(self):
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        return isinstance(other, device) and str(self) == str(other)

    def __hash__(self):
        return hash(str(self))

    def __reduce__(self):
        return device, (str(self),)


@functools.lru_cache
def of_name(name):
    """The device object of one of the core's device names."""
    return device(name)


def name_of(where):
    """The core's name of a device, a string or None (the CPU); it must be there."""
    if where is None:
        return "cpu"
    where = where if isinstance(where, device) else device(where)
    kind = "metal" if where.type == "mps" else where.type
    name = f"{kind}:{where.index}" if where.index else kind  # "metal:0" is "metal"
    if name not in _core.devices():
        raise (AssertionError if kind == "cuda" else RuntimeError)(
            f"device: '{where}' is not available here; this build of veem has "
            f"{', '.join(_core.devices())} (see python -m veem doctor)"
        )
    return name
