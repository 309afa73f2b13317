"""Intel's kernels: veem has its own."""

enabled = False


def is_available():
    """False."""
    return False
