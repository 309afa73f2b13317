"""save and load: what goes in comes out, whatever happens to the file."""

import collections
import io
import os
import pickle

import numpy as np
import pytest

import veem


def roundtrip(obj, **kwargs):
    file = io.BytesIO()
    veem.save(obj, file)
    file.seek(0)
    return veem.load(file, **kwargs)


def test_nested_objects():
    obj = {
        "w": veem.tensor([[1.5, 2.5]]),
        "l": [veem.tensor([1, 2]), 3, "x", None, True, (1.5,)],
        "o": collections.OrderedDict(a=veem.tensor(True)),
        "size": veem.Size([1, 2]),
        "dtype": veem.float64,
    }
    back = roundtrip(obj)
    assert back["w"].tolist() == [[1.5, 2.5]]
    assert back["l"][0].dtype == veem.int64
    assert back["l"][1:] == obj["l"][1:]
    assert back["o"]["a"].item() is True
    assert back["size"] == (1, 2)
    assert back["dtype"] is veem.float64


def test_views_keep_their_strides_and_share_their_storage():
    x = veem.arange(12).reshape(3, 4)
    a, b = roundtrip([x, x.T])
    assert b.stride() == (1, 4)
    a.fill_(7)
    assert b.tolist() == x.fill_(7).T.tolist()


def test_requires_grad_and_parameters_come_back():
    x = veem.ones(2, requires_grad=True)
    p = veem.nn.Parameter(veem.ones(3))
    x2, p2 = roundtrip([x, p])
    assert x2.requires_grad
    assert isinstance(p2, veem.nn.Parameter)


def test_no_code_runs_from_a_file():
    class Evil:
        def __reduce__(self):
            return os.system, ("exit 1",)

    with pytest.raises(pickle.UnpicklingError, match="system.*weights_only"):
        roundtrip(Evil())


def test_a_damaged_file_is_an_error(tmp_path):
    path = tmp_path / "x.pt"
    veem.save({"w": veem.ones(1000)}, path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in rng.integers(1, len(whole), 20):
        path.write_bytes(whole[:cut])
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            veem.load(path)
    for at in rng.integers(0, len(whole), 100):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        path.write_bytes(broken)
        try:
            veem.load(path)
        except Exception as error:  # any exception is fine, a crash is not
            assert not isinstance(error, MemoryError)


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.pt"
    veem.save([1], path)
    with pytest.raises(Exception, match="pickle|lambda|local"):
        veem.save(lambda: 0, path)
    assert veem.load(path) == [1]
    assert [p.name for p in tmp_path.iterdir()] == ["x.pt"]
