"""DLPack: what is shared, how long it lives, and what is refused."""

import ctypes
import gc
import threading

import numpy as np
import pytest

import veem

NUMPY_DTYPES = "bool uint8 int8 int16 int32 int64 float16 float32 float64".split()
LAYOUTS = {
    "whole": lambda x: x,
    "transposed": lambda x: x.T,
    "sliced": lambda x: x[1:, ::2],
    "0-d": lambda x: x[1, 1],
    "empty": lambda x: x[:0],
    "of one": lambda x: x[1:2],
    "a line": lambda x: x[2],
}


def live():
    gc.collect()
    return veem._core.memory_stats("cpu")["live"]


class Other:
    """A library's tensor that gives one capsule, and notes what it is asked for."""

    def __init__(self, capsule, device=(1, 0), knows=("max_version",)):
        self.capsule, self.device, self.knows = capsule, device, knows

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **options):
        if not set(options) <= set(self.knows):
            raise TypeError("an unexpected keyword argument")
        self.asked = options
        return self.capsule


# ---- with NumPy ----------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
def test_numpy_sees_the_memory(dtype, layout):
    x = LAYOUTS[layout](veem.arange(12).reshape(3, 4).to(getattr(veem, dtype)))
    array = np.from_dlpack(x)
    assert (array.dtype, array.shape) == (dtype, x.shape)
    np.testing.assert_array_equal(array, x.numpy())
    if x.numel():
        assert array.ctypes.data == x.data_ptr()
        x.fill_(1)
        assert (array == 1).all()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
def test_numpys_memory_is_seen(dtype, layout):
    whole = np.arange(12).reshape(3, 4).astype(dtype)
    array = LAYOUTS[layout](whole) if layout != "0-d" else whole[1:, 1][:1].reshape(())
    x = veem.from_dlpack(array)
    assert (x.dtype.name, x.shape) == (dtype, array.shape)
    assert x.tolist() == array.tolist()
    if array.size:
        assert x.data_ptr() == array.ctypes.data
        x.fill_(1)
        assert (array == 1).all()


@pytest.mark.parametrize("max_version", [None, (0, 8), (1, 0), (2, 5)])
@pytest.mark.parametrize("dtype", [*NUMPY_DTYPES, "bfloat16"])
def test_round_trip(dtype, max_version):
    x = veem.arange(6).to(getattr(veem, dtype)).reshape(2, 3).T[1:]
    capsule = x.__dlpack__(max_version=max_version)
    versioned = max_version is not None and max_version >= (1, 0)
    assert ("dltensor_versioned" in repr(capsule)) is versioned
    y = veem.from_dlpack(capsule)
    assert (y.dtype, y.shape, y.stride()) == (x.dtype, x.shape, x.stride())
    assert y.data_ptr() == x.data_ptr() and y.tolist() == x.tolist()
    with pytest.raises(RuntimeError, match="used once"):
        veem.from_dlpack(capsule)
    y.zero_()
    assert not x.any()


def test_read_only_memory():
    array = np.arange(3.0)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        assert veem.from_dlpack(array).data_ptr() == array.ctypes.data
    x = veem.from_dlpack(array, copy=True)
    assert x.data_ptr() != array.ctypes.data and x.tolist() == [0, 1, 2]


def test_device_and_copy():
    x = veem.arange(3.0)
    assert x.__dlpack_device__() == (1, 0)
    assert x.__dlpack_device__()[0] is veem.utils.dlpack.DLDeviceType.kDLCPU
    for shares in (
        veem.from_dlpack(x),
        veem.from_dlpack(x, copy=False),
        veem.from_dlpack(x, device="cpu"),
        veem.from_dlpack(x.__dlpack__(stream=-1, dl_device=(1, 0), copy=False)),
        veem.utils.dlpack.from_dlpack(veem.utils.dlpack.to_dlpack(x)),
        veem.utils.dlpack.from_dlpack(np.from_dlpack(x)),
    ):
        assert shares.data_ptr() == x.data_ptr()
    for copies in (
        veem.from_dlpack(x, copy=True),
        veem.from_dlpack(x.__dlpack__(), copy=True),
        veem.from_dlpack(x.__dlpack__(copy=True, max_version=(1, 0))),
        veem.from_dlpack(np.arange(3.0), copy=True, device="cpu"),
    ):
        assert copies.data_ptr() != x.data_ptr() and copies.tolist() == [0, 1, 2]


def test_what_is_not_given():
    x = veem.ones(2, requires_grad=True)
    with pytest.raises(BufferError, match=r"require gradient, use tensor.detach\(\)"):
        x.__dlpack__()
    with pytest.raises(BufferError, match="require gradient"):
        np.from_dlpack(x)
    for device in [(2, 0), (8, 0), (1, 1)]:
        with pytest.raises(BufferError, match="CPU memory only"):
            veem.ones(2).__dlpack__(dl_device=device)
    with pytest.raises(AssertionError, match="stream should be None"):
        veem.ones(2).__dlpack__(stream=1)
    with pytest.raises(RuntimeError, match="not a DLPack capsule"):
        veem.from_dlpack(3)


