"""Modules: names, state, containers, hooks."""

import copy
import inspect
import pickle
from collections import OrderedDict

import numpy as np
import pytest

import veem
from veem import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 3)
        self.register_buffer("mean", veem.ones(2))
        self.register_buffer("scratch", veem.zeros(1), persistent=False)
        self.body = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
        self.scale = nn.Parameter(veem.ones(2))
        self.head = self.fc  # shared

    def forward(self, x):
        return self.body(self.fc((x - self.mean) * self.scale))


STATE = [
    "scale", "mean", "fc.weight", "fc.bias", "body.0.weight", "body.0.bias",
    "body.2.weight", "body.2.bias", "head.weight", "head.bias",
]  # fmt: skip


def same(a, b):
    return np.array_equal(a.detach().numpy(), b.detach().numpy())


# ---- names and state -----------------------------------------------------------------


def test_state_dict_keys():
    net = Net()
    state = net.state_dict()
    assert list(state) == STATE
    assert not state["fc.weight"].requires_grad
    assert state["fc.weight"].data_ptr() == net.fc.weight.data_ptr()
    assert net.state_dict(keep_vars=True)["fc.weight"] is net.fc.weight


def test_walks_meet_shared_modules_once():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        n for n in STATE if n != "mean" and not n.startswith("head")
    ]
    assert [n for n, _ in net.named_buffers()] == ["mean", "scratch"]
    assert [n for n, _ in net.named_children()] == ["fc", "body"]
    assert [n for n, _ in net.named_modules()] == [
        "",
        "fc",
        "body",
        "body.0",
        "body.1",
        "body.2",
    ]
    assert "head.weight" in dict(net.named_parameters(remove_duplicate=False))
    assert net.get_submodule("body.2") is net.body[2]
    assert net.get_parameter("fc.bias") is net.fc.bias


def test_load_state_dict():
    a, b = Net(), Net()
    weight = b.fc.weight
    assert repr(b.load_state_dict(a.state_dict())) == "<All keys matched successfully>"
    assert b.fc.weight is weight
    assert all(same(x, y) for x, y in zip(a.parameters(), b.parameters()))


def test_load_state_dict_says_all_that_is_wrong():
    state = Net().state_dict()
    del state["fc.bias"]
    state["body.2.weight"] = veem.ones(7)
    state["absent.weight"] = veem.ones(1)
    with pytest.raises(RuntimeError) as error:
        Net().load_state_dict(state)
    assert str(error.value) == (
        "Error(s) in loading state_dict for Net:\n"
        '\tMissing key(s) in state_dict: "fc.bias". \n'
        '\tUnexpected key(s) in state_dict: "absent.weight". \n'
        "\tsize mismatch for body.2.weight: copying a param with shape veem.Size([7]) "
        "from checkpoint, the shape in current model is veem.Size([1, 3])."
    )
    del state["body.2.weight"]
    keys = Net().load_state_dict(state, strict=False)
    assert keys.missing_keys == ["fc.bias", "body.2.weight"]
    assert keys.unexpected_keys == ["absent.weight"]


def test_load_state_dict_assign():
    net, state = Net(), Net().double().state_dict()
    net.load_state_dict(state, assign=True)
    assert net.fc.weight.dtype == veem.float64
    assert net.fc.weight.data_ptr() == state["head.weight"].data_ptr()
    assert isinstance(net.fc.weight, nn.Parameter)


