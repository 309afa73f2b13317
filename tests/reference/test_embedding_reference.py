"""Tables, bags of their rows, and dropout, beside PyTorch's."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import veem  # noqa: E402

LIBS = (veem, torch)
RNG = np.random.default_rng(4)
TABLE = RNG.normal(size=(7, 3))
IDS = np.array([[1, 4, 1], [6, 0, 4]])
FLAT = np.array([5, 1, 1, 6, 0, 2, 2, 2])
OFFSETS = np.array([0, 3, 3, 4])  # the second bag is empty
WEIGHTS = RNG.normal(size=8)


def compare(call, *arrays):
    """call(lib, *tensors), its gradients, and the tensors afterwards."""
    found = []
    for lib in LIBS:
        tensors = [lib.tensor(a.copy()) for a in arrays]
        leaves = [t.requires_grad_() for t in tensors if t.is_floating_point()]
        out = call(lib, *tensors)
        weight = lib.linspace(-1, 1, out.numel(), dtype=out.dtype).reshape(out.shape)
        grads = lib.autograd.grad((out * weight).sum(), leaves)
        found.append([out, *grads, *tensors])
    for a, b in zip(*found):
        np.testing.assert_allclose(
            a.numpy(force=True), b.numpy(force=True), rtol=1e-6, atol=1e-12
        )


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"padding_idx": 4},
        {"max_norm": 1.0},
        {"max_norm": 0.5, "norm_type": 1.0},
        {"scale_grad_by_freq": True},
        {"scale_grad_by_freq": True, "padding_idx": 1},
    ],
)
def test_embedding(kwargs):
    def call(lib, ids, table):
        return lib.nn.functional.embedding(ids, table, **kwargs)

    compare(call, IDS, TABLE)
    layers = [lib.nn.Embedding(7, 3, **kwargs) for lib in LIBS]
    assert repr(layers[0]) == repr(layers[1])


def test_from_pretrained():
    for lib in LIBS:
        table = lib.nn.Embedding.from_pretrained(lib.tensor(TABLE), True, 2, 1.5)
        assert not table.weight.requires_grad
        assert (table.padding_idx, table.max_norm) == (2, 1.5)
        bag = lib.nn.EmbeddingBag.from_pretrained(lib.tensor(TABLE), False, mode="max")
        assert bag.weight.requires_grad


@pytest.mark.parametrize("padding_idx", [None, 1, -5])
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags(mode, padding_idx):
    options = {"mode": mode, "padding_idx": padding_idx}
    bag = lambda lib: lib.nn.functional.embedding_bag
    compare(lambda lib, i, w: bag(lib)(i, w, **options), IDS, TABLE)
    compare(lambda lib, i, w, o: bag(lib)(i, w, o, **options), FLAT, TABLE, OFFSETS)
    compare(
        lambda lib, i, w, o: bag(lib)(i, w, o, include_last_offset=True, **options),
        FLAT,
        TABLE,
        np.array([0, 3, 3, 8]),
    )
    layers = [lib.nn.EmbeddingBag(7, 3, 2.0, **options) for lib in LIBS]
    assert repr(layers[0]) == repr(layers[1])


def test_weighted_bags():
    def call(lib, ids, table, offsets, weights):
        return lib.nn.functional.embedding_bag(
            ids, table, offsets, mode="sum", per_sample_weights=weights
        )

    compare(call, FLAT, TABLE, OFFSETS, WEIGHTS)


def test_bag_errors():
    def calls(lib):
        ids, table = lib.tensor(FLAT), lib.tensor(TABLE)
        bag = lib.nn.functional.embedding_bag
        at = lambda *x: lib.tensor(x)
        return [
            lambda: bag(ids, table),
            lambda: bag(lib.tensor(IDS), table, at(0)),
            lambda: bag(ids, table[0], at(0)),
            lambda: bag(ids, table, at(1)),
            lambda: bag(ids, table, at(0, 9)),
            lambda: bag(ids, table, at(0), mode="min"),
            lambda: bag(ids, table, at(0), mode="max", scale_grad_by_freq=True),
            lambda: bag(ids, table, at(0), per_sample_weights=table[0]),
            lambda: bag(ids, table, at(0), per_sample_weights=lib.tensor(WEIGHTS)),
            lambda: bag(ids.reshape(2, 2, 2), table),
            lambda: lib.nn.EmbeddingBag(3, 2, padding_idx=3),
        ]

    for ours, theirs in zip(calls(veem), calls(torch)):
        with pytest.raises(Exception) as wanted:  # noqa: PT011
            theirs()
        with pytest.raises(wanted.type):
            ours()


DROPS = [
    ("dropout1d", (4, 3, 5)),
    ("dropout1d", (6, 5)),
    ("dropout2d", (4, 3, 5, 2)),
    ("dropout2d", (4, 3, 5)),
    ("dropout3d", (4, 3, 2, 2, 2)),
    ("dropout3d", (4, 3, 2, 2)),
    ("alpha_dropout", (6, 5)),
    ("feature_alpha_dropout", (4, 3, 5)),
]


@pytest.mark.parametrize("p", [0.3, 0.5, 1.0])
@pytest.mark.parametrize(("name", "shape"), DROPS)
def test_dropout_draws_the_same(name, shape, p):
    x, found = RNG.normal(size=shape).astype("float32"), []
    for lib in LIBS:
        drop = getattr(lib.nn.functional, name)
        lib.manual_seed(9)
        t = lib.tensor(x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = [drop(t, p, True), drop(t, p, True), drop(t, p, False)]
            t = t.clone()
            results += [drop(t, p, True, True), t]
        found.append(results)
    for a, b in zip(*found):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-7)


def test_dropout_layers():
    names = ("Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")
    for name in (*names, "FeatureAlphaDropout"):
        ours, theirs = (getattr(lib.nn, name)(0.2, True) for lib in LIBS)
        assert repr(ours) == repr(theirs)
        with pytest.raises(ValueError, match="between 0 and 1"):
            getattr(veem.nn, name)(2)
    for lib in LIBS:
        with pytest.raises(RuntimeError, match="2D or 3D input"):
            lib.nn.Dropout1d()(lib.ones(3))
