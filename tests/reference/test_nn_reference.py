"""Modules beside PyTorch's: one program, run with both, must say the same.

A program is a function of the library. Its result (or its exception's type and text) is
turned into words, in which the library's own name is replaced.
"""

import copy
import inspect
import pickle
import re
import warnings
from collections import OrderedDict

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import veem  # noqa: E402


def words(value):
    if isinstance(value, (veem.Tensor, torch.Tensor)):
        kind = "Parameter" if "Parameter" in type(value).__name__ else "Tensor"
        array = np.asarray(value.detach().tolist())
        flags = value.requires_grad
        return f"{kind}{tuple(value.shape)} {flags} {np.round(array, 5).tolist()}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {words(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(words, value)) + "]"
    return neutral(repr(value))


def neutral(text):
    text = re.sub(r"torch\.nn\.modules\.\w+\.", "nn.", text)
    text = re.sub(r"(torch|veem)\.(nn|optim)\.\w+\.(?=[A-Z])", r"\2.", text)
    text = re.sub(r"(torch|veem)\.(Float|Double|Long|cuda\.)?Tensor", "Tensor", text)
    text = re.sub(r"veem\.(float32|float64|int64)(?=')", "Tensor", text)
    text = text.replace(" or complex", "").replace("nn.Buffer, ", "").replace("torch.", "veem.")
    text = text.replace("torch Tensor", "veem Tensor").replace("veem.Tensor", "Tensor")
    return re.sub(r"veem\.nn\.", "nn.", text).replace("veem.Buffer, ", "")


def outcome(lib, program):
    lib.manual_seed(3)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            said = words(program(lib))
        except Exception as error:
            said = f"{type(error).__name__}: {neutral(str(error))}"
    return said, [w.category.__name__ for w in seen]


def same(program):
    ours, theirs = outcome(veem, program), outcome(torch, program)
    assert ours == theirs


def net(lib):
    nn = lib.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 3)
            self.register_buffer("mean", lib.ones(2))
            self.register_buffer("scratch", lib.zeros(1), persistent=False)
            self.body = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
            self.layers = nn.ModuleList([nn.Linear(1, 1) for _ in range(2)])
            self.table = nn.ModuleDict({"a": nn.Linear(1, 2), "b": nn.Identity()})
            self.scale = nn.Parameter(lib.ones(2))
            self.head = self.fc  # shared
            self.register_parameter("none", None)
            self.nothing = None

        def forward(self, x):
            return self.body(self.fc((x - self.mean) * self.scale))

    return Net()


def image_net(lib):
    nn = lib.nn
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, (3, 5), stride=2, dilation=(1, 2), groups=2, bias=False),
        nn.Flatten(),
        nn.LayerNorm(6),
        nn.Dropout(0.25),
    )


class Free:
    """A module to be given things to."""

    def __new__(cls, lib):
        return lib.nn.Module()


def with_(lib, **things):
    module = lib.nn.Module()
    for name, thing in things.items():
        setattr(module, name, thing)
    return module


