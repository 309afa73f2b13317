"""What all sets of labelled images here share."""

import typing

from veem import creation
from veem.utils.data import Dataset


class LabelledImages(Dataset):
    """Images (N, H, W) or (N, C, H, W) in uint8 with a label each."""

    name = "images"
    classes = tuple("0123456789")
    # Of the training pixels, scaled to [0, 1]: a number, or one for each channel.
    mean: typing.Any = 0.0
    std: typing.Any = 1.0

    def __init__(self, images, labels, train, transform, target_transform):
        self.data = creation.from_numpy(images)
        self.targets = creation.from_numpy(labels.astype("int64"))
        self.train = train
        self.transform, self.target_transform = transform, target_transform

    def __getitem__(self, index):
        """An image (H, W) or (C, H, W) in uint8 and its label, each transformed."""
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
        height, width = self.data.shape[-2:]
        return f"{self.name}: {len(self)} {part} images of {height} x {width}"

    def tensors(self):
        """All images, normalised, as float32 (N, C, H, W), and the labels as int64.

        Over the training pixels of each channel the mean is 0 and the standard
        deviation 1.
        """
        mean, std = (creation.tensor(x).view(-1, 1, 1) for x in (self.mean, self.std))
        images = self.data.float()
        images = images.unsqueeze(1) if images.ndim == 3 else images
        return images.mul_(1 / (255 * std)).sub_(mean / std), self.targets
