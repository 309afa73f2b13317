"""torchvision.models: networks with torchvision's layers, names of parameters and
initial values. Weights come from a file, never from the network."""

from veem.compat.torchvision.models import mobilenet, resnet, vgg
from veem.compat.torchvision.models.mobilenet import *  # noqa: F403
from veem.compat.torchvision.models.resnet import *  # noqa: F403
from veem.compat.torchvision.models.vgg import *  # noqa: F403

__all__ = mobilenet.__all__ + resnet.__all__ + vgg.__all__
