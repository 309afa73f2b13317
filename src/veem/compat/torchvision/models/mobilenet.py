"""MobileNetV2: inverted residuals (Sandler et al. 2018, arXiv:1801.04381)."""

from veem import nn
from veem.compat.torchvision.models.weights import builder, published

__all__ = ["InvertedResidual", "MobileNetV2", "MobileNet_V2_Weights", "mobilenet_v2"]


def _divisible(channels, by=8):
    """The nearest multiple, but not below nine tenths."""
    new = max(by, int(channels + by / 2) // by * by)
    return new + by if new < 0.9 * channels else new


def _convolution(inp, out, kernel, stride=1, groups=1, norm_layer=nn.BatchNorm2d):
    """Convolution, normalization, ReLU6."""
    return nn.Sequential(
        nn.Conv2d(inp, out, kernel, stride, kernel // 2, groups=groups, bias=False),
        norm_layer(out),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Widened by 1 x 1, filtered by channel, narrowed by 1 x 1; + x where it fits."""

    def __init__(self, inp, oup, stride, expand_ratio, norm_layer=nn.BatchNorm2d):
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        wide = round(inp * expand_ratio)
        self.stride, self.out_channels = stride, oup
        self.use_res_connect = stride == 1 and inp == oup
        layers = []
        if expand_ratio != 1:
            layers.append(_convolution(inp, wide, 1, norm_layer=norm_layer))
        layers += [
            _convolution(wide, wide, 3, stride, wide, norm_layer),
            nn.Conv2d(wide, oup, 1, bias=False),
            norm_layer(oup),
        ]
        self.conv = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Images (N, 3, H, W) to scores (N, num_classes).

    width_mult: times so many channels. inverted_residual_setting: rows of (widening,
    channels, blocks, stride of the first).
    """

    SETTING = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )

    def __init__(
        self,
        num_classes=1000,
        width_mult=1.0,
        inverted_residual_setting=None,
        round_nearest=8,
        block=None,
        norm_layer=None,
        dropout=0.2,
    ):
        super().__init__()
        block, norm_layer = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        channels = _divisible(32 * width_mult, round_nearest)
        self.last_channel = _divisible(1280 * max(1.0, width_mult), round_nearest)
        features = [_convolution(3, channels, 3, 2, norm_layer=norm_layer)]
        for widening, c, n, s in inverted_residual_setting or self.SETTING:
            out = _divisible(c * width_mult, round_nearest)
            for i in range(n):
                stride = s if i == 0 else 1
                features.append(block(channels, out, stride, widening, norm_layer))
                channels = out
        last = _convolution(channels, self.last_channel, 1, norm_layer=norm_layer)
        self.features = nn.Sequential(*features, last)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.last_channel, num_classes)
        )
        self._initialize()

    def _initialize(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x):
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(x.flatten(1))


_FILE = "mobilenet_v2-b0353104.pth"
mobilenet_v2 = builder("mobilenet_v2", MobileNetV2, _FILE)
MobileNet_V2_Weights = published("MobileNet_V2_Weights", _FILE)
