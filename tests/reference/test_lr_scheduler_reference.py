"""Schedules beside PyTorch's: the same rates, step by step."""

import sys
import warnings

import pytest

torch = pytest.importorskip("torch")

import veem  # noqa: E402

STEPS = 50


def optimizer(lib, kind="SGD"):
    groups = [
        {"params": [lib.nn.Parameter(lib.ones(2))]},
        {"params": [lib.nn.Parameter(lib.ones(2))], "lr": 0.5},
    ]
    options = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(lib.optim, kind)(groups, lr=0.1, **options)


def schedule(name, *args, **kwargs):
    return lambda s, o, **more: getattr(s, name)(o, *args, **kwargs, **more)


def swa(*args):
    """SWALR lies in another module than the rest."""
    return lambda s, o: sys.modules[s.__package__.split(".")[0]].optim.swa_utils.SWALR(
        o, *args
    )


SCHEDULES = {
    "lambda": schedule("LambdaLR", lambda e: 0.95**e),
    "lambdas": schedule("LambdaLR", [lambda e: 0.95**e, lambda e: 1 / (1 + e)]),
    "multiplicative": schedule("MultiplicativeLR", lambda e: 1 - 0.01 * e),
    "step": schedule("StepLR", 7, gamma=0.3),
    "multistep": schedule("MultiStepLR", [3, 10, 10, 30], gamma=0.5),
    "constant": schedule("ConstantLR", 0.25, 9),
    "linear": schedule("LinearLR", 0.2, 0.9, 13),
    "exponential": schedule("ExponentialLR", 0.93),
    "polynomial": schedule("PolynomialLR", 20, 2.0),
    "cosine": schedule("CosineAnnealingLR", 12, eta_min=0.01),
    "cosine once": schedule("CosineAnnealingLR", 50),
    "restarts": schedule("CosineAnnealingWarmRestarts", 7),
    "restarts longer": schedule("CosineAnnealingWarmRestarts", 4, 2, eta_min=0.01),
    "one cycle": schedule("OneCycleLR", 1.0, STEPS + 1),
    "one cycle groups": schedule(
        "OneCycleLR", [1.0, 2.0], epochs=6, steps_per_epoch=10
    ),
    "one cycle linear": schedule("OneCycleLR", 1.0, 60, anneal_strategy="linear"),
    "one cycle three": schedule("OneCycleLR", 1.0, 60, three_phase=True, pct_start=0.4),
    "one cycle still": schedule("OneCycleLR", 1.0, 60, cycle_momentum=False),
    "cyclic": schedule("CyclicLR", 0.1, [1.0, 2.0], 4),
    "cyclic uneven": schedule("CyclicLR", 0.1, 1.0, 4, 9, mode="triangular2"),
    "cyclic exp": schedule("CyclicLR", [0.1, 0.2], 1.0, 5, mode="exp_range", gamma=0.9),
    "cyclic still": schedule("CyclicLR", 0.1, 1.0, 5, cycle_momentum=False),
    "cyclic custom": schedule(
        "CyclicLR", 0.1, 1.0, 5, scale_fn=lambda x: 0.9**x, scale_mode="iterations"
    ),
    "swa": swa(0.05),
    "swa linear": swa([0.05, 3.0], 7, "linear"),
    "swa at once": swa(0.05, 0),
    "sequential": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 30)], [5]
    ),
    "sequential three": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o), s.ExponentialLR(o, 0.9), s.StepLR(o, 4)], [10, 20]
    ),
    "chained": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.5, 20), s.ExponentialLR(o, 0.9), s.StepLR(o, 5, 0.7)]
    ),
    "two at once": lambda s, o: [s.ExponentialLR(o, 0.9), s.StepLR(o, 5, 0.7)],
    "cosine on linear": lambda s, o: [s.CosineAnnealingLR(o, 10), s.LinearLR(o)],
}


