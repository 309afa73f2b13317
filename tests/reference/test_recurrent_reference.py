"""Recurrent layers beside PyTorch's: weights of one seed, values, gradients."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import veem  # noqa: E402

LIBS = (veem, torch)
# PyTorch says that it uses its plain kernel.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")
LAYERS = [
    ("RNN", (3, 4), {}),
    ("RNN", (3, 4), {"nonlinearity": "relu", "num_layers": 2, "bias": False}),
    ("RNN", (3, 4, 2), {"bidirectional": True, "batch_first": True}),
    ("LSTM", (3, 4), {}),
    ("LSTM", (3, 4, 2), {"bidirectional": True, "dropout": 0.3}),
    ("LSTM", (3, 4), {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
    ("LSTM", (3, 4), {"bias": False, "batch_first": True}),
    ("GRU", (3, 4), {}),
    ("GRU", (3, 4, 3), {"bidirectional": True, "dropout": 0.5, "batch_first": True}),
]


def close(a, b, eps=1e-5):
    np.testing.assert_allclose(
        a.numpy(force=True), b.numpy(force=True), rtol=eps, atol=eps
    )


def pair(name, args, kwargs):
    layers = []
    for lib in LIBS:
        lib.manual_seed(3)
        layers.append(getattr(lib.nn, name)(*args, **kwargs))
    ours, theirs = layers
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.parameters(), theirs.parameters()):
        close(a, b, 1e-6)
    return layers


def flat(result):
    if hasattr(result, "batch_sizes"):
        return [result.data]
    if isinstance(result, (tuple, list)):
        return [t for part in result for t in flat(part)]
    return [result]


def compare(layers, call, *arrays):
    """call(lib, layer, *tensors) of both, and the gradients of all it is made of."""
    found = []
    for lib, layer in zip(LIBS, layers):
        lib.manual_seed(5)
        tensors = [lib.tensor(a).requires_grad_() for a in arrays]
        outs = flat(call(lib, layer, *tensors))
        loss = sum(
            (o * lib.linspace(-1, 1, o.numel()).reshape(o.shape)).sum() for o in outs
        )
        grads = lib.autograd.grad(loss, [*tensors, *layer.parameters()])
        found.append([*outs, *grads])
    for a, b in zip(*found):
        assert list(a.shape) == list(b.shape)
        close(a, b)


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def state_of(layer, *batch):
    rows = layer.num_layers * (1 + layer.bidirectional)
    sizes = [layer.proj_size or layer.hidden_size, layer.hidden_size]
    count = 2 if isinstance(layer, veem.nn.LSTM) else 1
    return [normal(rows, *batch, size) for size in sizes[:count]]


@pytest.mark.parametrize(("name", "args", "kwargs"), LAYERS)
def test_layer(name, args, kwargs):
    layers = pair(name, args, kwargs)
    given = lambda s: tuple(s) if name == "LSTM" else s[0]
    compare(layers, lambda lib, layer, x: layer(x), normal(5, 2, 3))
    batch = 5 if kwargs.get("batch_first") else 2
    compare(
        layers,
        lambda lib, layer, x, *s: layer(x, given(s)),
        normal(5, 2, 3),
        *state_of(layers[0], batch),
    )
    compare(
        layers,
        lambda lib, layer, x, *s: layer(x, given(s)),
        normal(5, 3),
        *state_of(layers[0]),
    )


@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize(("name", "args", "kwargs"), LAYERS)
def test_packed(name, args, kwargs, enforce_sorted):
    lengths = [5, 3, 3, 1] if enforce_sorted else [3, 1, 5, 3]
    first = kwargs.get("batch_first", False)

    def call(lib, layer, x, *state):
        rnn = lib.nn.utils.rnn
        packed = rnn.pack_padded_sequence(x, lengths, first, enforce_sorted)
        hx = tuple(state) if name == "LSTM" else state[0]
        out, last = layer(packed, hx)
        padded, sizes = rnn.pad_packed_sequence(out, first, -1.0, 7)
        assert sizes.tolist() == lengths
        return out, padded, last

    layers = pair(name, args, kwargs)
    x = normal(4, 5, 3) if first else normal(5, 4, 3)
    compare(layers, call, x, *state_of(layers[0], 4))


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("RNNCell", {}),
        ("RNNCell", {"nonlinearity": "relu", "bias": False}),
        ("LSTMCell", {}),
        ("GRUCell", {"bias": False}),
    ],
)
def test_cell(name, kwargs, shape):
    layers = pair(name, (3, 4), kwargs)
    compare(layers, lambda lib, layer, x: layer(x), normal(*shape))
    states = [normal(*shape[:-1], 4)] * (2 if name == "LSTMCell" else 1)
    compare(
        layers,
        lambda lib, layer, x, *s: layer(x, tuple(s) if len(s) == 2 else s[0]),
        normal(*shape),
        *states,
    )


def test_sequences():
    rows = [normal(n, 2) for n in (4, 1, 3)]
    for side in ("left", "right"):
        for first in (False, True):
            a, b = (
                lib.nn.utils.rnn.pad_sequence(
                    [lib.tensor(r) for r in rows], first, 9.0, side
                )
                for lib in LIBS
            )
            close(a, b)
    for lib in LIBS:
        rnn = lib.nn.utils.rnn
        packed = rnn.pack_sequence([lib.tensor(r) for r in rows], enforce_sorted=False)
        assert packed.batch_sizes.tolist() == [3, 2, 2, 1]
        assert packed.sorted_indices.tolist() == [0, 2, 1]
        assert packed.unsorted_indices.tolist() == [0, 2, 1]
        back = rnn.unpack_sequence(packed)
        assert [x.tolist() for x in back] == [r.tolist() for r in rows]


def test_errors():
    def wrong(lib, what):
        rnn, x = lib.nn.utils.rnn, lib.ones(4, 2, 3)
        return {
            "dropout": lambda: lib.nn.LSTM(2, 3, dropout=1.5),
            "hidden": lambda: lib.nn.LSTM(2, 0),
            "hidden type": lambda: lib.nn.GRU(2, 1.5),
            "layers": lambda: lib.nn.GRU(2, 3, 0),
            "projection": lambda: lib.nn.LSTM(2, 3, proj_size=3),
            "nonlinearity": lambda: lib.nn.RNN(2, 3, nonlinearity="sin"),
            "rank": lambda: lib.nn.GRU(3, 3)(lib.ones(1, 2, 3, 3)),
            "width": lambda: lib.nn.GRU(2, 3)(x),
            "dtype": lambda: lib.nn.GRU(3, 3)(x.double()),
            "state": lambda: lib.nn.GRU(3, 3)(x, lib.ones(1, 3, 3)),
            "state rank": lambda: lib.nn.GRU(3, 3)(x, lib.ones(1, 3)),
            "cell rank": lambda: lib.nn.GRUCell(3, 3)(x),
            "cell width": lambda: lib.nn.GRUCell(2, 3)(x[0]),
            "cell state": lambda: lib.nn.RNNCell(3, 3)(x[0], lib.ones(3, 3)),
            "unsorted": lambda: rnn.pack_padded_sequence(x, [1, 4]),
            "count": lambda: rnn.pack_padded_sequence(x, [4]),
            "zero": lambda: rnn.pack_padded_sequence(x, [4, 0]),
            "total": lambda: rnn.pad_packed_sequence(
                rnn.pack_padded_sequence(x, [4, 3]), total_length=2
            ),
        }[what]

    whats = (
        "dropout", "hidden", "hidden type", "layers", "projection", "nonlinearity",
        "rank", "width", "dtype", "state", "state rank", "cell rank", "cell width",
        "cell state", "unsorted", "count", "zero", "total",
    )  # fmt: skip
    for what in whats:
        with pytest.raises(Exception) as theirs:  # noqa: PT011
            wrong(torch, what)()
        with pytest.raises(theirs.type):
            wrong(veem, what)()
