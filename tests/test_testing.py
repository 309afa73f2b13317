"""assert_close, finfo and iinfo."""

import numpy as np
import pytest

import veem
from veem.testing import assert_close


@pytest.mark.parametrize(
    "actual, expected",
    [
        (veem.ones(3), veem.ones(3) + 1e-7),
        (veem.arange(3), veem.arange(3)),
        ([veem.ones(2), 1], (veem.ones(2), 1)),
        ({"a": veem.zeros(1)}, {"a": veem.zeros(1)}),
        (np.ones(2), np.ones(2)),
        (1.0, 1.0 + 1e-9),
        (veem.zeros(0), veem.zeros(0)),
    ],
)
def test_what_is_close_passes(actual, expected):
    assert_close(actual, expected)


@pytest.mark.parametrize(
    "actual, expected, says",
    [
        (veem.ones(3), veem.tensor([1, 1.1, 1]), "elements: 1 / 3 .33.3%."),
        (veem.arange(3), veem.arange(3) + 1, "not equal"),
        (veem.ones(2), veem.ones(3), "'shape' do not match"),
        (veem.ones(2), veem.ones(2).double(), "'dtype' do not match"),
        ([veem.ones(2)], [veem.zeros(2)], r"at \[0\]"),
        ({"a": 1}, {"b": 1}, "keys"),
        ([1], [1, 2], "length"),
        (1, 2, "Scalars are not equal"),
        (veem.tensor(float("nan")), veem.tensor(float("nan")), "not close"),
    ],
)
def test_what_is_not_close_is_described(actual, expected, says):
    with pytest.raises(AssertionError, match=says):
        assert_close(actual, expected)


def test_tolerances_and_options():
    assert_close(veem.ones(2), veem.ones(2).double(), check_dtype=False)
    assert_close(veem.ones(1), veem.ones(1) * 1.05, rtol=0.1, atol=0)
    nan = veem.tensor(float("nan"))
    assert_close(nan, nan.clone(), equal_nan=True)
    with pytest.raises(AssertionError, match="'strides'"):
        assert_close(veem.ones(2, 3), veem.ones(3, 2).T, check_stride=True)
    with pytest.raises(AssertionError, match="mine"):
        assert_close(1, 2, msg="mine")
    with pytest.raises(ValueError, match="both"):
        assert_close(1, 2, rtol=1)
    for actual, expected in (("a", "a"), (veem.ones(1), [1.0])):
        with pytest.raises(TypeError, match="assert_close compares"):
            assert_close(actual, expected)


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_finfo_is_numpys(name):
    ours, numpy = veem.finfo(getattr(veem, name)), np.finfo(name)
    for field in ("bits", "eps", "max", "min", "tiny"):
        assert getattr(ours, field) == float(getattr(numpy, field)), field
    assert np.dtype(name).type(ours.resolution) == numpy.resolution
    assert ours.dtype == name


def test_finfo_of_bfloat16():
    limits = veem.finfo(veem.bfloat16)
    one = veem.ones(1, dtype=veem.bfloat16)
    assert (one + limits.eps - one).item() == limits.eps == 2**-7
    assert veem.tensor(limits.max, dtype=veem.bfloat16).item() == limits.max
    assert (veem.tensor(limits.max, dtype=veem.bfloat16) * 2).item() == float("inf")
    assert limits.bits == 16


@pytest.mark.parametrize("name", ["int8", "int16", "int32", "int64", "uint8"])
def test_iinfo_is_numpys(name):
    ours, numpy = veem.iinfo(getattr(veem, name)), np.iinfo(name)
    assert (ours.min, ours.max, ours.bits) == (numpy.min, numpy.max, numpy.bits)


def test_limits_of_the_wrong_kind_are_refused():
    with pytest.raises(TypeError, match="use iinfo"):
        veem.finfo(veem.int64)
    with pytest.raises(TypeError, match="use finfo"):
        veem.iinfo(veem.float32)
