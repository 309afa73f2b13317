"""torch.accelerator: the GPU that this machine has, if any.

The simulator of Metal is none: it is there for tests, and slow. It is named "mps".
"""

import veem
from veem import _core, metal
from veem.compat.torch import mps


def is_available():
    """Is there a GPU?"""
    return mps.is_available()


def device_count():
    """How many GPUs there are."""
    return int(is_available())


def current_accelerator(check_available=False):
    """The GPU's device, or None."""
    return veem.device("mps") if is_available() else None


def _need(*_, **__):
    if not is_available():
        raise RuntimeError("Cannot access accelerator device when none is available.")


def current_device_index():
    """0, the only GPU."""
    _need()
    return 0


def set_device_index(device):
    """Chooses among one."""
    _need()


set_device_idx, current_device_idx = set_device_index, current_device_index


def synchronize(device=None):
    """Waits until the GPU is done."""
    _need()
    metal.synchronize()


def empty_cache():
    """Nothing: freed memory is kept by size and used again."""


def memory_allocated(device=None):
    """Bytes of live tensors on the GPU."""
    return _core.memory_stats("metal")["live"] if is_available() else 0


class device_index:
    """A context manager that chooses among no or one GPU."""

    def __init__(self, device):
        self.idx = device

    def __enter__(self):
        if self.idx is not None:
            _need()

    def __exit__(self, *_):
        pass
