"""Windows beside NumPy's, and the formulas of those that it lacks."""

import math

import numpy as np
import pytest

import veem
from veem.signal import windows

N = np.arange(8.0)
EXPECTED = {
    "bartlett": np.bartlett,
    "blackman": np.blackman,
    "hamming": np.hamming,
    "hann": np.hanning,
    "kaiser": lambda n: np.kaiser(n, 12),
    "cosine": lambda n: np.sin(math.pi * (np.arange(n) + 0.5) / n),
    "gaussian": lambda n: np.exp(-0.5 * (np.arange(n) - (n - 1) / 2) ** 2),
    "exponential": lambda n: np.exp(-abs(np.arange(n) - (n - 1) / 2)),
    "general_hamming": np.hamming,
    "nuttall": lambda n: sum(
        (-1) ** i * a * np.cos(2 * math.pi * i * np.arange(n) / (n - 1))
        for i, a in enumerate([0.3635819, 0.4891775, 0.1365995, 0.0106411])
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_windows(name):
    make, expected = getattr(windows, name), EXPECTED[name]
    for m in (2, 7, 8):
        out = make(m, dtype=veem.float64)
        np.testing.assert_allclose(out, expected(m), atol=1e-12)
        periodic = make(m, sym=False, dtype=veem.float64)
        np.testing.assert_allclose(periodic, expected(m + 1)[:-1], atol=1e-12)
    assert make(0).shape == (0,) and make(1).tolist() == [1]
    out = make(5, requires_grad=True)
    assert (out.dtype, out.requires_grad) == (veem.float32, True)
    for wrong in ({"M": -1}, {"M": 3, "dtype": veem.int64}, {"M": 3, "layout": "coo"}):
        with pytest.raises(ValueError, match=r"requires|expects|strided"):
            make(**wrong)


def test_parameters_of_windows():
    out = windows.general_cosine(8, a=[0.5, 0.3, 0.2], dtype=veem.float64)
    turns = 2 * math.pi * N / 7
    np.testing.assert_allclose(
        out, 0.5 - 0.3 * np.cos(turns) + 0.2 * np.cos(2 * turns), atol=1e-12
    )
    np.testing.assert_allclose(
        windows.exponential(8, center=2, tau=3, sym=False, dtype=veem.float64),
        np.exp(-abs(N - 2) / 3),
    )
    np.testing.assert_allclose(
        windows.gaussian(8, std=2.0, dtype=veem.float64),
        np.exp(-(((N - 3.5) / 2) ** 2) / 2),
    )
    for wrong in (
        lambda: windows.exponential(8, center=2),
        lambda: windows.exponential(8, tau=0),
        lambda: windows.gaussian(8, std=-1),
        lambda: windows.kaiser(8, beta=-1),
        lambda: windows.general_cosine(8, a=[]),
    ):
        with pytest.raises(ValueError, match="got"):
            wrong()
    with pytest.raises(TypeError, match="list/tuple"):
        windows.general_cosine(8, a=0.5)


def test_older_names():
    for name, expected in [
        ("hann_window", np.hanning),
        ("hamming_window", np.hamming),
        ("blackman_window", np.blackman),
        ("bartlett_window", np.bartlett),
        ("kaiser_window", lambda n: np.kaiser(n, 12)),
    ]:
        make = getattr(veem, name)
        np.testing.assert_allclose(make(7), expected(8)[:-1], atol=1e-6)
        np.testing.assert_allclose(make(7, False), expected(7), atol=1e-6)
        assert make(5, dtype=veem.float16).dtype is veem.float16
        for wrong in ((-1,), (3, True, veem.int64)):
            with pytest.raises(RuntimeError, match="window"):
                make(*wrong[:2], **({"dtype": wrong[2]} if wrong[2:] else {}))
    out = veem.hamming_window(7, True, 0.5, 0.5)
    np.testing.assert_allclose(out, veem.hann_window(7), atol=1e-6)
    np.testing.assert_allclose(
        veem.kaiser_window(7, False, 5.0), np.kaiser(7, 5), atol=1e-6
    )
