"""Transforms without chance, as objects that are called with an image."""

from collections.abc import Sequence

import veem
from veem.compat.torchvision.transforms import functional as F
from veem.compat.torchvision.transforms.geometry import pair, sides
from veem.compat.torchvision.transforms.images import InterpolationMode
from veem.nn import Module

__all__ = [
    "CenterCrop",
    "Compose",
    "ConvertImageDtype",
    "FiveCrop",
    "Grayscale",
    "Lambda",
    "LinearTransformation",
    "Normalize",
    "PILToTensor",
    "Pad",
    "Resize",
    "TenCrop",
    "ToPILImage",
    "ToTensor",
]


class Transform(Module):
    """A transform as a module, which prints the settings that `shown` names."""

    shown = ""

    def __repr__(self):
        settings = ((name, getattr(self, name)) for name in self.shown.split())
        return (
            f"{type(self).__name__}({', '.join(f'{k}={show(v)}' for k, v in settings)})"
        )


def show(value):
    """Interpolation modes by their name."""
    return value.value if isinstance(value, InterpolationMode) else value


def show_all(transforms, indent="    "):
    """The lines of several transforms, each indented."""
    return "".join(f"\n{indent}{transform}" for transform in transforms)


class Compose:
    """Transforms one after the other."""

    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, img):
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self):
        return f"{type(self).__name__}({show_all(self.transforms)}\n)"


class ToTensor:
    """A PIL image or an array (H, W, C) as floats (C, H, W), bytes scaled to [0, 1]."""

    def __call__(self, pic):
        return F.to_tensor(pic)

    def __repr__(self):
        return f"{type(self).__name__}()"


class PILToTensor(ToTensor):
    """A PIL image as a tensor (C, H, W) of its own numbers."""

    def __call__(self, pic):
        return F.pil_to_tensor(pic)


class ToPILImage:
    """A tensor (C, H, W) or an array (H, W, C) as a PIL image; mode: Pillow's."""

    def __init__(self, mode=None):
        self.mode = mode

    def __call__(self, pic):
        return F.to_pil_image(pic, self.mode)

    def __repr__(self):
        mode = "" if self.mode is None else f"mode={self.mode}"
        return f"{type(self).__name__}({mode})"


class Lambda:
    """Any function as a transform."""

    def __init__(self, lambd):
        if not callable(lambd):
            kind = type(lambd).__name__
            raise TypeError(f"Argument lambd should be callable, got {kind!r}")
        self.lambd = lambd

    def __call__(self, img):
        return self.lambd(img)

    def __repr__(self):
        return f"{type(self).__name__}()"


class ConvertImageDtype(Module):
    """A tensor in another dtype, scaled as its range asks for."""

    def __init__(self, dtype):
        super().__init__()
        if not isinstance(dtype, veem.dtype):
            raise TypeError("Argument dtype should be of type torch.dtype")
        self.dtype = dtype

    def forward(self, image):
        return F.convert_image_dtype(image, self.dtype)


class Normalize(Transform):
    """(x - mean) / std, channel by channel, of float tensors (..., C, H, W)."""

    shown = "mean std"

    def __init__(self, mean, std, inplace=False):
        super().__init__()
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, tensor):
        return F.normalize(tensor, self.mean, self.std, self.inplace)


class Resize(Transform):
    """The image in the size (h, w), or with its shorter side of length `size`."""

    shown = "size interpolation max_size antialias"

    def __init__(
        self,
        size,
        interpolation=InterpolationMode.BILINEAR,
        max_size=None,
        antialias=True,
    ):
        super().__init__()
        if not isinstance(size, (int, Sequence)):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError("If size is a sequence, it should have 1 or 2 values")
        self.size, self.max_size, self.antialias = size, max_size, antialias
        self.interpolation = InterpolationMode.of(interpolation)

    def forward(self, img):
        return F.resize(
            img, self.size, self.interpolation, self.max_size, self.antialias
        )


class CenterCrop(Transform):
    """The middle of the image, of the size (h, w) or of a square."""

    shown = "size"

    def __init__(self, size):
        super().__init__()
        self.size = pair(size)

    def forward(self, img):
        return F.center_crop(img, self.size)


class FiveCrop(CenterCrop):
    """The four corners and the middle, as a tuple."""

    def forward(self, img):
        return F.five_crop(img, self.size)


class TenCrop(CenterCrop):
    """FiveCrop of the image and of the image flipped."""

    shown = "size vertical_flip"

    def __init__(self, size, vertical_flip=False):
        super().__init__(size)
        self.vertical_flip = vertical_flip

    def forward(self, img):
        return F.ten_crop(img, self.size, self.vertical_flip)


class Pad(Transform):
    """The image with more pixels at its sides; see functional.pad."""

    shown = "padding fill padding_mode"

    def __init__(self, padding, fill=0, padding_mode="constant"):
        super().__init__()
        sides(padding, padding_mode)  # raises what is wrong with them
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def forward(self, img):
        return F.pad(img, self.padding, self.fill, self.padding_mode)


class Grayscale(Transform):
    """The image in gray, with 1 or 3 equal channels."""

    shown = "num_output_channels"

    def __init__(self, num_output_channels=1):
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img):
        return F.rgb_to_grayscale(img, self.num_output_channels)


class LinearTransformation(Module):
    """(x - mean_vector) @ transformation_matrix, of a tensor taken as one row."""

    def __init__(self, transformation_matrix, mean_vector):
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns or len(mean_vector) != rows:
            raise ValueError(
                "LinearTransformation: the matrix should be square and the vector as "
                f"long, got {rows} x {columns} and {len(mean_vector)}"
            )
        self.transformation_matrix, self.mean_vector = (
            transformation_matrix,
            mean_vector,
        )

    def forward(self, tensor):
        flat = tensor.reshape(-1, len(self.mean_vector)) - self.mean_vector
        return (flat @ self.transformation_matrix).reshape(tensor.shape)
