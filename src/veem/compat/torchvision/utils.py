"""Many images in one, and as a file."""

import math

import veem
from veem.compat.torchvision.pillow import Image

__all__ = ["make_grid", "save_image"]


@veem.no_grad()
def make_grid(
    tensor,
    nrow=8,
    padding=2,
    normalize=False,
    value_range=None,
    scale_each=False,
    pad_value=0.0,
):
    """The images of a batch (B, C, H, W), or of a list of (C, H, W), side by side.

    `nrow` of them a row, `padding` pixels of pad_value around each; gray images get
    three equal channels. normalize: shifts and scales value_range (by default the
    smallest and largest value; with scale_each, of each image) to [0, 1]. A single
    image is given back without a border, as (C, H, W).
    """
    images = _batch(tensor)
    if normalize:
        images = _normalized(images, value_range, scale_each)
    count, channels, height, width = images.shape
    if count == 1:
        return images.squeeze(0)
    across = min(nrow, count)
    down = math.ceil(count / across)
    high, wide = height + padding, width + padding
    grid = images.new_full(
        (channels, high * down + padding, wide * across + padding), pad_value
    )
    for k, image in enumerate(images):
        top, left = k // across * high + padding, k % across * wide + padding
        grid[:, top : top + height, left : left + width] = image
    return grid


def _batch(images):
    """Images in any of the accepted forms, as (B, C, H, W) with 3 channels for gray."""
    if isinstance(images, list) and all(isinstance(i, veem.Tensor) for i in images):
        images = veem.stack(images)
    if not isinstance(images, veem.Tensor):
        raise TypeError(
            f"make_grid: tensor or list of tensors expected, got {images!r}"
        )
    while images.dim() < 4:
        images = images.unsqueeze(0)
    return images.expand(-1, 3, -1, -1) if images.size(1) == 1 else images


def _normalized(images, value_range, scale_each):
    if value_range is not None and not isinstance(value_range, tuple):
        raise TypeError(
            "make_grid: value_range has to be a tuple (min, max) of numbers, got "
            f"{value_range!r}"
        )
    if scale_each:
        return veem.stack([_normalized(i, value_range, False) for i in images])
    low, high = value_range or (images.min().item(), images.max().item())
    return (images.clamp(low, high) - low) / max(high - low, 1e-5)


@veem.no_grad()
def save_image(tensor, fp, format=None, **kwargs):
    """Writes images in [0, 1] to a file, by name or open, as make_grid arranges them.

    The format is the one of the name's ending, unless given; kwargs go to make_grid.
    """
    grid = make_grid(tensor, **kwargs)
    pixels = (grid * 255 + 0.5).clamp(0, 255).permute(1, 2, 0).to("cpu", veem.uint8)
    Image.fromarray(pixels.contiguous().numpy()).save(fp, format=format)
