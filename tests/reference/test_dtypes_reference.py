"""The small dtypes beside PyTorch: casts, numbers among operands, random streams."""

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch")

HALVES = ("float16", "bfloat16")
SMALL = (*HALVES, "int8", "int16", "uint8")


def pair(values, dtype):
    return (
        veem.tensor(values, dtype=getattr(veem, dtype)),
        torch.tensor(values, dtype=getattr(torch, dtype)),
    )


def same_bits(ours, theirs):
    assert str(ours.dtype) == str(theirs.dtype).replace("torch", "veem")
    np.testing.assert_array_equal(ours.double().numpy(), theirs.double().numpy())


@pytest.mark.parametrize("dtype", HALVES)
def test_casts_of_floats_round_as_pytorchs(dtype):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 100_000, dtype=np.uint32)
    x = bits.view(np.float32)
    x = x[~np.isnan(x)]
    near = rng.uniform(-1e-4, 1e-4, 10_000), rng.uniform(-7e4, 7e4, 10_000)
    x = np.concatenate([x, *near, [65519.99, 65520, 2**-25, 2**-24, np.nan]])
    for kind in ("float32", "float64"):
        with np.errstate(over="ignore"):
            given = x.astype(kind)
        ours = veem.tensor(given).to(getattr(veem, dtype))
        same_bits(ours, torch.tensor(given).to(getattr(torch, dtype)))


def test_every_float16_is_widened_exactly():
    x = np.arange(2**16, dtype=np.uint16).view(np.float16)
    np.testing.assert_array_equal(veem.tensor(x).float().numpy(), x.astype(np.float32))


@pytest.mark.parametrize("to", ["float32", "int64", "bool", *SMALL])
@pytest.mark.parametrize("dtype", SMALL)
def test_casts_between_small_dtypes(dtype, to):
    values = [0, 1, 2, 3, 100, 127, 7, 64]
    if dtype != "uint8":
        values += [-1, -128, -7]
    ours, theirs = pair(values, dtype)
    same_bits(ours.to(getattr(veem, to)), theirs.to(getattr(torch, to)))


@pytest.mark.parametrize("dtype", SMALL)
def test_integers_wrap_and_halves_round_once(dtype):
    ours, theirs = pair([1, 2, 3, 100, 7, 9], dtype)
    for f in (
        lambda x: x * x,
        lambda x: x * x * x,
        lambda x: x + 100,
        lambda x: x - 0.1,
        lambda x: x / 3,
        lambda x: x == 100,
        lambda x: x < 2.5,
        lambda x: x.sum(),
        lambda x: x.amax(),
        lambda x: x // 2,
        lambda x: x % 4,
        lambda x: x**2,
        lambda x: -x,
    ):
        same_bits(f(ours), f(theirs))


@pytest.mark.parametrize("n", [5, 16, 17, 40, 1000])
@pytest.mark.parametrize(
    "fill", ["uniform_", "normal_", "exponential_", "bernoulli_", "random_"]
)
@pytest.mark.parametrize("dtype", [*HALVES, "int8", "int16"])
def test_random_streams(dtype, fill, n):
    if dtype.startswith("int") and fill not in ("bernoulli_", "random_"):
        return
    ours, theirs = pair([0] * n, dtype)
    veem.manual_seed(3), torch.manual_seed(3)
    getattr(ours, fill)(), getattr(theirs, fill)()
    same_bits(ours, theirs)
    assert veem.rand(1).item() == torch.rand(1).item()  # as many words were drawn


@pytest.mark.parametrize("dtype", HALVES)
def test_a_layer_in_halves_learns_as_pytorchs(dtype):
    losses = []
    for lib in (veem, torch):
        lib.manual_seed(0)
        model = lib.nn.Sequential(
            lib.nn.Linear(8, 16),
            lib.nn.LayerNorm(16),
            lib.nn.GELU(),
            lib.nn.Linear(16, 4),
        ).to(getattr(lib, dtype))
        optimizer = lib.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        x, y = lib.randn(32, 8), lib.randint(0, 4, (32,))
        for _ in range(5):
            optimizer.zero_grad()
            loss = lib.nn.functional.cross_entropy(model(x.to(getattr(lib, dtype))), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    np.testing.assert_allclose(losses[:5], losses[5:], rtol=5 * 2.0**-8)


@pytest.mark.parametrize("dtype", [*HALVES, "int8", "int16"])
def test_files_pass_both_ways(dtype, tmp_path):
    ours, theirs = pair([1, 2, -3], dtype)
    veem.save({"x": ours}, tmp_path / "ours.pt")
    same_bits(ours, torch.load(tmp_path / "ours.pt")["x"])
    torch.save({"x": theirs}, tmp_path / "theirs.pt")
    same_bits(veem.load(tmp_path / "theirs.pt")["x"], theirs)


def test_printed_as_pytorchs():
    for dtype in SMALL:
        ours, theirs = pair([[1, 2], [3, 4]], dtype)
        assert repr(ours) == repr(theirs).replace("torch", "veem")


def test_numpy_has_no_bfloat16():
    with pytest.raises(TypeError, match="bfloat16"):
        veem.ones(2, dtype=veem.bfloat16).numpy()
    with pytest.raises(TypeError):
        torch.ones(2, dtype=torch.bfloat16).numpy()
