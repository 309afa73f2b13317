"""Schedules against their formulas over 50 steps."""

import math

import pytest

import veem
from veem import nn, optim
from veem.optim import lr_scheduler as schedules

STEPS = 50
BASE = (0.1, 0.5)


def make_optimizer(**options):
    params = [{"params": [nn.Parameter(veem.ones(1))], "lr": lr} for lr in BASE]
    return optim.SGD(params, momentum=0.9, **options)


def cosine(low, high, x):
    return low + (high - low) * (1 + math.cos(math.pi * x)) / 2


def milestones_passed(t):
    return sum(t >= m for m in (3, 10, 10, 30))


def warm(t, base):
    """Restarts: cycles of 4, 8, 16, ... epochs."""
    length = 4
    while t >= length:
        t, length = t - length, 2 * length
    return cosine(0.01, base, t / length)


# What each schedule makes of a base rate at epoch t.
FORMULAS = {
    "LambdaLR": (
        lambda o: schedules.LambdaLR(o, lambda t: 0.95**t),
        lambda t, b: b * 0.95**t,
    ),
    "MultiplicativeLR": (
        lambda o: schedules.MultiplicativeLR(o, lambda t: 0.9),
        lambda t, b: b * 0.9**t,
    ),
    "StepLR": (lambda o: schedules.StepLR(o, 7, 0.3), lambda t, b: b * 0.3 ** (t // 7)),
    "MultiStepLR": (
        lambda o: schedules.MultiStepLR(o, [3, 10, 10, 30], 0.5),
        lambda t, b: b * 0.5 ** milestones_passed(t),
    ),
    "ConstantLR": (
        lambda o: schedules.ConstantLR(o, 0.25, 9),
        lambda t, b: b * (0.25 if t < 9 else 1),
    ),
    "LinearLR": (
        lambda o: schedules.LinearLR(o, 0.2, 0.9, 13),
        lambda t, b: b * (0.2 + 0.7 * min(t, 13) / 13),
    ),
    "ExponentialLR": (
        lambda o: schedules.ExponentialLR(o, 0.93),
        lambda t, b: b * 0.93**t,
    ),
    "PolynomialLR": (
        lambda o: schedules.PolynomialLR(o, 20, 2.0),
        lambda t, b: b * (1 - min(t, 20) / 20) ** 2,
    ),
    "CosineAnnealingLR": (
        lambda o: schedules.CosineAnnealingLR(o, 12, 0.01),
        lambda t, b: cosine(0.01, b, t / 12),
    ),
    "CosineAnnealingWarmRestarts": (
        lambda o: schedules.CosineAnnealingWarmRestarts(o, 4, 2, 0.01),
        warm,
    ),
    "SequentialLR": (
        lambda o: schedules.SequentialLR(
            o, [schedules.ConstantLR(o, 0.5, 99), schedules.ExponentialLR(o, 0.9)], [10]
        ),
        lambda t, b: b * 0.5 if t < 10 else b * 0.9 ** (t - 10),
    ),
    "ChainedScheduler": (
        lambda o: schedules.ChainedScheduler(
            [schedules.ConstantLR(o, 0.5, 20), schedules.ExponentialLR(o, 0.9)]
        ),
        lambda t, b: b * 0.9**t * (0.5 if t < 20 else 1),
    ),
}


def rates(optimizer, scheduler, steps=STEPS):
    for _ in range(steps):
        yield [g["lr"] for g in optimizer.param_groups]
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    make, formula = FORMULAS[name]
    optimizer = make_optimizer()
    for t, row in enumerate(rates(optimizer, make(optimizer))):
        assert row == pytest.approx(
            [formula(t, b) for b in BASE], rel=1e-12, abs=1e-15
        ), t


@pytest.mark.parametrize("name", FORMULAS)
def test_resumes_from_its_state_dict(name):
    make, formula = FORMULAS[name]
    optimizer, twin = make_optimizer(), make_optimizer()
    scheduler, other = make(optimizer), make(twin)
    list(rates(optimizer, scheduler, 11))
    twin.load_state_dict(optimizer.state_dict())
    other.load_state_dict(scheduler.state_dict())
    for t, row in enumerate(rates(twin, other, 20)):
        assert row == pytest.approx([formula(t + 11, b) for b in BASE], rel=1e-12)


@pytest.mark.filterwarnings("ignore:The epoch parameter", "ignore:Detected call")
@pytest.mark.parametrize(
    "name",
    [
        n
        for n in FORMULAS
        if n not in ("SequentialLR", "ChainedScheduler", "MultiplicativeLR")
    ],
)
def test_jumps_to_an_epoch(name):
    make, formula = FORMULAS[name]
    scheduler = make(make_optimizer())
    for t in (30, 4, 17):
        scheduler.step(t)
        expected = [formula(t, b) for b in BASE]
        assert scheduler.get_last_lr() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle(strategy):
    optimizer = make_optimizer()
    scheduler = schedules.OneCycleLR(
        optimizer, 1.0, 51, pct_start=0.4, anneal_strategy=strategy
    )
    peak = 0.4 * 51 - 1

    def way(first, last, done):
        return (
            cosine(last, first, done)
            if strategy == "cos"
            else first + (last - first) * done
        )

    for t in range(51):
        if t <= peak:
            lr, momentum = way(1 / 25, 1.0, t / peak), way(0.95, 0.85, t / peak)
        else:
            done = (t - peak) / (50 - peak)
            lr, momentum = way(1.0, 1 / 25e4, done), way(0.85, 0.95, done)
        for group in optimizer.param_groups:
            assert group["lr"] == pytest.approx(lr, rel=1e-11)
            assert group["momentum"] == pytest.approx(momentum, rel=1e-12)
        optimizer.step()
        scheduler.step()
    with pytest.raises(ValueError, match="Tried to step 52 times"):
        scheduler.step()


def test_one_cycle_turns_adams_beta():
    optimizer = optim.Adam([nn.Parameter(veem.ones(1))])
    schedules.OneCycleLR(optimizer, 1.0, 10)
    assert optimizer.param_groups[0]["betas"] == (0.95, 0.999)


def test_plateau():
    optimizer = make_optimizer()
    scheduler = schedules.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=2, cooldown=1
    )
    seen = []
    for metric in (5, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3):
        scheduler.step(veem.tensor(float(metric)))
        seen.append(scheduler.get_last_lr()[0])
    assert seen == [0.1] * 4 + [0.05] * 4 + [0.025] * 3


def test_says_what_is_wrong():
    optimizer = make_optimizer()
    with pytest.raises(TypeError, match="int is not an Optimizer"):
        schedules.StepLR(3, 1)
    with pytest.raises(KeyError, match="initial_lr"):
        schedules.StepLR(optimizer, 1, last_epoch=3)
    with pytest.raises(ValueError, match="total_steps OR"):
        schedules.OneCycleLR(optimizer, 1.0)
    with pytest.raises(ValueError, match="Expected 2 values of lr_lambda"):
        schedules.LambdaLR(optimizer, [abs])
    scheduler = schedules.StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()
