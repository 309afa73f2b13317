"""torchvision.transforms: images changed, by rule or by chance."""

from veem.compat.torchvision.transforms import amounts, chance, functional, plain
from veem.compat.torchvision.transforms.amounts import *  # noqa: F403
from veem.compat.torchvision.transforms.chance import *  # noqa: F403
from veem.compat.torchvision.transforms.functional import InterpolationMode
from veem.compat.torchvision.transforms.plain import *  # noqa: F403

__all__ = ["InterpolationMode", "functional"]
__all__ += amounts.__all__ + chance.__all__ + plain.__all__
