"""Transforms that turn, move, colour, blur and erase by chance."""

import math
from collections.abc import Sequence
from numbers import Number

import veem
from veem.compat.torchvision.transforms import functional as F
from veem.compat.torchvision.transforms.chance import below, random_part, uniform
from veem.compat.torchvision.transforms.geometry import pair
from veem.compat.torchvision.transforms.images import InterpolationMode
from veem.compat.torchvision.transforms.plain import Transform

__all__ = [
    "ColorJitter",
    "GaussianBlur",
    "RandomAffine",
    "RandomErasing",
    "RandomRotation",
]


def _range(name, value, center=0.0, bound=(-math.inf, math.inf)):
    """A number as the range of that much around the center; a pair as it is."""
    if isinstance(value, Number):
        if value < 0:
            raise ValueError(
                f"If {name} is a single number, it must be non negative (got {value})."
            )
        low, high = max(center - value, bound[0]), center + value
    elif isinstance(value, Sequence) and len(value) == 2:
        low, high = map(float, value)
    else:
        raise TypeError(f"{name} should be a single number or a sequence of length 2.")
    if not bound[0] <= low <= high <= bound[1]:
        raise ValueError(f"{name} values should be between {bound}, but got {value}.")
    return low, high


class RandomRotation(Transform):
    """The image turned by an angle from `degrees`: a range, or that much both ways."""

    shown = "degrees interpolation expand fill"

    def __init__(
        self,
        degrees,
        interpolation=InterpolationMode.NEAREST,
        expand=False,
        center=None,
        fill=0,
    ):
        super().__init__()
        self.degrees = list(_range("degrees", degrees))
        self.interpolation = InterpolationMode.of(interpolation)
        self.expand, self.center, self.fill = expand, center, fill

    @staticmethod
    def get_params(degrees):
        """A random angle."""
        return uniform(*degrees)

    def forward(self, img):
        angle = self.get_params(self.degrees)
        return F.rotate(
            img, angle, self.interpolation, self.expand, self.center, self.fill
        )


class RandomAffine(Transform):
    """The image turned, moved (up to these parts of its size), scaled and sheared."""

    shown = "degrees translate scale shear interpolation fill"

    def __init__(
        self,
        degrees,
        translate=None,
        scale=None,
        shear=None,
        interpolation=InterpolationMode.NEAREST,
        fill=0,
        center=None,
    ):
        super().__init__()
        self.degrees = list(_range("degrees", degrees))
        self.translate, self.scale, self.shear = translate, scale, shear
        if isinstance(shear, Number) or (shear is not None and len(shear) == 2):
            self.shear = list(_range("shear", shear))
        self.interpolation = InterpolationMode.of(interpolation)
        self.fill, self.center = fill, center

    @staticmethod
    def get_params(degrees, translate, scale_ranges, shears, img_size):
        """(angle, (right, down), scale, (shear along x, along y))"""
        angle, moved, scale, shear_x, shear_y = (
            uniform(*degrees),
            (0, 0),
            1.0,
            0.0,
            0.0,
        )
        if translate is not None:
            most = [float(t * n) for t, n in zip(translate, img_size)]
            moved = tuple(round(uniform(-m, m)) for m in most)
        if scale_ranges is not None:
            scale = uniform(*scale_ranges)
        if shears is not None:
            shear_x = uniform(shears[0], shears[1])
            if len(shears) == 4:
                shear_y = uniform(shears[2], shears[3])
        return angle, moved, scale, (shear_x, shear_y)

    def forward(self, img):
        size = F.get_image_size(img)
        how = self.get_params(
            self.degrees, self.translate, self.scale, self.shear, size
        )
        return F.affine(img, *how, self.interpolation, self.fill, self.center)


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed at random, in a random order.

    Each a range of factors, or a number for as much more and less than the image has.
    """

    shown = "brightness contrast saturation hue"

    def __init__(self, brightness=0, contrast=0, saturation=0, hue=0):
        super().__init__()
        positive = (1, (0, math.inf))
        self.brightness = _jitter("brightness", brightness, *positive)
        self.contrast = _jitter("contrast", contrast, *positive)
        self.saturation = _jitter("saturation", saturation, *positive)
        self.hue = _jitter("hue", hue, 0, (-0.5, 0.5))

    @staticmethod
    def get_params(brightness, contrast, saturation, hue):
        """(order of the four, their four factors; None for what stays as it is)"""
        order = veem.randperm(4)
        ranges = (brightness, contrast, saturation, hue)
        return order, *(None if r is None else uniform(*r) for r in ranges)

    def forward(self, img):
        order, *factors = self.get_params(
            *(getattr(self, n) for n in self.shown.split())
        )
        changes = (
            F.adjust_brightness,
            F.adjust_contrast,
            F.adjust_saturation,
            F.adjust_hue,
        )
        for i in order.tolist():
            if factors[i] is not None:
                img = changes[i](img, factors[i])
        return img


def _jitter(name, value, center, bound):
    """The range of factors, None where it is the center alone."""
    low, high = _range(name, value, center, bound)
    return None if low == high == center else (low, high)


class GaussianBlur(Transform):
    """The image smoothed, as wide as a number from `sigma` says."""

    shown = "kernel_size sigma"

    def __init__(self, kernel_size, sigma=(0.1, 2.0)):
        super().__init__()
        self.kernel_size = pair(kernel_size)
        self.sigma = (sigma, sigma) if isinstance(sigma, Number) else tuple(sigma)
        if not 0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(
                "sigma values should be positive and of the form (min, max). Got "
                f"{sigma}"
            )

    def forward(self, img):
        sigma = uniform(*self.sigma)
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])


class RandomErasing(Transform):
    """A random part of a tensor set to `value`, with probability p.

    value: a number, one a channel, or "random" for normally distributed ones.
    """

    shown = "p scale ratio value inplace"

    def __init__(
        self, p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False
    ):
        super().__init__()
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        if not 0 <= p <= 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.p, self.scale, self.ratio = p, scale, ratio
        self.value, self.inplace = value, inplace

    @staticmethod
    def get_params(img, scale, ratio, value=None):
        """(top, left, height, width, values): the whole image where ten tries fail."""
        channels, height, width = F.get_dimensions(img)
        for _ in range(10):
            # Here the proportion is the height, of the width.
            wide, high = random_part(height, width, scale, ratio)
            if not (high < height and wide < width):
                continue
            if value is None:
                values = veem.empty([channels, high, wide]).normal_()
            else:
                values = veem.tensor(value)[:, None, None]
            return (
                below(height - high + 1),
                below(width - wide + 1),
                high,
                wide,
                values,
            )
        return 0, 0, height, width, img

    def forward(self, img):
        if veem.rand(1).item() >= self.p:
            return img
        value = self.value
        if isinstance(value, Number):
            value = [float(value)]
        elif isinstance(value, str):
            value = None
        part = self.get_params(img, self.scale, self.ratio, value)
        return F.erase(img, *part, self.inplace)
