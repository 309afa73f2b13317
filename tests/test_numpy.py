"""Tensors beside NumPy's arrays: memory that both show, and ops with both in them."""

import binascii
import gc
import math
import random
import warnings

import numpy as np
import pytest

import veem

DTYPES = "bool uint8 int8 int16 int32 int64 float16 float32 float64".split()
LAYOUTS = {
    "whole": lambda a: a,
    "transposed": lambda a: a.T,
    "sliced": lambda a: a[1:, ::2],
    "a column": lambda a: a[:, 1],
    "0-d": lambda a: a[1, 1],
    "empty": lambda a: a[:0],
}


def live():
    gc.collect()
    return veem._core.memory_stats("cpu")["live"]


# ---- sharing -------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_is_shared_both_ways(dtype, layout):
    whole = np.arange(20).reshape(4, 5).astype(dtype)
    array = LAYOUTS[layout](whole) if layout != "0-d" else whole[1:2, 1:2].reshape(())
    x = veem.from_numpy(array)
    assert (x.shape, x.dtype.name) == (array.shape, dtype)
    assert x.tolist() == array.tolist()
    back = x.numpy()
    assert (back.dtype, back.strides, back.flags.writeable) == (dtype, array.strides, 1)
    if array.size:
        x.fill_(1)
        assert (array == 1).all() and (back == 1).all()
        back[...] = 0
        assert not x.any() and not array.any()
        assert x.data_ptr() == array.ctypes.data == back.ctypes.data


def test_either_keeps_the_memory():
    x = veem.from_numpy(np.full(1000, 7.0))
    gc.collect()
    assert x.sum() == 7000
    before = live()
    array = veem.full((1000,), 3.0).numpy()[5:]
    assert live() > before
    assert array.sum() == 995 * 3
    del array
    assert live() == before


def test_what_numpy_refuses():
    x = veem.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"requires grad. Use tensor.detach\(\).num"):
        x.numpy()
    with pytest.raises(RuntimeError, match="requires grad"):
        np.asarray(x)
    assert x.numpy(force=True).tolist() == [1, 1]
    halves = veem.ones(2, dtype=veem.bfloat16)
    for convert in (veem.Tensor.numpy, np.asarray, np.sin):
        with pytest.raises(TypeError, match="NumPy has no bfloat16; use x.float"):
            convert(halves)
    assert halves.numpy(force=True).dtype == np.float32


def test_what_from_numpy_refuses():
    for array, error in [
        (np.arange(3)[::-1], ValueError),
        (np.array([1], ">f4"), ValueError),
        (np.ones(2, [("a", "f4"), ("b", "i1")])["a"], ValueError),
        (np.zeros(9, np.uint8)[1:].view(np.float64), ValueError),
        (np.array(["a"]), TypeError),
        (np.array([1j]), TypeError),
        (np.array([None]), TypeError),
        (np.array([1], np.uint16), TypeError),
        ([1.0], TypeError),
        (np.float64(1), TypeError),
    ]:
        with pytest.raises(error, match="from_numpy: "):
            veem.from_numpy(array)


def test_read_only_memory_warns():
    array = np.arange(3.0)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="NumPy array is not writable"):
        assert veem.from_numpy(array).data_ptr() == array.ctypes.data
    with pytest.warns(UserWarning, match="NumPy array is not writable"):
        veem.as_tensor(array)
    assert veem.tensor(array).tolist() == [0, 1, 2]  # a copy needs no warning


# ---- NumPy's functions ---------------------------------------------------------------


def test_asarray():
    x = veem.tensor([[1.0, 2.0], [3.0, 4.0]]).T
    for array in (np.asarray(x), np.asarray(x, copy=False), x.__array__()):
        assert (array.ctypes.data, array.strides) == (x.data_ptr(), (4, 8))
    for array in (np.array(x), np.asarray(x, copy=True), x.__array__(copy=True)):
        assert array.ctypes.data != x.data_ptr() and array.tolist() == x.tolist()
    for array in (np.asarray(x, np.int16), x.__array__(np.int16)):
        assert (array.dtype, array.tolist()) == (np.int16, x.tolist())
    for no_copy in (
        lambda: np.asarray(x, np.float64, copy=False),
        lambda: x.__array__(np.float64, copy=False),
    ):
        with pytest.raises(ValueError, match="copy"):
            no_copy()
    assert x.__array__(np.float32, copy=False).ctypes.data == x.data_ptr()


