"""OpenMP's threads: veem has its own."""

enabled = False


def is_available():
    """False."""
    return False
