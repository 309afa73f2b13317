"""A training that changes library twice, by files, ends as one that never did."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from test_lr_scheduler_reference import SCHEDULES  # noqa: E402

import veem  # noqa: E402

OPTIMIZERS = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"lr": 0.05, "amsgrad": True},
    "AdamW": {"lr": 0.05, "weight_decay": 0.1},
    "Adamax": {"lr": 0.05},
    "NAdam": {"lr": 0.05, "decoupled_weight_decay": True},
    "RAdam": {"lr": 0.05},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.1},
    "Adadelta": {"lr": 0.5},
    "RMSprop": {"lr": 0.02, "momentum": 0.5, "centered": True},
    "Rprop": {"lr": 0.01},
    "ASGD": {"lr": 0.05, "t0": 5},
    "Adafactor": {"lr": 0.05},
    "LBFGS": {"lr": 0.3, "max_iter": 3, "history_size": 4},
    "Muon": {"lr": 0.02},
}
PART = 5  # steps before each change
# LBFGS divides by small differences; Muon rounds to bfloat16 and divides by norms.
LOOSE = {"LBFGS": 1e-6, "Muon": 5e-3}


class Training:
    """A model, its optimizer and schedule in one library, and what it draws from."""

    def __init__(self, lib, optimizer, schedule, seed=0):
        self.lib = lib
        lib.manual_seed(seed)
        layers = lib.nn.Linear(4, 6, bias=False), lib.nn.Tanh(), lib.nn.Linear(6, 3)
        self.model = lib.nn.Sequential(*layers).double()
        groups = [{"params": [p]} for p in self.model.parameters()]
        if optimizer == "Muon":  # takes matrices only
            groups = [group for group in groups if group["params"][0].ndim == 2]
        if optimizer == "LBFGS":  # takes one group only
            groups = list(self.model.parameters())
        make = getattr(lib.optim, optimizer)
        self.optimizer = make(groups, **OPTIMIZERS[optimizer])
        self.schedule = schedule(lib.optim.lr_scheduler, self.optimizer)
        self.plateau = "Plateau" in type(self.schedule).__name__

    def closure(self):
        self.optimizer.zero_grad()
        loss = (self.model(self.x) - self.y).square().mean()
        loss.backward()
        return loss

    def steps(self, count):
        for _ in range(count):
            draw = self.lib.rand  # the same numbers to the bit
            self.x = draw(8, 4, dtype=self.lib.float64)
            self.y = draw(8, 3, dtype=self.lib.float64)
            loss = self.optimizer.step(self.closure)
            self.schedule.step(*[loss.item()] if self.plateau else [])

    def save(self, path):
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        self.lib.save({**parts, "rng": self.lib.get_rng_state()}, path)

    def load(self, path):
        state = self.lib.load(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.lib.set_rng_state(state["rng"])

    def result(self):
        params = [p.detach().numpy().copy() for p in self.model.parameters()]
        return params, [group["lr"] for group in self.optimizer.param_groups]


def numbers(state):
    """A state_dict with its tensors as numbers."""
    if isinstance(state, dict):
        return {k: numbers(v) for k, v in state.items()}
    if isinstance(state, (list, tuple)):
        return [numbers(v) for v in state]
    return state.tolist() if hasattr(state, "tolist") else state


def compare(optimizer, schedule, order, path):
    whole = Training(torch, optimizer, schedule)
    whole.steps(3 * PART)
    part = Training(order[0], optimizer, schedule)
    part.steps(PART)
    for lib in order[1:]:
        part.save(path)
        saved = numbers(part.optimizer.state_dict())
        part = Training(lib, optimizer, schedule, seed=99)  # all of it is replaced
        part.load(path)
        assert numbers(part.optimizer.state_dict()) == saved
        part.steps(PART)
    ours, theirs = part.result(), whole.result()
    for a, b in zip(ours[0], theirs[0]):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=LOOSE.get(optimizer, 1e-11))
    assert ours[1] == pytest.approx(theirs[1], rel=1e-12)


ORDERS = [(torch, veem, torch), (veem, torch, veem)]


def test_every_optimizer_is_here():
    others = {"Optimizer", "lr_scheduler", "swa_utils"}
    assert set(veem.optim.__all__) - others == set(OPTIMIZERS)


@pytest.mark.parametrize("order", ORDERS, ids=["torch first", "veem first"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer, order, tmp_path):
    def schedule(schedules, o):
        return schedules.StepLR(o, 4, 0.7)

    compare(optimizer, schedule, order, tmp_path / "x.pt")


def plateau(schedules, o):
    return schedules.ReduceLROnPlateau(o, patience=1, factor=0.5)


ALONE = {
    name: make
    for name, make in SCHEDULES.items()
    if name not in ("two at once", "cosine on linear", "lambdas")  # more than one
    and name not in ("one cycle groups", "swa linear", "cyclic", "cyclic exp")  # groups
}
ALONE = {**ALONE, "plateau": plateau}


@pytest.mark.parametrize("order", ORDERS, ids=["torch first", "veem first"])
@pytest.mark.parametrize("name", ALONE)
def test_schedules(name, order, tmp_path):
    compare("SGD", ALONE[name], order, tmp_path / "x.pt")


def test_every_schedule_is_here():
    made = set()
    for make in ALONE.values():
        o = veem.optim.SGD([veem.nn.Parameter(veem.ones(1))], 0.1, momentum=0.9)
        made.add(type(make(veem.optim.lr_scheduler, o)).__name__)
    every = set(veem.optim.lr_scheduler.__all__) - {"LRScheduler"}
    assert every | {"SWALR"} == made