REPRS = {
    "net": net,
    "images": image_net,
    "linear": lambda L: L.nn.Linear(2, 3, bias=False),
    "conv": lambda L: [
        L.nn.Conv2d(1, 2, 3),
        L.nn.Conv2d(2, 4, (3, 2), (2, 1), (1, 0), 2, 2, False, "reflect"),
        L.nn.Conv2d(1, 1, 3, padding="same"),
    ],
    "pools": lambda L: [
        L.nn.MaxPool2d(2),
        L.nn.MaxPool2d((3, 2), (2, 1), 1, ceil_mode=True),
        L.nn.AvgPool2d(3),
        L.nn.AdaptiveAvgPool2d((1, None)),
    ],
    "norms": lambda L: [
        L.nn.LayerNorm(4),
        L.nn.LayerNorm((2, 3), eps=1e-6, elementwise_affine=False),
        L.nn.LayerNorm([2], bias=False),
    ],
    "embedding": lambda L: [L.nn.Embedding(5, 3), L.nn.Embedding(5, 3, padding_idx=-1)],
    "shapes": lambda L: [
        L.nn.Flatten(),
        L.nn.Flatten(0, 1),
        L.nn.Unflatten(1, (2, 3)),
        L.nn.Identity(4),
    ],
    "activations": lambda L: [
        L.nn.ReLU(),
        L.nn.ReLU(inplace=True),
        L.nn.LeakyReLU(0.2),
        L.nn.LeakyReLU(inplace=True),
        L.nn.ELU(),
        L.nn.ELU(2, True),
        L.nn.GELU(),
        L.nn.GELU("tanh"),
        L.nn.SiLU(),
        L.nn.Sigmoid(),
        L.nn.Tanh(),
        L.nn.Softplus(2),
        L.nn.LogSigmoid(),
        L.nn.Softmax(1),
        L.nn.Softmax(),
        L.nn.LogSoftmax(dim=-1),
        L.nn.Dropout(),
        L.nn.Dropout(0.1, True),
    ],
    "losses": lambda L: [
        getattr(L.nn, name)()
        for name in (
            "MSELoss L1Loss SmoothL1Loss HuberLoss KLDivLoss BCELoss BCEWithLogitsLoss "
            "NLLLoss CrossEntropyLoss"
        ).split()
    ],
    "lists": lambda L: [
        L.nn.ModuleList(),
        L.nn.Sequential(),
        L.nn.ModuleDict(),
        L.nn.ModuleList([L.nn.ReLU(), L.nn.ReLU(), L.nn.Tanh(), L.nn.ReLU()]),
        L.nn.ModuleList([L.nn.Sequential(L.nn.ReLU(), L.nn.Tanh()) for _ in range(3)]),
        L.nn.ModuleDict({"a": L.nn.ReLU(), "b": L.nn.ModuleList([L.nn.Tanh()])}),
        L.nn.Sequential(OrderedDict(one=L.nn.Linear(1, 2), two=L.nn.ReLU())),
        L.nn.ParameterList([L.ones(2), 3, L.nn.Parameter(L.ones(2, 3))]),
        L.nn.ParameterList(),
    ],
    "parameter": lambda L: L.nn.Parameter(L.ones(2)),
    "frozen": lambda L: L.nn.Parameter(L.ones(2), requires_grad=False),
    "lines": lambda L: type(
        "Lines", (L.nn.Module,), {"extra_repr": lambda self: "one\ntwo"}
    )(),
}

