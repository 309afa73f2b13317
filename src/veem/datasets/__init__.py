"""Handwritten digits: MNIST, and the small set that scikit-learn carries."""

from veem.datasets.digits import Digits, handwriting
from veem.datasets.mnist import MNIST

__all__ = ["MNIST", "Digits", "handwriting"]
