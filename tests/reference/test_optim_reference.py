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
BOTH = {"weight_decay": 0.1, "maximize": True}
PLAIN = {
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-3},
        BOTH,
    ],
    "Adadelta": [{}, {"lr": 0.3, "rho": 0.7, "eps": 1e-3}, BOTH],
    "RMSprop": [
        {},
        {"momentum": 0.9, "alpha": 0.8},
        {"centered": True, "eps": 1e-2},
        {"centered": True, "momentum": 0.5, "eps": 1e-2, **BOTH},
    ],
    "Adamax": [{}, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3}, BOTH],
    "NAdam": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "momentum_decay": 0.1},
        {"decoupled_weight_decay": True, **BOTH},
        BOTH,
    ],
    "RAdam": [
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.5, 0.99), "eps": 1e-3},
        {"decoupled_weight_decay": True, **BOTH},
        BOTH,
    ],
    "Rprop": [
        {},
        {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.02, 0.2)},
        {"maximize": True},
    ],
    "Adafactor": [
        {},
        {"lr": 0.3, "beta2_decay": -0.5, "eps": (1e-4, 0.1), "d": 2.0},
        BOTH,
    ],
    "ASGD": [{"lr": 0.1}, {"lr": 0.1, "lambd": 0.1, "alpha": 0.3, "t0": 5}, BOTH],
}
FUSED = [("SGD", o) for o in SGD] + [(a, o) for a in ("Adam", "AdamW") for o in ADAM]
CASES = FUSED + [(name, o) for name, rows in PLAIN.items() for o in rows]


def parameters(lib, dtype, name):
    rng = np.random.default_rng(2)
    shapes = SHAPES[:3] if name == "Adafactor" else SHAPES  # which divides by the size
    arrays = [np.asarray(rng.normal(size=s), dtype) for s in shapes]
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
@pytest.mark.parametrize(("name", "options"), CASES)
def test_steps(name, options, dtype):
    close(after_20_steps(veem, name, options, dtype), twin(name, options, dtype), dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "options"), FUSED)
def test_steps_op_by_op(name, options, dtype):
    ours = after_20_steps(veem, name, {**options, "fused": False}, dtype)
    close(ours, twin(name, options, dtype), dtype)


def twin(name, options, dtype):
    return after_20_steps(torch, name, options, dtype)


def after_20_steps(lib, name, options, dtype):
    params = parameters(lib, dtype, name)
    steps(lib, getattr(lib.optim, name)(params, **options), params, 20)
    return arrays(params)


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
    libs = veem, torch, torch
    ours, theirs, twin = (parameters(lib, "float64", name) for lib in libs)
    mine, other, whole = (
        getattr(lib.optim, name)(params, **options)
        for lib, params in zip(libs, (ours, theirs, twin))
    )
    steps(torch, whole, twin, 6, seed=1)
    steps(torch, other, theirs, 6, seed=1)
    for p, q in zip(ours, theirs):
        with veem.no_grad():
            p.copy_(veem.from_numpy(q.detach().numpy()))
    mine.load_state_dict(to_veem(other.state_dict()))
    whole.load_state_dict(whole.state_dict())  # which casts to the parameter's dtype
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
        params = parameters(lib, "float32", name)
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
    **{
        f"{name} {o}": (lambda L, n=name, o=o: getattr(L.optim, n)([leaf(L)], **o))
        for name, wrong in {
            "Adagrad": "lr lr_decay weight_decay initial_accumulator_value eps",
            "Adadelta": "lr rho eps weight_decay",
            "RMSprop": "lr alpha eps weight_decay momentum",
            "Adamax": "lr eps weight_decay",
            "NAdam": "lr eps weight_decay momentum_decay",
            "RAdam": "lr eps weight_decay",
            "Rprop": "lr",
            "ASGD": "lr weight_decay",
            "LBFGS": "lr",
            "Adafactor": "lr weight_decay d",
        }.items()
        for o in [{}, *({w: -1.0} for w in wrong.split())]
    },
    "adafactor eps": lambda L: L.optim.Adafactor([leaf(L)], eps=(-1, 1)),
    "muon": lambda L: L.optim.Muon([L.nn.Parameter(L.ones(2, 2))]),
    "muon lr": lambda L: L.optim.Muon([leaf(L)], adjust_lr_fn="x"),
    "etas": lambda L: L.optim.Rprop([leaf(L)], etas=(1, 2)),
    "betas": lambda L: L.optim.NAdam([leaf(L)], betas=(0.9, 1)),
    "lr of two": lambda L: L.optim.RMSprop([leaf(L)], lr=L.ones(2)),
    "lbfgs groups": lambda L: L.optim.LBFGS([group(L), group(L)]),
    "adagrad state": lambda L: L.optim.Adagrad([leaf(L)]).state_dict(),
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


