"""Residual networks (He et al. 2015, arXiv:1512.03385; ResNeXt: arXiv:1611.05431)."""

import functools

from veem import nn
from veem.compat.torchvision.models.weights import builder, published

__all__ = ["BasicBlock", "Bottleneck", "ResNet"]


def conv3x3(in_planes, out_planes, stride=1, groups=1, dilation=1):
    """A 3 x 3 convolution that keeps the size, divided by the stride."""
    return nn.Conv2d(
        in_planes, out_planes, 3, stride, dilation, dilation, groups, bias=False
    )


def conv1x1(in_planes, out_planes, stride=1):
    return nn.Conv2d(in_planes, out_planes, 1, stride, bias=False)


class BasicBlock(nn.Module):
    """x + two 3 x 3 convolutions of it."""

    expansion = 1

    def __init__(
        self,
        inplanes,
        planes,
        stride=1,
        downsample=None,
        groups=1,
        base_width=64,
        dilation=1,
        norm_layer=None,
    ):
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        if groups != 1 or base_width != 64:
            raise ValueError("BasicBlock only supports groups=1 and base_width=64")
        if dilation > 1:
            raise NotImplementedError("Dilation > 1 not supported in BasicBlock")
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class Bottleneck(nn.Module):
    """x + a 3 x 3 convolution in fewer channels, between two of 1 x 1."""

    expansion = 4

    def __init__(
        self,
        inplanes,
        planes,
        stride=1,
        downsample=None,
        groups=1,
        base_width=64,
        dilation=1,
        norm_layer=None,
    ):
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm_layer(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm_layer(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    """Images (N, 3, H, W) to scores (N, num_classes), by four groups of blocks.

    layers: how many blocks each group has. zero_init_residual: blocks begin as the
    identity. replace_stride_with_dilation: of the last three groups, which dilate
    instead of halving the size.
    """

    def __init__(
        self,
        block,
        layers,
        num_classes=1000,
        zero_init_residual=False,
        groups=1,
        width_per_group=64,
        replace_stride_with_dilation=None,
        norm_layer=None,
    ):
        super().__init__()
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes, self.dilation = 64, 1
        dilates = replace_stride_with_dilation or (False, False, False)
        if len(dilates) != 3:
            raise ValueError(
                "replace_stride_with_dilation should be None or a 3-element tuple, got "
                f"{dilates}"
            )
        self.groups, self.base_width = groups, width_per_group
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = self._norm_layer(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilates[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilates[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilates[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        self._initialize(zero_init_residual)

    def _initialize(self, zero_init_residual):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
            elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.constant_(module.weight, 1)
                nn.init.constant_(module.bias, 0)
        if zero_init_residual:
            for module in self.modules():
                last = {BasicBlock: "bn2", Bottleneck: "bn3"}.get(type(module))
                if last is not None:
                    nn.init.constant_(getattr(module, last).weight, 0)

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        before = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        out = planes * block.expansion
        downsample = None
        if stride != 1 or self.inplanes != out:
            downsample = nn.Sequential(
                conv1x1(self.inplanes, out, stride), self._norm_layer(out)
            )
        shared = (self.groups, self.base_width)
        norm = self._norm_layer
        layers = [
            block(self.inplanes, planes, stride, downsample, *shared, before, norm)
        ]
        self.inplanes = out
        for _ in range(1, blocks):
            layers.append(block(out, planes, 1, None, *shared, self.dilation, norm))
        return nn.Sequential(*layers)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


_WIDE = {"width_per_group": 128}
_NETWORKS = {  # block, layers, more, the published file, its class's name
    "resnet18": (BasicBlock, (2, 2, 2, 2), {}, "f37072fd", "ResNet18"),
    "resnet34": (BasicBlock, (3, 4, 6, 3), {}, "b627a593", "ResNet34"),
    "resnet50": (Bottleneck, (3, 4, 6, 3), {}, "0676ba61", "ResNet50"),
    "resnet101": (Bottleneck, (3, 4, 23, 3), {}, "63fe2227", "ResNet101"),
    "resnet152": (Bottleneck, (3, 8, 36, 3), {}, "394f9c45", "ResNet152"),
    "resnext50_32x4d": (
        Bottleneck,
        (3, 4, 6, 3),
        {"groups": 32, "width_per_group": 4},
        "7cdf4587",
        "ResNeXt50_32X4D",
    ),
    "resnext101_32x8d": (
        Bottleneck,
        (3, 4, 23, 3),
        {"groups": 32, "width_per_group": 8},
        "8ba56ff5",
        "ResNeXt101_32X8D",
    ),
    "wide_resnet50_2": (
        Bottleneck,
        (3, 4, 6, 3),
        _WIDE,
        "95faca4d",
        "Wide_ResNet50_2",
    ),
    "wide_resnet101_2": (
        Bottleneck,
        (3, 4, 23, 3),
        _WIDE,
        "32ee1156",
        "Wide_ResNet101_2",
    ),
}
for _name, (_block, _layers, _more, _file, _class) in _NETWORKS.items():
    _make = functools.partial(ResNet, _block, _layers, **_more)
    globals()[_name] = builder(_name, _make, f"{_name}-{_file}.pth")
    globals()[f"{_class}_Weights"] = published(
        f"{_class}_Weights", f"{_name}-{_file}.pth"
    )
    __all__ += [_name, f"{_class}_Weights"]
