"""Memory of a GPU is not shared with the CPU: there are copies, or clear refusals."""

import numpy as np
import pytest

import veem

pytestmark = pytest.mark.skipif(
    "metal" not in veem._core.devices(), reason="veem is built without Metal"
)


def test_dlpack_gives_copies_only():
    x = veem.arange(3.0, device="metal")
    assert x.__dlpack_device__() == (8, 0)
    with pytest.raises(BufferError, match="CPU memory only"):
        x.__dlpack__()
    with pytest.raises(BufferError, match="needs a copy"):
        x.__dlpack__(dl_device=(1, 0), copy=False)
    assert np.from_dlpack(x, device="cpu").tolist() == [0, 1, 2]


def test_dlpack_takes_by_copy():
    array = np.arange(3, dtype="f4")
    x = veem.from_dlpack(array, device="metal")
    array[0] = 5
    assert (x.device.type, x.tolist()) == ("metal", [0, 1, 2])
    with pytest.raises(ValueError, match="needs a copy"):
        veem.from_dlpack(array, device="metal", copy=False)
    assert veem.asarray(array, device="metal").tolist() == [5, 1, 2]
    with pytest.raises(ValueError, match="can't alias"):
        veem.asarray(array, device="metal", copy=False)


def test_arrays_and_buffers():
    x = veem.ones(2, device="metal")
    for convert in (veem.Tensor.numpy, np.asarray, np.sin):
        with pytest.raises(TypeError, match="Use Tensor.cpu"):
            convert(x)
    with pytest.raises(BufferError, match="use x.cpu"):
        memoryview(x)
    assert x.numpy(force=True).tolist() == [1, 1]
    assert (np.float64(2) * x).device.type == "metal"
    with pytest.raises(NotImplementedError, match="frexp"):
        veem.frexp(x)