def test_ufuncs_give_tensors():
    x, array = veem.tensor([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])
    for out, expected in [
        (np.sin(x), np.sin(x.numpy())),
        (np.add(x, array), [11, 22, 33]),
        (np.add(array, x), [11, 22, 33]),
        (x + array, [11, 22, 33]),
        (array + x, [11, 22, 33]),
        (array - x, [9, 18, 27]),
        (array / x, [10, 10, 10]),
        (array**x, [10, 400, 27000]),
        (x @ array, 140),
        (array @ x, 140),
        (x * np.array(2.0), [2, 4, 6]),
        (np.add.reduce(x), 6),
        (np.add.accumulate(x), [1, 3, 6]),
        (np.sqrt(veem.tensor([4])), [2]),
        (np.isnan(x), [False, False, False]),
        (np.cumsum(x), [1, 3, 6]),
        (np.argsort(-x), [2, 1, 0]),
        (np.transpose(veem.ones(2, 3)), np.ones((3, 2))),
    ]:
        assert type(out) is veem.Tensor
        np.testing.assert_array_equal(out, np.asarray(expected))
    assert (x + array).dtype is veem.float64
    assert np.isnan(x).dtype is veem.bool
    assert [type(y) for y in np.frexp(x)] == [veem.Tensor] * 2


def test_comparisons_with_arrays():
    x = veem.tensor([1.0, 2.0], requires_grad=True)
    array = np.array([1.0, 3.0])
    for out, expected in [
        (x == array, [True, False]),
        (array == x, [True, False]),
        (x != array, [False, True]),
        (array != x, [False, True]),
        (x < array, [False, True]),
        (array >= x, [True, True]),
    ]:
        assert out.dtype is veem.bool and out.tolist() == expected


def test_numbers_of_numpy_are_numbers():
    x, i = veem.tensor([1.0, 2.0], requires_grad=True), veem.tensor([3, 4])
    for out, dtype in [
        (np.float64(2) * x, veem.float32),
        (x * np.float64(2), veem.float32),
        (np.float64(2) - x, veem.float32),
        (np.float32(2) ** x, veem.float32),
        (np.int64(2) + i, veem.int64),
        (np.float64(2) * i, veem.float32),
        (np.int64(2) / i, veem.float32),
        (np.float64(2) < x, veem.bool),
        (np.bool_(True) & i.bool(), veem.bool),
    ]:
        assert out.dtype is dtype
    (np.float64(3) * x).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_arrays_change_in_place_and_tensors_do_not():
    x, array = veem.tensor([1.0, 2.0]), np.array([10.0, 20.0])
    same = array
    same += x
    assert array.tolist() == [11, 22]
    assert np.add(x, 1, out=array) is array and array.tolist() == [2, 3]
    assert np.add(array, 1, where=x > 1.5, out=np.zeros(2)).tolist() == [0, 4]
    version = x._version
    with pytest.raises(TypeError, match="out= must be arrays"):
        np.add(array, 1, out=x)
    with pytest.raises(TypeError, match="first operand must be array"):
        np.add.at(x, [0], 1.0)
    assert x._version == version
    np.add.at(array, veem.tensor([0, 0]), 1.0)
    assert array.tolist() == [4, 3]


def test_gradients_are_not_lost_in_silence():
    x, array = veem.ones(2, requires_grad=True), np.ones(2)
    for wrong in (
        lambda: np.sin(x),
        lambda: x + array,
        lambda: array * x,
        lambda: np.add(x, 1),
        lambda: np.concatenate([x, x]),
    ):
        with pytest.raises(RuntimeError, match="Can't call numpy"):
            wrong()


