"""MNIST and the like with torchvision's signatures, attributes and items.

veem.datasets finds, checks and downloads them.
"""

from typing import Any, ClassVar

from veem import datasets
from veem.compat.torchvision.datasets.vision import VisionDataset
from veem.compat.torchvision.pillow import Image

__all__ = ["CIFAR10", "CIFAR100", "MNIST", "FashionMNIST"]


class _Published(VisionDataset):
    """Images and labels of one of veem.datasets, whose class is `source`."""

    source: ClassVar[Any] = None
    classes: ClassVar[list[str]] = []

    def __init__(
        self,
        root,
        train=True,
        transform=None,
        target_transform=None,
        download=False,
    ):
        super().__init__(root, None, transform, target_transform)
        self.train = train
        self._take(self.source(root, train=train, download=download))

    @property
    def class_to_idx(self):
        return {name: i for i, name in enumerate(self.classes)}

    def __getitem__(self, index):
        image = Image.fromarray(self._pixels(index))
        return self.transformed(image, int(self.targets[index]))

    def __len__(self):
        return len(self.data)

    def extra_repr(self):
        return f"Split: {'Train' if self.train else 'Test'}"


class MNIST(_Published):
    """70,000 handwritten digits: .data (N, 28, 28) in uint8, .targets in int64."""

    source: ClassVar[Any] = datasets.MNIST
    _words = "zero one two three four five six seven eight nine"
    classes: ClassVar[list[str]] = [
        f"{i} - {word}" for i, word in enumerate(_words.split())
    ]

    def _take(self, found):
        self.data, self.targets = found.data, found.targets

    # Their former names, whichever part it is.
    train_data = test_data = property(lambda self: self.data)
    train_labels = test_labels = property(lambda self: self.targets)

    def _pixels(self, index):
        return self.data[index].numpy()


class FashionMNIST(MNIST):
    """70,000 pictures of clothes, in MNIST's form."""

    source = datasets.FashionMNIST
    classes: ClassVar[list[str]] = list(datasets.FashionMNIST.classes)


class CIFAR10(_Published):
    """60,000 small photographs: .data (N, 32, 32, 3) an array, .targets a list."""

    source = datasets.CIFAR10
    classes: ClassVar[list[str]] = list(datasets.CIFAR10.classes)

    def _take(self, found):
        images = found.data.permute(0, 2, 3, 1).contiguous()
        self.data, self.targets = images.numpy(), found.targets.tolist()

    def _pixels(self, index):
        return self.data[index]


class CIFAR100(CIFAR10):
    """CIFAR10's form, with a hundred classes."""

    source = datasets.CIFAR100
    classes: ClassVar[list[str]] = list(datasets.CIFAR100.classes)
