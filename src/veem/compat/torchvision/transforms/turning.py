"""Images turned, moved, scaled and sheared: PIL images, or tensors (..., C, H, W)."""

import math
from numbers import Number

import numpy as np

import veem
from veem.compat.torchvision.pillow import Image, is_pil
from veem.compat.torchvision.transforms.geometry import filling
from veem.compat.torchvision.transforms.images import (
    InterpolationMode,
    get_dimensions,
)
from veem.nn import functional as F

__all__ = ["affine", "rotate"]
NEAREST = InterpolationMode.NEAREST


def rotate(img, angle, interpolation=NEAREST, expand=False, center=None, fill=None):
    """The image turned by `angle` degrees, counter-clockwise.

    expand: the result is large enough for all of it. center: (x, y), by default the
    middle. fill: what stands where nothing of the image is, by default 0.
    """
    mode = InterpolationMode.of(interpolation)
    if is_pil(img):
        fill = filling(img, fill)
        return img.rotate(angle, mode.pil, expand, center, fillcolor=fill)
    _, height, width = get_dimensions(img)
    middle = _from_middle(center, height, width)
    inverse = _inverse_affine(middle, -angle, (0, 0), 1, (0, 0))
    size = (height, width)
    if expand:
        size = _bounding_size(_inverse_affine((0, 0), -angle, (0, 0), 1, (0, 0)), size)
    return _warped(img, inverse, size, mode, fill)


def affine(
    img, angle, translate, scale, shear, interpolation=NEAREST, fill=None, center=None
):
    """The image turned (clockwise, degrees), moved (pixels), scaled, and sheared.

    translate: (right, down); shear: degrees along x, or along (x, y); the middle of
    all is `center`, by default the image's.
    """
    if scale <= 0:
        raise ValueError("Argument scale should be positive")
    shear = (shear, 0.0) if isinstance(shear, Number) else tuple(shear)
    shear = shear if len(shear) == 2 else (shear[0], shear[0])
    mode = InterpolationMode.of(interpolation)
    _, height, width = get_dimensions(img)
    if is_pil(img):
        center = center or (width * 0.5, height * 0.5)
        inverse = _inverse_affine(center, angle, translate, scale, shear)
        return img.transform(
            (width, height),
            Image.Transform.AFFINE,
            inverse,
            mode.pil,
            fillcolor=filling(img, fill),
        )
    middle = _from_middle(center, height, width)
    inverse = _inverse_affine(middle, angle, translate, scale, shear)
    return _warped(img, inverse, (height, width), mode, fill)


def _from_middle(center, height, width):
    """A place in pixels, as distances from the image's middle."""
    if center is None:
        return 0.0, 0.0
    return center[0] - width * 0.5, center[1] - height * 0.5


def _inverse_affine(center, angle, translate, scale, shear):
    """[a, b, c, d, e, f]: the place (a x + b y + c, d x + e y + f) moves to (x, y).

    The way there is T C R S C^-1: shear and scale, turn, both around the center, move.
    """
    turn, sx, sy = map(math.radians, (angle, *shear))
    a = math.cos(turn - sy) / math.cos(sy)
    b = -math.cos(turn - sy) * math.tan(sx) / math.cos(sy) - math.sin(turn)
    c = math.sin(turn - sy) / math.cos(sy)
    d = -math.sin(turn - sy) * math.tan(sx) / math.cos(sy) + math.cos(turn)
    inverse = np.array([[d, -b], [-c, a]]) / scale
    offset = np.array(center) - inverse @ (np.array(center) + np.array(translate))
    return [*inverse[0], offset[0], *inverse[1], offset[1]]


def _bounding_size(inverse, size):
    """(height, width) of the smallest image that has all of a turned one."""
    height, width = size
    corners = np.array(
        [[s * width / 2, t * height / 2, 1] for s in (-1, 1) for t in (-1, 1)]
    )
    there = corners @ np.array(inverse).reshape(2, 3).T + [width / 2, height / 2]
    # Rounded, and cut after four digits, so that a turn by 90 degrees adds no pixel.
    there = np.trunc(there.astype(np.float32) / 1e-4) * 1e-4
    low, high = there.min(0), there.max(0)
    wide, tall = (np.ceil(high) - np.floor(low)).astype(int)
    return int(tall), int(wide)


def _warped(img, inverse, size, mode, fill):
    """The pixels that the inverse map names, for an image of `size`."""
    if mode.value not in ("nearest", "bilinear"):
        raise ValueError(
            f"{mode.value} is for PIL images; nearest, bilinear for tensors"
        )
    height, width = img.shape[-2:]
    tall, wide = size
    x = veem.arange(wide) + (0.5 - wide / 2)
    y = veem.arange(tall) + (0.5 - tall / 2)
    a, b, c, d, e, f = inverse
    at_x = (a * x + b * y[:, None] + c) / (0.5 * width)
    at_y = (d * x + e * y[:, None] + f) / (0.5 * height)
    grid = veem.stack([at_x, at_y], -1)[None]
    channels = img.shape[-3] if img.ndim > 2 else 1
    planes = img.reshape(-1, channels, height, width)
    exact = not planes.is_floating_point()
    planes = planes.float() if exact else planes
    if fill is not None:  # a channel more tells how much of the image is in a pixel
        planes = veem.cat([planes, veem.ones_like(planes[:, :1])], 1)
    grid = grid.expand(len(planes), -1, -1, -1).to(planes.dtype)
    new = F.grid_sample(planes, grid, mode.value, "zeros", align_corners=False)
    if fill is not None:
        new, there = new[:, :-1], new[:, -1:]
        value = veem.tensor(fill, dtype=new.dtype).reshape(1, -1, 1, 1)
        if mode == NEAREST:
            new = veem.where(there < 0.5, value, new)
        else:
            new = new * there + (1 - there) * value
    if exact:
        new = new.round()
    return new.to(img.dtype).reshape(*img.shape[:-2], *size)
