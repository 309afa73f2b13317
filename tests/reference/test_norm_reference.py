"""Layers that normalise beside PyTorch's, through training and evaluation."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import veem  # noqa: E402

LAYERS = [
    ("BatchNorm1d", (3,), {}, (5, 3)),
    ("BatchNorm1d", (3,), {"momentum": None}, (5, 3, 4)),
    ("BatchNorm1d", (3,), {"bias": False}, (5, 3, 40)),
    ("BatchNorm2d", (3,), {"affine": False}, (4, 3, 5, 6)),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, (4, 3, 5, 6)),
    ("BatchNorm3d", (2,), {"eps": 0.1, "momentum": 0.5}, (2, 2, 3, 2, 4)),
    ("InstanceNorm1d", (3,), {"track_running_stats": True}, (2, 3, 6)),
    ("InstanceNorm1d", (3,), {"affine": True}, (3, 6)),
    ("InstanceNorm2d", (3,), {}, (2, 3, 4, 5)),
    ("InstanceNorm3d", (2,), {"affine": True, "bias": False}, (2, 2, 3, 2, 4)),
    ("GroupNorm", (2, 4), {}, (3, 4, 5)),
    ("GroupNorm", (4, 4), {"affine": False}, (3, 4, 5, 2)),
    ("LayerNorm", ((4, 5),), {"bias": False}, (3, 4, 5)),
    ("RMSNorm", (5,), {}, (3, 4, 5)),
    ("RMSNorm", ((4, 5),), {"eps": 1e-3, "elementwise_affine": False}, (3, 4, 5)),
    ("LocalResponseNorm", (3,), {"alpha": 0.1}, (2, 5, 4)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS)
def test_layer(name, args, kwargs, shape):
    rng = np.random.default_rng(2)
    batches = [rng.normal(1, 2, shape).astype("float32") for _ in range(3)]
    layers = [getattr(lib.nn, name)(*args, **kwargs) for lib in (veem, torch)]
    ours, theirs = layers
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for layer, lib in zip(layers, (veem, torch)):
        for i, p in enumerate(layer.parameters()):
            numbers = np.random.default_rng(i).normal(size=tuple(p.shape))
            p.data.copy_(lib.tensor(numbers.astype("float32")))
    for training in (True, True, False):
        ours.train(training), theirs.train(training)
        batch = batches.pop()
        found = []
        for layer, lib in zip(layers, (veem, torch)):
            x = lib.tensor(batch).requires_grad_()
            y = layer(x)
            loss = (y * lib.linspace(-1, 1, y.numel()).reshape(y.shape)).sum()
            grads = lib.autograd.grad(loss, [x, *layer.parameters()])
            found.append([y, *grads, *layer.state_dict().values()])
        for a, b in zip(*found):
            assert list(a.shape) == list(b.shape)
            assert str(a.dtype).split(".")[-1] == str(b.dtype).split(".")[-1]
            np.testing.assert_allclose(
                a.numpy(force=True), b.numpy(force=True), rtol=2e-4, atol=2e-5
            )
