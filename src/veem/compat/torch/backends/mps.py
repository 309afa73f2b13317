"""Apple's GPU."""

from veem.compat.torch.mps import is_available


def is_built():
    """Is veem built for Apple's GPUs?"""
    return is_available()
