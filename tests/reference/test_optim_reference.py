"""Optimizers beside PyTorch's: parameters, state, and the words of errors."""

import copy
import re
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import veem  # noqa: E402

SHAPES = ((3, 4), (5,), (), (2, 0))

SGD = [
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "weight_decay": 0.2},
    {
        "lr": 0.1,
        "momentum": 0.9,
        "dampening": 0.3,
        "weight_decay": 0.2,
        "maximize": True,
    },
    {
        "lr": 0.1,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 0.2,
        "maximize": True,
    },
]
ADAM = [
    {},
    {"lr": 0.1},
    {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3},
    {"lr": 0.1, "weight_decay": 0.2},
    {"lr": 0.1, "amsgrad": True},
    {"lr": 0.1, "maximize": True, "weight_decay": 0.1},
    {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1, "maximize": True},
]
CASES = [("SGD", o) for o in SGD] + [(a, o) for a in ("Adam", "AdamW") for o in ADAM]


def parameters(lib, dtype):
    rng = np.random.default_rng(2)
    arrays = [np.asarray(rng.normal(size=s), dtype) for s in SHAPES]
    return [lib.nn.Parameter(lib.from_numpy(a)) for a in arrays]


def steps(lib, optimizer, params, count, seed=3):
    """Steps with given gradients; in every third the second parameter has none."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        for k, p in enumerate(params):
            grad = np.asarray(rng.normal(size=tuple(p.shape)) * 10.0 ** (i % 3 - 1))
            grad = lib.from_numpy(grad.astype(str(p.dtype).split(".")[-1]))
            p.grad = None if k == 1 and i % 3 == 0 else grad
        optimizer.step()


def arrays(params):
    return [p.detach().numpy().copy() for p in params]


def close(ours, theirs, dtype):
    rtol = 1e-11 if dtype == "float64" else 2e-5
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("fused", [None, False])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_steps(name, options, fused, dtype):
    results = []
    for lib in (veem, torch):
        params = parameters(lib, dtype)
        options = {**options, "fused": fused if lib is veem else None}
        steps(lib, getattr(lib.optim, name)(params, **options), params, 20)
        results.append(arrays(params))
    close(*results, dtype)


def to_veem(value):
    if isinstance(value, torch.Tensor):
        return veem.from_numpy(value.numpy().copy())
    if isinstance(value, dict):
        return {k: to_veem(v) for k, v in value.items()}
    if isinstance(value, list):
        return [to_veem(v) for v in value]
    return value


def to_torch(value):
    if isinstance(value, veem.Tensor):
        return torch.from_numpy(value.numpy().copy())
    if isinstance(value, dict):
        return {k: to_torch(v) for k, v in value.items()}
    if isinstance(value, list):
        return [to_torch(v) for v in value]
    return value


@pytest.mark.parametrize(("name", "options"), CASES)
def test_state_goes_from_one_to_the_other(name, options):
    """Six steps there, six steps here, six steps there."""
    ours, theirs, twin = (parameters(lib, "float64") for lib in (veem, torch, torch))
    mine, other, whole = (
        getattr(lib.optim, name)(params, **options)
        for lib, params in ((veem, ours), (torch, theirs), (torch, twin))
    )
    steps(torch, whole, twin, 6, seed=1)
    steps(torch, other, theirs, 6, seed=1)
    for p, q in zip(ours, theirs):
        with veem.no_grad():
            p.copy_(veem.from_numpy(q.detach().numpy()))
    mine.load_state_dict(to_veem(other.state_dict()))
    steps(veem, mine, ours, 6, seed=2)
    steps(torch, whole, twin, 6, seed=2)
    close(arrays(ours), arrays(twin), "float64")
    for p, q in zip(theirs, ours):
        with torch.no_grad():
            p.copy_(torch.from_numpy(q.detach().numpy()))
    other.load_state_dict(to_torch(mine.state_dict()))
    steps(torch, other, theirs, 6, seed=4)
    steps(torch, whole, twin, 6, seed=4)
    close(arrays(theirs), arrays(twin), "float64")


@pytest.mark.parametrize(("name", "options"), CASES)
def test_state_dict(name, options):
    states = []
    for lib in (veem, torch):
        params = parameters(lib, "float32")
        optimizer = getattr(lib.optim, name)(params, **options)
        steps(lib, optimizer, params, 2)
        states.append(optimizer.state_dict())
    ours, theirs = states
    assert ours["param_groups"] == theirs["param_groups"]
    assert list(ours["state"]) == list(theirs["state"])
    for number, kept in ours["state"].items():
        assert list(kept) == list(theirs["state"][number])
        for key, value in kept.items():
            peer = theirs["state"][number][key]
            assert tuple(value.shape) == tuple(peer.shape)
            assert str(value.dtype).split(".")[-1] == str(peer.dtype).split(".")[-1]


def leaf(lib):
    return lib.nn.Parameter(lib.ones(2))


def group(lib, **options):
    return {"params": [leaf(lib)], **options}


PROGRAMS = {
    "repr": lambda L: L.optim.SGD([group(L), group(L, lr=0.5)], lr=0.1),
    "repr adam": lambda L: L.optim.Adam([leaf(L)]),
    "repr adamw": lambda L: L.optim.AdamW([leaf(L)]),
    **{
        f"sgd {o}": (lambda L, o=o: L.optim.SGD([leaf(L)], **o))
        for o in (
            {"lr": -1},
            {"momentum": -1},
            {"weight_decay": -1},
            {"nesterov": True},
            {"nesterov": True, "momentum": 0.1, "dampening": 1},
            {"fused": True, "differentiable": True},
            {"fused": True, "foreach": True},
        )
    },
    **{
        f"adam {o}": (lambda L, o=o: L.optim.Adam([leaf(L)], **o))
        for o in (
            {"lr": -1},
            {"betas": (1, 0.9)},
            {"betas": (0.9, -1)},
            {"eps": -1},
            {"weight_decay": -1},
        )
    },
    "tensor": lambda L: L.optim.SGD(leaf(L)),
    "empty": lambda L: L.optim.SGD([]),
    "int": lambda L: L.optim.SGD([3]),
    "not a leaf": lambda L: L.optim.SGD([leaf(L) * 2]),
    "twice": lambda L: L.optim.SGD([p := leaf(L), p]).param_groups[0]["lr"],
    "two groups": lambda L: L.optim.SGD([g := group(L), {"params": g["params"]}]),
    "set": lambda L: L.optim.SGD([{"params": {leaf(L)}}]),
    "one tensor": lambda L: len(
        L.optim.SGD([{"params": leaf(L)}]).param_groups[0]["params"]
    ),
    "names": lambda L: L.optim.SGD([("a", leaf(L)), ("b", leaf(L))]).state_dict(),
    "some names": lambda L: L.optim.SGD([("a", leaf(L)), leaf(L)]),
    "names in one group": lambda L: L.optim.SGD(
        [group(L), {"params": [("a", leaf(L))]}]
    ),
    "group int": lambda L: L.optim.SGD([leaf(L)]).add_param_group(3),
    "add": lambda L: (
        (o := L.optim.SGD([leaf(L)], lr=2.0)).add_param_group(group(L, lr=3))
        or [g["lr"] for g in o.param_groups]
    ),
    "load groups": lambda L: L.optim.SGD([leaf(L)]).load_state_dict(
        {"param_groups": [], "state": {}}
    ),
    "load sizes": lambda L: L.optim.SGD([leaf(L)]).load_state_dict(
        {"param_groups": [{"params": [0, 1]}], "state": {}}
    ),
    "base": lambda L: L.optim.Optimizer([p := leaf(L)], {}).zero_grad() or p.grad,
    "closure": lambda L: L.optim.SGD([p := leaf(L)], lr=0.5).step(
        lambda: setattr(p, "grad", 2 * p.detach()) or 3.0
    ),
}


def outcome(lib, program):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            said = repr(program(lib))
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
    said = re.sub(r"(torch|veem)\.(FloatTensor|float32)", "Tensor", said)
    return said, [w.category for w in seen]


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    assert outcome(veem, PROGRAMS[name]) == outcome(torch, PROGRAMS[name])


def test_hooks():
    def program(lib):
        notes = []
        p = leaf(lib)
        o = lib.optim.SGD([p], lr=1.0)
        handle = o.register_step_pre_hook(lambda opt, args, kwargs: notes.append("pre"))
        o.register_step_post_hook(lambda opt, args, kwargs: notes.append("post"))
        o.register_state_dict_pre_hook(lambda opt: notes.append("saving"))
        o.register_state_dict_post_hook(lambda opt, state: notes.append(len(state)))
        o.register_load_state_dict_pre_hook(lambda opt, state: notes.append("loading"))
        o.register_load_state_dict_post_hook(lambda opt: notes.append("loaded"))
        o.step()
        handle.remove()
        o.step()
        o.load_state_dict(o.state_dict())
        return notes

    assert outcome(veem, program) == outcome(torch, program)


def test_subclass_with_a_step_of_its_own():
    def program(lib):
        class Sign(lib.optim.Optimizer):
            def __init__(self, params, lr=0.1):
                super().__init__(params, {"lr": lr})

            @lib.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        p.add_(p.grad.sign(), alpha=-group["lr"])

        p = leaf(lib)
        p.grad = lib.tensor([3.0, -2.0])
        o = Sign([p])
        o.register_step_post_hook(lambda *_: print("stepped"))
        schedule = lib.optim.lr_scheduler.StepLR(o, 1)
        o.step()
        schedule.step()
        o.step()
        return p.tolist()

    assert outcome(veem, program) == outcome(torch, program)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_differentiable_step(name):
    """Gradients flow through a step to the learning problem behind it."""
    grads = []
    for lib in (veem, torch):
        x = lib.tensor([1.0, 2.0], dtype=lib.float64, requires_grad=True)
        p = (x * 1).clone()
        p.grad = x * x
        optimizer = getattr(lib.optim, name)([p], lr=0.1, differentiable=True)
        optimizer.step()
        p.sum().backward()
        grads.append(x.grad.numpy())
    np.testing.assert_allclose(*grads, rtol=1e-9)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_deepcopy(name):
    def program(lib):
        model = lib.nn.Linear(2, 2)
        with lib.no_grad():
            model.weight.fill_(1)
            model.bias.fill_(2)
        optimizer = getattr(lib.optim, name)(model.parameters(), lr=0.5)
        both = copy.deepcopy((model, optimizer))
        for m, o in (model, optimizer), both:
            for p in m.parameters():
                p.grad = lib.ones_like(p)
            o.step()
        o.step()
        return [p.tolist() for m in (model, both[0]) for p in m.parameters()]

    for ours, theirs in zip(program(veem), program(torch)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
