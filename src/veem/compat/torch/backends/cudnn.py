"""Flags of a library for NVIDIA's GPUs, which is not there."""

import contextlib

enabled, benchmark, deterministic, allow_tf32 = True, False, False, True
benchmark_limit = 10


def is_available():
    """False."""
    return False


def version():
    """None: it is not there."""
    return None


@contextlib.contextmanager
def flags(enabled=False, benchmark=False, deterministic=False, allow_tf32=True, **_):
    """A context manager that changes nothing."""
    yield
