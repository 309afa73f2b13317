"""Images and texts to learn from, found on disk or downloaded."""

from veem.datasets.cifar import CIFAR10, CIFAR100
from veem.datasets.digits import Digits, handwriting
from veem.datasets.mnist import MNIST, FashionMNIST
from veem.datasets.text import Alphabet, Lines, Names, TinyShakespeare, Windows

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "MNIST",
    "Alphabet",
    "Digits",
    "FashionMNIST",
    "Lines",
    "Names",
    "TinyShakespeare",
    "Windows",
    "handwriting",
]
