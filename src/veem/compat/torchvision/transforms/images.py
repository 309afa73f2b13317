"""What an image is: a PIL image, or a tensor (..., C, H, W); each as the other."""

import enum

import numpy as np

import veem
from veem.compat.torchvision.pillow import Image, is_pil

__all__ = [
    "InterpolationMode",
    "convert_image_dtype",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "pil_to_tensor",
    "to_pil_image",
    "to_tensor",
]


class InterpolationMode(enum.Enum):
    """How the pixels between pixels are found."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"  # the last three for PIL images
    HAMMING = "hamming"
    LANCZOS = "lanczos"

    @classmethod
    def of(cls, mode):
        """The mode itself, or the one of Pillow's number; TypeError for others."""
        if isinstance(mode, int):
            mode = Image.Resampling(mode).name.lower()
        try:
            return cls(mode)
        except ValueError:
            raise TypeError(
                f"interpolation: expected an InterpolationMode, got {mode!r}"
            ) from None

    @property
    def pil(self):
        """Pillow's constant for it."""
        name = self.name.removesuffix("_EXACT")
        return Image.Resampling[name]


def get_dimensions(img):
    """[channels, height, width]"""
    if is_pil(img):
        return [len(img.getbands()), img.height, img.width]
    if not isinstance(img, veem.Tensor):
        raise TypeError(f"Unexpected type {type(img)}: images are PIL's, or tensors")
    if img.ndim < 2:
        raise TypeError(
            f"images as tensors are (..., H, W), not of shape {list(img.shape)}"
        )
    return [img.shape[-3] if img.ndim > 2 else 1, *img.shape[-2:]]


def get_image_size(img):
    """[width, height]"""
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img):
    return get_dimensions(img)[0]


# ---- to tensors ----------------------------------------------------------------------

_WIDE = {"I": np.int32, "I;16": np.uint16, "F": np.float32}  # modes that are no bytes


def pil_to_tensor(pic):
    """A PIL image as a tensor (C, H, W) of its own numbers, mostly uint8."""
    if not is_pil(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    return veem.from_numpy(_channels_first(np.array(pic, _WIDE.get(pic.mode))))


def to_tensor(pic):
    """A PIL image or an array (H, W, C) or (H, W) as a tensor (C, H, W).

    Bytes become floats in [0, 1], of the default dtype; other numbers stay as they are.
    """
    if is_pil(pic):
        array = np.array(pic, _WIDE.get(pic.mode, np.uint8))
        if pic.mode == "1":
            array *= 255
        if array.dtype == np.uint16:  # there is no tensor of these
            array = array.astype(np.int16)
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    if array.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
    tensor = veem.from_numpy(_channels_first(array))
    if tensor.dtype == veem.uint8:
        return tensor.to(veem.get_default_dtype()).div(255)
    return tensor


def _channels_first(array):
    array = array[:, :, None] if array.ndim == 2 else array
    return np.ascontiguousarray(array.transpose(2, 0, 1))


def convert_image_dtype(image, dtype=veem.float32):
    """A tensor in another dtype, scaled: floats are in [0, 1], integers from 0 to max.

    RuntimeError where a float cannot hold the integers that it should become.
    """
    if not isinstance(image, veem.Tensor):
        raise TypeError("Input img should be Tensor Image")
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        if dtype == veem.int64 or (dtype == veem.int32 and image.dtype != veem.float64):
            raise RuntimeError(
                f"The cast from {image.dtype} to {dtype} cannot be performed safely."
            )
        almost = 1 - 1e-3  # so that 1.0 gets no more than its share of integers
        return image.mul(np.iinfo(_name(dtype)).max + almost).to(dtype)
    most = np.iinfo(_name(image.dtype)).max
    if dtype.is_floating_point:
        return image.to(dtype) / most
    new = np.iinfo(_name(dtype)).max
    if most > new:
        return veem.div(image, (most + 1) // (new + 1), rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((new + 1) // (most + 1))


def _name(dtype):
    return str(dtype).rpartition(".")[2]


# ---- to PIL images -------------------------------------------------------------------

# By the number of channels: the modes that may be asked for, the first by default.
_MODES = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
_GRAY = {"uint8": "L", "int16": "I;16", "uint16": "I;16", "int32": "I", "float32": "F"}


def to_pil_image(pic, mode=None):
    """A tensor (C, H, W) or an array (H, W, C), or (H, W), as a PIL image.

    Floats are taken to be in [0, 1]. mode: Pillow's; found from the dtype and the
    number of channels where not given.
    """
    if not isinstance(pic, (veem.Tensor, np.ndarray)):
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if pic.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    if isinstance(pic, veem.Tensor):
        if pic.is_floating_point() and mode != "F":
            pic = pic.detach().mul(255).byte()
        array = pic.detach().cpu().numpy()
        array = array[None] if array.ndim == 2 else array
        array = array.transpose(1, 2, 0)
    else:
        array = pic[:, :, None] if pic.ndim == 2 else pic
        if array.dtype.kind == "f" and mode != "F":
            array = (array * 255).astype(np.int64).astype(np.uint8)
    channels = array.shape[2]
    if channels > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {channels} channels.")
    if channels == 1:
        return _gray(array[:, :, 0], mode)
    if mode is not None and mode not in _MODES[channels]:
        raise ValueError(
            f"Only modes {list(_MODES[channels])} are supported for {channels} channels"
        )
    if array.dtype != np.uint8:
        raise TypeError(f"Input type {array.dtype} is not supported")
    return _image(array, mode or _MODES[channels][0])


def _gray(array, mode):
    expected = _GRAY.get(array.dtype.name)
    if mode is not None and mode != expected:
        raise ValueError(
            f"Incorrect mode ({mode}) supplied for input type {array.dtype}. Should be "
            f"{expected}"
        )
    if expected is None:
        raise TypeError(f"Input type {array.dtype} is not supported")
    if array.dtype == np.int16:
        array = array.astype(np.uint16)
    return _image(array, expected)


def _image(array, mode):
    """From bytes in a mode that the array's shape may not tell, as HSV."""
    height, width = array.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(array).tobytes())
