"""What is printed: to the letter as PyTorch prints it, but for the library's name."""

import itertools
import math
import re

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")

OPTIONS = {
    "default": {},
    "short": {"profile": "short"},
    "full": {"profile": "full"},
    "precise": {"precision": 10},
    "rough": {"precision": 0},
    "narrow": {"linewidth": 40},
    "tiny": {"linewidth": 5},
    "wide": {"linewidth": 200, "threshold": 50},
    "summary": {"threshold": 3, "edgeitems": 1},
    "no edges": {"threshold": 3, "edgeitems": 0},
    "scientific": {"sci_mode": True},
    "not scientific": {"sci_mode": False},
    "short scientific": {"profile": "short", "sci_mode": True, "precision": 1},
}
VALUES = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "large": lambda rng, shape: rng.standard_normal(shape) * 1e6,
    "huge": lambda rng, shape: rng.standard_normal(shape) * 1e12,
    "small": lambda rng, shape: rng.standard_normal(shape) * 1e-3,
    "tiny": lambda rng, shape: rng.standard_normal(shape) * 1e-7,
    "every range": lambda rng, shape: np.exp(rng.standard_normal(shape) * 8),
    "whole": lambda rng, shape: rng.integers(-9, 10, shape).astype(float),
    "large whole": lambda rng, shape: rng.integers(-(10**9), 10**9, shape) * 1.0,
    "halves": lambda rng, shape: rng.integers(-9, 10, shape) / 2,
    "zeros": lambda rng, shape: np.zeros(shape) * rng.choice([-1, 1], shape),
    "few": lambda rng, shape: rng.choice([0, 1, -1, 0.5, 1e-4, 1000, 1e8], shape),
    "special": lambda rng, shape: rng.choice(
        [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, 2.5], shape
    ),
    "special whole": lambda rng, shape: rng.choice([math.nan, -math.inf, 7.0], shape),
    "nothing finite": lambda rng, shape: rng.choice([math.nan, math.inf, 0.0], shape),
}
SHAPES = [
    (), (1,), (2,), (7,), (30,), (1001,), (0,), (2, 0), (0, 3), (1, 1), (3, 4), (7, 7),
    (2, 3, 4), (40, 40), (5, 300), (1200, 1), (1, 1200), (2, 0, 3), (11, 10, 10),
    (2, 1, 3, 2), (1, 2, 1, 2, 2), (8, 2, 9, 8),
]  # fmt: skip
DTYPES = ["float32", "float64", "float16", "bfloat16"]
INTEGERS = ["int64", "int32", "int16", "int8", "uint8", "bool"]


def texts(array, dtype, **options):
    """The text of an array by veem and by PyTorch."""
    for lib in (veem, torch):
        lib.set_printoptions(**options)
    try:
        wanted = torch.from_numpy(array).to(getattr(torch, dtype))
        ours = veem.from_numpy(array).to(getattr(veem, dtype))
        return plain(repr(ours).replace("veem.", "torch.")), plain(repr(wanted))
    finally:
        for lib in (veem, torch):
            lib.set_printoptions(profile="default")


def plain(text):
    """In veem's words. Where a dtype has made a line too long, veem's may still fit."""
    return re.sub(r",\s+dtype=torch", ", dtype=veem", text).replace("torch.", "veem.")


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("values", VALUES)
def test_floats(values, options):
    rng = np.random.default_rng(sum(map(ord, values + options)))
    for shape, dtype in itertools.product(SHAPES, DTYPES):
        if math.prod(shape) > (100 if dtype != "float32" else 1100):
            continue
        array = np.asarray(VALUES[values](rng, shape))
        ours, theirs = texts(array, dtype, **OPTIONS[options])
        assert ours == theirs, (shape, dtype)


@pytest.mark.parametrize("shape", [(40, 40), (5, 300), (1200, 1), (1, 1200)])
@pytest.mark.parametrize("options", ["default", "short", "wide", "no edges"])
def test_large(options, shape):
    rng = np.random.default_rng(0)
    ours, theirs = texts(rng.standard_normal(shape), "float32", **OPTIONS[options])
    assert ours == theirs


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype, options):
    rng = np.random.default_rng(sum(map(ord, dtype + options)))
    for shape, top in itertools.product(SHAPES, [2, 100, 2**31 - 1]):
        if math.prod(shape) > (200 if top != 100 else 1100):
            continue
        array = np.asarray(rng.integers(-top, top, shape))
        ours, theirs = texts(array, dtype, **OPTIONS[options])
        assert ours == theirs, (shape, top)


# ---- programs that print -------------------------------------------------------------


def say(program):
    ours, theirs = (program(lib) for lib in (veem, torch))
    assert plain(ours.replace("veem.", "torch.")) == plain(theirs)


