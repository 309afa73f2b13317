"""What all of torchvision's datasets share: a root, transforms, a way to be printed."""

import os

from veem.utils.data import Dataset

__all__ = ["StandardTransform", "VisionDataset"]


class VisionDataset(Dataset):
    """A dataset under `root`, with a transform for images and one for targets.

    transforms: instead, one function of both.
    """

    def __init__(
        self, root=None, transforms=None, transform=None, target_transform=None
    ):
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise ValueError(
                "Only transforms or transform/target_transform can be passed as "
                "argument"
            )
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        self.transform, self.target_transform = transform, target_transform
        if separate:
            transforms = StandardTransform(transform, target_transform)
        self.transforms = transforms

    def transformed(self, image, target):
        """The two, each through its transform as it is now."""
        return StandardTransform(self.transform, self.target_transform)(image, target)

    def __getitem__(self, index):
        raise NotImplementedError

    def __len__(self):
        raise NotImplementedError

    def extra_repr(self):
        """More lines for repr."""
        return ""

    def __repr__(self):
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines += self.extra_repr().splitlines()
        if self.transforms is not None:
            lines.append(repr(self.transforms))
        return "\n    ".join([f"Dataset {type(self).__name__}", *lines])


class StandardTransform:
    """A transform for images and one for targets, as a function of both."""

    def __init__(self, transform=None, target_transform=None):
        self.transform, self.target_transform = transform, target_transform

    def __call__(self, input, target):
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self):
        lines = [type(self).__name__]
        named = (
            ("Transform", self.transform),
            ("Target transform", self.target_transform),
        )
        for head, transform in named:
            if transform is not None:
                first, *rest = repr(transform).splitlines()
                lines.append(f"{head}: {first}")
                lines += [" " * (len(head) + 2) + line for line in rest]
        return "\n".join(lines)