@pytest.mark.parametrize(
    ("assign", "error", "words"),
    [
        (
            lambda m: setattr(m, "scale", veem.ones(2)),
            TypeError,
            "as parameter 'scale'",
        ),
        (lambda m: setattr(m, "fc", 3), TypeError, "'int' as child module 'fc'"),
        (lambda m: setattr(m, "mean", 3), TypeError, "'int' as buffer 'mean'"),
        (lambda m: m.register_buffer("a.b", None), KeyError, "t contain"),
        (lambda m: m.register_parameter("", None), KeyError, "empty string"),
        (lambda m: m.register_buffer("fc", None), KeyError, "already exists"),
        (lambda m: m.add_module("x", 3), TypeError, "not a Module subclass"),
        (lambda m: m.absent, AttributeError, "'Net' object has no attribute 'absent'"),
        (lambda m: delattr(m, "absent"), AttributeError, "absent"),
        (lambda m: m.to(veem.int64), TypeError, "floating point"),
        (lambda m: m.train(1), ValueError, "boolean"),
        (
            lambda m: nn.Module()(1),
            NotImplementedError,
            'missing the required "forward"',
        ),
    ],
)
def test_refusals(assign, error, words):
    with pytest.raises(error, match=words):
        assign(Net())


def test_assignment_before_init():
    class Early(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match="before Module"):
        Early()


def test_what_is_assigned_decides_where_it_lives():
    net = Net()
    net.mean = nn.Parameter(veem.zeros(1))
    net.fc = None
    net.plain = veem.ones(1)
    del net.scale
    names = [n for n in STATE if not n.startswith(("fc", "scale"))]
    assert sorted(net.state_dict()) == sorted(names)
    assert "mean" not in dict(net.named_buffers())
    assert "plain" in net.__dict__


def test_to_moves_everything_that_floats():
    net = Net()
    net.register_buffer("count", veem.zeros(1, dtype=veem.int64))
    net(veem.ones(1, 2)).sum().backward()
    weight = net.fc.weight
    assert net.double() is net
    assert net.fc.weight is weight
    assert weight.dtype == weight.grad.dtype == net.mean.dtype == veem.float64
    assert net.count.dtype == veem.int64
    assert net.to(veem.ones(1)).fc.weight.dtype == veem.float32


def test_train_eval_apply_requires_grad():
    net, seen = Net(), []
    assert not any(m.training for m in net.eval().modules())
    assert all(m.training for m in net.train().modules())
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen[-2:] == ["Sequential", "Net"]
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())


def test_zero_grad():
    net = nn.Linear(2, 1)
    net(veem.ones(1, 2)).sum().backward()
    grad = net.weight.grad
    net.zero_grad(set_to_none=False)
    assert net.weight.grad is grad
    assert grad.tolist() == [[0, 0]]
    net.zero_grad()
    assert net.weight.grad is None


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies(copied):
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1), nn.LayerNorm(2))
    twin = copied(net)
    assert repr(twin) == repr(net)
    assert all(same(a, b) for a, b in zip(net.parameters(), twin.parameters()))
    assert all(isinstance(p, nn.Parameter) for p in twin.parameters())
    with veem.no_grad():
        twin[0].weight.fill_(0)
    assert not same(net[0].weight, twin[0].weight)


def test_repr():
    net = nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(1, 4, (3, 5), padding=1, bias=False),
            act=nn.ReLU(inplace=True),
            pool=nn.MaxPool2d(2),
            list=nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4), nn.GELU("tanh")]),
            drop=nn.Dropout(0.25),
        )
    )
    assert repr(net) == (
        "Sequential(\n"
        "  (conv): Conv2d(1, 4, kernel_size=(3, 5), stride=(1, 1), padding=(1, 1), "
        "bias=False)\n"
        "  (act): ReLU(inplace=True)\n"
        "  (pool): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, "
        "ceil_mode=False)\n"
        "  (list): ModuleList(\n"
        "    (0-1): 2 x Linear(in_features=4, out_features=4, bias=True)\n"
        "    (2): GELU(approximate='tanh')\n"
        "  )\n"
        "  (drop): Dropout(p=0.25, inplace=False)\n"
        ")"
    )
    assert repr(nn.Parameter(veem.ones(1))) == (
        "Parameter containing:\ntensor([1.], requires_grad=True)"
    )


def test_signatures_show_the_arguments():
    assert str(inspect.signature(nn.LeakyReLU)) == (
        "(negative_slope: 'float' = 0.01, inplace: 'bool' = False) -> None"
    )
    names = list(inspect.signature(nn.CrossEntropyLoss).parameters)
    assert names[:3] == ["weight", "size_average", "ignore_index"]


