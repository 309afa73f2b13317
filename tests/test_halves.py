"""16-bit floats: conversions to the bit, one rounding, no silent mixing of dtypes."""

import numpy as np
import pytest

import veem

DEVICES = veem._core.devices()
HALVES = (veem.float16, veem.bfloat16)


def floats():
    """Any float32, and many near float16's smallest, largest and ties."""
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 2**32, 50_000, dtype=np.uint32).view(np.float32)
    small = rng.uniform(-1e-4, 1e-4, 20_000).astype(np.float32)
    large = rng.uniform(-7e4, 7e4, 20_000).astype(np.float32)
    ties = (np.arange(2**15) + 0.5).astype(np.float32) * np.float32(2**-10)
    return np.concatenate([any_bits[~np.isnan(any_bits)], small, large, ties])


def bits_of(x):
    return veem._core.bitcast(x.cpu(), veem.int16).numpy().view(np.uint16)


@pytest.mark.parametrize("device", DEVICES)
def test_float16_rounds_as_numpys(device):
    x = floats()
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16)
    ours = veem.tensor(x).to(device).half()
    np.testing.assert_array_equal(bits_of(ours), expected.view(np.uint16))


@pytest.mark.parametrize("device", DEVICES)
def test_every_float16_is_a_float32(device):
    x = np.arange(2**16, dtype=np.uint16).view(np.float16)
    ours = veem.tensor(x).to(device).float().numpy(force=True)
    np.testing.assert_array_equal(ours, x.astype(np.float32))


@pytest.mark.parametrize("device", DEVICES)
def test_bfloat16_is_the_upper_half_rounded_to_even(device):
    x = floats()
    word = x.view(np.uint32).astype(np.uint64)
    expected = (word + 0x7FFF + (word >> 16 & 1)) >> 16
    ours = veem.tensor(x).to(device).bfloat16()
    np.testing.assert_array_equal(bits_of(ours), expected.astype(np.uint16))
    back = ours.float().cpu().numpy().view(np.uint32)
    np.testing.assert_array_equal(back, expected.astype(np.uint32) << 16)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", HALVES)
def test_nan_stays_nan(dtype, device):
    x = veem.tensor([float("nan"), -float("nan")], device=device).to(dtype)
    assert veem.isnan(x).all().item()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", HALVES)
def test_sums_are_of_float32(dtype, device):
    """In 16 bits a sum of ones would stop at 2048, or at 256."""
    assert veem.ones(4000, dtype=dtype, device=device).sum().item() == 4000
    row = veem.ones(1, 4000, dtype=dtype, device=device)
    assert (row @ row.T).item() == 4000


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", HALVES)
def test_dtypes_do_not_mix_in_silence(dtype, device):
    x = veem.ones(2, 3, dtype=dtype, device=device)
    w, image = veem.ones(4, 3, device=device), x.reshape(1, 1, 2, 3)
    for call in (
        lambda: x @ w.T,
        lambda: veem.nn.functional.linear(x, w),
        lambda: veem.nn.functional.conv2d(image, w.reshape(1, 1, 4, 3)[:, :, :2]),
        lambda: veem.nn.functional.layer_norm(x, (3,), w[0]),
    ):
        with pytest.raises(RuntimeError, match=r"dtype|float32"):
            call()


@pytest.mark.parametrize("device", DEVICES)
def test_integers_wrap_in_their_size(device):
    x = veem.tensor([100, -128, 127], dtype=veem.int8, device=device)
    assert (x + x).tolist() == [-56, 0, -2]
    assert (-x).tolist() == [-100, -128, -127]
    assert x.sum().dtype is veem.int64
    assert x.abs().tolist() == [100, -128, 127]
    assert (x.reshape(3, 1) @ x.reshape(1, 3))[0].tolist() == [16, 0, -100]
