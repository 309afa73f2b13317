"""Windows over planes of integers: what PyTorch lacks, and the ends of their range."""

import numpy as np
import pytest
from opinfo import INTEGERS, values

import veem
from veem.nn import functional as F

pytestmark = pytest.mark.parametrize("device", veem._core.devices())


def planes(shape, dtype, device, low=-3.0, high=3.0):
    x = values(np.random.default_rng(3), shape, dtype, low, high)
    return veem.tensor(x, device=device)


def same(a, b):
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a.numpy(force=True), b.numpy(force=True))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_max_pool1d_is_a_line_of_max_pool2d(dtype, device):
    x = planes((2, 3, 11), dtype, device, -100.0, 100.0)
    line = F.max_pool1d(x, 3, 2, 1, return_indices=True)
    plane = F.max_pool2d(x[:, :, None], (1, 3), 2, (0, 1), return_indices=True)
    for a, b in zip(line, plane):
        same(a, b[:, :, 0])


@pytest.mark.parametrize("op", [F.conv2d, F.conv_transpose2d])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_convolutions_wrap_around(dtype, op, device):
    x = planes((2, 6, 5, 4), dtype, device, -99.0, 99.0)
    w, b = planes((6, 6, 3, 3), dtype, device), planes((6,), dtype, device)
    how = {"stride": 2, "padding": 2, "dilation": 2}
    wide = op(x.long(), w.long(), b.long(), **how)
    same(op(x, w, b, **how), wide.to(x.dtype))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_unfold_moves_elements(dtype, device):
    x = planes((2, 3, 5, 6), dtype, device)
    how = {"padding": 1, "stride": 2}
    same(F.unfold(x, 3, **how), F.unfold(x.float(), 3, **how).to(x.dtype))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_the_least_integer_has_a_place(dtype, device):
    least = int(np.iinfo(dtype).min)
    x = veem.full((1, 1, 4, 4), least, dtype=getattr(veem, dtype), device=device)
    largest, index = F.max_pool2d(x, 2, 2, 1, return_indices=True)
    assert largest.flatten().tolist() == [least] * 9
    assert index.flatten().tolist() == [0, 1, 3, 4, 5, 7, 12, 13, 15]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_a_window_in_the_padding_alone_has_the_least(dtype, device):
    x = planes((1, 2, 1, 4), dtype, device)
    largest = F.max_pool2d(x, (1, 2), 1, (0, 1), dilation=5)
    assert largest.dtype == x.dtype
    assert largest.flatten().tolist() == [int(np.iinfo(dtype).min)] * 2


def test_means_round_to_zero(device):
    x = veem.tensor([[[-7, 2, -3, -4, 5, 5]]], device=device)
    assert F.avg_pool1d(x, 2).tolist() == [[[-2, -3, 5]]]
    assert F.avg_pool1d(x, 4, 1, 1).tolist() == [[[-2, -3, 0, 0, 1]]]


def test_means_of_large_integers(device):
    least, most = -(2**63), 2**63 - 1
    x = veem.tensor([[[[least, 0], [most, most - 1]]]], device=device)
    assert F.avg_pool2d(x, 1).tolist() == x.tolist()
    by = F.avg_pool2d(x, (1, 2), divisor_override=-1)  # -least is least again
    assert by.flatten().tolist() == [least, 3]
