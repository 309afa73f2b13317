"""VGG (Simonyan, Zisserman 2014, arXiv:1409.1556) and AlexNet (arXiv:1404.5997)."""

import functools

from veem import nn
from veem.compat.torchvision.models.weights import builder, published

__all__ = ["VGG", "AlexNet"]


class AlexNet(nn.Module):
    """Images (N, 3, H, W) to scores (N, num_classes)."""

    def __init__(self, num_classes=1000, dropout=0.5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class VGG(nn.Module):
    """Images (N, 3, H, W) to scores (N, num_classes), from a stack of convolutions."""

    def __init__(self, features, num_classes=1000, init_weights=True, dropout=0.5):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            self._initialize()

    def _initialize(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
                if module.bias is not None:
                    nn.init.constant_(module.bias, 0)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, 1)
                nn.init.constant_(module.bias, 0)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.constant_(module.bias, 0)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def make_layers(cfg, batch_norm=False):
    """3 x 3 convolutions with these numbers of channels; "M" halves the size."""
    layers, channels = [], 3
    for step in cfg:
        if step == "M":
            layers.append(nn.MaxPool2d(2, 2))
            continue
        layers.append(nn.Conv2d(channels, step, 3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(step))
        layers.append(nn.ReLU(inplace=True))
        channels = step
    return nn.Sequential(*layers)


def _stack(repeats, batch_norm, **kwargs):
    """The network whose five groups have so many convolutions each."""
    channels = (64, 128, 256, 512, 512)
    cfg = [step for n, c in zip(repeats, channels) for step in [c] * n + ["M"]]
    return VGG(make_layers(cfg, batch_norm), **kwargs)


_REPEATS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
_FILES = {  # without and with batch norm
    11: ("8a719046", "6002323d"),
    13: ("19584684", "abd245e5"),
    16: ("397923af", "6c64b313"),
    19: ("dcbb9e9d", "c79401a0"),
}
alexnet = builder("alexnet", AlexNet, "alexnet-owt-7be5be79.pth")
AlexNet_Weights = published("AlexNet_Weights", "alexnet-owt-7be5be79.pth")
__all__ += ["AlexNet_Weights", "alexnet"]
for _depth, _repeats in _REPEATS.items():
    for _norm, _end in enumerate(("", "_bn")):
        _name, _class = f"vgg{_depth}{_end}", f"VGG{_depth}{_end.upper()}_Weights"
        _file = f"{_name}-{_FILES[_depth][_norm]}.pth"
        _make = functools.partial(_stack, _repeats, bool(_norm))
        globals()[_name] = builder(_name, _make, _file)
        globals()[_class] = published(_class, _file)
        __all__ += [_name, _class]
