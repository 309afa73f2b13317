"""isclose, allclose, equal: against NumPy, and where they refuse."""

import numpy as np
import pytest

import veem

INF, NAN = float("inf"), float("nan")
A = np.array([1.0, 1.0, 0.0, INF, INF, -INF, NAN, 1e10, 1e-9])
B = np.array([1.0, 1.0001, 1e-9, INF, -INF, 1.0, NAN, 1.00001e10, 2e-9])
DEVICES = veem._core.devices()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "kwargs",
    [{}, {"equal_nan": True}, {"rtol": 0, "atol": 0}, {"rtol": 1e-3, "atol": 0.5}],
)
def test_isclose(kwargs, device):
    a, b = (veem.tensor(x.astype("float32")).to(device) for x in (A, B))
    expected = np.isclose(A.astype("float32"), B.astype("float32"), **kwargs)
    assert veem.isclose(a, b, **kwargs).tolist() == expected.tolist()
    assert veem.allclose(a, b, **kwargs) == expected.all()
    assert a.allclose(a, equal_nan=True)
    assert not a.allclose(a)


def test_isclose_of_integers_and_shapes():
    a, b = veem.tensor([[1], [100000]]), veem.tensor([1, 100001])
    assert a.isclose(b).tolist() == [[True, False], [False, True]]
    assert veem.tensor([True]).isclose(veem.tensor([False])).tolist() == [False]
    assert veem.allclose(veem.empty(0), veem.empty(0))


@pytest.mark.parametrize("device", DEVICES)
def test_equal(device):
    a = veem.tensor([[1.0, 2.0]], device=device)
    assert veem.equal(a, a.clone()) is True
    assert a.equal(a + 1) is False
    assert a.equal(a[0]) is False
    assert veem.equal(veem.empty(0), veem.empty(0))
    assert not veem.tensor([NAN]).equal(veem.tensor([NAN]))


def test_refused():
    a, b = veem.ones(2), veem.ones(2, dtype=veem.int64)
    for f in (veem.isclose, veem.allclose, veem.equal):
        with pytest.raises(RuntimeError, match="float32.*int64"):
            f(a, b)
    with pytest.raises(RuntimeError, match="rtol must be at least 0"):
        veem.isclose(a, a, rtol=-1)
    with pytest.raises(RuntimeError, match="atol must be at least 0"):
        veem.allclose(a, a, atol=-1)
