"""Every elementwise op in its other forms: in place, with out=, with keywords."""

import warnings

import numpy as np
import pytest
from opinfo import activation, all_rows, elementwise, special, tensors

import veem

DEVICES = veem._core.devices()
OPS = vars(veem._core.ops)
NATIVE = {name for name, *_ in veem._core.op_rows() if name + "_" in OPS} - {"copy"}
ROWS = [r for r in all_rows() if "float32" in r.dtypes and r.name in NATIVE]
FAMILIES = (elementwise, activation, special)
INPLACE = [r for f in FAMILIES for r in f.ROWS if hasattr(veem.Tensor, r.name + "_")]
ON_DEVICES = [
    pytest.param(r, d, id=f"{r.name}-{d}")
    for r in INPLACE
    for d in DEVICES
    if d in (r.devices or DEVICES)
]


def samples(row, dtype="float32"):
    found = row.samples(np.random.default_rng(2), dtype)
    return [s for s in found if isinstance(s.args[0], np.ndarray)]


def same(a, b, where):
    np.testing.assert_array_equal(a.numpy(force=True), b.numpy(force=True), where)


def test_every_elementwise_op_has_a_twin():
    missing = [
        name
        for name in NATIVE
        if hasattr(veem.Tensor, name) and not hasattr(veem.Tensor, name + "_")
    ]
    assert set(missing) == {"where", "hardshrink"}  # as in PyTorch


@pytest.mark.parametrize(("row", "device"), ON_DEVICES)
def test_in_place(row, device):
    dtype = "float32" if "float32" in row.dtypes else "int64"
    for s in samples(row, dtype):
        first, *rest = tensors(s.args, device)
        expected = getattr(first, row.name)(*rest, **s.kwargs)
        if expected.shape != first.shape:
            with pytest.raises(RuntimeError, match="shape"):
                getattr(first.clone(), row.name + "_")(*rest, **s.kwargs)
            continue
        x = first.clone()
        if expected.dtype.is_floating_point and not x.dtype.is_floating_point:
            with pytest.raises(RuntimeError, match="can't be cast"):
                getattr(x, row.name + "_")(*rest, **s.kwargs)
            continue
        version = x._version
        assert getattr(x, row.name + "_")(*rest, **s.kwargs) is x
        assert x._version > version
        same(x, expected.to(x.dtype), f"{row.name}{s}")


@pytest.mark.parametrize("row", [r for r in INPLACE if r.order], ids=repr)
def test_gradient_in_place(row):
    for s in row.gradient_samples(np.random.default_rng(4), "float64"):
        grads = []
        for form in (row.name, row.name + "_"):
            first, *rest = tensors(s.args)
            if not isinstance(first, veem.Tensor):
                break
            first.requires_grad_()
            y = first * 1.0
            out = getattr(y, row.name)(*rest, **s.kwargs)
            if out.shape != y.shape:
                break
            out = getattr(first * 1.0, form)(*rest, **s.kwargs)
            out.backward(veem.ones_like(out))
            grads.append(first.grad)
        if len(grads) == 2:
            same(*grads, row.name)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_out(row, device):
    op = OPS[row.name]
    for s in samples(row):
        args = [*tensors(s.args, device), *s.kwargs.values()]
        try:
            expected = op(*args)
        except TypeError:  # an op with more arguments than the function
            return
        out = veem.empty(expected.shape, dtype=expected.dtype, device=device)
        assert op(*args, out=out) is out
        same(out, expected, f"{row.name}{s}")
        fresh = veem.empty(0, dtype=expected.dtype, device=device)
        same(op(*args, out=fresh), expected, f"{row.name}{s}")


def test_out_may_be_an_argument():
    x, y = veem.tensor([1.0, 2.0, 3.0]), veem.tensor([[1.0], [2.0]])
    assert veem.add(x, 1, out=x).tolist() == [2, 3, 4]
    with pytest.warns(UserWarning, match="resized from shape"):
        veem.mul(x, y, out=x)
    assert x.tolist() == [[2, 3, 4], [4, 6, 8]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert veem.add(x, 1, out=veem.empty(0)).shape == (2, 3)


def test_out_of_another_dtype():
    x = veem.tensor([1, 2])
    assert veem.add(x, 1, out=veem.empty(2)).tolist() == [2.0, 3.0]
    for f in (veem.exp, veem.deg2rad):
        with pytest.raises(RuntimeError, match="float32 can't be cast.*int64"):
            f(x, out=x.clone())
    with pytest.raises(RuntimeError, match="can't be cast"):
        veem.add(x, 1, out=veem.empty(2, dtype=veem.bool))


def test_out_is_not_differentiated():
    x = veem.ones(2, requires_grad=True)
    for f in (veem.exp, veem.add, veem.deg2rad):
        args = (x, x) if f is veem.add else (x,)
        with pytest.raises(RuntimeError, match="out=.*requires grad"):
            f(*args, out=veem.empty(2))
        with veem.no_grad():
            assert f(*args, out=veem.empty(2)).shape == (2,)
    with pytest.raises(TypeError, match="unexpected keyword argument 'out'"):
        veem._core.ops.transpose(x, 0, 0, out=x)


def test_keywords():
    x, y = veem.tensor([1.0, 5.0]), veem.tensor([2.0, 3.0])
    assert veem.maximum(input=x, other=y).tolist() == [2, 5]
    assert veem.pow(x, exponent=2).tolist() == [1, 25]
    assert x.maximum_(other=y) is x
    for call in (
        lambda: veem.exp(x, foo=1),
        lambda: veem.add(x, y, beta=1),
    ):
        with pytest.raises(TypeError, match="unexpected keyword"):
            call()


def test_operators():
    x = veem.tensor([5, -7, 12])
    assert (x << 2).tolist() == [20, -28, 48]
    assert (x >> 1).tolist() == [2, -4, 6]
    assert (2 << veem.tensor([0, 3, 70])).tolist() == [2, 16, 0]
    assert (x >> 80).tolist() == [0, -1, 0]
    assert [f(x).tolist() for f in (lambda x: x // 2, lambda x: 13 // x)] == [
        [2, -4, 6],
        [2, -2, 1],
    ]
    assert (x & 6).tolist() == [4, 0, 4] and (1 | x).tolist() == [5, -7, 13]
    assert (~x).tolist() == [-6, 6, -13] and (x ^ 1).tolist() == [4, -8, 13]
    before = x
    x <<= 1
    x >>= 2
    x %= 4
    x |= 8
    x ^= 1
    x &= 15
    x **= 2
    x //= 5
    assert x is before and x.tolist() == [24, 16, 24]
    with pytest.raises(NotImplementedError, match="bitwise_left_shift.*float32"):
        veem.ones(2) << 1
    with pytest.raises(RuntimeError, match="negative integer powers"):
        x**-1