def test_other_functions_of_numpy():
    x = veem.tensor([3.0, 1.0, 2.0])
    assert np.concatenate([x, x]).tolist() == [3, 1, 2, 3, 1, 2]
    assert np.stack([x, x]).shape == (2, 3)
    assert np.array([x, x]).shape == (2, 3)
    assert np.allclose(x, x.numpy()) and np.array_equal(x, [3, 1, 2])
    np.testing.assert_allclose(x, x + 1e-9)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(x, x + 1)
    assert sorted(np.random.default_rng(0).permutation(x)) == [1, 2, 3]
    assert np.zeros(veem.tensor(2)).shape == (2,)
    assert np.arange(5)[veem.tensor([0, 2])].tolist() == [0, 2]
    assert np.float32(veem.tensor(2.5)) == 2.5
    assert np.dot(x, x) == 14 and np.linalg.norm(x) == pytest.approx(math.sqrt(14))


# ---- Python's protocols --------------------------------------------------------------


def test_sequences():
    x = veem.tensor([3.0, 1.0, 2.0])
    m = veem.tensor([[1, 2], [3, 4]])
    assert [float(v) for v in x] == [3, 1, 2] and len(m) == 2
    assert all(isinstance(v, veem.Tensor) and v.ndim == 0 for v in x)
    assert [v.item() for v in reversed(x)] == [2, 1, 3]
    assert reversed(m).tolist() == [[3, 4], [1, 2]]
    assert reversed(veem.tensor(1.0)).item() == 1
    assert (sum(x).item(), max(x).item(), min(x).item()) == (6, 3, 1)
    assert [v.item() for v in sorted(x)] == [1, 2, 3]
    assert random.choice(x).item() in (1, 2, 3)
    a, (b, c) = m
    assert a.tolist() == [1, 2] and (b.item(), c.item()) == (3, 4)
    for wrong in (len, iter):
        with pytest.raises(TypeError, match="0-d tensor"):
            wrong(veem.tensor(1.0))


def test_contains():
    x = veem.tensor([1.0, 2.0])
    assert 2 in x and np.float64(2) in x and True in x and x[0] in x
    assert 5 not in x and 1j not in x and math.nan not in veem.tensor([math.nan])
    assert 5 in veem.tensor(5) and 1 not in veem.tensor([])
    assert veem.tensor([9, 2]) in veem.tensor(
        [[1, 2], [3, 4]]
    )  # any element that is equal
    for wrong in ("a", None, [1.0], np.ones(2)):
        with pytest.raises(RuntimeError, match="__contains__ only supports Tensor"):
            assert wrong in x


def test_numbers():
    s, i = veem.tensor(2.5), veem.tensor([[3]])
    assert (int(s), float(s), bool(s), complex(s)) == (2, 2.5, True, 2.5 + 0j)
    assert (math.sqrt(i), math.floor(s), math.ceil(s)) == (math.sqrt(3), 2, 3)
    assert "abcd"[i] == "d" and list(range(i)) == [0, 1, 2] and "x" * i == "xxx"
    assert (f"{s:.2f}", f"{i[0, 0]:03d}", f"{s!s}") == (
        "2.50",
        "003",
        "tensor(2.5000)",
    )
    for convert in (int, float, complex, math.sqrt):
        for x in (veem.ones(2), veem.ones(0)):
            with pytest.raises(ValueError, match="only one element tensors"):
                convert(x)
    for x in (veem.ones(2), veem.ones(0)):
        with pytest.raises(RuntimeError, match="ambiguous"):
            bool(x)
    for x in (s, veem.tensor([1, 2])):
        with pytest.raises(TypeError, match="only integer tensors of a single element"):
            range(x)
    with pytest.raises(ValueError, match="NaN"):
        int(veem.tensor(math.nan))
    with pytest.raises(TypeError, match="__round__"):
        round(s)
    with pytest.raises(TypeError, match="format"):
        f"{veem.ones(2):.2f}"


