"""copy, deepcopy and pickle beside PyTorch's: small programs, run in both."""

import copy
import pickle
import warnings

import pytest

torch = pytest.importorskip("torch")

import veem  # noqa: E402


def facts(x):
    grad = None if x.grad is None else x.grad.tolist()
    kind = type(x).__name__, x.requires_grad, x.is_leaf, grad
    return *kind, x.stride(), x.storage_offset(), x.detach().tolist(), x.__dict__


def pickled(x):
    return pickle.loads(pickle.dumps(x))


def leaf(v):
    x = v.arange(6.0).reshape(2, 3).t()[1:].requires_grad_()
    x.grad, x.tag = v.ones(2, 2), [1]
    return x


def parameter(v):
    p = v.nn.Parameter(v.arange(3.0), requires_grad=False)
    p.tag = "kept?"
    return p


def hooked(v):
    x = v.ones(2, requires_grad=True)
    x.register_hook(lambda g: g * 10)
    return x


def run(x):
    (x * 2).sum().backward()
    return x.grad.tolist()


def counted(v, how):
    """A module whose hook counts calls: its own, and its copy's."""
    calls = []
    model = v.nn.Sequential(v.nn.Linear(2, 2))
    handle = model[0].register_forward_hook(lambda *args: calls.append(1))
    other = how(model)
    handle.remove()
    model(v.ones(1, 2))
    other(v.ones(1, 2))
    return calls


def tied(v, how):
    model = v.nn.Sequential(v.nn.Linear(2, 2), v.nn.Linear(2, 2))
    model[0].weight = model[1].weight
    other = how(model)
    same = other[0].weight is other[1].weight, other[0].weight is model[0].weight
    return *same, other._parameters is model._parameters, other[0] is model[0]


def gradients(v, how):
    model = v.nn.Linear(2, 1)
    model(v.ones(1, 2)).sum().backward()
    return how(model).weight.grad is None


def optimizer(v, how):
    model = v.nn.Linear(2, 1)
    model(v.ones(1, 2)).sum().backward()
    o = v.optim.Adam(model.parameters(), lr=0.1)
    o.step()
    other_model, other = how([model, o])
    same = other.param_groups[0]["params"][0] is other_model.weight
    return same, len(other.state), other.defaults, str(other)


def generator(v, how):
    g = v.Generator().manual_seed(3)
    v.rand(5, generator=g)
    h = how(g)
    return v.rand(3, generator=g).tolist(), v.rand(3, generator=h).tolist()


def sharing(v, how):
    x = v.arange(6.0)
    a, b = how([x, x.view(2, 3)])
    return a.data_ptr() == b.data_ptr(), a.data_ptr() == x.data_ptr()


HOWS = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": pickled}
PROGRAMS = {
    "leaf": lambda v, how: facts(how(leaf(v))),
    "parameter": lambda v, how: facts(how(parameter(v))),
    "non-leaf": lambda v, how: facts(how(v.ones(2, requires_grad=True) * 2)),
    "detached": lambda v, how: facts(how((v.ones(2, requires_grad=True) * 2).detach())),
    "expanded": lambda v, how: facts(how(v.ones(1).expand(3))),
    "bfloat16": lambda v, how: facts(how(v.ones(2, dtype=v.bfloat16))),
    "hooks": lambda v, how: run(how(hooked(v))),
    "tied": tied,
    "gradients": gradients,
    "optimizer": optimizer,
    "generator": generator,
    "size": lambda v, how: type(how(v.ones(2, 3).shape)).__name__,
    "dtype": lambda v, how: how(v.float16) is v.float16,
    "device": lambda v, how: str(how(v.device("cpu"))),
}
# A pickle of PyTorch's holds the memory of two views twice; veem's holds it once.
ALIKE = {"copy": copy.copy, "deepcopy": copy.deepcopy}


def outcome(v, program, how):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            result = program(v, how)
        except Exception as error:
            return type(error)
    return result, len(said)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name, how):
    ours, theirs = (outcome(v, PROGRAMS[name], HOWS[how]) for v in (veem, torch))
    assert ours == theirs


@pytest.mark.parametrize("how", ALIKE)
@pytest.mark.parametrize("program", [sharing, counted])
def test_sharing_and_hooks_of_modules(program, how):
    ours, theirs = (outcome(v, program, ALIKE[how]) for v in (veem, torch))
    assert ours == theirs
