"""Optimizers: the formulas by hand, fused against plain, state that comes and goes."""

import copy
import gc
import itertools

import numpy as np
import pytest

import veem
from veem import nn, optim

RNG = np.random.default_rng(0)
SHAPES = ((3, 4), (5,), (), (2, 0), (257,))
GRADS = [[RNG.normal(size=s) for s in SHAPES] for _ in range(12)]
START = [RNG.normal(size=s) for s in SHAPES]


def sgd(p, g, memory, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False):
    g = g + weight_decay * p
    if momentum:
        first = "b" not in memory
        memory["b"] = g if first else momentum * memory["b"] + (1 - dampening) * g
        g = g + momentum * memory["b"] if nesterov else memory["b"]
    return p - lr * g


def adam(p, g, memory, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0,
         amsgrad=False, decoupled=False):  # fmt: skip
    t = memory["t"] = memory.get("t", 0) + 1
    p, g = (p * (1 - lr * weight_decay), g) if decoupled else (p, g + weight_decay * p)
    m = memory["m"] = betas[0] * memory.get("m", 0) + (1 - betas[0]) * g
    v = memory["v"] = betas[1] * memory.get("v", 0) + (1 - betas[1]) * g * g
    if amsgrad:
        v = memory["top"] = np.maximum(memory.get("top", 0), v)
    return p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)


def adamw(p, g, memory, weight_decay=1e-2, **options):
    return adam(p, g, memory, weight_decay=weight_decay, decoupled=True, **options)


CASES = [
    ("SGD", sgd, {"lr": 0.1}),
    ("SGD", sgd, {"lr": 0.1, "momentum": 0.9}),
    ("SGD", sgd, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", adam, {}),
    ("Adam", adam, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", adam, {"lr": 0.1, "amsgrad": True}),
    ("AdamW", adamw, {"lr": 0.1}),
    ("AdamW", adamw, {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
]


def parameters(dtype="float64"):
    return [nn.Parameter(veem.tensor(a.astype(dtype))) for a in map(np.asarray, START)]


def train(optimizer, params, grads=GRADS):
    for row in grads:
        for p, g in zip(params, row):
            p.grad = veem.tensor(np.asarray(g)).to(p.dtype)
        optimizer.step()
    return [p.detach().numpy().copy() for p in params]


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("fused", [None, False])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "formula", "options"), CASES)
def test_formula(name, formula, options, dtype, fused, maximize):
    params = parameters(dtype)
    optimizer = getattr(optim, name)(params, **options, fused=fused, maximize=maximize)
    result = train(optimizer, params)
    sign = -1 if maximize else 1
    for k, p in enumerate(START):
        memory = {}
        for row in GRADS:
            p = formula(p, sign * row[k], memory, **options)
        tolerance = 1e-12 if dtype == "float64" else 1e-5
        np.testing.assert_allclose(result[k], p, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "formula", "options"), CASES)
def test_fused_is_plain(name, formula, options):
    results = []
    for fused in (None, False):
        params = parameters("float32")
        results.append(
            train(getattr(optim, name)(params, **options, fused=fused), params)
        )
    for a, b in zip(*results):
        # Ten steps of float32, rounded in another order: some units of 2^-23 of 1.
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "formula", "options"), CASES)
def test_resumes_from_its_state_dict(name, formula, options):
    whole = parameters()
    expected = train(getattr(optim, name)(whole, **options), whole)
    params = parameters()
    first = getattr(optim, name)(params, **options)
    train(first, params, GRADS[:5])
    state = copy.deepcopy(first.state_dict())
    second = getattr(optim, name)(params, lr=77.0)
    second.load_state_dict(state)
    for a, b in zip(train(second, params, GRADS[5:]), expected):
        np.testing.assert_array_equal(a, b)


def test_parameters_without_gradient_stay():
    p, q = nn.Parameter(veem.ones(2)), nn.Parameter(veem.ones(2))
    p.grad = veem.ones(2)
    for optimizer in optim.SGD([p, q], lr=0.5, momentum=0.9), optim.Adam([p, q]):
        optimizer.step()
        assert q.tolist() == [1, 1]
        assert list(optimizer.state_dict()["state"]) == [0]


def test_a_parameter_that_joins_later_starts_its_own_count():
    p, q = nn.Parameter(veem.ones(1)), nn.Parameter(veem.ones(1))
    optimizer = optim.Adam([p, q], lr=0.1)
    p.grad = veem.ones(1)
    optimizer.step()
    q.grad = veem.ones(1)
    optimizer.step()
    steps = [kept["step"].item() for kept in optimizer.state_dict()["state"].values()]
    assert steps == [2, 1]
    np.testing.assert_allclose([p.item(), q.item()], [0.8, 0.9], rtol=1e-5)


def test_step_counts_as_an_in_place_change():
    p = nn.Parameter(veem.ones(2))
    for optimizer in optim.SGD([p], lr=0.1), optim.Adam([p]):
        loss = (p * p).sum()
        p.grad = veem.ones(2)
        optimizer.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_groups():
    p, q = nn.Parameter(veem.ones(1)), nn.Parameter(veem.ones(1))
    optimizer = optim.SGD([{"params": [p]}, {"params": q, "lr": 1.0}], lr=0.5)
    p.grad, q.grad = veem.ones(1), veem.ones(1)
    optimizer.step()
    assert (p.item(), q.item()) == (0.5, 0.0)
    optimizer.param_groups[0]["lr"] = 0.25
    optimizer.step()
    assert p.item() == 0.25
    optimizer.zero_grad()
    assert p.grad is None
    assert repr(optimizer).startswith("SGD (\nParameter Group 0\n    dampening: 0\n")


