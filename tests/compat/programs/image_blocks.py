"""Blocks of three networks for images: residual, dense, and with separated channels."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from record import Run


class Residual(nn.Module):
    expansion = 1

    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != self.expansion * planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, planes, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(planes),
            )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class Dense(nn.Module):
    def __init__(self, in_planes, growth_rate):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = nn.Conv2d(in_planes, 2 * growth_rate, kernel_size=1, bias=False)
        self.bn2 = nn.BatchNorm2d(2 * growth_rate)
        self.conv2 = nn.Conv2d(2 * growth_rate, growth_rate, 3, padding=1, bias=False)

    def forward(self, x):
        out = self.conv1(F.relu(self.bn1(x)))
        out = self.conv2(F.relu(self.bn2(out)))
        return torch.cat([out, x], 1)


class Mobile(nn.Module):
    """Widened, each channel alone, squeezed and excited, narrowed."""

    def __init__(self, in_planes, out_planes, expansion, stride):
        super().__init__()
        planes = expansion * in_planes
        self.layers = nn.Sequential(
            nn.Conv2d(in_planes, planes, 1, bias=False),
            nn.BatchNorm2d(planes),
            nn.ReLU6(inplace=True),
            nn.Conv2d(planes, planes, 3, stride, 1, groups=planes, bias=False),
            nn.BatchNorm2d(planes),
            nn.Hardswish(inplace=True),
        )
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(planes, planes // 4, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(planes // 4, planes, 1),
            nn.Hardsigmoid(),
        )
        self.project = nn.Sequential(
            nn.Conv2d(planes, out_planes, 1, bias=False), nn.BatchNorm2d(out_planes)
        )
        self.same = stride == 1 and in_planes == out_planes

    def forward(self, x):
        out = self.layers(x)
        out = self.project(out * self.gate(out))
        return x + out if self.same else out


def network(*body, planes):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        *body,
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
        nn.Linear(planes, 5),
    )


torch.manual_seed(2)
nets = {
    "residual": network(Residual(8, 8), Residual(8, 16, 2), planes=16),
    "dense": network(
        Dense(8, 4),
        Dense(12, 4),
        nn.Conv2d(16, 12, 1),
        nn.AvgPool2d(2),
        Dense(12, 4),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        planes=16,
    ),
    "mobile": network(Mobile(8, 8, 2, 1), Mobile(8, 16, 3, 2), planes=16),
}
for m in nets["mobile"].modules():
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
        nn.init.constant_(m.weight, 1)
        nn.init.constant_(m.bias, 0)
optimizers = {
    f"{name} optimizer": torch.optim.SGD(
        net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    for name, net in nets.items()
}
for step in (run := Run(**nets, **optimizers)):
    targets = torch.randint(5, (8,))
    inputs = torch.randn(8, 3, 8, 8) + F.one_hot(targets, 5).float()[:, 2:, None, None]
    losses = []
    for name, net in nets.items():
        optimizers[f"{name} optimizer"].zero_grad()
        loss = nn.CrossEntropyLoss()(net(inputs), targets)
        loss.backward()
        optimizers[f"{name} optimizer"].step()
        losses.append(loss)
    run.loss(*losses)

for net in nets.values():
    net.eval()
    with torch.no_grad():
        _, predicted = net(inputs).max(1)
    print(predicted.eq(targets).sum().item())
