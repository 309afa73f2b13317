"""Every activation of PyTorch's nn: signature, text, values, gradients, in place."""

import inspect

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch")

MODULES = {
    "CELU": [(), (1.5,)],
    "ELU": [(), (1.5,)],
    "GELU": [(), ("tanh",)],
    "GLU": [(), (0,)],
    "Hardshrink": [(), (0.7,)],
    "Hardsigmoid": [()],
    "Hardswish": [()],
    "Hardtanh": [(), (-2.0, 0.5)],
    "LeakyReLU": [(), (0.3,)],
    "LogSigmoid": [()],
    "LogSoftmax": [(1,)],
    "Mish": [()],
    "PReLU": [(), (6, 0.1)],
    "RReLU": [(), (0.1, 0.3)],
    "ReLU": [()],
    "ReLU6": [()],
    "SELU": [()],
    "SiLU": [()],
    "Sigmoid": [()],
    "Softmax": [(1,)],
    "Softmax2d": [()],
    "Softmin": [(0,)],
    "Softplus": [(), (2.0, 1.0)],
    "Softshrink": [(), (0.7,)],
    "Softsign": [()],
    "Tanh": [()],
    "Tanhshrink": [()],
    "Threshold": [(0.3, -1.0)],
}
CASES = [(name, args) for name, given in MODULES.items() for args in given]
INPLACE = [
    name
    for name in MODULES
    if hasattr(getattr(torch.nn, name)(*MODULES[name][0]), "inplace")
]
FUNCTIONS = """celu elu glu hardsigmoid hardswish hardtanh leaky_relu mish
relu relu6 rrelu selu silu softmin log_softmax softmax tanhshrink softsign
threshold""".split()
# At the corners of straight lines, and beyond.
POINTS = [
    -7.0,
    -3.0,
    -2.0,
    -1.0,
    -0.7,
    -0.5,
    -0.0,
    0.0,
    0.3,
    0.5,
    0.7,
    1.0,
    3.0,
    6.0,
    7.0,
]
EDGES = [*POINTS, 20.0, 30.0, float("inf"), float("nan")]


def run(lib, name, args, x, **kwargs):
    """Output and gradients of the input and parameters."""
    lib.manual_seed(3)
    module = getattr(lib.nn, name)(*args, **kwargs).double()
    x = lib.tensor(x).requires_grad_()
    y = module(x * 1.0)
    y.backward(lib.ones_like(y))
    return [
        t.detach().numpy() for t in (y, x.grad, *(p.grad for p in module.parameters()))
    ]


def same(name, args, x, **kwargs):
    for ours, theirs in zip(
        run(veem, name, args, x, **kwargs), run(torch, name, args, x, **kwargs)
    ):
        # Its 1/6 of hardsigmoid's gradient is a float's.
        eps = 1e-7 if name == "Hardsigmoid" else 1e-12
        np.testing.assert_allclose(ours, theirs, rtol=eps, atol=eps, err_msg=name)


@pytest.mark.parametrize(("name", "args"), CASES)
def test_values_and_gradients(name, args):
    same(name, args, np.random.default_rng(5).normal(0, 3, (2, 6, 4, 4)))


@pytest.mark.parametrize(("name", "args"), CASES)
def test_corners(name, args):
    if name in ("GLU", "Softmax2d", "Softmax", "Softmin", "LogSoftmax") or args == (
        6,
        0.1,
    ):
        return  # of rows
    same(name, args, np.array(EDGES))


@pytest.mark.parametrize("name", INPLACE)
def test_in_place(name):
    x = np.random.default_rng(5).normal(0, 3, (3, 4))
    same(name, MODULES[name][0], x, inplace=True)
    y = veem.tensor(x)
    assert getattr(veem.nn, name)(*MODULES[name][0], inplace=True)(y) is y
    twin = name.lower() + "_"
    if hasattr(torch.nn.functional, twin) and name != "RReLU":
        results = []
        for lib in (veem, torch):
            x1 = lib.tensor(x)
            getattr(lib.nn.functional, twin)(x1, *MODULES[name][0])
            results.append(x1.numpy())
        np.testing.assert_allclose(*results, rtol=1e-12)


@pytest.mark.parametrize("name", MODULES)
def test_text_and_signature(name):
    for args in MODULES[name]:
        assert repr(getattr(veem.nn, name)(*args)) == repr(
            getattr(torch.nn, name)(*args)
        )
    ours, theirs = (
        {
            p.name: p.default
            for p in inspect.signature(getattr(lib.nn, name)).parameters.values()
        }
        for lib in (veem, torch)
    )
    for extra in ("min_value", "max_value", "args", "kwargs"):  # old, or of none
        theirs.pop(extra, None)
    assert ours == theirs


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_signature(name):
    ours, theirs = (
        inspect.signature(getattr(lib.nn.functional, name)) for lib in (veem, torch)
    )
    assert list(ours.parameters) == list(theirs.parameters)
    for p in theirs.parameters.values():
        assert ours.parameters[p.name].default == p.default


def test_names():
    """What PyTorch offers as functions and methods too."""
    names = "celu celu_ selu selu_ rrelu rrelu_ prelu hardshrink threshold threshold_"
    for name in names.split():
        assert callable(getattr(veem, name)), name
    x = veem.tensor([-1.0, 0.2, 3.0])
    assert x.hardshrink(0.5).tolist() == [-1, 0, 3]
    assert (
        x.prelu(veem.tensor([2.0])).tolist() == veem.tensor([-2.0, 0.2, 3.0]).tolist()
    )


WRONG = [
    (lambda L: L.nn.functional.glu(L.ones(3)), RuntimeError),
    (lambda L: L.nn.functional.glu(L.tensor(1.0)), RuntimeError),
    (lambda L: L.nn.functional.glu(L.ones(2), 1), IndexError),
    (lambda L: L.nn.Softmax2d()(L.ones(2, 2)), ValueError),
    (lambda L: L.nn.functional.hardtanh(L.ones(2), 2, 1), ValueError),
    (lambda L: L.nn.Hardtanh(2, 1), AssertionError),
    (lambda L: L.nn.functional.softshrink(L.ones(2), -1), RuntimeError),
    (lambda L: L.nn.functional.prelu(L.ones(2, 3), L.ones(2)), RuntimeError),
    (lambda L: L.nn.functional.prelu(L.ones(2, 3), L.ones(3, 1)), RuntimeError),
    (lambda L: L.nn.functional.gelu(L.ones(2), approximate="fast"), RuntimeError),
    (lambda L: L.nn.functional.gelu(L.ones(2).long()), NotImplementedError),
    (lambda L: L.nn.functional.elu(L.ones(2).long()), NotImplementedError),
    (lambda L: L.nn.functional.hardsigmoid(L.ones(2).long()), NotImplementedError),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong(case):
    call, error = WRONG[case]
    for lib in (veem, torch):
        with pytest.raises(error):
            call(lib)
