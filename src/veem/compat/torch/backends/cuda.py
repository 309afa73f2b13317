"""Flags for NVIDIA's GPUs, of which there is none."""

import contextlib


class matmul:
    """How exact products may be, there."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


def is_built():
    """False."""
    return False


def _kernel(name, on=True):
    """A flag for one of the kernels for attention, with its question."""
    state = [on]
    globals()[f"enable_{name}_sdp"] = lambda enabled: state.__setitem__(0, enabled)
    globals()[f"{name}_sdp_enabled"] = lambda: state[0]


for _name in ("flash", "mem_efficient", "math", "cudnn"):
    _kernel(_name)


@contextlib.contextmanager
def sdp_kernel(enable_flash=True, enable_math=True, enable_mem_efficient=True, **_):
    """A context manager that changes nothing: veem has one kernel for attention."""
    yield
