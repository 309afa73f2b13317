"""MNIST: 70,000 handwritten digits, 28 x 28 pixels each (LeCun, Cortes, Burges)."""

import os
from pathlib import Path

from veem import creation
from veem.datasets.download import download
from veem.datasets.idx import read_idx
from veem.utils.data import Dataset

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
FILES = {  # what was published: bytes and SHA-256
    "train-images-idx3-ubyte.gz": (
        9912422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    "train-labels-idx1-ubyte.gz": (
        28881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    "t10k-images-idx3-ubyte.gz": (
        1648877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        4542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
}
SIDE = 28
MOST = {True: 60000, False: 10000}  # images in the published training and test files


class LabelledImages(Dataset):
    """Images (N, H, W) in uint8 with a label each: what all sets here share."""

    name = "images"
    classes = tuple("0123456789")
    mean, std = 0.0, 1.0  # of the training pixels, scaled to [0, 1]

    def __init__(self, images, labels, train, transform, target_transform):
        self.data = creation.from_numpy(images)
        self.targets = creation.from_numpy(labels.astype("int64"))
        self.train = train
        self.transform, self.target_transform = transform, target_transform

    def __getitem__(self, index):
        """An image (H, W) in uint8 and its label, each through its transform."""
        image, label = self.data[index], self.targets[index].item()
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            label = self.target_transform(label)
        return image, label

    def __len__(self):
        return len(self.targets)

    def __repr__(self):
        part = "training" if self.train else "test"
        height, width = self.data.shape[1:]
        return f"{self.name}: {len(self)} {part} images of {height} x {width}"

    def tensors(self):
        """All images, normalised, as float32 (N, 1, H, W), and the labels as int64.

        Over the training pixels the mean is 0 and the standard deviation 1.
        """
        scale = 1 / (255 * self.std)
        images = self.data.float().mul_(scale).sub_(self.mean / self.std)
        return images.unsqueeze(1), self.targets


class MNIST(LabelledImages):
    """Handwritten digits in 28 x 28 pixels.

    Looked for in root/MNIST/raw where a root is given; in the folder mnist of the
    folder that the environment variable VEEM_DATA names, taken as it is; in the
    user's cache.
    With download=True files that are nowhere are fetched, into the root or the cache.
    Gives pairs of an image (uint8, 28 x 28) and a label; .data and .targets are the
    whole set, .tensors() gives it normalised.
    """

    name = "MNIST"
    mean, std = 0.1307, 0.3081

    def __init__(
        self,
        root=None,
        train=True,
        transform=None,
        target_transform=None,
        download=False,
    ):
        prefix = "train" if train else "t10k"
        names = [f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"]
        paths = _find(names, root) or _fetch(names, root, download)
        images = read_idx(paths[0], (SIDE, SIDE), MOST[train])
        labels = read_idx(paths[1], (), MOST[train])
        if len(images) != len(labels):
            raise ValueError(
                f"{paths[0]} has {len(images)} images and {paths[1]} {len(labels)} "
                "labels: they do not belong together"
            )
        if len(labels) and labels.max() > 9:
            raise ValueError(f"{paths[1]}: label {labels.max()} is not a digit")
        super().__init__(images, labels, train, transform, target_transform)


def cache_folder():
    """Where downloads are kept: $XDG_CACHE_HOME/veem, by default ~/.cache/veem."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "veem"


def _own_folder(root):
    return cache_folder() / "mnist" if root is None else Path(root) / "MNIST" / "raw"


def _find(names, root):
    """The paths of the files in the first folder that has them all, zipped or not."""
    folders = [_own_folder(root)]
    if os.environ.get("VEEM_DATA"):
        given = Path(os.environ["VEEM_DATA"]) / "mnist"
        folders.insert(1 if root is not None else 0, given)
    for folder in folders:
        paths = [_either(folder / name) for name in names]
        if all(paths):
            return paths
    return None


def _either(path):
    return next((p for p in (path, path.with_suffix("")) if p.is_file()), None)


def _fetch(names, root, wanted):
    folder = _own_folder(root)
    hint = (
        f"put {' and '.join(names)} into {folder}, or set VEEM_DATA to a folder that "
        "has them in its folder mnist; datasets.Digits needs no download"
    )
    if not wanted:
        raise RuntimeError(f"MNIST: not found; use download=True, or {hint}")
    try:
        return [download(name, MIRRORS, folder, *FILES[name]) for name in names]
    except (RuntimeError, OSError) as error:
        raise RuntimeError(f"MNIST: {error}. Without a network {hint}") from None