PROGRAMS = {
    # names
    "state": lambda L: net(L).state_dict(),
    "state of images": lambda L: image_net(L).state_dict(),
    "metadata": lambda L: net(L).state_dict()._metadata,
    "prefix": lambda L: L.nn.Linear(1, 1).state_dict(prefix="a."),
    "keep_vars": lambda L: L.nn.Linear(1, 1).state_dict(keep_vars=True),
    "parameters": lambda L: list(net(L).named_parameters()),
    "own parameters": lambda L: list(net(L).named_parameters("p", recurse=False)),
    "all parameters": lambda L: [
        n for n, _ in net(L).named_parameters(remove_duplicate=False)
    ],
    "buffers": lambda L: list(net(L).named_buffers()),
    "modules": lambda L: [(n, type(m).__name__) for n, m in net(L).named_modules()],
    "all modules": lambda L: [n for n, _ in net(L).named_modules(remove_duplicate=False)],
    "children": lambda L: [n for n, _ in net(L).named_children()],
    "get": lambda L: [
        net(L).get_submodule("body.2"),
        net(L).get_parameter("fc.bias"),
        net(L).get_buffer("mean"),
        net(L).get_submodule("") is not None,
    ],
    "dir": lambda L: [
        n in dir(net(L)) for n in ("fc", "mean", "scale", "training", "0", "nothing")
    ],
    "sequential dir": lambda L: [n for n in dir(L.nn.Sequential(L.nn.ReLU())) if n == "0"],
    # assignment
    "assign tensor": lambda L: setattr(L.nn.Linear(2, 3), "weight", L.ones(3, 2)),
    "assign int": lambda L: setattr(L.nn.Linear(2, 3), "weight", 3),
    "assign None": lambda L: setattr(m := L.nn.Linear(2, 3), "weight", None)
    or list(m._parameters.items()),
    "assign new": lambda L: setattr(
        m := L.nn.Linear(1, 1), "weight", L.nn.Parameter(L.ones(2))
    )
    or m.state_dict(),
    "module for parameter": lambda L: setattr(L.nn.Linear(1, 1), "bias", L.nn.ReLU()),
    "int for module": lambda L: setattr(net(L), "fc", 3),
    "None for module": lambda L: setattr(m := net(L), "fc", None) or m,
    "tensor for module": lambda L: setattr(net(L), "fc", L.ones(1)),
    "parameter for module": lambda L: setattr(
        m := net(L), "body", L.nn.Parameter(L.ones(1))
    )
    or list(m.state_dict()),
    "int for buffer": lambda L: setattr(net(L), "mean", 3),
    "tensor for buffer": lambda L: setattr(m := net(L), "mean", L.zeros(3)) or m.mean,
    "None for buffer": lambda L: setattr(m := net(L), "mean", None)
    or list(m.state_dict()),
    "parameter for buffer": lambda L: setattr(m := net(L), "mean", L.nn.Parameter(L.ones(1)))
    or (list(m.state_dict()), list(m._buffers)),
    "module for attribute": lambda L: setattr(m := net(L), "nothing", L.nn.ReLU())
    or (m, "nothing" in m.__dict__),
    "tensor as attribute": lambda L: list(with_(L, x=L.ones(1)).state_dict()),
    "delete": lambda L: [
        delattr(m := net(L), name) or list(m.state_dict())
        for name in ("fc", "mean", "scale", "nothing", "scratch")
    ],
    "delete none": lambda L: delattr(net(L), "absent"),
    "absent": lambda L: net(L).absent,
    "before init": lambda L: type(
        "N", (L.nn.Module,), {"__init__": lambda s: setattr(s, "a", L.nn.Linear(1, 1))}
    )(),
    "register early": lambda L: type(
        "N", (L.nn.Module,), {"__init__": lambda s: s.register_buffer("a", L.ones(1))}
    )(),
    "register early parameter": lambda L: type(
        "N", (L.nn.Module,), {"__init__": lambda s: s.register_parameter("a", None)}
    )(),
    "plain early": lambda L: type(
        "N", (L.nn.Module,), {"__init__": lambda s: setattr(s, "a", 3)}
    )().a,
    # registering
    **{
        f"register {kind} {name!r}": (
            lambda L, kind=kind, name=name: getattr(net(L), kind)(name, None)
        )
        for kind in ("register_buffer", "register_parameter", "add_module")
        for name in ("", 3, "training", "forward")
    },
    "register int": lambda L: net(L).register_buffer("a", 3),
    "register module int": lambda L: net(L).add_module("a", 3),
    "register tensor": lambda L: net(L).register_parameter("a", L.ones(1)),
    "register taken": lambda L: net(L).register_buffer("fc", L.ones(1)),
    "register again": lambda L: net(L).register_buffer("mean", L.ones(3)),
    "persistent again": lambda L: (m := net(L)).register_buffer("scratch", L.ones(1))
    or list(m.state_dict()),
    # loading
    "load": lambda L: (m := net(L)).load_state_dict(
        {k: v + 1 for k, v in m.state_dict().items()}
    ),
    "load wrong": lambda L: net(L).load_state_dict(
        {"fc.weight": L.ones(1), "x": L.ones(2), "fc.y": 3, "q.r": 1, "mean": 3}
    ),
    "load not strict": lambda L: net(L).load_state_dict({"x": L.ones(2)}, strict=False),
    "load wrong shape": lambda L: net(L).load_state_dict({"mean": L.ones(3)}, strict=False),
    "load old scalar": lambda L: (
        m := with_(L, p=L.nn.Parameter(L.tensor(2.0)))
    ).load_state_dict({"p": L.ones(1)})
    and None
    or m.p,
    "load int": lambda L: net(L).load_state_dict(3),
    "load assign": lambda L: [
        (m := L.nn.Linear(1, 1)).load_state_dict(
            {"weight": (w := L.ones(1, 1)), "bias": L.ones(1)}, assign=True
        ),
        m.weight,
        m.weight.data_ptr() == w.data_ptr(),
    ],
    "load keys": lambda L: net(L).load_state_dict({}, strict=False).missing_keys,
    # calls
    "no forward": lambda L: L.nn.Module()(3),
    "no list forward": lambda L: L.nn.ModuleList()(3),
    "train": lambda L: [m.training for m in net(L).eval().train(True).eval().modules()],
    "train wrong": lambda L: net(L).train(1),
    "requires_grad_": lambda L: [p.requires_grad for p in net(L).requires_grad_(False).parameters()],
    "to int": lambda L: net(L).to(L.int64),
    "double": lambda L: [str(t.dtype)[-7:] for t in net(L).double().state_dict().values()],
    "to": lambda L: [
        str(t.dtype)[-7:] for t in net(L).to("cpu", L.float64).state_dict().values()
    ],
    "to like": lambda L: str(net(L).to(L.ones(1, dtype=L.float64)).scale.dtype)[-7:],
    "apply": lambda L: (seen := [], net(L).apply(lambda m: seen.append(type(m).__name__)))[0],
    "no submodule": lambda L: net(L).get_submodule("body.9"),
    "no module": lambda L: net(L).get_submodule("fc.weight"),
    "no parameter": lambda L: net(L).get_parameter("fc.absent"),
    "not a parameter": lambda L: net(L).get_parameter("mean"),
    "not a buffer": lambda L: net(L).get_buffer("fc.weight"),
    # containers
    "index": lambda L: [
        (s := net(L).body)[0], s[-1], s[1:], s[:-1], s[::2], len(s), len(s[5:])
    ],
    "index far": lambda L: net(L).body[3],
    "index low": lambda L: net(L).body[-4],
    "index str": lambda L: net(L).body["a"],
    "named slice": lambda L: L.nn.Sequential(
        OrderedDict(a=L.nn.ReLU(), b=L.nn.Tanh(), c=L.nn.ReLU())
    )[1:],
    "set": lambda L: (s := net(L).body).__setitem__(-1, L.nn.Tanh()) or s,
    "del": lambda L: (s := net(L).body).__delitem__(0) or s,
    "del slice": lambda L: (s := net(L).body).__delitem__(slice(0, 2)) or s,
    "append": lambda L: net(L).body.append(L.nn.Tanh()),
    "insert": lambda L: [net(L).body.insert(i, L.nn.Tanh()) for i in (0, 1, 3, -1)],
    "insert far": lambda L: net(L).body.insert(9, L.nn.Tanh()),
    "extend": lambda L: net(L).body.extend([L.nn.Tanh(), L.nn.ReLU()]),
    "pop": lambda L: [(s := net(L).body).pop(0), s, s.pop(-1), s],
    "add": lambda L: net(L).body + net(L).body,
    "add wrong": lambda L: net(L).body + 3,
    "iadd": lambda L: net(L).body.__iadd__(net(L).body),
    "mul": lambda L: [net(L).body * 2, 2 * net(L).body],
    "mul zero": lambda L: net(L).body * 0,
    "mul wrong": lambda L: net(L).body * 1.5,
    "sequential of int": lambda L: L.nn.Sequential(3),
    "sequential of list": lambda L: L.nn.Sequential([L.nn.ReLU()]),
    "list of int": lambda L: L.nn.ModuleList([3]),
    "list not iterable": lambda L: L.nn.ModuleList(3),
    "list far": lambda L: L.nn.ModuleList()[0],
    "list ops": lambda L: [
        (m := L.nn.ModuleList([L.nn.Linear(i, 1) for i in (1, 2, 3)]))[1:],
        m + [L.nn.ReLU()],
        m.insert(1, L.nn.Tanh()) or m,
        m.pop(1),
        m,
        m.extend([L.nn.ReLU()]),
        len(m),
        [type(x).__name__ for x in m],
    ],
    "dict ops": lambda L: [
        (m := L.nn.ModuleDict([["a", L.nn.ReLU()], ("b", L.nn.Tanh())])),
        list(m),
        len(m),
        "a" in m,
        "c" in m,
        list(m.keys()),
        list(m.items()),
        list(m.values()),
        m.pop("a"),
        m,
        m.update({"z": L.nn.ReLU(), "b": L.nn.ReLU()}),
        m,
        m.clear(),
        m,
    ],
    "dict absent": lambda L: L.nn.ModuleDict()["a"],
    "dict int": lambda L: L.nn.ModuleDict({"a": 3}),
    "dict not iterable": lambda L: L.nn.ModuleDict(3),
    "dict triple": lambda L: L.nn.ModuleDict([(1, 2, 3)]),
    "dict key": lambda L: L.nn.ModuleDict([(1, L.nn.ReLU())]),
    "parameter list": lambda L: [
        (m := L.nn.ParameterList([L.ones(2), L.nn.Parameter(L.zeros(1))])).state_dict(),
        len(m),
        m[-1],
        m[0:1],
        m.append(L.ones(1)),
        list(m),
        m.extend([L.zeros(2)]),
        [n for n, _ in m.named_parameters()],
    ],
    "parameter list wrong": lambda L: L.nn.ParameterList(3),
    "parameter dict": lambda L: [
        (m := L.nn.ParameterDict({"a": L.ones(2), "b": 3})).state_dict(),
        len(m),
        m["a"],
        "b" in m,
        m.pop("b"),
        list(m.keys()),
    ],
    # layers
    "groups": lambda L: L.nn.Conv2d(3, 4, 1, groups=2),
    "groups out": lambda L: L.nn.Conv2d(4, 3, 1, groups=2),
    "groups zero": lambda L: L.nn.Conv2d(4, 3, 1, groups=0),
    "same stride": lambda L: L.nn.Conv2d(1, 1, 3, stride=2, padding="same"),
    "dropout p": lambda L: L.nn.Dropout(2),
    "padding_idx": lambda L: L.nn.Embedding(3, 2, padding_idx=3),
    "padding_idx low": lambda L: L.nn.Embedding(3, 2, padding_idx=-4),
    "pretrained": lambda L: L.nn.Embedding.from_pretrained(L.ones(2, 3)).state_dict(),
    "pretrained flat": lambda L: L.nn.Embedding.from_pretrained(L.ones(3)),
    "unflatten": lambda L: L.nn.Unflatten(1, (2, "a")),
    "embedding weight": lambda L: L.nn.Embedding(3, 2, _weight=L.ones(2, 2)),
    "loss weights": lambda L: [
        L.nn.CrossEntropyLoss(L.ones(3)).state_dict(),
        L.nn.BCEWithLogitsLoss(pos_weight=L.ones(1)).state_dict(),
        L.nn.NLLLoss().state_dict(),
    ],
    "size_average": lambda L: [
        L.nn.MSELoss(size_average=False).reduction,
        L.nn.MSELoss(reduce=False).reduction,
        L.nn.MSELoss(True).reduction,
    ],
}


