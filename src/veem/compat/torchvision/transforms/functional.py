"""Transforms as functions of an image and their settings."""

from veem.compat.torchvision.transforms import colors, geometry, images, turning
from veem.compat.torchvision.transforms.colors import *  # noqa: F403
from veem.compat.torchvision.transforms.geometry import *  # noqa: F403
from veem.compat.torchvision.transforms.images import *  # noqa: F403
from veem.compat.torchvision.transforms.turning import *  # noqa: F403

__all__ = images.__all__ + geometry.__all__ + colors.__all__ + turning.__all__
