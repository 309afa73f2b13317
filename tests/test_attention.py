"""The kernel of attention beside its formula, over several blocks of rows."""

import numpy as np
import pytest

import veem
from veem import ops
from veem.nn import functional as F

DEVICES = veem._core.devices()
SIZES = [
    (70, 150, 24, False),
    (150, 140, 16, True),
    (17, 33, 128, False),
    (18, 20, 300, False),  # heads that pass through the tiles in chunks
    (18, 35, 129, True),
]


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
    fused = ops.attention(q, k, v, mask, 0.3, causal, 0.0, None)[0]
    plain = ops.attention_weights(q, k, mask, 0.3, causal) @ v
    seed = veem.linspace(-1, 1, fused.numel()).reshape(fused.shape).to(device)
    results = [
        [out, *veem.autograd.grad(out, (q, k, v), seed)] for out in (fused, plain)
    ]
    for a, b in zip(*results):
        np.testing.assert_allclose(
            a.numpy(force=True), b.numpy(force=True), rtol=1e-4, atol=2e-5
        )


def composite(q, k, v, mask, drop, causal=False):
    """The same in plain ops, which hold all weights."""
    scale = 1 / np.sqrt(q.shape[-1])
    return F.dropout(ops.attention_weights(q, k, mask, scale, causal), drop) @ v


MASKS = [None, (70, 90), (1, 90), (70, 1), (2, 1, 70, 90), (3, 1, 90), (2, 3, 1, 1)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("drop", [0.0, 0.4])
@pytest.mark.parametrize("shape", MASKS, ids=str)
def test_dropout_and_trained_masks(shape, drop, device):
    """What `dropout` would keep of the weights, and the gradient of the mask."""
    rng = np.random.default_rng(1)
    sizes = (2, 3, 70, 8), (2, 3, 90, 8), (2, 3, 90, 5), shape
    leaves = [
        veem.tensor(
            rng.normal(size=s).astype("float32"), device=device
        ).requires_grad_()
        for s in sizes
        if s is not None
    ]
    mask = leaves[3] if shape else None
    results = []
    for f in (F.scaled_dot_product_attention, composite):
        veem.manual_seed(5)
        out = f(*leaves[:3], mask, drop)
        rest = veem.rand(4, device=device)  # both have drawn as many numbers
        grads = veem.autograd.grad((out * out).sum(), leaves)
        results.append([t.numpy(force=True) for t in (out, rest, *grads)])
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_gradients_of_gradients(causal):
    rng = np.random.default_rng(2)
    sizes = (2, 3, 4), (2, 5, 4), (2, 5, 2), (3, 5)
    leaves = [veem.tensor(rng.normal(size=s)).requires_grad_() for s in sizes]

    def f(q, k, v, mask):
        veem.manual_seed(1)
        mask = None if causal else mask
        return F.scaled_dot_product_attention(q, k, v, mask, 0.3, is_causal=causal)

    assert veem.autograd.gradcheck(f, leaves)
    assert veem.autograd.gradgradcheck(f, leaves)


def test_threads_draw_the_same():
    rng = np.random.default_rng(3)
    q = veem.tensor(rng.normal(size=(3, 200, 16)).astype("float32")).requires_grad_()
    mask = veem.zeros(200, 200).requires_grad_()
    results, threads = [], veem.get_num_threads()
    try:
        for n in (1, 2):
            veem.set_num_threads(n)
            veem.manual_seed(0)
            out = F.scaled_dot_product_attention(q, q, q, mask, 0.2)
            results.append([out, *veem.autograd.grad(out.sum(), (q, mask))])
    finally:
        veem.set_num_threads(threads)
    for a, b in zip(*results):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("drop", [0.0, 0.1])
def test_memory_grows_with_the_length(drop, device):
    """The L x S scores are never held, forward nor backward: twice the length takes
    twice the memory."""
    grown, lengths = [], (200, 400) if device == "metal" else (1500, 3000)
    for length in lengths:
        q, k, v = inputs(device, length, length, 4)
        before = veem._core.memory_stats(device)["live"]
        veem._core.reset_peak(device)
        F.scaled_dot_product_attention(q, k, v, dropout_p=drop).sum().backward()
        grown.append(veem._core.memory_stats(device)["peak"] - before)
    assert grown[1] < 2.2 * grown[0]
    assert grown[1] < 2 * lengths[1] ** 2 * 4 / 4  # of the scores of both heads


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