@pytest.mark.parametrize("name", REPRS)
def test_repr(name):
    same(REPRS[name])


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    same(PROGRAMS[name])


LAYERS = (
    "Linear Identity Dropout LayerNorm Embedding Conv2d MaxPool2d AvgPool2d Flatten "
    "AdaptiveAvgPool2d Unflatten ReLU LeakyReLU ELU GELU SiLU Softmax LogSoftmax Softplus "
    "CrossEntropyLoss NLLLoss MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss KLDivLoss "
    "BCEWithLogitsLoss Parameter ModuleList ModuleDict ParameterList ParameterDict"
).split()


@pytest.mark.parametrize("name", LAYERS)
def test_signature(name):
    ours, theirs = (
        inspect.signature(getattr(lib.nn, name)).parameters.values() for lib in (veem, torch)
    )
    plain = lambda p: (p.name, p.kind, p.default)  # noqa: E731
    assert [plain(p) for p in ours] == [plain(p) for p in theirs]


FUNCTIONS = (
    "relu leaky_relu elu silu softmax log_softmax dropout embedding layer_norm "
    "cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss kl_div "
    "binary_cross_entropy binary_cross_entropy_with_logits pad"
).split()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_signature(name):
    functional = veem.nn.functional, torch.nn.functional
    ours, theirs = (
        inspect.signature(getattr(f, name)).parameters.values() for f in functional
    )
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


