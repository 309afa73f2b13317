"""The kernel of attention beside its formula, over several blocks of rows."""

import numpy as np
import pytest

import veem
from veem import ops
from veem.nn import functional as F

DEVICES = veem._core.devices()
SIZES = [(70, 150, 24, False), (150, 140, 16, True), (17, 33, 128, False)]


def inputs(device, queries, keys, width):
    rng = np.random.default_rng(queries)
    shapes = (2, queries, width), (2, keys, width), (2, keys, width)
    arrays = [rng.normal(size=s).astype("float32") for s in shapes]
    return [veem.tensor(a).to(device).requires_grad_() for a in arrays]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("queries", "keys", "width", "causal"), SIZES)
def test_gradients(queries, keys, width, causal, device):
    q, k, v = inputs(device, queries, keys, width)
    mask = None
    if not causal:
        mask = np.random.default_rng(0).normal(size=(queries, keys)).astype("float32")
        mask[3] = -np.inf
        mask = veem.tensor(mask).to(device)
    fused = ops.attention(q, k, v, mask, 0.3, causal)[0]
    plain = ops.attention_weights(q, k, mask, 0.3, causal) @ v
    seed = veem.linspace(-1, 1, fused.numel()).reshape(fused.shape).to(device)
    results = [
        [out, *veem.autograd.grad(out, (q, k, v), seed)] for out in (fused, plain)
    ]
    for a, b in zip(*results):
        np.testing.assert_allclose(
            a.numpy(force=True), b.numpy(force=True), rtol=1e-4, atol=2e-5
        )


@pytest.mark.parametrize("device", DEVICES)
def test_scores_are_never_all_there(device):
    """Memory for L x S scores is not asked for, forward nor backward."""
    q, k, v = inputs(device, 300, 300, 4)
    before = veem._core.memory_stats(device)["live"]
    veem._core.reset_peak(device)
    F.scaled_dot_product_attention(q, k, v).sum().backward()
    assert veem._core.memory_stats(device)["peak"] - before < 2 * 300 * 300 * 4 / 2


def test_nan_and_infinities():
    q = veem.ones(1, 3, 2)
    k, v = veem.ones(1, 2, 2), veem.tensor([[[1.0], [2.0]]])
    mask = veem.tensor([[0.0, float("nan")], [-float("inf"), 0.0], [0.0, -1e30]])
    out = F.scaled_dot_product_attention(q, k, v, mask).reshape(-1)
    np.testing.assert_array_equal(out.numpy(), [np.nan, 2, 1])


def test_dropout_drops_weights():
    veem.manual_seed(0)
    q, k = veem.zeros(1, 50, 2), veem.zeros(1, 10, 2)
    out = F.scaled_dot_product_attention(q, k, veem.ones(1, 10, 1), dropout_p=0.5)
    parts = np.unique(np.round(out.numpy() * 5))  # of 10 weights of 0.1, doubled
    assert len(parts) > 3
    assert abs(out.mean().item() - 1) < 0.2


def test_empty():
    for shapes in (((0, 3), (4, 3), (4, 2)), ((2, 3), (4, 3), (4, 0))):
        q, k, v = (veem.ones(s) for s in shapes)
        out = F.scaled_dot_product_attention(q, k, v)
        assert tuple(out.shape) == (shapes[0][0], shapes[2][1])