def test_hash_is_by_identity():
    x, y = veem.ones(2), veem.ones(2)
    names = {x: "x", y: "y"}
    assert (names[x], names[y], len({x, y, x})) == ("x", "y", 2)


# ---- tensor() and its kin ------------------------------------------------------------


def test_tensor_infers_dtypes():
    x = veem.tensor
    for data, dtype in [
        ([1, 2.0], "float32"),
        ([True, 1], "int64"),
        ([True], "bool"),
        ([], "float32"),
        (range(3), "int64"),
        (bytearray(b"ab"), "int64"),
        (memoryview(np.ones(2)), "float32"),
        (np.float64(1), "float64"),
        ([np.float64(1), 2.0], "float64"),
        ([np.float32(1), 2.0], "float32"),
        ([np.int8(1), True], "int8"),
        ([np.int8(1), 2], "int64"),
        ([np.ones(2), np.ones(2)], "float64"),
        ([x(1.0, dtype=veem.float64), 2.0], "float64"),
        ([x([1], dtype=veem.float16), x(2, dtype=veem.bfloat16)], "float32"),
        (((1.0, 2.0), [3, 4]), "float32"),
    ]:
        assert veem.tensor(data).dtype.name == dtype, data
    assert veem.tensor([x([1.0]), x([2.0])]).tolist() == [1, 2]
    assert veem.tensor(2**63, dtype=veem.float64).item() == 2.0**63
    assert veem.tensor([-1], dtype=veem.uint8).item() == 255
    assert veem.tensor(3.7, dtype=veem.int64).item() == 3


def test_what_tensor_refuses():
    for data, dtype, error in [
        ("a", None, TypeError),
        ([1, "a"], None, TypeError),
        (1j, None, TypeError),
        (None, None, RuntimeError),
        ([None], None, RuntimeError),
        ({1: 2}, None, RuntimeError),
        ([[1], [1, 2]], None, ValueError),
        ([1, [2]], None, ValueError),
        ([veem.ones(2), veem.ones(2)], None, ValueError),
        (2**63, None, ValueError),
        (2**70, None, ValueError),
        ([300], veem.uint8, RuntimeError),
        ([1e10], veem.int32, RuntimeError),
        (math.nan, veem.int64, RuntimeError),
        (2.0**63, veem.int64, RuntimeError),
        (10**400, veem.float32, OverflowError),
    ]:
        with pytest.raises(error):
            veem.tensor(data, dtype=dtype)


def test_frombuffer():
    memory = bytearray(np.arange(6, dtype=np.int16).tobytes())
    x = veem.frombuffer(memory, dtype=veem.int16)
    x[0] = 9
    assert (memory[0], x.tolist()) == (9, [9, 1, 2, 3, 4, 5])
    part = veem.frombuffer(memory, dtype=veem.int16, count=2, offset=4)
    assert part.tolist() == [2, 3] and part.data_ptr() == x.data_ptr() + 4
    halves = veem.frombuffer(bytearray(b"\x80\x3f\x00\x40"), dtype=veem.bfloat16)
    assert halves.tolist() == [1, 2]
    assert veem.frombuffer(
        bytearray(8), dtype=veem.float64, requires_grad=True
    ).requires_grad
    with pytest.warns(UserWarning, match="buffer is not writable"):
        assert veem.frombuffer(b"ab", dtype=veem.uint8).tolist() == [97, 98]
    for buffer, options, error in [
        (bytearray(4), {"offset": 4}, ValueError),
        (bytearray(4), {"offset": -1}, ValueError),
        (bytearray(4), {"count": 3}, ValueError),
        (bytearray(4), {"count": 0}, ValueError),
        (bytearray(5), {}, ValueError),
        (bytearray(5), {"offset": 1}, ValueError),
        (bytearray(0), {}, ValueError),
        ([1], {}, ValueError),
        (np.ones(4)[::2], {}, RuntimeError),
        (bytearray(4), {"requires_grad": True}, RuntimeError),
    ]:
        with pytest.raises(error):
            veem.frombuffer(buffer, dtype=veem.int16, **options)