@pytest.mark.parametrize(
    "name", ["SGD", "Adam", "Adagrad", "Adadelta", "Adamax", "NAdam", "ASGD"]
)
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


ROSENBROCK = [
    {},
    {"lr": 0.3, "max_iter": 7, "history_size": 3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "max_eval": 9, "history_size": 2},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 0.1, "lr": 100.0},
    {"line_search_fn": "strong_wolfe", "tolerance_change": 0.1, "max_eval": 3},
]


def valley(lib, options, calls=6):
    """LBFGS on Rosenbrock's function of 6 numbers in two parameters."""
    start = np.linspace(-1.2, 1, 6)
    params = [
        lib.nn.Parameter(lib.from_numpy(a.copy())) for a in (start[:4], start[4:])
    ]
    optimizer = lib.optim.LBFGS(params, **options)
    row = []

    def closure():
        optimizer.zero_grad()
        x = lib.cat(params)
        loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
        loss.backward()
        row.append(loss.item())
        return loss

    row += [optimizer.step(closure).item() for _ in range(calls)]
    return row, arrays(params), optimizer, closure


@pytest.mark.parametrize("options", ROSENBROCK)
def test_lbfgs(options):
    ours, theirs = valley(veem, options), valley(torch, options)
    assert len(ours[0]) == len(theirs[0])
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-12)
    for a, b in zip(ours[1], theirs[1]):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_lbfgs_goes_on_from_torch():
    options = {"line_search_fn": "strong_wolfe", "max_iter": 3}
    _, _, mine, closure = valley(veem, options, calls=1)
    _, params, theirs, peer = valley(torch, options, calls=3)
    assert set(mine.state_dict()["state"][0]) == set(theirs.state_dict()["state"][0])
    mine.load_state_dict(to_veem(theirs.state_dict()))
    for p, q in zip(mine.param_groups[0]["params"], params):
        with veem.no_grad():
            p.copy_(veem.from_numpy(q))
    ours = [mine.step(closure).item() for _ in range(3)]
    np.testing.assert_allclose(ours, [theirs.step(peer).item() for _ in range(3)])


AVERAGES = {
    "swa": lambda u, model: u.AveragedModel(model),
    "ema": lambda u, model: u.AveragedModel(model, avg_fn=u.get_ema_avg_fn(0.7)),
    "emas": lambda u, model: u.AveragedModel(
        model, multi_avg_fn=u.get_ema_multi_avg_fn(0.7)
    ),
    "own": lambda u, model: u.AveragedModel(
        model, avg_fn=lambda a, p, n: a + 2 * p + n, use_buffers=True
    ),
}


@pytest.mark.parametrize("name", AVERAGES)
def test_averaged_model(name):
    states = []
    for lib in (veem, torch):
        model = lib.nn.Linear(2, 3)
        model.register_buffer("extra", lib.zeros(2))
        averaged = AVERAGES[name](lib.optim.swa_utils, model)
        for i in range(4):
            with lib.no_grad():
                for k, t in enumerate([*model.parameters(), *model.buffers()]):
                    t.fill_(i * i + k)
            averaged.update_parameters(model)
        states.append(averaged.state_dict())
    assert list(states[0]) == list(states[1])
    for key, value in states[0].items():
        np.testing.assert_allclose(value.numpy(), states[1][key].numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match="decay"):
        veem.optim.swa_utils.get_ema_avg_fn(2)


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.1},
        {"lr": 0.1, "nesterov": False, "momentum": 0.5, "weight_decay": 0},
        {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
    ],
)
def test_muon(options):
    """PyTorch makes matrices orthogonal in bfloat16, of 8 bits."""
    results = []
    for lib in (veem, torch):
        rng = np.random.default_rng(2)
        params = [lib.from_numpy(rng.normal(size=s)) for s in ((4, 6), (5, 3))]
        optimizer = lib.optim.Muon(params, **options)
        for _ in range(3):
            for p in params:
                p.grad = lib.from_numpy(rng.normal(size=tuple(p.shape)))
            optimizer.step()
        results.append([p.numpy() for p in params])
        state = optimizer.state_dict()["state"]
        assert [list(kept) for kept in state.values()] == [["momentum_buffer"]] * 2
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, atol=0.01 * 3)
    with pytest.raises(ValueError, match="only supports 2D"):
        veem.optim.Muon([leaf(veem)])
