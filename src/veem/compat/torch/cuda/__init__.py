"""torch.cuda as in a PyTorch without CUDA: it says so, and counts no device."""

from veem.compat.legacy import tensor_types

_TEXT = "Torch not compiled with CUDA enabled: this is veem, which has no CUDA backend"

globals().update(tensor_types("cuda"))


class OutOfMemoryError(RuntimeError):
    """Never raised here."""


class CudaError(RuntimeError):
    """Never raised here."""


def _answers(value, *names):
    def answer(*args, **kwargs):
        return value

    for name in names:
        globals()[name] = answer


def _raises(error, *names):
    def refuse(*args, **kwargs):
        raise error(_TEXT)

    for name in names:
        globals()[name] = refuse


_answers(False, "is_available", "is_bf16_supported", "is_initialized")
_answers(
    0,
    "device_count",
    "memory_allocated",
    "max_memory_allocated",
    "memory_reserved",
    "max_memory_reserved",
    "memory_cached",
)
_answers(
    None,
    "manual_seed",
    "manual_seed_all",
    "seed",
    "seed_all",
    "empty_cache",
    "reset_peak_memory_stats",
    "reset_max_memory_allocated",
)
_raises(
    AssertionError,
    "init",
    "synchronize",
    "set_device",
    "current_device",
    "get_device_name",
    "get_device_properties",
    "get_device_capability",
    "current_stream",
    "default_stream",
    "initial_seed",
    "ipc_collect",
    "mem_get_info",
    "get_rng_state",
    "set_rng_state",
    "memory_summary",
    "memory_stats",
)
_raises(RuntimeError, "Stream", "Event", "CUDAGraph", "graph")


def get_arch_list():
    """No architectures."""
    return []


def get_rng_state_all():
    """The states of no devices."""
    return []


def set_rng_state_all(new_states):
    """The states of no devices."""
    if new_states:
        raise AssertionError(_TEXT)


class device:
    """A context manager that chooses among no devices."""

    def __init__(self, device):
        self.idx = -1

    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass
