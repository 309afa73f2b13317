"""Where pixels are: resizing, padding, cropping, flipping.

Each takes a PIL image, or a tensor (..., C, H, W), and gives its like.
"""

from collections.abc import Sequence
from numbers import Number

import numpy as np

import veem
from veem.compat.torchvision.pillow import Image, ImageOps, is_pil
from veem.compat.torchvision.transforms.images import (
    InterpolationMode,
    get_dimensions,
)
from veem.nn import functional as F

__all__ = [
    "center_crop",
    "crop",
    "five_crop",
    "hflip",
    "pad",
    "resize",
    "resized_crop",
    "ten_crop",
    "vflip",
]
BILINEAR = InterpolationMode.BILINEAR


def pair(size, message="Please provide only two dimensions (h, w) for size."):
    """(height, width) of a number for both, or of one or two numbers."""
    if isinstance(size, Number):
        return int(size), int(size)
    if len(size) not in (1, 2):
        raise ValueError(message)
    return (size[0], size[-1])


# ---- sizes ---------------------------------------------------------------------------


def resize(img, size, interpolation=BILINEAR, max_size=None, antialias=True):
    """The image in another size.

    size: (height, width), or the new length of the shorter side, where the longer one
    keeps the proportions and is at most max_size. antialias: shrunk tensors are
    smoothed as PIL images always are, with bilinear and bicubic interpolation.
    """
    mode = InterpolationMode.of(interpolation)
    _, height, width = get_dimensions(img)
    new = _new_size(height, width, size, max_size)
    if new == (height, width):
        return img
    if is_pil(img):
        return img.resize(new[::-1], mode.pil)
    return _resampled(img, new, mode, antialias)


def _new_size(height, width, size, max_size):
    if not isinstance(size, (int, Sequence)):
        raise TypeError(f"Size should be int or sequence. Got {type(size)}")
    if isinstance(size, Sequence):
        if len(size) not in (1, 2):
            raise ValueError(
                "If size is a sequence, it should have 1 or 2 values, got "
                f"{len(size)}: {size}"
            )
        if len(size) == 2:
            if max_size is not None:
                raise ValueError(
                    "max_size should only be passed if size specifies the length of "
                    "the smaller edge, i.e. size should be an int or a sequence of "
                    "length 1"
                )
            return tuple(size)
        size = size[0]
    short, long = sorted((height, width))
    new_long = int(size * long / short)
    if max_size is not None:
        if max_size <= size:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested "
                f"size for the smaller edge size = {size}"
            )
        if new_long > max_size:
            size, new_long = int(max_size * size / new_long), max_size
    return (size, new_long) if height <= width else (new_long, size)


def _resampled(img, size, mode, antialias):
    if mode.value not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        raise ValueError(f"resize: {mode.value} is for PIL images, not for tensors")
    smooth = mode.value in ("bilinear", "bicubic")
    planes = img.reshape(-1, 1, *img.shape[-2:])
    exact = not planes.is_floating_point()
    new = F.interpolate(
        planes.float() if exact else planes,
        size,
        mode=mode.value,
        align_corners=False if smooth else None,
        antialias=bool(antialias and smooth),
    )
    if exact and smooth:
        if img.dtype == veem.uint8:  # a cubic overshoots
            new = new.clamp(0, 255)
        new = new.round()
    return new.to(img.dtype).reshape(*img.shape[:-2], *size)


# ---- edges ---------------------------------------------------------------------------

_EDGES = ("edge", "reflect", "symmetric")  # names that NumPy shares


def pad(img, padding, fill=0, padding_mode="constant"):
    """The image with `padding` pixels more at its sides.

    padding: for all sides; (left and right, top and bottom); or (left, top, right,
    bottom). padding_mode: "constant" (`fill`, a number or one a channel), "edge" (the
    last pixels again), "reflect", or "symmetric" (with the last pixels twice).
    """
    left, top, right, bottom = sides(padding, padding_mode)
    _, height, width = get_dimensions(img)
    if padding_mode != "constant":
        rows = np.pad(np.arange(height), (top, bottom), padding_mode)
        columns = np.pad(np.arange(width), (left, right), padding_mode)
        return _picked(img, rows, columns)
    if is_pil(img):
        fill = filling(img, fill)
        return ImageOps.expand(img, (left, top, right, bottom), fill)
    if isinstance(fill, Sequence):
        raise ValueError("pad: the fill of a tensor is a number")
    return F.pad(img, (left, right, top, bottom), value=fill)


