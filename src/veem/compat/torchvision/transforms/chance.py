"""Transforms that draw random numbers, in torchvision's order: one seed, one result.

Numbers come from the default generator; those that choose among transforms come from
Python's `random`.
"""

import math
import random
from collections.abc import Sequence

import veem
from veem.compat.torchvision.transforms import functional as F
from veem.compat.torchvision.transforms.geometry import pair
from veem.compat.torchvision.transforms.images import InterpolationMode
from veem.compat.torchvision.transforms.plain import Compose, Transform, show_all
from veem.nn import Module

__all__ = [
    "RandomApply",
    "RandomChoice",
    "RandomCrop",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomOrder",
    "RandomResizedCrop",
    "RandomVerticalFlip",
]


def uniform(low, high):
    """A number in [low, high)"""
    return veem.empty(1).uniform_(float(low), float(high)).item()


def below(n):
    """An integer in [0, n)"""
    return veem.randint(0, n, size=(1,)).item()


# ---- chosen transforms ---------------------------------------------------------------


class RandomTransforms:
    """Several transforms, of which chance decides how they are applied."""

    def __init__(self, transforms):
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __repr__(self):
        return f"{type(self).__name__}({show_all(self.transforms)}\n)"


class RandomOrder(RandomTransforms):
    """All transforms, in a random order."""

    def __call__(self, img):
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        return Compose([self.transforms[i] for i in order])(img)


class RandomChoice(RandomTransforms):
    """One of the transforms, with probabilities p (equal by default)."""

    def __init__(self, transforms, p=None):
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, *args):
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self):
        return f"{super().__repr__()}(p={self.p})"


class RandomApply(Module):
    """All transforms, with probability p, or none."""

    def __init__(self, transforms, p=0.5):
        super().__init__()
        self.transforms, self.p = transforms, p

    def forward(self, img):
        if self.p < veem.rand(1).item():
            return img
        return Compose(self.transforms)(img)

    def __repr__(self):
        return f"{type(self).__name__}(\n    p={self.p}{show_all(self.transforms)}\n)"


class _Sometimes(Transform):
    """Something done with probability p."""

    shown = "p"

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, img):
        return self.change(img) if veem.rand(1).item() < self.p else img


class RandomHorizontalFlip(_Sometimes):
    """Left and right exchanged with probability p."""

    change = staticmethod(F.hflip)


class RandomVerticalFlip(_Sometimes):
    """Top and bottom exchanged with probability p."""

    change = staticmethod(F.vflip)


class RandomGrayscale(_Sometimes):
    """In gray, with as many channels as before, with probability p."""

    def __init__(self, p=0.1):
        super().__init__(p)

    def change(self, img):
        return F.rgb_to_grayscale(img, F.get_image_num_channels(img))


# ---- chosen places -------------------------------------------------------------------


class RandomCrop(Transform):
    """A part of the size (h, w), from anywhere in the image once it is padded.

    pad_if_needed: an image that is too small is padded, on both sides by what it lacks.
    """

    shown = "size padding"

    def __init__(
        self,
        size,
        padding=None,
        pad_if_needed=False,
        fill=0,
        padding_mode="constant",
    ):
        super().__init__()
        self.size, self.padding, self.pad_if_needed = pair(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    @staticmethod
    def get_params(img, output_size):
        """(top, left, height, width) of a random part."""
        _, height, width = F.get_dimensions(img)
        high, wide = output_size
        if height < high or width < wide:
            raise ValueError(
                f"Required crop size {(high, wide)} is larger than input image size "
                f"{(height, width)}"
            )
        if (height, width) == (high, wide):
            return 0, 0, height, width
        return below(height - high + 1), below(width - wide + 1), high, wide

    def forward(self, img):
        if self.padding is not None:
            img = self._padded(img, self.padding)
        _, height, width = F.get_dimensions(img)
        high, wide = self.size
        if self.pad_if_needed and width < wide:
            img = self._padded(img, (wide - width, 0))
        if self.pad_if_needed and height < high:
            img = self._padded(img, (0, high - height))
        return F.crop(img, *self.get_params(img, self.size))

    def _padded(self, img, padding):
        return F.pad(img, padding, self.fill, self.padding_mode)


def random_part(height, width, scale, ratio):
    """(height, width) of a part: `scale` of the area, proportions from `ratio`."""
    area = height * width * uniform(*scale)
    logs = veem.log(veem.tensor(ratio)).tolist()
    proportion = veem.exp(veem.empty(1).uniform_(*logs)).item()
    return (
        round(math.sqrt(area / proportion)),
        round(math.sqrt(area * proportion)),
    )


class RandomResizedCrop(Transform):
    """A random part of the image, in the size (h, w).

    scale: its area, of the image's; ratio: its width, of its height.
    """

    shown = "size scale ratio interpolation antialias"

    def __init__(
        self,
        size,
        scale=(0.08, 1.0),
        ratio=(3.0 / 4.0, 4.0 / 3.0),
        interpolation=InterpolationMode.BILINEAR,
        antialias=True,
    ):
        super().__init__()
        self.size, self.scale, self.ratio = pair(size), scale, ratio
        self.interpolation = InterpolationMode.of(interpolation)
        self.antialias = antialias

    @staticmethod
    def get_params(img, scale, ratio):
        """(top, left, height, width): the first of ten tries to fit, or the middle."""
        _, height, width = F.get_dimensions(img)
        for _ in range(10):
            high, wide = random_part(height, width, scale, ratio)
            if 0 < wide <= width and 0 < high <= height:
                return below(height - high + 1), below(width - wide + 1), high, wide
        high, wide = height, width
        if width / height < min(ratio):
            high = round(width / min(ratio))
        elif width / height > max(ratio):
            wide = round(height * max(ratio))
        return (height - high) // 2, (width - wide) // 2, high, wide

    def forward(self, img):
        part = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *part, self.size, self.interpolation, self.antialias)

    def __repr__(self):
        rounded = [tuple(round(x, 4) for x in t) for t in (self.scale, self.ratio)]
        return (
            f"{type(self).__name__}(size={self.size}, scale={rounded[0]}, "
            f"ratio={rounded[1]}, interpolation={self.interpolation.value}, "
            f"antialias={self.antialias})"
        )