# ruff: noqa: UP031, UP032 - these ways to format are what is tested
SAYINGS = {
    "a leaf": lambda v: f"{v.ones(2, requires_grad=True)}",
    "a long leaf": lambda v: f"{v.ones(5, 16, requires_grad=True)}",
    "history": lambda v: f"{v.ones(2, requires_grad=True) * 2}",
    "history of many": lambda v: f"{v.ones(3, 13, requires_grad=True) * 2.5}",
    "all suffixes": lambda v: repr(v.rand(0, 3, dtype=v.float64, requires_grad=True)),
    "a parameter": lambda v: repr(v.nn.Parameter(v.ones(2, 3))),
    "a frozen one": lambda v: repr(v.nn.Parameter(v.ones(2), requires_grad=False)),
    "a buffer": lambda v: repr(v.nn.Buffer(v.ones(2))),
    "in a list": lambda v: repr([v.ones(2), v.nn.Parameter(v.ones(1))]),
    "in a dict": lambda v: repr({"a": (v.ones(2, 2), v.zeros(()))}),
    "a size": lambda v: f"{v.ones(2, 3).shape} {v.Size([])} {v.ones(2, 3).size()[:1]}",
    "dtypes": lambda v: f"{v.float} {v.half!r} {v.bfloat16} {[v.long, v.bool]}",
    "a device": lambda v: f"{v.device('cpu')} {[v.device('cuda:1'), v.device('cpu')]}",
    "a layout": lambda v: f"{v.strided} {v.contiguous_format!r}",
    "a number": lambda v: f"{v.tensor(3.14159)} {v.tensor(2)} {v.tensor(True)}",
    "format": lambda v: f"{v.tensor(3.14159):.2f} {v.tensor(7):5d} {v.tensor(0.5):.1%}",
    "format of history": lambda v: f"{v.ones((), requires_grad=True) * 2:.3f}",
    "format of many": lambda v: f"{v.ones(2)}{v.tensor([1.5]):}",
    "percent": lambda v: "%s %.2f %d" % (v.ones(2), v.tensor(1.234), v.tensor(7)),
    "str.format": lambda v: "{:6.2f}|{!r}".format(v.tensor(1.5), v.tensor(1.5)),
    "a default dtype": lambda v: in_double(v, lambda: f"{v.ones(2)}{v.ones(2).int()}"),
    "max": lambda v: repr(v.arange(6.0).view(2, 3).max(0)),
    "sort": lambda v: repr(v.arange(6.0).view(2, 3).sort(descending=True)),
    "median": lambda v: repr(v.arange(6.0).view(2, 3).median(1)),
    "kthvalue": lambda v: repr(v.arange(6.0).kthvalue(2)),
    "cummax": lambda v: repr(v.arange(6.0).cummax(0)),
    "aminmax": lambda v: repr(v.arange(6.0).aminmax()),
    "linalg": lambda v: repr([v.linalg.svd(v.eye(2)), v.linalg.eigh(v.eye(2))]),
    "a type": lambda v: f"{v.ones(1).type()} {v.ones(1).half().type()}",
    "many parameters": lambda v: repr(
        v.nn.ParameterDict({"a": v.nn.Parameter(v.ones(2, 3)), "b": v.ones(1)})
    ),
    "an optimizer": lambda v: repr(v.optim.Adam([v.nn.Parameter(v.ones(1))], lr=0.1)),
    "options within": lambda v: briefly(v, lambda: repr(v.ones(2) / 3)),
}  # fmt: skip


def in_double(v, program):
    v.set_default_dtype(v.float64)
    try:
        return program()
    finally:
        v.set_default_dtype(v.float32)


def briefly(v, program):
    inner = veem.printing if v is veem else torch._tensor_str
    with inner.printoptions(precision=1):
        text = program()
    return text + program() + str(inner.get_printoptions())


@pytest.mark.parametrize("name", SAYINGS)
def test_sayings(name):
    say(SAYINGS[name])


@pytest.mark.parametrize("spec", [".2f", "5"])
def test_format_is_for_single_numbers(spec):
    for v in (veem, torch):
        for x in (v.ones(2), v.nn.Parameter(v.tensor(2.0))):
            with pytest.raises(TypeError, match="unsupported format string"):
                format(x, spec)


def test_subclasses():
    def program(v):
        class Image(v.Tensor):
            pass

        class Weight(v.nn.Parameter):
            pass

        image = v.Tensor._make_subclass(Image, v.ones(2, 2), False)
        return f"{image}\n{Weight(v.ones(2))}"

    say(program)


def test_contents_of_ones_own():
    say(lambda v: v.ones(2).double().__repr__(tensor_contents="..."))
