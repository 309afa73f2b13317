"""CIFAR-10 and CIFAR-100: small photographs (Krizhevsky)."""

import numpy as np

from veem.datasets.files import Published, on_mirrors
from veem.datasets.images import LabelledImages
from veem.datasets.tar import read_members
from veem.datasets.unpickle import byte_matrix, read_pickle

TEN = {  # what was published: bytes and SHA-256
    "cifar-10-python.tar.gz": (
        170498071,
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    )
}
HUNDRED = {
    "cifar-100-python.tar.gz": (
        169001437,
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    )
}
MIRRORS = (
    "https://www.cs.toronto.edu/~kriz/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
SHAPE = (3, 32, 32)
MOST_UNZIPPED = 200 << 20  # of an archive; both have 178 MiB


class CIFAR10(LabelledImages):
    """Photographs of ten kinds of things, in colour, 32 x 32 pixels.

    Looked for in the root, in VEEM_DATA's folder cifar10, in the user's cache: as the
    archive cifar-10-python.tar.gz, or its folder cifar-10-batches-py. With
    download=True an archive that is nowhere is fetched.
    Gives pairs of an image (uint8, 3 x 32 x 32) and a label; .data and .targets are the
    whole set, .tensors() gives it normalised.
    """

    name = "CIFAR10"
    classes = tuple(
        "airplane automobile bird cat deer dog frog horse ship truck".split()
    )
    mean, std = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    published = Published("CIFAR10", "cifar10", "", on_mirrors(MIRRORS, TEN), TEN)
    _folder = "cifar-10-batches-py"
    # For test and training: the files, and the images in each.
    _parts = (("test_batch",), tuple(f"data_batch_{i}" for i in range(1, 6)))
    _images = (10000, 10000)
    _labels = "labels"

    def __init__(
        self,
        root=None,
        train=True,
        transform=None,
        target_transform=None,
        download=False,
    ):
        most = self._images[bool(train)]
        # An image's bytes, its labels and its name.
        sizes = dict.fromkeys(self._parts[bool(train)], most * (3072 + 100) + 10000)
        parts = self._read(root, sizes, download)
        batches = [self._batch(data, path, most) for path, data in parts]
        images, labels = (np.concatenate(column) for column in zip(*batches))
        super().__init__(images, labels, train, transform, target_transform)

    def _read(self, root, sizes, download):
        """Pairs of a path and its bytes, of single files or of the archive."""
        for folder in self.published.folders(root):
            paths = [folder / self._folder / part for part in sizes]
            if all(path.is_file() for path in paths):
                return [(p, _whole(p, size)) for p, size in zip(paths, sizes.values())]
        (archive,) = self.published.paths(list(self.published.files), root, download)
        found = read_members(archive, sizes, MOST_UNZIPPED)
        return [(f"{archive}: {part}", found[part]) for part in sizes]

    def _batch(self, data, path, most):
        """A part's images (n, 3, 32, 32), n at most `most`, and labels."""
        batch = read_pickle(bytes(data), path)
        try:
            images, labels = batch["data"], batch[self._labels]
        except (TypeError, KeyError):
            raise ValueError(f"{path}: not a batch of {self.name}") from None
        images = byte_matrix(images, path)
        if images.shape[1] != 3072 or len(images) > most:
            raise ValueError(
                f"{path}: expected up to {most} rows of 3072 bytes, there are "
                f"{list(images.shape)}"
            )
        if not isinstance(labels, list) or len(labels) != len(images):
            raise ValueError(f"{path}: {len(images)} images and not as many labels")
        if not all(type(n) is int and 0 <= n < len(self.classes) for n in labels):
            raise ValueError(f"{path}: a label is none of {len(self.classes)} classes")
        return images.reshape(-1, *SHAPE), np.array(labels, np.int64)


def _whole(path, most):
    size = path.stat().st_size
    if size > most:
        raise ValueError(f"{path}: {size} bytes, expected up to {most}")
    return path.read_bytes()


class CIFAR100(CIFAR10):
    """Photographs of a hundred kinds of things, in CIFAR10's format: see there.

    Looked for as cifar-100-python.tar.gz or the folder cifar-100-python, in VEEM_DATA's
    folder cifar100. Labels are the fine ones.
    """

    name = "CIFAR100"
    classes = tuple(
        "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl "
        "boy bridge bus butterfly camel can castle caterpillar cattle chair "
        "chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
        "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp "
        "lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain "
        "mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck "
        "pine_tree plain plate poppy porcupine possum rabbit raccoon ray road "
        "rocket rose sea seal shark shrew skunk skyscraper snail snake spider "
        "squirrel streetcar sunflower sweet_pepper table tank telephone television "
        "tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf "
        "woman worm".split()
    )
    mean, std = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)
    published = Published(
        "CIFAR100", "cifar100", "", on_mirrors(MIRRORS, HUNDRED), HUNDRED
    )
    _folder = "cifar-100-python"
    _parts = (("test",), ("train",))
    _images = (10000, 50000)
    _labels = "fine_labels"
