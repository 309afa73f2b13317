"""Reductions and their like at the sizes where a kernel changes its course: within a
SIMD-group, over several, over several threadgroups, in pieces, too long for registers.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

import veem
from veem.nn import functional as F

pytestmark = pytest.mark.skipif(
    "metal" not in veem._core.devices(), reason="veem is built without Metal"
)

# Rows: within a lane, a part of a SIMD-group, all of it, a group; in pieces; many, few.
ROWS = [(1, 1), (300, 3), (7, 33), (70, 130), (9, 513), (3, 5000), (1, 40000), (0, 4)]
# The same for columns; the last has columns of two kept dimensions.
COLUMNS = [(3, 300), (40, 7), (600, 40), (20000, 3), (9, 1), (2, 500, 5)]
# Beyond the registers of a tile.
LONG = [((2, 4100), 1), ((2, 9000), 1), ((300, 5), 0), ((2, 140, 3), 1)]


def random(shape, dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "float32":
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)


ONE_DIM = [
    *((shape, -1) for shape in ROWS),
    *((shape, len(shape) - 2) for shape in COLUMNS),
]
SEVERAL = [((20, 3, 30), (0, 2)), ((4, 50, 3, 40), (1, 3)), ((90, 80), (0, 1))]


def outputs(f, args):
    out = f(*args)
    return [
        o.numpy(force=True) for o in (out if isinstance(out, (tuple, list)) else [out])
    ]


def agree(f, *args, eps=1e-5):
    """f gives on "metal" what it gives on the CPU, there in float64."""
    found = outputs(f, [veem.tensor(a).to("metal") for a in args])
    wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in args]
    for one, expected in zip(found, outputs(f, map(veem.tensor, wide)), strict=True):
        if expected.dtype == np.float64:
            expected = expected.astype(np.float32)
        assert one.dtype == expected.dtype
        np.testing.assert_allclose(one, expected, rtol=eps, atol=eps)


@pytest.mark.parametrize("dtype", ["float32", "int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize(("shape", "dims"), [*ONE_DIM, *SEVERAL])
def test_reductions(shape, dims, dtype):
    x = random(shape, dtype)
    agree(lambda x: x.sum(dims), x, eps=1e-4)
    agree(lambda x: x.any(dims), x)
    agree(lambda x: x.all(dims), x)
    if x.size:
        agree(lambda x: x.amax(dims), x)
        agree(lambda x: x.amin(dims), x)


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8"])
@pytest.mark.parametrize(("shape", "dim"), ONE_DIM)
def test_indices(shape, dim, dtype, name):
    x = (random(shape, dtype) * 4).astype(int).astype(dtype)  # many ties
    if x.size:
        agree(lambda x: getattr(x, name)(dim), x)
        agree(lambda x: getattr(x, "arg" + name)(dim), x)
        agree(lambda x: getattr(x, "arg" + name)(), x)
    if x.size > 2 and dtype == "float32":
        x.reshape(-1)[[x.size // 2, x.size - 1]] = np.nan
        agree(lambda x: getattr(x, name)(dim), x)


def test_first_of_equals_and_first_nan_in_pieces():
    x = np.zeros(100_000, np.float32)
    for at in ([70_001, 70_000, 99_999], [31], [99_999]):
        for value in (1.0, np.inf, np.nan):
            y = x.copy()
            y[at] = value
            assert veem.tensor(y).to("metal").argmax().item() == min(at)
    assert veem.tensor(x - np.inf).to("metal").argmax().item() == 0


def test_nan_in_any_piece_is_the_largest_and_the_smallest():
    for at in (0, 33, 5000, 99_999):
        x = np.zeros(100_000, np.float32)
        x[at] = np.nan
        assert np.isnan(veem.tensor(x).to("metal").amax().item())
        assert np.isnan(veem.tensor(x).to("metal").amin().item())


def test_integer_sums_are_exact_and_wrap_around():
    x = np.full((3, 50_000), 2**47 + 1, np.int64)
    assert (veem.tensor(x).to("metal").sum(1).cpu().numpy() == x.sum(1)).all()
    x = np.full(1000, 2**62 + 3, np.int64)
    assert veem.tensor(x).to("metal").sum().item() == x.sum()
    assert veem.tensor(x).to("metal").prod().item() == x.prod()


def test_sum_of_many_ones():
    n = 10_000_000
    assert veem.ones(1, device="metal").expand(n).sum().item() == n
    tenths = veem.full((1,), 0.1, device="metal").expand(300_000)
    assert tenths.sum().item() == pytest.approx(300_000 * float(np.float32(0.1)), 3e-7)


@pytest.mark.parametrize("layout", ["transposed", "sliced", "permuted"])
def test_strided_reductions(layout):
    x = veem.tensor(random((24, 50, 34)))
    view = {
        "transposed": lambda x: x.transpose(0, 2),
        "sliced": lambda x: x[1::2, :, 3:30:3],
        "permuted": lambda x: x.permute(1, 2, 0),
    }[layout]
    for dims in (0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2)):
        found = view(x.to("metal")).sum(dims).cpu().numpy()
        expected = view(x).numpy().sum(dims)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def with_gradient(f, x, *parameters):
    leaves = [x.requires_grad_(), *(p.requires_grad_() for p in parameters)]
    out = f(*leaves)
    seed = veem.linspace(0.5, 1.5, out.numel(), dtype=out.dtype).reshape(out.shape)
    seed = seed.to(out.device)
    return out, *veem.autograd.grad(out, leaves, seed)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(("shape", "dim"), [*ONE_DIM, *LONG])
def test_softmax(shape, dim, log):
    x = 5 * random(shape)
    f = F.log_softmax if log else F.softmax
    agree(lambda x: with_gradient(lambda x: f(x, dim), x), x, eps=2e-5)
    x[..., 1:] = -np.inf
    agree(lambda x: f(x, dim), x)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [5, 6000])
def test_softmax_of_special_values(n, value):
    x = random((3, n))
    x[1, n // 2] = value
    x[2] = value
    agree(lambda x: F.softmax(x, 1), x)
    agree(lambda x: F.log_softmax(x, 1), x)


@pytest.mark.parametrize("shape", [*ROWS[:-1], (1, 4100), (3000, 5), (20000, 8)])
def test_layer_norm(shape):
    n = shape[-1]
    x, w, b = random(shape) + 2, random((n,), seed=1), random((n,), seed=2)

    def f(x, w, b):
        return with_gradient(lambda x, w, b: F.layer_norm(x, (n,), w, b), x, w, b)

    agree(f, x, w, b, eps=3e-4)
    agree(lambda x: F.layer_norm(x, (n,)), x)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(1, 1), (300, 3), (9, 513), (3, 5000), (700, 10)])
def test_cross_entropy(shape, reduction):
    x = 5 * random(shape)
    target = np.random.default_rng(1).integers(0, shape[1], shape[0])
    target[::3] = -100 if shape[0] > 1 else target[::3]
    for smoothing in (0.0, 0.2):

        def f(x, t, smoothing=smoothing):
            return with_gradient(
                lambda x: F.cross_entropy(
                    x, t, reduction=reduction, label_smoothing=smoothing
                ),
                x,
            )

        agree(f, x, target, eps=2e-5)


def test_target_out_of_range_is_raised_at_the_next_wait():
    x = veem.tensor(random((4, 3))).to("metal")
    loss = F.cross_entropy(x, veem.tensor([0, 3, 1, -100]).to("metal"))
    with pytest.raises(IndexError, match="3 is out of bounds"):
        loss.item()


OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.01, "amsgrad": True}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_optimizers(name, options):
    def f(*values):
        params = [p.requires_grad_() for p in values]
        optimizer = getattr(veem.optim, name)(params, **options)
        for step in range(3):
            optimizer.zero_grad()
            for p in params:
                p.grad = (p.detach() * (step + 1)).sin()
            optimizer.step()
        return [p.detach() for p in params]

    agree(f, random((3, 5)), random((1000,)), random((0,)), random(()), eps=2e-6)


def test_probes():
    for what in ("float32", "read", "copy"):
        amount, seconds = veem._core.probe(what, 1 << 14, 2, "metal")
        assert amount > 0
        assert seconds > 0
    with pytest.raises(ValueError, match="no stores past the caches"):
        veem._core.probe("stream", 1 << 14, 1, "metal")
    with pytest.raises(TypeError, match="float64"):
        veem._core.probe("float64", 0, 1, "metal")


@pytest.mark.skipif("VEEM_METAL_PLAIN" in os.environ, reason="is what it starts")
def test_without_simd_reductions():
    """The same tests with the kernels for GPUs that cannot exchange registers."""
    names = "test_reductions or test_indices or softmax or norm or cross_entropy"
    command = [sys.executable, "-m", "pytest", "-q", "-x", __file__, "-k", names]
    env = {**os.environ, "VEEM_METAL_PLAIN": "1"}
    run = subprocess.run(command, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]
