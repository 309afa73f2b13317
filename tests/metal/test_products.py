"""Matrix products, convolutions and pooling on metal, each kernel by itself."""

import numpy as np
import pytest

import veem
from veem.nn import functional as F

if "metal" not in veem._core.devices():
    pytest.skip("no metal device", allow_module_level=True)

RUNGS = ("naive", "tiled", "blocked", "simd", "simd_low")
TILES = ("blocked", "simd", "simd_low")


def numbers(rng, shape):
    return rng.standard_normal(shape).astype("float32")


def on_metal(x):
    return veem.tensor(x, device="metal")


def layouts(x, rng):
    """The same matrix as it lies in different memories."""
    t = on_metal(x)
    yield "plain", t
    yield "transposed", on_metal(np.ascontiguousarray(x.T)).T
    around = numbers(rng, (x.shape[0] + 3, x.shape[1] + 5))
    around[2:-1, 1:-4] = x
    yield "inner", on_metal(around)[2:-1, 1:-4]
    apart = numbers(rng, (x.shape[0], 2 * x.shape[1]))
    apart[:, ::2] = x
    yield "apart", on_metal(apart)[:, ::2]


# ---- products ------------------------------------------------------------------------

SIZES = ((64, 64, 16), (65, 33, 17), (1, 1, 1), (7, 130, 5), (100, 70, 90), (33, 2, 40))


@pytest.mark.parametrize("rung", RUNGS)
@pytest.mark.parametrize("m, n, k", SIZES)
def test_every_rung(monkeypatch, rung, m, n, k):
    monkeypatch.setenv("VEEM_METAL_MATMUL", rung)
    rng = np.random.default_rng(m * n)
    a, w = numbers(rng, (m, k)), numbers(rng, (k, n))
    expected = a.astype("float64") @ w
    for left, x in layouts(a, rng):
        for right, y in layouts(w, rng):
            out = (x @ y).cpu().numpy()
            np.testing.assert_allclose(
                out, expected, rtol=1e-5, atol=1e-5 * k, err_msg=f"{left} @ {right}"
            )


