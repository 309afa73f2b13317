"""Datasets of files, sorted into a folder for each class."""

import os

from veem.compat.torchvision.datasets.vision import VisionDataset
from veem.compat.torchvision.pillow import Image

__all__ = ["IMG_EXTENSIONS", "DatasetFolder", "ImageFolder", "default_loader"]

IMG_EXTENSIONS = tuple(".jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp".split())


def default_loader(path):
    """The image in a file, as RGB."""
    with open(path, "rb") as file:
        return Image.open(file).convert("RGB")


def find_classes(directory):
    """(the names of the folders, sorted; their numbers by name)"""
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(
    directory,
    class_to_idx=None,
    extensions=None,
    is_valid_file=None,
    allow_empty=False,
):
    """[(path, number of its class)], sorted by class, then by path."""
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    if (extensions is None) == (is_valid_file is None):
        raise ValueError(
            "Both extensions and is_valid_file cannot be None or not None at the same "
            "time"
        )
    if extensions is not None:
        endings = (extensions,) if isinstance(extensions, str) else tuple(extensions)
        is_valid_file = lambda path: path.lower().endswith(endings)
    samples, empty = [], []
    for name in sorted(class_to_idx):
        before = len(samples)
        for folder, _, files in sorted(
            os.walk(os.path.join(directory, name), followlinks=True)
        ):
            paths = (os.path.join(folder, file) for file in sorted(files))
            samples += [(p, class_to_idx[name]) for p in paths if is_valid_file(p)]
        if len(samples) == before:
            empty.append(name)
    if empty and not allow_empty:
        message = f"Found no valid file for the classes {', '.join(empty)}."
        if extensions is not None:
            message += f" Supported extensions are: {', '.join(endings)}"
        raise FileNotFoundError(message)
    return samples


class DatasetFolder(VisionDataset):
    """Files root/CLASS/.../NAME, each read by `loader`, with the number of its class.

    extensions: the endings of files that count; or is_valid_file, which tells by path.
    """

    def __init__(
        self,
        root,
        loader,
        extensions=None,
        transform=None,
        target_transform=None,
        is_valid_file=None,
        allow_empty=False,
    ):
        super().__init__(root, None, transform, target_transform)
        self.loader, self.extensions = loader, extensions
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(
            self.root, self.class_to_idx, extensions, is_valid_file, allow_empty
        )
        self.targets = [target for _, target in self.samples]

    make_dataset = staticmethod(make_dataset)

    def find_classes(self, directory):
        """(names, numbers by name); to be overridden for other sortings"""
        return find_classes(directory)

    def __getitem__(self, index):
        path, target = self.samples[index]
        return self.transformed(self.loader(path), target)

    def __len__(self):
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images root/CLASS/.../NAME.png (or .jpg and others), as RGB."""

    def __init__(
        self,
        root,
        transform=None,
        target_transform=None,
        loader=default_loader,
        is_valid_file=None,
        allow_empty=False,
    ):
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform,
            target_transform,
            is_valid_file,
            allow_empty,
        )
        self.imgs = self.samples
