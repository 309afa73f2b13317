"""Batch, instance and group norm as layers: what they keep, what they print."""

import numpy as np
import pytest

import veem
from veem import nn


def numbers(*shape):
    return veem.tensor(np.random.default_rng(1).normal(3, 2, shape).astype("float32"))


def same(a, b):
    return np.array_equal(a.detach().numpy(), b.detach().numpy())


def test_running_moments():
    x, layer = numbers(4, 3, 5, 5), nn.BatchNorm2d(3, momentum=0.25)
    flat = x.numpy().transpose(1, 0, 2, 3).reshape(3, -1)
    layer(x)
    np.testing.assert_allclose(layer.running_mean.numpy(), flat.mean(1) / 4, 1e-5)
    var = 0.75 + flat.var(1, ddof=1) / 4
    np.testing.assert_allclose(layer.running_var.numpy(), var, 1e-5)
    assert layer.num_batches_tracked.item() == 1
    kept = layer.running_mean.clone()
    y = layer.eval()(x).detach().numpy()
    assert same(layer.running_mean, kept)
    wanted = (x.numpy() - kept.numpy().reshape(3, 1, 1)) / np.sqrt(
        var.reshape(3, 1, 1) + 1e-5
    )
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-4)
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0, 0, 0]
    assert layer.num_batches_tracked.item() == 0


def test_no_momentum_is_a_plain_mean():
    layer, means = nn.BatchNorm1d(2, momentum=None), []
    for i in range(3):
        x = numbers(5, 2) * (i + 1)
        layer(x)
        means.append(x.numpy().mean(0))
    np.testing.assert_allclose(layer.running_mean.numpy(), np.mean(means, 0), 1e-5)


def test_without_running_moments_the_batch_counts():
    x = numbers(4, 3, 6)
    layer = nn.BatchNorm1d(3, affine=False, track_running_stats=False)
    assert list(layer.state_dict()) == []
    assert same(layer(x), layer.eval()(x))


def test_state_dict_of_old_times():
    """Before version 2 there was no num_batches_tracked."""
    layer = nn.BatchNorm1d(3)
    old = {k: v for k, v in layer.state_dict().items() if k != "num_batches_tracked"}
    layer.load_state_dict(old)  # a plain dict has no version
    new = layer.state_dict()
    del new["num_batches_tracked"]
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        layer.load_state_dict(new)


def test_nothing_of_no_channel():
    none = veem.ones(0)
    out = nn.functional.batch_norm(none, none, none, training=True)
    assert tuple(out.shape) == (0,)


def test_wrong_inputs():
    for layer, shape, wanted in [
        (nn.BatchNorm1d(3), (2, 3, 4, 5), "expected 2D or 3D input"),
        (nn.BatchNorm2d(3), (2, 3), "expected 4D input"),
        (nn.BatchNorm3d(3), (2, 3), "expected 5D input"),
        (nn.InstanceNorm2d(3), (3,), "expected 3D or 4D input"),
        (nn.InstanceNorm1d(3, affine=True), (2, 4, 5), "to match num_features"),
    ]:
        with pytest.raises(ValueError, match=wanted):
            layer(veem.ones(shape))
    with pytest.raises(ValueError, match="divisible"):
        nn.GroupNorm(2, 3)
    with pytest.raises(NotImplementedError, match="one process"):
        nn.SyncBatchNorm(3)
    with pytest.warns(UserWarning, match="not used because affine=False"):
        nn.InstanceNorm1d(3)(veem.ones(2, 4, 5))


def test_double_backward_leaves_no_trace_in_running_moments():
    layer, x = nn.BatchNorm1d(2), numbers(4, 2).requires_grad_()
    (g,) = veem.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    g.sum().backward()
    assert not layer.running_mean.requires_grad
    assert layer.running_mean.grad_fn is None


@pytest.mark.parametrize("device", veem._core.devices())
def test_training_moves_to_the_data(device):
    """Two steps of a small network with all three kinds: the loss falls."""
    veem.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3),
        nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.Flatten(),
        nn.Linear(64, 2), nn.BatchNorm1d(2),
    ).to(device)  # fmt: skip
    x, losses = numbers(6, 1, 8, 8).to(device), []
    target = veem.tensor([0, 1, 0, 1, 0, 1]).to(device)
    optimizer = veem.optim.SGD(net.parameters(), 0.5)
    for _ in range(4):
        loss = nn.functional.cross_entropy(net(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
