"""Schedules of learning rates and optimizers, pair by pair, on one small regression."""

import torch
from record import Run
from torch import nn, optim
from torch.optim import lr_scheduler as s

torch.manual_seed(8)
x = torch.randn(64, 5)
y = (x[:, :1] * x[:, 1:2]).tanh() + 0.1 * torch.randn(64, 1)


class Halving(s._LRScheduler):
    """A schedule of one's own: half the rate every tenth step."""

    def get_lr(self):
        return [base * 0.5 ** (self.last_epoch // 10) for base in self.base_lrs]


PAIRS = {
    "step": (lambda p: optim.SGD(p, 0.05), lambda o: s.StepLR(o, 10, gamma=0.5)),
    "multi": (
        lambda p: optim.SGD(p, 0.05, momentum=0.9, dampening=0.1),
        lambda o: s.MultiStepLR(o, milestones=[5, 20], gamma=0.3),
    ),
    "exponential": (optim.Adam, lambda o: s.ExponentialLR(o, 0.97)),
    "cosine": (
        lambda p: optim.AdamW(p, 3e-3),
        lambda o: s.CosineAnnealingLR(o, T_max=30, eta_min=1e-5),
    ),
    "restarts": (optim.NAdam, lambda o: s.CosineAnnealingWarmRestarts(o, 8, T_mult=2)),
    "lambda": (
        lambda p: optim.Adadelta(p, lr=1.0),
        lambda o: s.LambdaLR(o, lr_lambda=lambda epoch: 0.95**epoch),
    ),
    "one": (
        lambda p: optim.RMSprop(p, lr=1e-3, alpha=0.9, momentum=0.5, centered=True),
        lambda o: s.OneCycleLR(o, max_lr=5e-3, total_steps=60),
    ),
    "cyclic": (
        lambda p: optim.SGD(p, 0.01, momentum=0.8),
        lambda o: s.CyclicLR(o, base_lr=0.005, max_lr=0.02, step_size_up=7),
    ),
    "plateau": (
        lambda p: optim.Adamax(p, lr=5e-3),
        lambda o: s.ReduceLROnPlateau(o, patience=2, factor=0.5),
    ),
    "polynomial": (optim.RAdam, lambda o: s.PolynomialLR(o, 40, power=2.0)),
    "own": (lambda p: optim.Adagrad(p, lr=0.02), Halving),
}
parts = {}
for name, (make_optimizer, make_schedule) in PAIRS.items():
    net = nn.Sequential(nn.Linear(5, 8), nn.Softplus(), nn.Linear(8, 1))
    optimizer = make_optimizer(net.parameters())
    parts[name] = net
    parts[f"{name} optimizer"] = optimizer
    parts[f"{name} schedule"] = make_schedule(optimizer)

for step in (run := Run(**parts)):
    rows = torch.randperm(64)[:32]
    losses, rates = [], []
    for name in PAIRS:
        optimizer, schedule = parts[f"{name} optimizer"], parts[f"{name} schedule"]
        optimizer.zero_grad()
        loss = nn.functional.huber_loss(parts[name](x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        schedule.step(*[loss.item()] * (name == "plateau"))
        losses.append(loss.item())
        rates.append(optimizer.param_groups[0]["lr"])
    run.loss(sum(losses), *losses, *rates)
