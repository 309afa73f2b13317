"""torchvision.datasets: pairs of a PIL image and a number."""

from veem.compat.torchvision.datasets.fake import FakeData
from veem.compat.torchvision.datasets.folder import DatasetFolder, ImageFolder
from veem.compat.torchvision.datasets.published import (
    CIFAR10,
    CIFAR100,
    MNIST,
    FashionMNIST,
)
from veem.compat.torchvision.datasets.vision import VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "LSUN",
    "MNIST",
    "DatasetFolder",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "VisionDataset",
]


class LSUN(VisionDataset):
    """Refused: photographs of scenes, kept in LMDB databases."""

    def __init__(self, root, classes="train", transform=None, target_transform=None):
        raise NotImplementedError(
            "LSUN: its images are in LMDB databases, which are not read here; write "
            "them to folders with the package lmdb, and take ImageFolder"
        )


def __getattr__(name):
    raise AttributeError(
        f"torchvision.datasets.{name} is not here; there are {', '.join(__all__)}"
    )