def test_closure():
    p = nn.Parameter(veem.tensor([3.0]))
    optimizer = optim.SGD([p], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with veem.no_grad():
        assert optimizer.step(closure).item() == 9
    assert p.item() == 0


def test_hooks_run_once_also_where_step_calls_its_base():
    class Loud(optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    p, seen = nn.Parameter(veem.ones(1)), []
    p.grad = veem.ones(1)
    optimizer = Loud([p], lr=0.1)
    optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    with optimizer.register_step_post_hook(lambda *_: seen.append("after")):
        optimizer.step()
    optimizer.step()
    assert seen == ["before", "after", "before"]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda p: optim.SGD(p), TypeError, "should be an iterable"),
        (lambda p: optim.SGD([]), ValueError, "empty parameter list"),
        (lambda p: optim.SGD([3]), TypeError, "one of the params is int"),
        (lambda p: optim.SGD([p * 2]), ValueError, "non-leaf"),
        (lambda p: optim.SGD([{"params": {p}}]), TypeError, "ordered collections"),
        (lambda p: optim.SGD([{"params": [p]}] * 2), ValueError, "more than one"),
        (lambda p: optim.SGD([p], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda p: optim.SGD([p], nesterov=True), ValueError, "Nesterov"),
        (
            lambda p: optim.Adam([p], betas=(1, 0)),
            ValueError,
            "beta parameter at index 0",
        ),
        (lambda p: optim.Adam([p], eps=-1), ValueError, "Invalid epsilon value: -1"),
        (lambda p: optim.Optimizer([p], {}).step(), NotImplementedError, "no step"),
    ],
)
def test_refusals(make, error, words):
    p = nn.Parameter(veem.ones(1))
    p.grad = veem.ones(1)
    with pytest.raises(error, match=words):
        make(p)


@pytest.mark.parametrize(
    "make", [lambda p: optim.SGD(p, lr=0.01, momentum=0.9), optim.Adam]
)
def test_steps_leave_no_garbage(make):
    params = parameters("float32")
    optimizer = make(params)
    train(optimizer, params, GRADS[:2])
    gc.collect()
    gc.disable()
    try:
        train(optimizer, params, itertools.islice(itertools.cycle(GRADS), 50))
        assert gc.collect() == 0
    finally:
        gc.enable()


EVERY = {
    "Adafactor": {"lr": 0.1},
    "Muon": {"lr": 0.05, "weight_decay": 0},
    "ASGD": {"lr": 0.1, "t0": 2},
    "Adadelta": {"weight_decay": 0.1},
    "Adagrad": {"lr": 0.3, "lr_decay": 0.1},
    "Adam": {"lr": 0.1, "amsgrad": True},
    "AdamW": {"lr": 0.1},
    "Adamax": {"lr": 0.1},
    "LBFGS": {"line_search_fn": "strong_wolfe", "max_iter": 4},
    "NAdam": {"lr": 0.1, "momentum_decay": 0.1},
    "RAdam": {"lr": 0.1, "betas": (0.9, 0.9)},
    "RMSprop": {"lr": 0.03, "momentum": 0.5, "centered": True, "eps": 0.1},
    "Rprop": {"lr": 0.1},
    "SGD": {"lr": 0.02, "momentum": 0.5},
}


@pytest.mark.parametrize("name", EVERY)
def test_every_optimizer_descends_alike_on_every_device(name):
    found = []
    for device in veem._core.devices():
        x = veem.tensor([[1.5, -2.0], [0.3, 1.0]], device=device, requires_grad=True)
        optimizer = getattr(optim, name)([x], **EVERY[name])

        def closure(x=x, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (veem.tensor([1.0, 3.0], device=x.device) * (x - 0.5) ** 2).sum()
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(8)]
        assert losses[-1] < losses[0]
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.step(closure)
        found.append((losses, x.tolist()))
    for losses, x in found[1:]:
        np.testing.assert_allclose(losses, found[0][0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(x, found[0][1], rtol=1e-4, atol=1e-4)


def test_lbfgs_finds_the_bottom_of_a_valley():
    x = veem.tensor([-1.5, 1.0], dtype=veem.float64, requires_grad=True)
    optimizer = optim.LBFGS([x], max_iter=60, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(x.tolist(), [1, 1], rtol=1e-4)
    with pytest.raises(RuntimeError, match="strong_wolfe"):
        optim.LBFGS([x], line_search_fn="x").step(closure)


def test_average_of_a_model():
    model = nn.Linear(2, 1)
    mean = optim.swa_utils.AveragedModel(model)
    for value in (1.0, 2.0, 6.0):
        with veem.no_grad():
            model.weight.fill_(value)
        mean.update_parameters(model)
    assert mean.module.weight.tolist() == [[3.0, 3.0]]
    assert mean.n_averaged.item() == 3
    assert mean(veem.ones(2)).item() == pytest.approx(6 + mean.module.bias.item())