def rates(lib, make, kind, steps=STEPS):
    o = optimizer(lib, kind)
    made = make(lib.optim.lr_scheduler, o)
    made = made if isinstance(made, list) else [made]
    row = []
    for _ in range(steps):
        row.append(
            [(g["lr"], g.get("momentum"), g.get("betas")) for g in o.param_groups]
        )
        o.step()
        for scheduler in made:
            scheduler.step()
            for group, last in zip(o.param_groups, scheduler.get_last_lr()):
                assert scheduler is not made[-1] or group["lr"] == last
    return row


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_rates(name, kind):
    ours, theirs = (rates(lib, SCHEDULES[name], kind) for lib in (veem, torch))
    for step, (a, b) in enumerate(zip(ours, theirs)):
        for group_a, group_b in zip(a, b):
            for x, y in zip(group_a, group_b):
                assert (x is None) == (y is None)
                assert x is None or x == pytest.approx(y, rel=1e-12, abs=1e-15), step


@pytest.mark.parametrize("name", SCHEDULES)
def test_rate_that_is_a_tensor(name):
    """It stays that tensor, and is what is set."""

    def program(lib):
        rate = lib.tensor(0.25, dtype=lib.float64)
        o = lib.optim.SGD([lib.ones(1).requires_grad_()], lr=rate, momentum=0.9)
        made = ONE_GROUP.get(name, SCHEDULES[name])(lib.optim.lr_scheduler, o)
        row = []
        for _ in range(12):
            o.step()
            for scheduler in made if isinstance(made, list) else [made]:
                scheduler.step()
            assert o.param_groups[0]["lr"] is rate
            row.append(rate.item())
        return row

    assert program(veem) == pytest.approx(program(torch), rel=1e-12)


ONE_GROUP = {
    "lambdas": SCHEDULES["lambda"],
    "one cycle groups": SCHEDULES["one cycle"],
    "cyclic": schedule("CyclicLR", 0.1, 1.0, 4),
    "cyclic exp": SCHEDULES["cyclic uneven"],
    "swa linear": swa(0.05, 7, "linear"),
}


@pytest.mark.parametrize("name", ["step", "cosine", "cyclic", "one cycle", "swa"])
def test_get_lr_is_for_step(name):
    for lib in veem, torch:
        made = SCHEDULES[name](lib.optim.lr_scheduler, optimizer(lib))
        with pytest.warns(UserWarning, match="get_last_lr"):
            made.get_lr()


JUMPING = [
    n for n in SCHEDULES if n not in ("sequential", "sequential three", "chained")
]


@pytest.mark.filterwarnings("ignore:The epoch parameter")
@pytest.mark.filterwarnings("ignore:Detected call")
@pytest.mark.parametrize("name", JUMPING)
def test_step_to_an_epoch(name):
    def jump(lib):
        o = optimizer(lib)
        made = SCHEDULES[name](lib.optim.lr_scheduler, o)
        row = []
        for epoch in (3, 1, 11, 12, 40, 7):
            for scheduler in made if isinstance(made, list) else [made]:
                scheduler.step(epoch)
            row.append([g["lr"] for g in o.param_groups])
        return row

    for a, b in zip(jump(veem), jump(torch)):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_resumed_from_torch(name):
    """PyTorch's state, loaded here after 9 steps, goes on as in PyTorch."""
    if name in ("two at once", "cosine on linear"):
        pytest.skip("several schedulers")
    o, p = optimizer(torch), optimizer(veem)
    theirs = SCHEDULES[name](torch.optim.lr_scheduler, o)
    for _ in range(9):
        o.step()
        theirs.step()
    ours = SCHEDULES[name](veem.optim.lr_scheduler, p)
    p.load_state_dict(o.state_dict())
    ours.load_state_dict(theirs.state_dict())
    for _ in range(15):
        for optim, scheduler in (o, theirs), (p, ours):
            optim.step()
            scheduler.step()
        assert ours.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=1e-12)