def test_asarray_of_everything():
    x, array = veem.ones(2, requires_grad=True), np.ones(2)
    assert veem.asarray(x) is x and veem.as_tensor(x) is x
    assert not veem.asarray(x, requires_grad=False).requires_grad
    assert veem.asarray(x, requires_grad=False).data_ptr() == x.data_ptr()
    assert veem.asarray(array, requires_grad=True).requires_grad
    assert veem.asarray(x * 2, requires_grad=True).grad_fn is not None
    for share in (veem.asarray, veem.as_tensor, veem.from_dlpack):
        assert share(array).data_ptr() == array.ctypes.data
    assert veem.asarray(array, copy=True).data_ptr() != array.ctypes.data
    assert veem.asarray(array, dtype=veem.float32).dtype is veem.float32
    assert veem.asarray(bytearray(8)).tolist() == [0, 0]  # two floats
    assert veem.asarray([1, 2]).dtype is veem.int64
    for obj, options in [(array, {"dtype": veem.float32}), ([1], {})]:
        with pytest.raises(ValueError, match="can't alias"):
            veem.asarray(obj, copy=False, **options)


# ---- buffers -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_buffers_show_the_memory(dtype):
    x = veem.arange(6).reshape(2, 3).to(getattr(veem, dtype))
    for view, expected in [
        (memoryview(x), x.numpy()),
        (memoryview(x.T), x.numpy().T),
        (memoryview(x[:, 1:]), x.numpy()[:, 1:]),
        (memoryview(x[1, 1]), x.numpy()[1, 1:2].reshape(())),
        (memoryview(x[:0]), x.numpy()[:0]),
    ]:
        known = memoryview(expected)
        for fact in ("format", "itemsize", "shape", "strides", "ndim", "nbytes"):
            assert getattr(view, fact) == getattr(known, fact), fact
        assert not view.readonly and view.tobytes() == known.tobytes()
    np.asarray(memoryview(x))[1, 2] = 7
    assert x[1, 2].item() == (True if dtype == "bool" else 7)


def test_a_buffer_keeps_its_memory():
    before = live()
    x = veem.full((1000,), 3.0)
    view = memoryview(x)
    x.data = veem.zeros(3)
    del x
    assert live() > before and set(view) == {3.0}
    view.release()
    del view
    assert live() == before


def test_buffers_in_one_piece():
    x = veem.tensor([[1, 2], [3, 4]], dtype=veem.uint8)
    assert memoryview(x).tobytes() == bytearray(x) == b"".join([x]) == b"\1\2\3\4"
    assert memoryview(x.T).tobytes() == b"\1\3\2\4"
    with pytest.raises(BufferError, match="contiguous"):
        binascii.hexlify(x.T)
    target = np.zeros(4, np.uint8)
    memoryview(target)[:] = memoryview(x).cast("B")
    assert target.tolist() == [1, 2, 3, 4]


def test_bytes_are_values():
    assert bytes(veem.tensor([104, 105])) == b"hi"
    assert bytes(veem.tensor([True, False])) == b"\1\0"
    assert bytes(veem.tensor(3)) == bytes(veem.tensor([3])) == bytes(3)
    assert bytes(veem.tensor([], dtype=veem.int64)) == b""
    for wrong in (veem.ones(2), veem.ones(2, 2, dtype=veem.uint8)):
        with pytest.raises(TypeError, match="bytes"):
            bytes(wrong)
    with pytest.raises(ValueError, match="range"):
        bytes(veem.tensor([256, 0]))


def test_what_buffers_refuse():
    for x in (
        veem.ones(2, requires_grad=True),
        veem.ones(2, dtype=veem.bfloat16),
    ):
        with pytest.raises(BufferError):
            memoryview(x)


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.sin(veem.ones(2))
        np.array(veem.ones(2), dtype=np.float64)
        np.round(veem.ones(2))
