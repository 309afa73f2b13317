"""Files pass both ways between veem.safetensors and safetensors.torch."""

import pytest

import veem

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
from safetensors import torch as theirs  # noqa: E402

import veem.safetensors as ours  # noqa: E402

DTYPES = "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()


def tensors(lib):
    made = {d: lib.arange(6).to(getattr(lib, d)).reshape(2, 3) for d in DTYPES}
    base = lib.arange(8.0)
    parts = {"front": base[:4], "back": base[4:]}
    return {**made, **parts, "scalar": lib.tensor(3.5), "empty": lib.empty(0, 4)}


def facts(x):
    return str(x.dtype).partition(".")[2], tuple(x.shape), x.double().tolist()


@pytest.mark.parametrize("pair", ["out", "in"])
def test_both_ways(tmp_path, pair):
    write, of, read = (ours, veem, theirs) if pair == "out" else (theirs, torch, ours)
    write.save_file(tensors(of), tmp_path / "x", metadata={"format": "pt"})
    expected = {name: facts(x) for name, x in tensors(torch).items()}
    back = read.load_file(tmp_path / "x")
    assert {name: facts(x) for name, x in back.items()} == expected
    back = read.load(write.save(tensors(of), metadata={"format": "pt"}))
    assert {name: facts(x) for name, x in back.items()} == expected


def test_same_bytes():
    assert ours.save(tensors(veem)) == theirs.save(tensors(torch))


def test_same_refusals():
    for module, lib in ((ours, veem), (theirs, torch)):
        x = lib.arange(6.0).reshape(2, 3)
        for wrong, error in [
            ([x], ValueError),
            ({"x": 1}, ValueError),
            ({"x": x.T}, ValueError),
            ({"x": x, "y": x[1:]}, RuntimeError),
            ({"x": x, "y": x.T}, RuntimeError),
        ]:
            with pytest.raises(error):
                module.save(wrong)
