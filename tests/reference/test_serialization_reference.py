"""Files pass both ways between veem and PyTorch."""

import collections

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch")

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]


def make(lib):
    tensors = {d: lib.arange(6).reshape(2, 3).to(getattr(lib, d)) for d in DTYPES}
    extra = {"t": tensors["float32"].T, "p": lib.nn.Parameter(lib.ones(2)), "n": 3}
    return collections.OrderedDict(**tensors, **extra, empty=lib.zeros(0, 3))


def same(a, b):
    assert list(a) == list(b)
    for k in a:
        if k == "n":
            assert a[k] == b[k]
            continue
        assert type(a[k]).__name__ == type(b[k]).__name__
        assert a[k].stride() == b[k].stride()
        np.testing.assert_array_equal(a[k].detach().numpy(), b[k].detach().numpy())


def test_torch_reads_ours(tmp_path):
    veem.save(make(veem), tmp_path / "x.pt")
    same(torch.load(tmp_path / "x.pt"), make(torch))


def test_we_read_torchs(tmp_path):
    torch.save(make(torch), tmp_path / "x.pt")
    same(veem.load(tmp_path / "x.pt"), make(veem))