@pytest.mark.parametrize("make", [net, image_net])
def test_same_seed_same_parameters(make):
    states = []
    for lib in (veem, torch):
        lib.manual_seed(11)
        states.append(make(lib).state_dict())
    ours, theirs = states
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name].numpy(), theirs[name].numpy())


INITS = {
    "uniform_": lambda i, w: i.uniform_(w, -1, 2),
    "normal_": lambda i, w: i.normal_(w, 1, 2),
    "trunc_normal_": lambda i, w: i.trunc_normal_(w, 0, 1, -1, 1),
    "trunc_normal_ tail": lambda i, w: i.trunc_normal_(w, 0, 1, 1.5, 1.9),
    "constant_": lambda i, w: i.constant_(w, 3),
    "ones_": lambda i, w: i.ones_(w),
    "zeros_": lambda i, w: i.zeros_(w),
    "dirac_": lambda i, w: i.dirac_(w, 2),
    "xavier_uniform_": lambda i, w: i.xavier_uniform_(w, 2),
    "xavier_normal_": lambda i, w: i.xavier_normal_(w),
    "kaiming_uniform_": lambda i, w: i.kaiming_uniform_(w, nonlinearity="relu"),
    "kaiming_normal_": lambda i, w: i.kaiming_normal_(w, 0.1, "fan_out"),
    "orthogonal_": lambda i, w: i.orthogonal_(w, 2),
    "eye_": lambda i, w: i.eye_(w[:, :, 0, 0]),
    "sparse_": lambda i, w: i.sparse_(w.view(6, -1), 0.3),
}


