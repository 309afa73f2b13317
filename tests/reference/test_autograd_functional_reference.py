"""Jacobians, Hessians and their products are PyTorch's."""

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")


def one(lib, x):
    return (x**3).sum() * x[0, 0]


def two(lib, x, y):
    return (x * y.sum()).exp(), x.t() @ x


def of_both(lib, x, y):
    return (x * x * y.sum() ** 2).sum()


def constant(lib, x):
    return lib.ones(2, dtype=x.dtype)


X, Y = np.arange(4.0).reshape(2, 2) / 4, np.array([0.5, -0.25, 0.1])


def flat(value):
    if isinstance(value, (tuple, list)):
        return [leaf for v in value for leaf in flat(v)]
    return [(tuple(value.shape), value.requires_grad, value.detach().numpy().tolist())]


def outcome(lib, name, func, arrays, v, **options):
    given = [lib.tensor(a.tolist(), dtype=lib.float64) for a in arrays]
    inputs = given[0] if len(given) == 1 else tuple(given)
    call = getattr(lib.autograd.functional, name)
    args = () if v is None else (lib.tensor(v, dtype=lib.float64),)
    try:
        return flat(call(lambda *xs: func(lib, *xs), inputs, *args, **options))
    except RuntimeError:
        return "RuntimeError"


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("name", "func", "arrays", "v"),
    [
        ("jacobian", one, [X], None),
        ("jacobian", two, [X, Y], None),
        ("jacobian", constant, [X], None),
        ("hessian", one, [X], None),
        ("hessian", of_both, [X, Y], None),
        ("hessian", two, [X, Y], None),
        ("vjp", one, [X], 2.0),
        ("vjp", one, [X], None),
        ("jvp", one, [X], [[1.0, 2], [3, 4]]),
        ("vhp", one, [X], [[1.0, 2], [3, 4]]),
        ("hvp", one, [X], [[1.0, 2], [3, 4]]),
        ("hvp", one, [X], [1.0]),
    ],
)
def test_as_in_pytorch(name, func, arrays, v, create_graph):
    options = {"create_graph": create_graph}
    ours, theirs = (
        outcome(lib, name, func, arrays, v, **options) for lib in (veem, torch)
    )
    assert type(ours) is type(theirs)
    if isinstance(ours, str):
        assert ours == theirs
        return
    for (shape, grad, values), (s, g, expected) in zip(ours, theirs, strict=True):
        assert (shape, grad) == (s, g)
        np.testing.assert_allclose(values, expected, rtol=1e-12)


def test_strict():
    for name in ("jacobian", "vjp"):
        v = None if name == "jacobian" else [1.0, 1.0]
        for lib in (veem, torch):
            got = outcome(lib, name, constant, [X], v, strict=True)
            assert got == "RuntimeError"
