"""What pixels are: normalized, gray, brighter, blurred, erased.

All but normalize and erase take a PIL image, or a tensor (..., C, H, W) of floats in
[0, 1] or of integers, and give its like.
"""

import numpy as np

import veem
from veem.compat.torchvision.pillow import Image, ImageEnhance, ImageOps, is_pil
from veem.compat.torchvision.transforms.geometry import pad, pair
from veem.compat.torchvision.transforms.images import (
    get_dimensions,
    pil_to_tensor,
    to_pil_image,
)
from veem.nn import functional as F

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "erase",
    "gaussian_blur",
    "invert",
    "normalize",
    "rgb_to_grayscale",
    "to_grayscale",
]


def normalize(tensor, mean, std, inplace=False):
    """(tensor - mean) / std, channel by channel, of floats (..., C, H, W)."""
    if not isinstance(tensor, veem.Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    if not tensor.is_floating_point():
        raise TypeError(
            f"Input tensor should be a float tensor. Got {tensor.dtype}; ToTensor "
            "makes one"
        )
    if tensor.ndim < 3:
        raise ValueError(
            "Expected tensor to be a tensor image of size (..., C, H, W). Got "
            f"tensor.size() = {tensor.size()}"
        )
    like = {"dtype": tensor.dtype, "device": tensor.device}
    mean, std = veem.as_tensor(mean, **like), veem.as_tensor(std, **like)
    if (std == 0).any():
        raise ValueError(
            f"std evaluated to zero after conversion to {tensor.dtype}, leading to "
            "division by zero."
        )
    mean, std = (t.view(-1, 1, 1) if t.ndim == 1 else t for t in (mean, std))
    tensor = tensor if inplace else tensor.clone()
    return tensor.sub_(mean).div_(std)


def erase(img, i, j, h, w, v, inplace=False):
    """The tensor with h rows and w columns from (i, j) on set to v."""
    if not isinstance(img, veem.Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    img = img if inplace else img.clone()
    img[..., i : i + h, j : j + w] = v
    return img


def to_grayscale(img, num_output_channels=1):
    """A PIL image of any mode in gray, with 1 or 3 equal channels."""
    if not is_pil(img):
        raise TypeError("Input should be PIL Image")
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    gray = img.convert("L")
    return gray if num_output_channels == 1 else Image.merge("RGB", [gray] * 3)


def rgb_to_grayscale(img, num_output_channels=1):
    """An RGB image in gray, with 1 or 3 equal channels."""
    if is_pil(img):
        return to_grayscale(img, num_output_channels)
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    if get_dimensions(img)[0] == 3:
        red, green, blue = img.unbind(-3)
        gray = (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype)
        img = gray.unsqueeze(-3)
    shape = (*img.shape[:-3], num_output_channels, *img.shape[-2:])
    return img.expand(shape) if num_output_channels == 3 else img.clone()


# ---- brightness, contrast, colour ----------------------------------------------------


def _most(img):
    """The value of white."""
    if img.is_floating_point():
        return 1.0
    return np.iinfo(str(img.dtype).rpartition(".")[2]).max


def _blend(img, other, ratio):
    mixed = ratio * img + (1 - ratio) * other
    return mixed.clamp(0, _most(img)).to(img.dtype)


def _check_factor(name, factor):
    if factor < 0:
        raise ValueError(f"{name}_factor ({factor}) is not non-negative.")


def adjust_brightness(img, brightness_factor):
    """0 is black, 1 the image, 2 twice as bright."""
    _check_factor("brightness", brightness_factor)
    if is_pil(img):
        return ImageEnhance.Brightness(img).enhance(brightness_factor)
    return _blend(img, veem.zeros_like(img), brightness_factor)


def adjust_contrast(img, contrast_factor):
    """0 is gray of the image's mean, 1 the image."""
    _check_factor("contrast", contrast_factor)
    if is_pil(img):
        return ImageEnhance.Contrast(img).enhance(contrast_factor)
    gray = rgb_to_grayscale(img)
    gray = gray if img.is_floating_point() else gray.float()
    return _blend(img, gray.mean((-3, -2, -1), keepdim=True), contrast_factor)


def adjust_saturation(img, saturation_factor):
    """0 is gray, 1 the image."""
    _check_factor("saturation", saturation_factor)
    if is_pil(img):
        return ImageEnhance.Color(img).enhance(saturation_factor)
    if get_dimensions(img)[0] == 1:
        return img
    return _blend(img, rgb_to_grayscale(img), saturation_factor)


def adjust_hue(img, hue_factor):
    """Colours turned on their wheel by hue_factor, in [-0.5, 0.5] of a full turn."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if get_dimensions(img)[0] == 1:
        return img
    if is_pil(img):
        hue, saturation, value = img.convert("HSV").split()
        # Hues are bytes and go round.
        turned = np.asarray(hue).astype(np.int32) + int(hue_factor * 255)
        hue = Image.fromarray(turned.astype(np.uint8))
        return Image.merge("HSV", (hue, saturation, value)).convert(img.mode)
    most = _most(img)
    floats = img if img.is_floating_point() else img.float() / most
    hue, saturation, value = _hsv(floats)
    turned = _rgb((hue + hue_factor) % 1.0, saturation, value)
    if img.is_floating_point():
        return turned
    return (turned * (most + 1 - 1e-3)).to(img.dtype)


def _hsv(img):
    """Hue (of a turn), saturation and value, all in [0, 1], of an RGB tensor."""
    red, green, blue = img.unbind(-3)
    value, low = img.amax(-3), img.amin(-3)
    spread = value - low
    saturation = spread / veem.where(spread == 0, veem.ones_like(value), value)
    # Each colour's distance from the strongest; 0 where all are equal.
    r, g, b = ((value - c) / spread.clamp(min=1e-12) for c in (red, green, blue))
    hue = veem.where(value == green, 2 + r - b, 4 + g - r)
    hue = veem.where(value == red, b - g, hue)
    hue = veem.where(spread == 0, veem.zeros_like(hue), hue)
    return hue / 6 % 1.0, saturation, value


def _rgb(hue, saturation, value):
    """The RGB tensor of these, by its distance from each colour's middle."""

    def channel(offset):
        k = (offset + hue * 6) % 6
        return value - value * saturation * veem.minimum(k, 4 - k).clamp(0, 1)

    return veem.stack([channel(offset) for offset in (5, 3, 1)], -3)


def adjust_gamma(img, gamma, gain=1):
    """gain times the gamma-th power of the brightness in [0, 1]."""
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    if is_pil(img):
        table = [int((255 + 1 - 1e-3) * gain * (i / 255) ** gamma) for i in range(256)]
        table = [min(max(i, 0), 255) for i in table]
        mode = img.mode
        return img.convert("RGB").point(table * 3).convert(mode)
    most = _most(img)
    floats = img if img.is_floating_point() else img.float() / most
    new = (gain * floats**gamma).clamp(0, 1)
    if img.is_floating_point():
        return new
    return (new * (most + 1 - 1e-3)).to(img.dtype)


def invert(img):
    """White less the image."""
    return ImageOps.invert(img) if is_pil(img) else _most(img) - img


def gaussian_blur(img, kernel_size, sigma=None):
    """The image smoothed by a normal distribution with standard deviation sigma.

    kernel_size, sigma: a number, or one for x and one for y; sigma follows from the
    size by default.
    """
    sizes = pair(
        kernel_size,
        f"If kernel_size is a sequence its length should be 2. Got {kernel_size}",
    )
    if any(size % 2 == 0 or size < 0 for size in sizes):
        raise ValueError(
            f"kernel_size should have odd and positive integers. Got {kernel_size}"
        )
    if sigma is None:
        sigma = [size * 0.15 + 0.35 for size in sizes]
    sigma = [sigma, sigma] if isinstance(sigma, (int, float)) else list(sigma)
    sigma = sigma if len(sigma) == 2 else sigma * 2
    if any(s <= 0 for s in sigma):
        raise ValueError(f"sigma should have positive values. Got {sigma}")
    if is_pil(img):
        blurred = gaussian_blur(pil_to_tensor(img), sizes, sigma)
        return to_pil_image(blurred, img.mode)
    floats = img if img.is_floating_point() else img.float()
    across, down = (_bell(n, s, floats.dtype) for n, s in zip(sizes, sigma))
    kernel = (down[:, None] * across)[None, None]
    planes = floats.reshape(-1, 1, *img.shape[-2:])
    planes = pad(planes, (sizes[0] // 2, sizes[1] // 2), padding_mode="reflect")
    new = F.conv2d(planes, kernel).reshape(img.shape)
    return new if img.is_floating_point() else new.round().to(img.dtype)


def _bell(size, sigma, dtype):
    half = (size - 1) / 2
    x = veem.linspace(-half, half, size, dtype=dtype)
    weights = (-0.5 * (x / sigma) ** 2).exp()
    return weights / weights.sum()