@pytest.mark.parametrize("name", INITS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(6, 4, 3, 3), (6, 2, 1, 1)])
def test_init(name, dtype, shape):
    filled = []
    for lib in (veem, torch):
        lib.manual_seed(5)
        w = lib.zeros(shape, dtype=getattr(lib, dtype))
        filled.append(INITS[name](lib.nn.init, w).numpy())
    np.testing.assert_allclose(*filled, rtol=2e-5, atol=2e-6)


INIT_ERRORS = [
    lambda L: L.nn.init.xavier_uniform_(L.ones(3)),
    lambda L: L.nn.init.kaiming_uniform_(L.ones(3, 4), mode="x"),
    lambda L: L.nn.init.kaiming_normal_(L.ones(0, 4)),
    lambda L: L.nn.init.eye_(L.ones(3)),
    lambda L: L.nn.init.dirac_(L.ones(3)),
    lambda L: L.nn.init.dirac_(L.ones(3, 2, 2), groups=2),
    lambda L: L.nn.init.orthogonal_(L.ones(3)),
    lambda L: L.nn.init.orthogonal_(L.ones(0, 3)),
    lambda L: L.nn.init.sparse_(L.ones(3), 0.1),
    lambda L: L.nn.init.calculate_gain("x"),
    lambda L: L.nn.init.calculate_gain("leaky_relu", "a"),
    lambda L: L.nn.init.calculate_gain("leaky_relu", True),
    lambda L: L.nn.init.calculate_gain("leaky_relu", 0.3),
    lambda L: [
        float(L.nn.init.calculate_gain(n)) for n in ("linear", "conv2d", "tanh", "relu", "selu")
    ],
    lambda L: L.nn.init.normal(L.ones(2)).shape[0],
]


@pytest.mark.parametrize("program", INIT_ERRORS)
def test_init_errors(program):
    same(program)


HOOKS = {
    "forward": lambda m, note: m.fc.register_forward_hook(
        lambda mod, args, out: note(type(mod).__name__, args, out)
    ),
    "forward changes": lambda m, note: m.fc.register_forward_hook(
        lambda mod, args, out: out * 2
    ),
    "kwargs": lambda m, note: m.register_forward_hook(
        lambda mod, args, kwargs, out: note(args, kwargs, out), with_kwargs=True
    ),
    "pre": lambda m, note: m.fc.register_forward_pre_hook(lambda mod, args: note(args)),
    "pre changes": lambda m, note: m.fc.register_forward_pre_hook(
        lambda mod, args: args[0] * 3
    ),
    "pre kwargs": lambda m, note: m.register_forward_pre_hook(
        lambda mod, args, kwargs: ((args[0] + 1,), kwargs), with_kwargs=True
    ),
    "pre kwargs wrong": lambda m, note: m.register_forward_pre_hook(
        lambda mod, args, kwargs: 3, with_kwargs=True
    ),
    "two": lambda m, note: [
        m.register_forward_hook(lambda *_: note("first")),
        m.register_forward_hook(lambda *_: note("second")),
        m.register_forward_hook(lambda *_: note("zeroth"), prepend=True),
    ],
    "removed": lambda m, note: m.register_forward_hook(lambda *_: note("no")).remove(),
    "backward": lambda m, note: m.body.register_full_backward_hook(
        lambda mod, grad_in, grad_out: note(grad_in, grad_out)
    ),
    "backward at the input": lambda m, note: m.fc.register_full_backward_hook(
        lambda mod, grad_in, grad_out: note(grad_in, grad_out)
    ),
    "backward changes": lambda m, note: m.body.register_full_backward_hook(
        lambda mod, grad_in, grad_out: (grad_in[0] * 2,)
    ),
    "backward pre": lambda m, note: m.body.register_full_backward_pre_hook(
        lambda mod, grad_out: note(grad_out) or (grad_out[0] * 2,)
    ),
    "backward wrong": lambda m, note: m.register_full_backward_hook(
        lambda mod, grad_in, grad_out: grad_out
    ),
    "backward too many": lambda m, note: m.body.register_full_backward_hook(
        lambda mod, grad_in, grad_out: (None, None)
    ),
}