def sides(padding, padding_mode):
    """(left, top, right, bottom), of any of the accepted forms."""
    if padding_mode not in ("constant", *_EDGES):
        raise ValueError(
            "Padding mode should be either constant, edge, reflect or symmetric, got "
            f"{padding_mode!r}"
        )
    if isinstance(padding, Number):
        return (int(padding),) * 4
    if not isinstance(padding, (tuple, list)):
        raise TypeError(f"Got inappropriate padding arg: {padding!r}")
    if len(padding) not in (1, 2, 4):
        raise ValueError(
            "Padding must be an int or a 1, 2, or 4 element tuple, not a "
            f"{len(padding)} element tuple"
        )
    return tuple(padding) if len(padding) == 4 else (padding[0], padding[-1]) * 2


def _picked(img, rows, columns):
    """The image made of these of its rows and columns."""
    if not is_pil(img):
        return img[..., veem.from_numpy(rows), :][..., veem.from_numpy(columns)]
    picked = Image.fromarray(np.asarray(img)[rows][:, columns])
    if img.mode == "P":
        picked.putpalette(img.getpalette())
    return picked


def filling(img, fill):
    """A fill as Pillow takes it: one number a channel, whole but for floats."""
    channels = len(img.getbands())
    if fill is None:
        fill = 0
    if isinstance(fill, Number):
        fill = (fill,) * channels
    if isinstance(fill, (list, tuple)):
        if len(fill) == 1:
            fill = tuple(fill) * channels
        if len(fill) != channels:
            raise ValueError(
                "The number of elements in 'fill' does not match the number of "
                f"channels of the image ({len(fill)} != {channels})"
            )
        if img.mode != "F":
            fill = tuple(int(f) for f in fill)
        fill = tuple(fill) if channels > 1 else fill[0]
    return fill


# ---- parts ---------------------------------------------------------------------------


def crop(img, top, left, height, width):
    """The part of these sizes at (top, left); zeros where it leaves the image."""
    if is_pil(img):
        return img.crop((left, top, left + width, top + height))
    _, high, wide = get_dimensions(img)
    bottom, right = top + height, left + width
    part = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    beyond = (
        max(min(right, 0) - left, 0),
        max(right - max(wide, left), 0),
        max(min(bottom, 0) - top, 0),
        max(bottom - max(high, top), 0),
    )
    return F.pad(part, beyond) if any(beyond) else part


def center_crop(img, output_size):
    """The middle of the image in this size, padded with zeros where it is smaller."""
    high, wide = pair(output_size)
    _, height, width = get_dimensions(img)
    if wide > width or high > height:
        more, taller = max(wide - width, 0), max(high - height, 0)
        sides = (more // 2, taller // 2, (more + 1) // 2, (taller + 1) // 2)
        img = pad(img, sides)
        _, height, width = get_dimensions(img)
    top, left = round((height - high) / 2), round((width - wide) / 2)
    return crop(img, top, left, high, wide)


def resized_crop(
    img, top, left, height, width, size, interpolation=BILINEAR, antialias=True
):
    """A part of the image, resized."""
    part = crop(img, top, left, height, width)
    return resize(part, size, interpolation, antialias=antialias)


def five_crop(img, size):
    """The corners (top left, top right, bottom left, bottom right) and the middle."""
    high, wide = pair(size)
    _, height, width = get_dimensions(img)
    if wide > width or high > height:
        raise ValueError(
            f"Requested crop size {size} is bigger than input size {(height, width)}"
        )
    corners = [(t, s) for t in (0, height - high) for s in (0, width - wide)]
    parts = [crop(img, top, left, high, wide) for top, left in corners]
    return (*parts, center_crop(img, (high, wide)))


def ten_crop(img, size, vertical_flip=False):
    """five_crop of the image, and of the image flipped."""
    return five_crop(img, size) + five_crop(
        (vflip if vertical_flip else hflip)(img), size
    )


def hflip(img):
    """Left and right exchanged."""
    if is_pil(img):
        return img.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return img.flip(-1)


def vflip(img):
    """Top and bottom exchanged."""
    if is_pil(img):
        return img.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return img.flip(-2)
