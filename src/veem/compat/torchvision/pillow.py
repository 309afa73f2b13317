"""Pillow, the package that images are read, written and resized with."""

try:
    from PIL import Image, ImageEnhance, ImageOps
except ImportError:
    raise ImportError(
        "torchvision under veem needs Pillow for its images, which is not installed; "
        "pip install pillow, or veem's extra: pip install veem[vision]"
    ) from None

__all__ = ["Image", "ImageEnhance", "ImageOps", "is_pil"]


def is_pil(image):
    return isinstance(image, Image.Image)
