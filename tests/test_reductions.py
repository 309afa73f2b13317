"""Reductions, sorts and running results by other names and into given tensors."""

import numpy as np
import pytest

import veem

X = veem.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
INTO_ONE = ["sum", "mean", "prod", "amax", "amin", "nansum", "var", "std", "logsumexp",
            "norm", "cumsum", "cumprod", "logcumsumexp", "argsort", "argmax", "argmin",
            "all", "any", "diff"]  # fmt: skip
INTO_TWO = ["max", "min", "sort", "cummax", "cummin", "median", "nanmedian", "mode"]


@pytest.mark.parametrize("name", INTO_ONE)
def test_out(name):
    f = getattr(veem, name)
    wanted = f(X, dim=1)
    out = veem.empty(0, dtype=wanted.dtype)
    assert f(X, dim=1, out=out) is out
    np.testing.assert_array_equal(out.numpy(), wanted.numpy())


@pytest.mark.parametrize("name", INTO_TWO)
def test_out_of_values_and_indices(name):
    f = getattr(veem, name)
    wanted = f(X, dim=1)
    out = veem.empty(0), veem.empty(0, dtype=veem.int64)
    found = f(X, dim=1, out=out)
    assert found.values is out[0]
    assert found.indices is out[1]
    for a, b in zip(out, wanted):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_out_of_another_shape_or_dtype():
    with pytest.warns(UserWarning, match="resized"):
        out = veem.sum(X, 1, out=veem.empty(5))
    assert out.tolist() == [6.0, 9.0]
    with pytest.raises(RuntimeError, match="can't be cast"):
        veem.sum(X, 1, out=veem.empty(2, dtype=veem.int64))
    with pytest.raises(RuntimeError, match="automatic differentiation"):
        veem.sum(X.clone().requires_grad_(), 1, out=veem.empty(2))


@pytest.mark.parametrize("name", [*INTO_ONE, *INTO_TWO])
def test_numpy_names_of_arguments(name):
    values = lambda r: r[0].numpy() if isinstance(r, tuple) else r.numpy()
    wanted = values(getattr(veem, name)(X, dim=0))
    np.testing.assert_array_equal(values(getattr(veem, name)(X, axis=0)), wanted)
    np.testing.assert_array_equal(values(getattr(X, name)(axis=0)), wanted)


def test_keepdims():
    assert X.sum(axis=1, keepdims=True).shape == (2, 1)
    assert X.max(axis=1, keepdims=True).indices.shape == (2, 1)
