"""Indexing beside PyTorch's: results, dtypes, gradients and kinds of error."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import veem  # noqa: E402

X = np.arange(60.0).reshape(3, 4, 5)
MASK = X[:, :, 0] % 2 == 0


def ids(lib):
    return lib.tensor([[0, 2], [1, 1]])


INDICES = [
    lambda lib: (0, slice(1, None), None),
    lambda lib: (..., -1),
    lambda lib: [2, 0],
    lambda lib: (ids(lib), slice(None), lib.tensor([3, 1])),
    lambda lib: (slice(None), ids(lib), lib.tensor([3, 1])),
    lambda lib: (0, slice(None), [1, 3]),
    lambda lib: (lib.tensor(MASK), slice(1, 3)),
    lambda lib: (lib.tensor(MASK), lib.tensor([1])),
    lambda lib: (True, None, lib.tensor(2)),
    lambda lib: False,
    lambda lib: (np.array([1, 0]), ..., np.int64(2)),
    lambda lib: lib.tensor([0, 1], dtype=lib.int32),
    # refused
    lambda lib: 3,
    lambda lib: (0, 0, 0, 0),
    lambda lib: 1.0,
    lambda lib: slice(None, None, -1),
    lambda lib: [0, 3],
    lambda lib: lib.tensor([0.5]),
    lambda lib: lib.tensor([True]),
    lambda lib: (lib.tensor([0, 1]), lib.tensor([0, 1, 2])),
]


def get(lib, index):
    x = lib.tensor(X, requires_grad=True)
    y = x[index(lib)]
    (y * y).sum().backward()
    return y.tolist(), tuple(y.shape), x.grad.tolist()


def put(lib, index):
    x = lib.tensor(X, requires_grad=True)
    y = x * 1
    v = lib.tensor(-1.5, dtype=lib.float64, requires_grad=True)
    y[index(lib)] = v
    (y * y).sum().backward()
    return y.tolist(), x.grad.tolist(), 0.0 if v.grad is None else v.grad.item()


def calls(lib):
    x, i = lib.tensor(X[0]), lib.tensor([[0, 3, 0], [1, 1, 2]])
    ones = lib.ones(2, 3, dtype=lib.float64)
    row = lib.tensor([1, 1, 0])
    yield x.gather(1, i), x.gather(0, i), lib.take_along_dim(x, i[:1, :1], 1)
    yield x.scatter(1, i[:, :2], 7.0), x.scatter_add(1, i, ones)
    yield x.index_select(0, row), x.index_add(0, row, x[:3], alpha=2)
    yield x.index_fill(1, row, 9), x.index_copy(0, row[1:], x[2:])
    yield x.index_put((row, row), ones[0], accumulate=True), x.take(i)
    yield x.masked_fill(x > 3, -1), x.masked_select(x > 3), x.nonzero()
    yield x.nonzero(as_tuple=True), lib.argwhere(x), x.tril(1), x.triu(-1)
    yield lib.tril_indices(3, 4, 1), lib.triu_indices(3, 4, -1), lib.diag(row)
    yield lib.diag(x, 1), x.diagonal(-1), x.flip(0, 1), x.roll((1, 2), (0, 1))
    yield lib.meshgrid(row, i[0, :2], indexing="xy"), x.repeat_interleave(2, 1)


def plain(value):
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return tuple(value.shape), str(value.dtype).split(".")[-1], value.tolist()


def outcome(f, *args):
    try:
        return f(*args)
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("f", [get, put])
@pytest.mark.parametrize("index", INDICES)
def test_indexing(f, index):
    assert outcome(f, veem, index) == outcome(f, torch, index)


def test_functions():
    for ours, theirs in zip(calls(veem), calls(torch)):
        assert plain(ours) == plain(theirs)