@pytest.mark.parametrize("name", HOOKS)
def test_hooks(name):
    def program(lib):
        notes = []
        m = net(lib)
        HOOKS[name](m, lambda *what: notes.append(words(what)))
        x = lib.tensor([[1.0, -2.0], [0.5, 3.0]])
        m(x=x) if "kwargs" == name else m(x)
        m(x).sum().backward()
        return notes, [p.grad for p in m.parameters() if p.grad is not None]

    same(program)


def test_always_called_hook():
    def program(lib):
        notes = []
        m = lib.nn.Sequential(lib.nn.Linear(2, 2))
        m.register_forward_hook(lambda *_: notes.append("never"))
        m.register_forward_hook(lambda *_: notes.append("always"), always_call=True)
        with pytest.raises(RuntimeError):
            m(lib.ones(3, 5))
        return notes

    same(program)


def test_state_dict_hooks():
    def program(lib):
        m = net(lib)
        seen = []
        m.register_state_dict_pre_hook(lambda mod, prefix, keep: seen.append(prefix))
        m.fc.register_state_dict_post_hook(
            lambda mod, state, prefix, local: seen.append((prefix, local))
        )
        m.fc.register_load_state_dict_pre_hook(
            lambda mod, state, prefix, *rest: state.pop(prefix + "weight")
        )
        m.register_load_state_dict_post_hook(
            lambda mod, keys: seen.append(list(keys.missing_keys))
        )
        m.load_state_dict(m.state_dict(), strict=False)
        return seen

    same(program)


def test_extra_state():
    def program(lib):
        class Counter(lib.nn.Module):
            count = 3

            def get_extra_state(self):
                return {"count": self.count}

            def set_extra_state(self, state):
                self.count = state["count"] + 1

        m = lib.nn.Sequential(Counter())
        state = m.state_dict()
        said = [list(state), m.load_state_dict(state), m[0].count]
        return said + [m.load_state_dict({}, strict=False)]

    same(program)


def test_copies():
    def program(lib):
        m = net(lib)
        twin = copy.deepcopy(m)
        twin.fc.weight.data.fill_(0)
        return [
            m.fc.weight,
            twin.head is twin.fc,
            twin.fc.weight,
            type(twin.fc.weight).__name__,
            list(twin.state_dict()),
        ]

    same(program)


def test_pickle():
    def program(lib):
        m = pickle.loads(pickle.dumps(image_net(lib)))
        return [m, m.state_dict(), [type(p).__name__ for p in m.parameters()]]

    same(program)


def test_training():
    """Zeroing, clipping and vectors of parameters."""

    def program(lib):
        u = lib.nn.utils
        m = lib.nn.Linear(2, 3)
        m.weight.grad, m.bias.grad = lib.ones(3, 2) * 2, lib.ones(3)
        said = [u.clip_grad_norm_(m.parameters(), 1.0), m.weight.grad]
        said += [u.clip_grad_norm_(m.parameters(), 0.1, float("inf")), m.bias.grad]
        said += [u.clip_grad_norm_(m.weight, 0.01, 1), m.weight.grad]
        u.clip_grad_value_(m.parameters(), 0.001)
        said += [m.weight.grad, u.parameters_to_vector(m.parameters())]
        u.vector_to_parameters(lib.arange(9.0), m.parameters())
        said += [m.weight, m.bias]
        grad = m.weight.grad
        m.zero_grad(set_to_none=False)
        said += [grad, grad is m.weight.grad]
        m.zero_grad()
        said.append(m.weight.grad)
        said.append(u.clip_grad_norm_(m.parameters(), 1.0))
        m.weight.grad = lib.full((3, 2), float("nan"))
        try:
            u.clip_grad_norm_(m.parameters(), 1.0, error_if_nonfinite=True)
        except RuntimeError as error:
            said.append(str(error))
        return said

    same(program)