# ---- containers ----------------------------------------------------------------------


def test_sequential_is_a_list():
    a, b, c = nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)
    row = nn.Sequential(a, b).append(c)
    assert (row[0], row[-1], len(row), list(row)) == (a, c, 3, [a, b, c])
    assert list(row[1:]) == [b, c]
    del row[0]
    assert list(row.state_dict()) == ["1.weight", "1.bias"]
    assert list(row.insert(0, a)) == [a, b, c]
    assert list(row + nn.Sequential(b)) == [a, b, c, b]
    assert row.pop(1) is b
    with pytest.raises(IndexError, match="index 2 is out of range"):
        row[2]
    x = veem.tensor([[2.0]])
    assert same(row(x), c(a(x)))


def test_module_list_and_dict():
    rows = nn.ModuleList([nn.Linear(i, 1) for i in (1, 2)])
    rows.insert(0, nn.ReLU())
    rows += [nn.Tanh()]
    assert list(rows.state_dict()) == ["1.weight", "1.bias", "2.weight", "2.bias"]
    assert len(rows[1:3]) == 2
    table = nn.ModuleDict({"a": nn.ReLU()})
    table.update([("b", nn.Linear(1, 1))])
    assert list(table) == ["a", "b"]
    assert "b" in table
    assert isinstance(table.pop("a"), nn.ReLU)
    assert list(table.state_dict()) == ["b.weight", "b.bias"]
    with pytest.raises(TypeError, match="not a Module subclass"):
        nn.ModuleList([3])


def test_parameter_list_and_dict():
    row = nn.ParameterList([veem.ones(2), nn.Parameter(veem.zeros(1)), "text"])
    assert [n for n, _ in row.named_parameters()] == ["0", "1"]
    assert isinstance(row[0], nn.Parameter)
    assert row[-1] == "text"
    table = nn.ParameterDict({"w": veem.ones(2)})
    assert list(table.state_dict()) == ["w"]
    assert "w" in table


# ---- hooks ---------------------------------------------------------------------------


def test_forward_hooks_change_arguments_and_output():
    net, x = nn.Linear(1, 1), veem.ones(1, 1)
    plain = net(x)
    with net.register_forward_hook(lambda m, args, out: out * 2):
        assert same(net(x), plain * 2)
    handle = net.register_forward_pre_hook(lambda m, args: args[0] * 0)
    assert same(net(x), net.bias.reshape(1, 1))
    handle.remove()
    assert same(net(x), plain)


def test_forward_hooks_with_keywords_and_order():
    net, seen = Net(), []
    net.register_forward_hook(
        lambda m, args, kwargs, out: seen.append(list(kwargs)), with_kwargs=True
    )
    net.register_forward_hook(lambda *_: seen.append("first"), prepend=True)
    net(x=veem.ones(1, 2))
    assert seen == ["first", ["x"]]


def test_always_called_hook():
    net, seen = nn.Linear(1, 1), []
    net.register_forward_hook(lambda *_: seen.append("skipped"))
    net.register_forward_hook(lambda *_: seen.append("called"), always_call=True)
    with pytest.raises(RuntimeError):
        net(veem.ones(1, 7))
    assert seen == ["called"]


def test_full_backward_hook():
    net, seen = Net(), []
    net.body.register_full_backward_pre_hook(lambda m, out: (out[0] * 3,))

    def hook(module, grad_in, grad_out):
        seen.append((grad_in[0].shape, grad_out[0].tolist()))
        return (grad_in[0] * 0,)

    net.body.register_full_backward_hook(hook)
    net(veem.ones(4, 2)).sum().backward()
    assert seen == [((4, 3), [[3.0]] * 4)]
    assert not net.fc.weight.grad.abs().max().item()
    assert net.body[2].bias.grad.tolist() == [12.0]
