"""The handwritten digits that come with scikit-learn: small, and always there."""

import importlib.util
from pathlib import Path

import numpy as np

from veem.datasets.images import LabelledImages
from veem.datasets.mnist import MNIST

SIDE = 8


class Digits(LabelledImages):
    """1,797 handwritten digits in 8 x 8 pixels (Alpaydin, Kaynak), from scikit-learn.

    Every fifth is a test image: 1,437 to train on and 360 to test with. The same
    interface as MNIST; needs scikit-learn, which the extra `examples` installs.
    """

    name = "Digits"
    mean, std = 0.3044, 0.3762

    def __init__(self, train=True, transform=None, target_transform=None):
        # Pixels from 0 to 16, then the label: read as they are, without the import of
        # all of scikit-learn.
        table = np.loadtxt(_bundled_file(), delimiter=",", dtype=np.uint8)
        test = np.arange(len(table)) % 5 == 0
        table = table[~test if train else test]
        images = (table[:, :-1].astype(np.uint16) * 255 // 16).astype(np.uint8)
        images = images.reshape(-1, SIDE, SIDE)
        super().__init__(images, table[:, -1], train, transform, target_transform)


def _bundled_file():
    found = importlib.util.find_spec("sklearn")
    if found is None:
        raise ImportError(
            "Digits: these images come with scikit-learn, which is not installed; pip "
            "install scikit-learn, or veem's extra: pip install veem[examples]"
        )
    return Path(found.origin or "").parent / "datasets" / "data" / "digits.csv.gz"


def handwriting(download=True):
    """A training and a test set: MNIST where it can be had, else Digits."""
    try:
        return tuple(MNIST(train=part, download=download) for part in (True, False))
    except RuntimeError:  # neither data nor network; a damaged file is a ValueError
        return Digits(train=True), Digits(train=False)
