"""nn.utils and func: weights that are computed, layers fused, modules as functions."""

from types import SimpleNamespace

import numpy as np
import pytest

import veem
from veem import nn
from veem.nn.utils import parametrizations, parametrize

DEVICES = veem._core.devices()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_parametrized_weights_train_on_every_device(name, device):
    veem.manual_seed(0)
    layer = getattr(parametrizations, name)(nn.Linear(3, 2)).to(device)
    x = veem.ones(4, 3, device=device)
    optimizer = veem.optim.SGD(layer.parameters(), lr=0.05)
    losses = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = layer(x).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    before = layer.eval()(x).tolist()
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    np.testing.assert_allclose(layer(x).tolist(), before, rtol=1e-5)


def test_weight_norm_has_length_and_direction():
    layer = parametrizations.weight_norm(nn.Linear(3, 2))
    with veem.no_grad():
        layer.parametrizations.weight.original0.copy_(veem.tensor([[2.0], [5.0]]))
    np.testing.assert_allclose(layer.weight.norm(2, 1).tolist(), [2, 5], rtol=1e-6)


def test_spectral_norm_divides_by_the_largest_singular_value():
    layer = parametrizations.spectral_norm(nn.Linear(5, 4), n_power_iterations=200)
    largest = np.linalg.norm(layer.weight.detach().numpy(), 2)
    np.testing.assert_allclose(largest, 1, rtol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
def test_fused_normalization(bias):
    """conv then (y - mean) / √(var + eps) · weight + bias, channel by channel."""
    conv = nn.Conv2d(2, 3, 3, bias=bias).eval()
    bn = SimpleNamespace(
        training=False,
        running_mean=veem.tensor([0.5, -1.0, 2.0]),
        running_var=veem.tensor([0.3, 2.0, 1.0]),
        eps=1e-3,
        weight=veem.tensor([1.0, 2.0, -1.0]),
        bias=veem.tensor([0.0, 1.0, 0.5]),
    )
    x = veem.randn(2, 2, 5, 5)
    column = lambda t: t.view(3, 1, 1)
    scaled = (conv(x) - column(bn.running_mean)) / column(bn.running_var + 1e-3).sqrt()
    expected = scaled * column(bn.weight) + column(bn.bias)
    fused = nn.utils.fuse_conv_bn_eval(conv, bn)
    np.testing.assert_allclose(
        fused(x).detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5
    )
    with pytest.raises(AssertionError, match="eval"):
        nn.utils.fuse_conv_bn_eval(conv.train(), bn)


def test_functional_call_restores_the_module_even_after_an_error():
    layer = nn.Linear(2, 1)
    before = layer.weight
    with pytest.raises(RuntimeError):
        veem.func.functional_call(layer, {"weight": veem.ones(1, 7)}, veem.ones(2))
    assert layer.weight is before


def test_several_devices_are_refused():
    with pytest.raises(NotImplementedError, match="at most one device"):
        nn.DataParallel(nn.Linear(1, 1), device_ids=[0, 1])
