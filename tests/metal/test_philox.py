"""Random numbers on metal: Philox's words, and what is made of them, beside NumPy."""

import math

import numpy as np
import pytest
from philox import SEED, hashes, units, words, words64

import veem

if "metal" not in veem._core.devices():
    pytest.skip("no metal device", allow_module_level=True)


def offset_of(generator):
    return int.from_bytes(generator.get_state().numpy()[8:].tobytes(), "little")


@pytest.fixture
def g():
    return veem.Generator(device="metal").manual_seed(SEED)


def drawn(n, fill, g, dtype=veem.float32):
    x = veem.empty(n, dtype=dtype, device="metal")
    fill(x, g)
    return x.cpu().numpy()


SIZES = (1, 2, 3, 4, 5, 127, 1030)


# ---- words and numbers ---------------------------------------------------------------


def test_reference_has_the_known_answers():
    assert [hex(w) for w in hashes(0, 0, 1)[0]] == [
        "0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8",
    ]  # fmt: skip


@pytest.mark.parametrize("n", SIZES)
def test_uniform_is_exact(n, g):
    got = drawn(n, lambda x, g: x.uniform_(generator=g), g)
    np.testing.assert_array_equal(got, units(n).astype(np.float32))
    assert offset_of(g) == -(-n // 4)
    second = drawn(n, lambda x, g: x.uniform_(-3, 5, generator=g), g)
    wanted = units(n, -(-n // 4)) * 8 - 3
    np.testing.assert_allclose(second, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n", SIZES)
def test_normal_is_box_and_muller(n, g):
    got = drawn(n, lambda x, g: x.normal_(2, 3, generator=g), g)
    u = units(n + n % 2).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log(1 - u[:, 0])), 2 * np.pi * u[:, 1]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    np.testing.assert_allclose(got, pairs.reshape(-1)[:n] * 3 + 2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", SIZES)
def test_exponential(n, g):
    got = drawn(n, lambda x, g: x.exponential_(2, generator=g), g)
    left = ((words(n) >> np.uint64(8)) + np.uint64(1)).astype(np.float64) * 2.0**-24
    np.testing.assert_allclose(got, -np.log(left) / 2, rtol=2e-6, atol=2.0**-24)
    assert (got > 0).all()


@pytest.mark.parametrize("dtype", [veem.float32, veem.bool, veem.int64, veem.uint8])
def test_bernoulli(dtype, g):
    got = drawn(101, lambda x, g: x.bernoulli_(0.3, generator=g), g, dtype)
    np.testing.assert_array_equal(got, units(101) < np.float32(0.3))
    p = veem.linspace(0, 1, 101)
    each = drawn(101, lambda x, g: x.bernoulli_(p.to("metal"), generator=g), g, dtype)
    np.testing.assert_array_equal(each, units(101, 26) < p.numpy())
    assert each[0] == 0 and each[-1] == 1


@pytest.mark.parametrize("dtype", [veem.uint8, veem.int32, veem.int64, veem.float32])
def test_integers_of_32_bits(dtype, g):
    got = drawn(50, lambda x, g: x.random_(3, 90, generator=g), g, dtype)
    np.testing.assert_array_equal(got, (words(50) % np.uint64(87)).astype(int) + 3)


def test_integers_of_64_bits(g):
    low, high = -(2**40), 2**41
    got = drawn(51, lambda x, g: x.random_(low, high, generator=g), g, veem.int64)
    wanted = (words64(51) % np.uint64(high - low)).astype(np.int64) + low
    np.testing.assert_array_equal(got, wanted)
    assert offset_of(g) == 26
    everything = drawn(
        6, lambda x, g: x.random_(-(2**63), None, generator=g), g, veem.int64
    )
    np.testing.assert_array_equal(everything, words64(6, 26).astype(np.int64))


@pytest.mark.parametrize("n", [0, 1, 2, 9, 100])
def test_randperm(n, g):
    got = veem.randperm(n, generator=g, device="metal")
    keys = words64(n).astype(np.int64) if n else np.zeros(0, np.int64)
    assert got.device.type == "metal"
    assert got.tolist() == np.argsort(keys, kind="stable").tolist()
    assert offset_of(g) == -(-n // 2)


def test_order_of_memory_decides(g):
    flat = drawn(60, lambda x, g: x.uniform_(generator=g), g)
    x = veem.zeros(4, 3, 5, device="metal").permute(2, 0, 1)
    x.uniform_(generator=g.manual_seed(SEED))
    np.testing.assert_array_equal(x.permute(1, 2, 0).cpu().numpy().ravel(), flat)
    wide = veem.zeros(6, 20, device="metal")
    wide[:, ::2].uniform_(generator=g.manual_seed(SEED))
    assert (wide[:, 1::2] == 0).all()
    np.testing.assert_array_equal(wide[:, ::2].cpu().numpy().ravel(), flat)
    p = veem.rand(5).to("metal").expand(12, 5)
    both = veem.zeros(12, 10, device="metal")[:, ::2]
    both.bernoulli_(p, generator=g.manual_seed(SEED))
    np.testing.assert_array_equal(
        both.cpu().numpy(), flat.reshape(12, 5) < p.cpu().numpy()
    )


# ---- categories ----------------------------------------------------------------------


@pytest.mark.parametrize("categories", [1, 5, 300, 1025])
def test_multinomial_with_replacement(categories, g):
    rng = np.random.default_rng(categories)
    p = rng.random((3, categories)).astype("float32")
    if categories > 1:
        p[:, ::2] = 0
    got = veem.multinomial(veem.tensor(p, device="metal"), 101, True, generator=g)
    sums = np.cumsum(p.astype(np.float64), 1)
    u = units(303).reshape(3, 101)
    for row in range(3):
        near = sums[row] / sums[row, -1]
        seen = got[row].cpu().numpy()
        below = np.where(seen > 0, near[seen - 1], 0)
        assert (below - 1e-5 <= u[row]).all() and (u[row] <= near[seen] + 1e-5).all()
        assert (p[row][seen] > 0).all()


def test_multinomial_without_replacement(g):
    p = veem.tensor([[0.0, 1, 2, 3, 0.5], [1, 0, 0, 2, 4]], device="metal")
    got = veem.multinomial(p, 3, generator=g)
    assert got.device.type == "metal"
    for row, zeros in zip(got.tolist(), ({0}, {1, 2})):
        assert len(set(row)) == 3 and not zeros & set(row)
    many = veem.tensor([0.2, 0.0, 0.8], device="metal").expand(2000, 3)
    share = (veem.multinomial(many, 1, generator=g) == 0).float().mean().item()
    assert share == pytest.approx(0.2, abs=0.03)


def test_weights_are_checked(g):
    for bad in ([0.0, 0.0], [1.0, -1.0], [1.0, math.nan]):
        with pytest.raises(RuntimeError, match="probab"):
            veem.multinomial(veem.tensor(bad, device="metal"), 1, generator=g)


# ---- streams -------------------------------------------------------------------------


def test_manual_seed_is_for_every_device():
    veem.manual_seed(7)
    first = veem.rand(9, device="metal"), veem.rand(9)
    veem.manual_seed(7)
    second = veem.rand(9, device="metal"), veem.rand(9)
    for a, b in zip(first, second):
        assert a.tolist() == b.tolist()
    veem.metal.manual_seed(7)
    assert veem.metal.initial_seed() == 7
    assert veem.rand_like(first[0]).tolist() == first[0].tolist()


def test_streams_are_apart():
    veem.manual_seed(3)
    wanted = veem.rand(4).tolist()
    veem.manual_seed(3)
    veem.randn(100, device="metal")
    assert veem.rand(4).tolist() == wanted


def test_state_goes_on():
    state = veem.metal.get_rng_state()
    assert state.shape == (16,) and state.device.type == "cpu"
    first = veem.randn(5, device="metal").tolist()
    assert veem.randn(5, device="metal").tolist() != first
    veem.metal.set_rng_state(state)
    assert veem.randn(5, device="metal").tolist() == first
    with pytest.raises(RuntimeError, match="16 bytes"):
        veem.metal.set_rng_state(veem.get_rng_state())
    with veem.random.fork_rng():
        inside = veem.randn(5, device="metal").tolist()
    assert veem.randn(5, device="metal").tolist() == inside


def test_a_generator_belongs_to_a_device(g):
    assert g.device == veem.device("metal") and g.initial_seed() == SEED
    with pytest.raises(RuntimeError, match="'cpu' device type for generator"):
        veem.empty(3).uniform_(generator=g)
    with pytest.raises(RuntimeError, match="generator but found 'cpu'"):
        veem.empty(3, device="metal").uniform_(generator=veem.Generator())
    other = g.clone_state()
    a, b = (veem.rand(5, generator=s, device="metal") for s in (g, other))
    assert a.tolist() == b.tolist()


def test_dropout():
    veem.manual_seed(0)
    x = veem.ones(4000, device="metal", requires_grad=True)
    y = veem.nn.functional.dropout(x, 0.25)
    kept = y.detach().cpu().numpy()
    np.testing.assert_allclose(np.unique(kept), [0, 4 / 3], rtol=1e-6)
    assert (kept > 0).mean() == pytest.approx(0.75, abs=0.03)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.cpu().numpy(), kept)


def test_moments(g):
    x = veem.randn(4001, generator=g, device="metal").cpu().numpy().astype(float)
    assert abs(x.mean()) < 0.05 and abs(x.std() - 1) < 0.05
    assert abs(np.mean(x[:-1:2] * x[1::2])) < 0.06