@pytest.mark.parametrize("rung", RUNGS)
def test_batches_and_bias(monkeypatch, rung):
    monkeypatch.setenv("VEEM_METAL_MATMUL", rung)
    rng = np.random.default_rng(3)
    a, w = numbers(rng, (2, 1, 3, 19, 21)), numbers(rng, (2, 5, 1, 21, 18))
    out = (on_metal(a) @ on_metal(w)).cpu().numpy()
    np.testing.assert_allclose(out, a @ w, rtol=1e-5, atol=1e-5)
    x, w, b = numbers(rng, (4, 9, 35)), numbers(rng, (70, 35)), numbers(rng, (70,))
    out = F.linear(on_metal(x), on_metal(w), on_metal(b)).cpu().numpy()
    np.testing.assert_allclose(out, x @ w.T + b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("k", [1, 31, 32, 100])
@pytest.mark.parametrize("n", [1, 5, 32, 77])
def test_vectors(k, n):
    rng = np.random.default_rng(n)
    w, x, b = numbers(rng, (k, n)), numbers(rng, (k,)), numbers(rng, (n,))
    for name, y in layouts(w, rng):
        out = (on_metal(x) @ y).cpu().numpy()
        np.testing.assert_allclose(out, x @ w, rtol=1e-5, atol=1e-5, err_msg=name)
        out = (y.T @ on_metal(x)).cpu().numpy()
        np.testing.assert_allclose(out, x @ w, rtol=1e-5, atol=1e-5, err_msg=name)
        out = F.linear(on_metal(x), y.T, on_metal(b)).cpu().numpy()
        np.testing.assert_allclose(out, x @ w + b, rtol=1e-5, atol=1e-5, err_msg=name)
    column = F.linear(on_metal(w.T.copy()), on_metal(x[None]), on_metal(b[:1]))
    np.testing.assert_allclose(
        column.cpu().numpy()[:, 0], x @ w + b[0], rtol=1e-5, atol=1e-5
    )


def test_a_batch_of_vectors():
    rng = np.random.default_rng(8)
    a, w = numbers(rng, (3, 1, 40)), numbers(rng, (3, 40, 37))
    out = (on_metal(a) @ on_metal(w)).cpu().numpy()
    np.testing.assert_allclose(out, a @ w, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
@pytest.mark.parametrize("m, n, k", [(3, 4, 2), (20, 18, 40), (1, 30, 30)])
def test_integers_wrap_around(dtype, m, n, k):
    rng = np.random.default_rng(k)
    info = np.iinfo(dtype)
    a = rng.integers(info.min, info.max, (m, k), dtype, endpoint=True)
    w = rng.integers(info.min, info.max, (k, n), dtype, endpoint=True)
    assert ((on_metal(a) @ on_metal(w)).cpu().numpy() == a @ w).all()


def test_a_product_over_nothing_is_zero():
    a = veem.zeros(3, 0, device="metal") @ veem.zeros(0, 4, device="metal")
    assert (a.cpu().numpy() == np.zeros((3, 4))).all()
    b = veem.zeros(0, device="metal") @ veem.zeros(0, 4, device="metal")
    assert (b.cpu().numpy() == np.zeros(4)).all()


def test_unknown_rung(monkeypatch):
    monkeypatch.setenv("VEEM_METAL_MATMUL", "fastest")
    with pytest.raises(ValueError, match="none of naive, tiled, blocked"):
        veem.ones(2, 2, device="metal") @ veem.ones(2, 2, device="metal")


# ---- convolutions --------------------------------------------------------------------

CONVOLUTIONS = (
    ((2, 3, 7, 8), (4, 3, 3, 3), {}),
    ((2, 6, 9, 7), (10, 6, 3, 2), {"stride": 2, "padding": 1}),
    ((1, 5, 11, 10), (7, 5, 3, 3), {"stride": (3, 2), "padding": (2, 1)}),
    ((2, 12, 7, 7), (18, 6, 3, 2), {"groups": 2, "dilation": 2, "padding": (1, 2)}),
    ((1, 6, 5, 5), (12, 1, 3, 3), {"groups": 6, "padding": "same"}),
    ((2, 8, 9, 9), (70, 8, 1, 1), {"stride": (2, 3)}),
    ((1, 6, 13, 9), (6, 6, 3, 2), {"stride": (4, 3), "dilation": (2, 3)}),
    ((1, 6, 9, 9), (6, 6, 2, 2), {"stride": 4}),
    ((0, 3, 7, 8), (4, 3, 3, 3), {}),
    ((2, 6, 37), (9, 6, 5), {"stride": 3, "padding": 2}),
    ((2, 5, 4, 7, 6), (7, 5, 3, 2, 3), {"padding": (1, 0, 2)}),
    ((1, 6, 6, 5, 7), (12, 3, 2, 3, 3), {"stride": (3, 2, 1), "groups": 2}),
)


def results(x, w, b, how, device):
    """The result and the gradients of a convolution."""
    leaves = [
        veem.tensor(t, device="cpu").to(device).requires_grad_() for t in (x, w, b)
    ]
    conv = getattr(F, f"conv{x.ndim - 2}d")
    out = conv(*leaves, **how)
    g = np.random.default_rng(1).standard_normal(tuple(out.shape)).astype(x.dtype)
    out.backward(veem.tensor(g, device=device))
    return [t.detach().cpu().numpy() for t in (out, *(leaf.grad for leaf in leaves))]


def same(x, w, how):
    rng = np.random.default_rng(5)
    x, w = numbers(rng, x), numbers(rng, w)
    b = numbers(rng, w.shape[:1])
    found = results(x, w, b, how, "metal")
    expected = results(x, w, b, how, "cpu")
    for name, f, e in zip(("out", "dx", "dw", "db"), found, expected, strict=True):
        np.testing.assert_allclose(f, e, rtol=1e-4, atol=1e-4, err_msg=name)
    return found


@pytest.mark.parametrize("x, w, how", CONVOLUTIONS)
def test_convolutions(x, w, how):
    same(x, w, how)


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("x, w, how", CONVOLUTIONS)
def test_every_tile(monkeypatch, tile, x, w, how):
    monkeypatch.setenv("VEEM_METAL_CONV", tile)
    same(x, w, how)


def test_a_sum_in_parts_has_the_same_bits_each_time():
    x, w = (3, 5, 20, 21), (6, 5, 3, 3)  # the weight's gradient sums over 1026 places
    first, second = same(x, w, {}), same(x, w, {})
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


# ---- pooling -------------------------------------------------------------------------

POOLS = (
    ((2, 3, 6, 8), (2,), {}),
    ((1, 2, 7, 7), (3, 2, 1), {}),
    ((1, 2, 9, 7), (3, 1, 1), {}),
    ((2, 1, 7, 5), (2, 2), {"ceil_mode": True}),
    ((1, 1, 9, 9), ((3, 2), (2, 1)), {"dilation": 2}),
    ((1, 1, 5, 5), (2, 1, 1), {"dilation": 3}),
    ((1, 1, 9, 9), (1, 9), {}),
    ((3, 2, 4, 4), (4,), {}),
    ((2, 3, 17), (3, 2, 1), {"dilation": 2}),
    ((1, 2, 5, 6, 7), (3, 2, 1), {"ceil_mode": True}),
)


@pytest.mark.parametrize("shape, args, how", POOLS)
def test_pools_are_the_same_to_the_bit(shape, args, how):
    rng = np.random.default_rng(2)
    images = [rng.integers(0, 4, shape).astype("float32")]  # ties
    odd = numbers(rng, shape)
    odd[rng.random(shape) < 0.2] = np.nan
    odd[rng.random(shape) < 0.3] = -np.inf
    images += [odd, np.full(shape, -np.inf, "float32")]
    for image in images:
        found = []
        for device in ("cpu", "metal"):
            x = veem.tensor(image).to(device).requires_grad_()
            pool = getattr(F, f"max_pool{x.ndim - 2}d")
            out, index = pool(x, *args, return_indices=True, **how)
            g = veem.tensor(
                np.random.default_rng(4).random(tuple(out.shape)), device="cpu"
            )
            out.backward(g.float().to(device))
            found.append([t.detach().cpu().numpy() for t in (out, index, x.grad)])
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)
