"""Tensors print as PyTorch's do."""

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch")

rng = np.random.default_rng(0)
CASES = [
    np.array(3.5),
    np.array(7),
    np.array([]),
    np.zeros((0, 3)),
    np.zeros((2, 2)),
    np.array([1.0, 2.0, 300.0]),
    np.array([1.0, 2e9]),
    np.array([0.5, 1234.5, -7.25]),
    np.array([0.00001, 1.0]),
    np.array([np.nan, np.inf, -np.inf, 1.0]),
    np.array([np.nan, 0.5]),
    np.array([True, False]),
    np.arange(30),
    rng.standard_normal((3, 4)),
    rng.standard_normal((2, 3, 4)),
    rng.standard_normal(50),
    rng.standard_normal((40, 40)),
    rng.standard_normal((5, 300)),
    np.arange(2000),
    rng.standard_normal((3, 4)) * 1e6,
    np.array([[1, -2], [30, 4]], dtype=np.int32),
]


@pytest.mark.parametrize("dtype", [None, np.float32])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_like_torch(case, dtype):
    array = CASES[case]
    if dtype is not None and array.dtype.kind == "f":
        array = array.astype(dtype)
    ours, theirs = repr(veem.from_numpy(array)), repr(torch.from_numpy(array))
    assert ours == theirs.replace("torch.", "veem.")


def test_history_like_torch():
    def text(lib):
        x = lib.tensor([1.0, 2.0], requires_grad=True)
        return [repr(x), repr(x * 2), repr((x * 2).exp().reshape(2, 1))]

    ours = text(veem)
    assert ours[:2] == text(torch)[:2]
    assert "grad_fn=<" in ours[2]
