"""veem.safetensors: files of named tensors, by the package safetensors."""

import os
import stat
import struct
import sys

import numpy as np
import pytest

import veem

safetensors = pytest.importorskip("safetensors")
from test_hostile_files import outcomes  # noqa: E402

from veem.safetensors import load, load_file, save, save_file  # noqa: E402

DTYPES = "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()


def tensors():
    made = {d: veem.arange(6).to(getattr(veem, d)).reshape(2, 3) for d in DTYPES}
    return {**made, "scalar": veem.tensor(3.5), "empty": veem.empty(0, 4)}


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype is b[name].dtype
        assert a[name].shape == b[name].shape
        assert a[name].stride() == b[name].stride()
        assert a[name].tolist() == b[name].tolist()


def test_in_and_out(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file(tensors(), path, {"by": "hand"})
    same(load_file(path), tensors())
    same(load_file(str(path)), tensors())
    same(load(path.read_bytes()), tensors())
    same(load(save(tensors())), tensors())
    same(veem.load(path), tensors())  # as torch.load does
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() == {"by": "hand"}
        np.testing.assert_array_equal(file.get_tensor("int8"), [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("device", veem._core.devices())
def test_devices(tmp_path, device):
    x = veem.arange(4.0).to(device).requires_grad_()
    save_file({"x": x, "part": veem.arange(6.0)[2:4]}, tmp_path / "x")
    back = load_file(tmp_path / "x", device=device)
    assert str(back["x"].device) == device
    assert back["x"].tolist() == [0, 1, 2, 3] and back["part"].tolist() == [2, 3]


def test_the_file_is_never_changed(tmp_path):
    path = tmp_path / "x"
    save_file({"a": veem.zeros(1000), "b": veem.ones(3)}, path)
    before = path.read_bytes()
    back = load_file(path)
    back["a"].add_(1)
    assert path.read_bytes() == before and back["b"].tolist() == [1, 1, 1]
    path.unlink()
    assert back["a"].sum().item() == 1000


@pytest.mark.skipif(os.name != "posix", reason="files as POSIX has them")
def test_written_like_other_files(tmp_path):
    path, link = tmp_path / "x", tmp_path / "link"
    old = os.umask(0o022)
    try:
        save_file({"a": veem.zeros(3)}, path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o604)
    link.symlink_to(path)
    save_file({"a": veem.ones(3)}, link)
    assert link.is_symlink() and load_file(path)["a"].tolist() == [1, 1, 1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "x"]


def test_what_the_format_cannot_hold(tmp_path):
    x = veem.arange(12.0).reshape(3, 4)
    for wrong, error, text in [
        ([x], ValueError, "dict"),
        ({"x": 1}, ValueError, "tensor"),
        ({"x": x.T}, ValueError, "contiguous"),
        ({"x": x, "y": x[1:]}, RuntimeError, "'x' and 'y' share memory"),
        ({"x": x, "y": x.T}, RuntimeError, "share memory"),
        ({3: veem.ones(1)}, TypeError, "int|str"),
    ]:
        with pytest.raises(error, match=text):
            save_file(wrong, tmp_path / "x")
        with pytest.raises(error, match=text):
            save(wrong)
    with pytest.raises(RuntimeError, match="does not exist"):
        save_file({"x": x}, tmp_path / "no" / "x")
    assert not list(tmp_path.iterdir())


def test_what_is_not_there(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        load_file(tmp_path / "x")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match="pip install"):
        load_file(tmp_path / "x")


def raw(header, data=b""):
    return struct.pack("<Q", len(header)) + header + data


HOSTILE = {
    "empty": b"",
    "header_is_huge": struct.pack("<Q", 2**60) + b"{}",
    "no_object": raw(b"[]"),
    "size": raw(b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}', bytes(4)),
    "outside": raw(b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'),
    "negative": raw(
        b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', bytes(4)
    ),
    "overflow": raw(
        b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'
    ),
    "overlap": raw(
        b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},'
        b'"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}',
        bytes(4),
    ),
    "lacking": raw(b'{"a":{"dtype":"F8_E5M2","shape":[1],"data_offsets":[0,1]}}', b"0"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory")
def test_hostile_files(tmp_path):
    folder = tmp_path / "safetensors"
    folder.mkdir()
    for name, data in HOSTILE.items():
        (folder / f"0.{name}").write_bytes(data)
    rng = np.random.default_rng(0)
    whole = save(tensors())
    for i in range(500):
        data = bytearray(whole)
        for at in rng.integers(0, len(data) if i % 2 else 400, 2):
            data[at] = rng.integers(256)
        (folder / f"1.{i}").write_bytes(
            data[: rng.integers(len(data))] if i < 50 else data
        )
    said = outcomes(folder)
    assert len(said) == 500 + len(HOSTILE)
    for name, ((kind, message),) in said.items():
        expected = ("TypeError",) if "lacking" in name else ("SafetensorError",)
        assert kind in (*expected, *([] if name[0] == "0" else ["", "TypeError"])), name
        assert not kind or name in message


def test_an_odd_header(tmp_path):
    """Data that is not aligned to its elements is copied."""
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} '
    assert (8 + len(header)) % 4
    (tmp_path / "x").write_bytes(raw(header, np.float32([1, 2]).tobytes()))
    assert load_file(tmp_path / "x")["a"].tolist() == [1, 2]
