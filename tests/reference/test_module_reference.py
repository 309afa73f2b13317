"""Modules beside PyTorch's: names, assignment, loading, containers, errors."""

import copy
import pickle
from collections import OrderedDict

import pytest

torch = pytest.importorskip("torch")

from side_by_side import image_net, net, same  # noqa: E402


def with_(lib, **things):
    module = lib.nn.Module()
    for name, thing in things.items():
        setattr(module, name, thing)
    return module


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
    "all modules": lambda L: [
        n for n, _ in net(L).named_modules(remove_duplicate=False)
    ],
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
    "sequential dir": lambda L: [
        n for n in dir(L.nn.Sequential(L.nn.ReLU())) if n == "0"
    ],
    # assignment
    "assign tensor": lambda L: setattr(L.nn.Linear(2, 3), "weight", L.ones(3, 2)),
    "assign int": lambda L: setattr(L.nn.Linear(2, 3), "weight", 3),
    "assign None": lambda L: (
        setattr(m := L.nn.Linear(2, 3), "weight", None) or list(m._parameters.items())
    ),
    "assign new": lambda L: (
        setattr(m := L.nn.Linear(1, 1), "weight", L.nn.Parameter(L.ones(2)))
        or m.state_dict()
    ),
    "module for parameter": lambda L: setattr(L.nn.Linear(1, 1), "bias", L.nn.ReLU()),
    "int for module": lambda L: setattr(net(L), "fc", 3),
    "None for module": lambda L: setattr(m := net(L), "fc", None) or m,
    "tensor for module": lambda L: setattr(net(L), "fc", L.ones(1)),
    "parameter for module": lambda L: (
        setattr(m := net(L), "body", L.nn.Parameter(L.ones(1))) or list(m.state_dict())
    ),
    "int for buffer": lambda L: setattr(net(L), "mean", 3),
    "tensor for buffer": lambda L: setattr(m := net(L), "mean", L.zeros(3)) or m.mean,
    "None for buffer": lambda L: (
        setattr(m := net(L), "mean", None) or list(m.state_dict())
    ),
    "parameter for buffer": lambda L: (
        setattr(m := net(L), "mean", L.nn.Parameter(L.ones(1)))
        or (list(m.state_dict()), list(m._buffers))
    ),
    "module for attribute": lambda L: (
        setattr(m := net(L), "nothing", L.nn.ReLU()) or (m, "nothing" in m.__dict__)
    ),
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
    "plain early": lambda L: (
        type("N", (L.nn.Module,), {"__init__": lambda s: setattr(s, "a", 3)})().a
    ),
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
    "persistent again": lambda L: (
        (m := net(L)).register_buffer("scratch", L.ones(1)) or list(m.state_dict())
    ),
    # loading
    "load": lambda L: (m := net(L)).load_state_dict(
        {k: v + 1 for k, v in m.state_dict().items()}
    ),
    "load wrong": lambda L: net(L).load_state_dict(
        {"fc.weight": L.ones(1), "x": L.ones(2), "fc.y": 3, "q.r": 1, "mean": 3}
    ),
    "load not strict": lambda L: net(L).load_state_dict({"x": L.ones(2)}, strict=False),
    "load wrong shape": lambda L: net(L).load_state_dict(
        {"mean": L.ones(3)}, strict=False
    ),
    "load old scalar": lambda L: (
        (
            (m := with_(L, p=L.nn.Parameter(L.tensor(2.0)))).load_state_dict(
                {"p": L.ones(1)}
            )
            and None
        )
        or m.p
    ),
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
    "requires_grad_": lambda L: [
        p.requires_grad for p in net(L).requires_grad_(False).parameters()
    ],
    "to int": lambda L: net(L).to(L.int64),
    "double": lambda L: [
        str(t.dtype)[-7:] for t in net(L).double().state_dict().values()
    ],
    "to": lambda L: [
        str(t.dtype)[-7:] for t in net(L).to("cpu", L.float64).state_dict().values()
    ],
    "to like": lambda L: str(net(L).to(L.ones(1, dtype=L.float64)).scale.dtype)[-7:],
    "apply": lambda L: (
        seen := [],
        net(L).apply(lambda m: seen.append(type(m).__name__)),
    )[0],
    "no submodule": lambda L: net(L).get_submodule("body.9"),
    "no module": lambda L: net(L).get_submodule("fc.weight"),
    "no parameter": lambda L: net(L).get_parameter("fc.absent"),
    "not a parameter": lambda L: net(L).get_parameter("mean"),
    "not a buffer": lambda L: net(L).get_buffer("fc.weight"),
    # containers
    "index": lambda L: [
        (s := net(L).body)[0],
        s[-1],
        s[1:],
        s[:-1],
        s[::2],
        len(s),
        len(s[5:]),
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
    "parameter dict methods": lambda L: [
        m := L.nn.ParameterDict({"b": L.ones(1), "a": L.zeros(2)}),
        list(m),
        list(reversed(m)),
        m.get("x", 3),
        m.get("a"),
        m.setdefault("c", L.ones(2)),
        list(m | L.nn.ParameterDict({"d": L.ones(1)})),
        m.popitem()[0],
        list(m.fromkeys(["z", "y"], L.ones(1)).state_dict()),
        list(m.copy()),
        dict(m.named_parameters()),
    ][1:],
    "parameter dict twice": lambda L: [
        m := L.nn.ParameterDict([("b", L.ones(1)), ("a", 3)]),
        m.update(OrderedDict(z=L.ones(1), y=L.ones(1))),
        list(m),
        list(m.state_dict()),
    ][1:],
    "buffer": lambda L: [
        m := L.nn.Module(),
        setattr(m, "a", L.nn.Buffer(L.ones(2))),
        setattr(m, "b", L.nn.Buffer(L.ones(2), persistent=False)),
        setattr(m, "c", L.ones(2)),
        dict(m.state_dict()),
        dict(m.named_buffers()),
        isinstance(m.a, L.nn.Buffer),
        isinstance(m.c, L.nn.Buffer),
        setattr(m, "a", L.zeros(2)),
        m.a,
    ],
    "set_submodule": lambda L: [
        m := L.nn.Sequential(L.nn.Sequential(L.nn.ReLU())),
        m.set_submodule("0.0", L.nn.Tanh()),
        m.set_submodule("0.1", L.nn.Sigmoid()),
        m,
        m.set_submodule("0.2", L.nn.Tanh(), strict=True),
    ],
    "set_submodule nothing": lambda L: L.nn.Module().set_submodule("", L.nn.Tanh()),
    "set_submodule path": lambda L: L.nn.Module().set_submodule("a.b", L.nn.Tanh()),
    "to_empty": lambda L: [
        t.shape[0] for t in L.nn.Linear(2, 3).to_empty(device="cpu").parameters()
    ],
    "old load hook": lambda L: [
        seen := [],
        m := L.nn.Linear(1, 1),
        m._register_load_state_dict_pre_hook(lambda s, prefix, *_: seen.append(len(s))),
        m.load_state_dict(m.state_dict()),
        seen,
    ][4:],
    "adaptive": lambda L: [
        m := L.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 10], 2, True),
        x := L.linspace(-2, 2, 40).view(5, 8).requires_grad_(),
        out := m(x, L.tensor([0, 2, 4, 19, 10])),
        out.loss.backward(),
        x.grad,
        m.head.bias.grad,
        m.tail[1][0].weight.grad,
        m.log_prob(x),
        m.predict(x),
        m(x[0], L.tensor(7)),
        list(m.state_dict()),
    ],
    "adaptive target": lambda L: L.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(
        L.ones(2, 8), L.tensor([0, 20])
    ),
    "adaptive batch": lambda L: L.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(
        L.ones(2, 8), L.tensor([0, 1, 2])
    ),
    "adaptive dims": lambda L: L.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3])(
        L.ones(2, 8), L.tensor(3)
    ),
    "adaptive cutoffs": lambda L: L.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [3, 2]),
    "adaptive none": lambda L: L.nn.AdaptiveLogSoftmaxWithLoss(8, 20, []),
    "linear cross entropy": lambda L: [
        m := L.nn.LinearCrossEntropyLoss(3, 4, bias=True, weight=L.arange(4.0)),
        m(L.arange(6.0).view(2, 3), L.tensor([0, 3])),
        m(L.arange(3.0), L.tensor(2)),
        m(L.arange(6.0).view(2, 3), L.arange(8.0).view(2, 4)),
        list(m.state_dict()),
    ],
    "linear cross entropy images": lambda L: [
        m := L.nn.LinearCrossEntropyLoss(
            3, 4, out_features=(2,), ignore_index=1, label_smoothing=0.1
        ),
        m(L.arange(6.0).view(2, 3), L.tensor([[0, 1], [3, 2]])),
    ],
    "linear cross entropy weight": lambda L: L.nn.LinearCrossEntropyLoss(
        3, 4, weight=L.ones(3)
    ),
    "margins": lambda L: [
        loss(x, y)
        for x in (L.arange(6.0).view(2, 3) / 5,)
        for loss, y in (
            (L.nn.SoftMarginLoss(), L.tensor([[1, -1, 1], [-1, 1, -1]])),
            (L.nn.HingeEmbeddingLoss(0.7), L.tensor([[1, -1, 1], [-1, 1, -1]])),
            (L.nn.MultiMarginLoss(2, 0.5, L.arange(3.0)), L.tensor([2, 1])),
            (L.nn.MultiLabelMarginLoss(), L.tensor([[2, 0, -1], [-1, 0, 1]])),
            (L.nn.MultiLabelSoftMarginLoss(L.arange(3.0)), L.ones(2, 3)),
            (L.nn.PoissonNLLLoss(False, True), L.ones(2, 3) * 4),
            (lambda x, y: L.nn.GaussianNLLLoss(full=True)(x, y, 0.3), L.ones(2, 3)),
            (L.nn.PairwiseDistance(1, keepdim=True), L.ones(3)),
            (L.nn.CosineSimilarity(0), L.ones(3)),
        )
    ],
    "margins of pairs": lambda L: [
        loss(L.arange(6.0).view(2, 3), L.ones(2, 3) * 2, y)
        for loss, y in (
            (L.nn.CosineEmbeddingLoss(0.4, reduction="none"), L.tensor([1, -1])),
            (L.nn.MarginRankingLoss(0.4), L.tensor([[1, -1, 1], [-1, 1, -1]])),
            (L.nn.TripletMarginLoss(5.0, 1, 0.1, True), L.zeros(2, 3)),
            (L.nn.TripletMarginWithDistanceLoss(margin=5.0), L.zeros(2, 3)),
        )
    ],
    "margin p": lambda L: L.nn.MultiMarginLoss(3),
    "size_average": lambda L: [
        L.nn.MSELoss(size_average=False).reduction,
        L.nn.MSELoss(reduce=False).reduction,
        L.nn.MSELoss(True).reduction,
    ],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    same(PROGRAMS[name])


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