@pytest.mark.parametrize("last_epoch", [0, 4, 12])
@pytest.mark.parametrize(
    "make",
    [
        schedule("StepLR", 4),
        schedule("MultiStepLR", [5, 6]),
        schedule("ExponentialLR", 0.9),
        schedule("CosineAnnealingLR", 12),
        schedule("LinearLR"),
        schedule("ConstantLR"),
        schedule("PolynomialLR", 13),
        schedule("LambdaLR", lambda e: 0.9**e),
        schedule("MultiplicativeLR", lambda e: 0.9),
    ],
)
def test_last_epoch(make, last_epoch):
    def row(lib):
        o = optimizer(lib)
        for group in o.param_groups:
            group["initial_lr"] = 3 * group["lr"]
        scheduler = make(lib.optim.lr_scheduler, o, last_epoch=last_epoch)
        out = []
        for _ in range(20):
            out.append(scheduler.get_last_lr())
            o.step()
            scheduler.step()
        return out

    for a, b in zip(row(veem), row(torch)):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2, "factor": 0.5},
        {"patience": 1, "cooldown": 3, "mode": "max"},
        {
            "patience": 0,
            "threshold_mode": "abs",
            "threshold": 0.05,
            "min_lr": [0.02, 0.1],
        },
        {"patience": 1, "factor": 0.1, "eps": 1e-3, "mode": "max", "threshold": 0.3},
    ],
)
def test_plateau(options):
    metrics = [1 / (1 + i % 9) + 0.01 * ((7 * i) % 5) for i in range(STEPS)]

    def run(lib):
        o = optimizer(lib)
        scheduler = lib.optim.lr_scheduler.ReduceLROnPlateau(o, **options)
        row = []
        for metric in metrics:
            scheduler.step(metric)
            row.append(
                (scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.best)
            )
        return row

    for a, b in zip(run(veem), run(torch)):
        assert a[0] == pytest.approx(b[0], rel=1e-12)
        assert a[1:] == b[1:]


WRONG = [
    lambda s, o: s.StepLR(3, 3),
    lambda s, o: s.StepLR(o, 3, last_epoch=2),
    lambda s, o: s.LambdaLR(o, [abs]),
    lambda s, o: s.OneCycleLR(o, 1),
    lambda s, o: s.OneCycleLR(o, 1, -3),
    lambda s, o: s.OneCycleLR(o, 1, 10, pct_start=3),
    lambda s, o: s.OneCycleLR(o, 1, 10, anneal_strategy="x"),
    lambda s, o: s.OneCycleLR(o, [1.0], 10),
    lambda s, o: [s.OneCycleLR(o, 1.0, 3).step() for _ in range(1)],
    lambda s, o: s.CyclicLR(3, 0.1, 1.0),
    lambda s, o: s.CyclicLR(o, 0.1, 1.0, mode="x"),
    lambda s, o: s.CyclicLR(o, 0.1, [1.0]),
    lambda s, o: swa(0.1, 3.5)(s, o),
    lambda s, o: swa(0.1, 3, "x")(s, o),
    lambda s, o: swa([0.1])(s, o),
    lambda s, o: s.ReduceLROnPlateau(o, mode="x"),
    lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    lambda s, o: s.ReduceLROnPlateau(o, min_lr=[1]),
    lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="x"),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 0),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 1).step(-1),
    lambda s, o: s.ConstantLR(o, 3),
    lambda s, o: s.LinearLR(o, 3),
    lambda s, o: s.LinearLR(o, end_factor=3),
    lambda s, o: s.SequentialLR(o, [s.StepLR(o, 3)], [2, 3]),
    lambda s, o: s.SequentialLR(o, [], []),
    lambda s, o: s.ChainedScheduler([]),
]


@pytest.mark.parametrize("program", WRONG)
def test_errors(program):
    def outcome(lib):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                program(lib.optim.lr_scheduler, optimizer(lib))
            except Exception as error:
                return type(error)

    assert outcome(veem) is outcome(torch)
