"""Layers, starting values, clipping. (The functions behind layers are in opinfo.)"""

import math

import numpy as np
import pytest

import veem
from veem import nn


def same(a, b):
    return np.array_equal(a.detach().numpy(), b.detach().numpy())


# ---- layers --------------------------------------------------------------------------


def test_seed_gives_known_parameters():
    veem.manual_seed(3)
    net = nn.Linear(2, 3)
    np.testing.assert_allclose(
        net.weight.tolist(),
        [[-0.701077, -0.557809], [-0.302864, -0.668987], [-0.040143, -0.622090]],
        atol=1e-6,
    )
    np.testing.assert_allclose(
        net.bias.tolist(), [0.384476, 0.344643, 0.133532], atol=1e-6
    )


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(64, 50), nn.Conv2d(16, 50, (2, 4), groups=2)],
    ids=["linear", "conv"],
)
def test_weights_start_uniform(layer):
    bound = 1 / math.sqrt(math.prod(layer.weight.shape[1:]))
    for p in layer.weight, layer.bias:
        p = np.abs(p.detach().numpy())
        assert 0.9 * bound < p.max() <= bound
    assert abs(layer.weight.detach().numpy().std() / bound - 1 / math.sqrt(3)) < 0.02


def test_embedding_padding_row_stays():
    table = nn.Embedding(5, 3, padding_idx=-1)
    assert table.weight[4].tolist() == [0, 0, 0]
    table(veem.tensor([[4, 1], [4, 4]])).sum().backward()
    assert table.weight.grad.tolist() == [[0] * 3, [1] * 3, [0] * 3, [0] * 3, [0] * 3]
    with pytest.raises(NotImplementedError, match="sparse=True"):
        nn.Embedding(5, 3, sparse=True)
    with pytest.raises(RuntimeError, match="must be 2-D"):
        nn.functional.embedding(veem.tensor([0]), veem.ones(2, 2, 2))


def test_bags_share_a_gradient_by_the_uses_of_a_row():
    """PyTorch's CPU kernel divides by the uses of other rows."""
    table = veem.zeros(4, 1).requires_grad_()
    ids, offsets = veem.tensor([3, 1, 1, 1]), veem.tensor([0, 2])
    for mode, wanted in (("sum", [0, 1, 0, 1]), ("mean", [0, 0.5, 0, 0.5])):
        out = nn.functional.embedding_bag(
            ids, table, offsets, mode=mode, scale_grad_by_freq=True
        )
        (g,) = veem.autograd.grad(out.sum(), table)
        np.testing.assert_allclose(g.reshape(-1).tolist(), wanted, rtol=1e-6)


def test_dropout_keeps_the_mean():
    veem.manual_seed(0)
    drop, x = nn.Dropout(0.2), veem.ones(10_000)
    y = drop(x).numpy()
    assert set(np.unique(y)) == {0.0, 1.25}
    assert abs(y.mean() - 1) < 0.02
    assert drop.eval()(x) is x
    with pytest.raises(ValueError, match="between 0 and 1, but got 2"):
        nn.Dropout(2)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_conv_same_padding_keeps_the_size(mode):
    layer = nn.Conv2d(1, 2, (3, 4), padding="same", dilation=(2, 1), padding_mode=mode)
    x = veem.randn(2, 1, 6, 7)
    assert layer(x).shape == (2, 2, 6, 7)
    names = {"zeros": "constant", "replicate": "edge", "circular": "wrap"}
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), (2, 2), (1, 2)], names.get(mode, mode))
    valid = nn.functional.conv2d(
        veem.tensor(padded), layer.weight, layer.bias, dilation=(2, 1)
    )
    np.testing.assert_allclose(layer(x).tolist(), valid.tolist(), rtol=1e-5, atol=1e-6)


def test_losses_take_the_old_arguments():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.MSELoss(size_average=False).reduction == "sum"
    x, y = veem.zeros(2), veem.ones(2)
    assert nn.MSELoss(reduction="sum")(x, y).item() == 2
    weight = veem.tensor([1.0, 3.0])
    assert list(nn.CrossEntropyLoss(weight).state_dict()) == ["weight"]


# ---- starting values, clipping -------------------------------------------------------


def test_orthogonal():
    for shape in ((5, 3), (3, 5), (4, 2, 2)):
        w = nn.init.orthogonal_(veem.empty(shape), 2.0).numpy().reshape(shape[0], -1)
        w = w if w.shape[0] >= w.shape[1] else w.T
        np.testing.assert_allclose(w.T @ w, 4 * np.eye(w.shape[1]), atol=1e-5)


def test_truncated_normal_stays_inside():
    for a, b in ((-1.0, 0.5), (2.0, 2.5)):
        w = nn.init.trunc_normal_(veem.empty(2000), 0, 1, a, b).numpy()
        assert a <= w.min() < a + 0.1
        assert b - 0.1 < w.max() <= b


def test_dirac_is_the_identity():
    w = nn.init.dirac_(veem.empty(4, 2, 3, 3), groups=2)
    x = veem.randn(1, 4, 5, 5)
    assert same(nn.functional.conv2d(x, w, padding=1, groups=2), x)


def test_gains():
    gain = nn.init.calculate_gain
    assert gain("relu") == math.sqrt(2)
    assert gain("leaky_relu", 1.0) == 1
    with pytest.raises(ValueError, match="Unsupported nonlinearity"):
        gain("what")


def test_clipping():
    p, q = nn.Parameter(veem.zeros(2)), nn.Parameter(veem.zeros(1))
    p.grad, q.grad = veem.tensor([2.0, 1.0]), veem.tensor([-2.0])
    norm = nn.utils.clip_grad_norm_([p, q], 1.5)
    assert norm.item() == 3
    np.testing.assert_allclose(
        p.grad.tolist() + q.grad.tolist(), [1, 0.5, -1], rtol=1e-5
    )
    nn.utils.clip_grad_value_([p, q], 0.75)
    np.testing.assert_allclose(
        p.grad.tolist() + q.grad.tolist(), [0.75, 0.5, -0.75], rtol=1e-5
    )


def test_parameters_as_a_vector():
    net = nn.Linear(2, 1)
    nn.utils.vector_to_parameters(veem.tensor([1.0, 2.0, 3.0]), net.parameters())
    assert net.weight.tolist() == [[1, 2]]
    assert nn.utils.parameters_to_vector(net.parameters()).tolist() == [1, 2, 3]
