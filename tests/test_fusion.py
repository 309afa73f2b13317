"""A linear layer and its activation as one kernel, beside the two of them."""

import numpy as np
import pytest

import veem
from veem import nn

F = nn.functional
DEVICES = veem._core.devices()
LAYERS = {
    "relu": nn.ReLU(),
    "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU("tanh"),
    "silu": nn.SiLU(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
}


def derivatives(f, *leaves):
    """f's value, its gradients, and the gradients of their length."""
    out = f(*leaves)
    weight = veem.linspace(-1, 1, out.numel()).to(out.device).reshape(out.shape)
    first = veem.autograd.grad((out * weight).sum(), leaves, create_graph=True)
    length = sum((g * g).sum() for g in first)
    return [out, *first, *veem.autograd.grad(length, leaves)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", LAYERS)
def test_fused_is_unfused_to_order_2(name, device):
    veem.manual_seed(1)
    for (m, n, k), bias in [
        ((5, 7, 3), True),
        ((40, 33, 20), True),
        ((1, 9, 4), False),
    ]:
        leaves = [veem.randn(s).to(device) for s in ((m, k), (n, k), (n,))][: 2 + bias]
        for leaf in leaves:
            leaf.requires_grad_()
        one = derivatives(lambda *a: F.linear(*a, activation=name), *leaves)
        two = derivatives(lambda *a: LAYERS[name](F.linear(*a)), *leaves)
        for a, b in zip(one, two):
            np.testing.assert_allclose(
                a.numpy(force=True), b.numpy(force=True), rtol=2e-4, atol=2e-4
            )


@pytest.mark.parametrize("name", LAYERS)
def test_gradient_of_the_kernel_itself(name):
    """linear() keeps gelu apart where gradients are recorded; the op need not."""
    x, w, b = (veem.randn(s, dtype=veem.float64) for s in ((4, 3), (5, 3), (5,)))
    leaves = [t.requires_grad_() for t in (x, w, b)]
    fused = lambda *a: veem.ops.linear_activation(*a, name)
    assert veem.autograd.gradcheck(fused, leaves)
    assert veem.autograd.gradgradcheck(fused, leaves)


def test_special_numbers_pass():
    x = veem.tensor([[float("nan"), -float("inf"), float("inf"), -1.0]]).T
    one = F.linear(x, veem.ones(1, 1), activation="relu").reshape(-1)
    np.testing.assert_array_equal(one.numpy(), [np.nan, 0, np.inf, 0])


def test_unknown_activation():
    x = veem.ones(2, 3)
    with pytest.raises(ValueError, match="swish is not a fused activation"):
        F.linear(x, veem.ones(4, 3), activation="swish")


# ---- the peephole of Sequential ------------------------------------------------------


def ran(net, x):
    """The ops that a recorded call of net ran, last first."""
    node, names = net(x).grad_fn, []
    while node is not None and hasattr(node, "op"):
        names.append(node.op.__name__)
        node = next((e[0] for e in node.next_functions if hasattr(e[0], "op")), None)
    return names


@pytest.mark.parametrize("name", LAYERS)
def test_sequential_fuses(name):
    net = nn.Sequential(nn.Linear(3, 4), LAYERS[name], nn.Linear(4, 2), nn.Identity())
    x = veem.randn(5, 3)
    apart = net[2](net[1](net[0](x)))
    np.testing.assert_allclose(net(x).tolist(), apart.tolist(), rtol=1e-5, atol=1e-6)
    alone = name in ("gelu", "gelu_tanh", "silu")  # their gradients want their input
    assert ran(net, x) == ["linear", *([name, "linear"] if alone else [FUSED])]


FUSED = "linear_activation"


def test_a_hook_keeps_layers_apart():
    net, seen = nn.Sequential(nn.Linear(3, 4), nn.ReLU()), []
    x = veem.randn(5, 3)
    assert ran(net, x) == [FUSED]
    for layer in net:
        hook = layer.register_forward_hook(lambda m, args, out: seen.append(out))
        assert ran(net, x) == ["relu", "linear"]
        assert len(seen) == 1
        seen.clear()
        hook.remove()
    assert ran(net, x) == [FUSED]


def test_other_classes_and_forwards_stay_apart():
    class Mine(nn.Linear):
        pass

    x = veem.randn(5, 3)
    assert ran(nn.Sequential(Mine(3, 4), nn.ReLU()), x) == ["relu", "linear"]
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    net[1].forward = lambda x: x * 2
    assert ran(net, x) == ["mul", "linear"]
