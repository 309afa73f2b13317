"""The part of torchvision that most programs use, on veem's tensors.

datasets, transforms, models and utils, with torchvision's names, arguments, results and
order of random numbers, so that one seed gives the same crops and flips. Images are
Pillow's. Nothing here downloads weights.
"""

from veem.compat.torchvision import datasets, models, transforms, utils

__version__ = "0.28.0"  # whose behaviour this follows
__all__ = ["datasets", "get_image_backend", "models", "set_image_backend", "transforms"]
__all__ += ["utils"]


def get_image_backend():
    """The package that reads images: always Pillow."""
    return "PIL"


def set_image_backend(backend):
    """Takes "PIL" alone; ValueError for others."""
    if backend != "PIL":
        raise ValueError(f"set_image_backend: images are read by PIL, not {backend!r}")
