"""torch.nn.attention: which kernel computes attention. veem has one."""

import contextlib
import enum


class SDPBackend(enum.Enum):
    """PyTorch's kernels."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority=False):
    """A context manager that changes nothing: all kernels give one result."""
    yield