def test_libraries_of_every_age_are_asked_as_they_understand():
    x = veem.ones(2)
    new = Other(x.__dlpack__(max_version=(1, 0)))
    assert veem.from_dlpack(new).tolist() == [1, 1]
    assert new.asked == {"max_version": (1, 0)}
    old = Other(x.__dlpack__(), knows=())
    assert veem.from_dlpack(old).tolist() == [1, 1] and old.asked == {}
    on_gpu = Other(x.__dlpack__(), (2, 0), ("max_version", "dl_device"))
    with pytest.raises(BufferError, match="pass device='cpu'"):
        veem.from_dlpack(on_gpu)
    assert veem.from_dlpack(on_gpu, device="cpu").tolist() == [1, 1]
    assert on_gpu.asked["dl_device"] == (1, 0)


# ---- how long memory lives -----------------------------------------------------------


@pytest.mark.parametrize("max_version", [None, (1, 0)])
def test_memory_lives_as_long_as_its_last_user(max_version):
    def give():
        return veem.full((1000,), 3.0).__dlpack__(max_version=max_version)

    before = live()
    capsule = give()
    assert live() > before
    del capsule  # never used
    assert live() == before
    x = veem.from_dlpack(give())
    assert live() > before and x.sum().item() == 3000
    del x
    assert live() == before
    array = np.from_dlpack(veem.full((1000,), 3.0))
    gc.collect()
    assert array.sum() == 3000
    del array
    assert live() == before


class Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32 * 2),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Plain(ctypes.Structure):
    _fields_ = (("t", Tensor), ("owner", ctypes.c_void_p), ("deleter", Deleter))


class Versioned(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_uint32 * 2),
        ("owner", ctypes.c_void_p),
        ("deleter", Deleter),
        ("flags", ctypes.c_uint64),
        ("t", Tensor),
    )


class Lent:
    """Six floats lent out by hand; counts how often they were given back."""

    def __init__(self, kind=Plain, shape=(2, 3), strides=None, **changes):
        self.memory = (ctypes.c_float * 6)(*range(6))
        self.given_back = []
        self.deleter = Deleter(
            lambda _: self.given_back.append(threading.get_ident())  # takes the GIL
        )
        self.shape = (ctypes.c_int64 * len(shape))(*shape)
        self.strides = strides and (ctypes.c_int64 * len(strides))(*strides)
        m = self.managed = kind()
        m.deleter = self.deleter
        fields = {"code": 2, "bits": 32, "lanes": 1, "ndim": len(shape)} | changes
        fields.setdefault("data", ctypes.addressof(self.memory))
        m.t.device[:] = fields.pop("device", (1, 0))
        m.t.shape = self.shape
        if strides:
            m.t.strides = self.strides
        if kind is Versioned:
            m.version[:] = fields.pop("version", (1, 1))
        for name, value in fields.items():
            setattr(m.t, name, value)
        name = b"dltensor_versioned" if kind is Versioned else b"dltensor"
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = (
            ctypes.py_object,
            [ctypes.c_void_p, ctypes.c_char_p] + [ctypes.c_void_p],
        )
        self.name = name  # which the capsule does not copy
        self.capsule = new(ctypes.addressof(m), self.name, None)


@pytest.mark.parametrize("kind", [Plain, Versioned])
def test_the_deleter_is_called_once(kind):
    lent = Lent(kind)
    x = veem.from_dlpack(lent.capsule)
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    view, array = x[1:], x.numpy()
    del x, lent.capsule
    gc.collect()
    assert not lent.given_back and view.tolist() == [[3, 4, 5]]
    del view
    assert not lent.given_back and array[0, 2] == 2
    del array
    gc.collect()
    assert lent.given_back == [threading.get_ident()]


def test_the_deleter_runs_on_the_thread_that_lets_go():
    lent = Lent(Versioned)
    held = [veem.from_dlpack(lent.capsule)]
    other = threading.Thread(target=held.clear)
    other.start()
    other.join()
    assert len(lent.given_back) == 1 and lent.given_back != [threading.get_ident()]


def test_offsets_strides_and_no_deleter():
    lent = Lent(shape=(2, 2), strides=(1, 2), byte_offset=4)
    assert veem.from_dlpack(lent.capsule).tolist() == [[1, 3], [2, 4]]
    lent = Lent(shape=(1, 6), strides=(-7, 1))  # nobody takes a step of that
    assert veem.from_dlpack(lent.capsule).tolist() == [[0, 1, 2, 3, 4, 5]]
    lent = Lent(shape=(0, 3), data=None)
    assert veem.from_dlpack(lent.capsule).shape == (0, 3)
    assert len(lent.given_back) == 1
    lent = Lent()
    lent.managed.deleter = Deleter()
    assert veem.from_dlpack(lent.capsule).sum().item() == 15


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"device": (2, 0)}, ValueError, r"device \(2, 0\)"),
        ({"code": 5, "bits": 64}, TypeError, "type code 5 of 64 bits"),
        ({"bits": 128}, TypeError, "128 bits"),
        ({"lanes": 4}, TypeError, "4 lanes"),
        ({"shape": (2, 3), "strides": (3, -1)}, ValueError, "negative"),
        ({"shape": (2, -3)}, ValueError, "negative size"),
        ({"shape": (1,) * 17}, RuntimeError, "at most 16 dimensions"),
        ({"byte_offset": 2}, ValueError, "aligned"),
        ({"data": None}, ValueError, "null"),
        ({"kind": Versioned, "version": (2, 0)}, ValueError, "version 2.0"),
    ],
)
def test_what_is_not_taken_stays_the_lenders(changes, error, message):
    lent = Lent(**changes)
    with pytest.raises(error, match=message):
        veem.from_dlpack(lent.capsule)
    assert "used" not in repr(lent.capsule)
    assert not lent.given_back  # that is for whoever made the capsule
