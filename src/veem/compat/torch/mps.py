"""torch.mps: Apple's GPU."""

import veem
from veem import _core, metal


def is_available():
    """Is there an Apple GPU? Not its simulator: that is a device, but a slow one."""
    return "metal" in _core.devices() and not metal.is_simulated()


def device_count():
    """1 with an Apple GPU."""
    return int(is_available())


def _need(what):
    if not is_available():
        raise RuntimeError(f"Cannot execute {what}() without MPS backend.")


def manual_seed(seed):
    """Starts the GPU's stream of random numbers."""
    if is_available():
        veem.random.stream_of("metal").manual_seed(int(seed))


def seed():
    """Starts the GPU's stream at a place that nobody can foretell."""
    if is_available():
        veem.random.stream_of("metal").seed()


def synchronize():
    """Waits until the GPU is done."""
    _need("deviceSynchronize")
    metal.synchronize()


def empty_cache():
    """Nothing: freed memory is kept by size and used again."""
    _need("emptyCache")


def current_allocated_memory():
    """Bytes of live tensors on the GPU."""
    _need("getCurrentAllocatedMemory")
    return _core.memory_stats("metal")["live"]
