"""Texts and Fashion-MNIST: where they are found, what is made of them."""

import gzip
import os
import struct

import numpy as np
import pytest

import veem
from veem import datasets
from veem.datasets import text as text_module
from veem.utils.data import DataLoader

# ---- texts --------------------------------------------------------------------------


def test_alphabet():
    alphabet = datasets.Alphabet("hello, wörld")
    assert alphabet.characters == " ,dehlorwö" and len(alphabet) == 10
    numbers = alphabet.encode("hold")
    assert numbers.dtype == veem.int64 and numbers.tolist() == [4, 6, 5, 2]
    assert alphabet.decode(numbers) == alphabet.decode([4, 6, 5, 2]) == "hold"
    with pytest.raises(ValueError, match="'x' is none of its 10 characters"):
        alphabet.encode("hex")
    names = datasets.Alphabet(["ab", "ca"], edge=".")
    assert names.characters == ".abc" and names.encode(".a").tolist() == [0, 1]
    with pytest.raises(ValueError, match="edge"):
        datasets.Alphabet("a.b", edge=".")
    assert repr(names) == "Alphabet('.abc')"


def test_windows():
    data = datasets.Windows(veem.arange(6), 4)
    assert len(data) == 2
    assert [[x.tolist() for x in pair] for pair in data] == [
        [[0, 1, 2, 3], [1, 2, 3, 4]],
        [[1, 2, 3, 4], [2, 3, 4, 5]],
    ]
    assert data[-1][0].tolist() == data[1][0].tolist()
    with pytest.raises(IndexError):
        data[2]
    ((x, y),) = DataLoader(data, 2)
    assert x.shape == (2, 4) and (y - x).tolist() == [[1] * 4] * 2
    for length in (0, 6):
        with pytest.raises(ValueError, match="from 1 to 5"):
            datasets.Windows(veem.arange(6), length)


def test_texts(nowhere, monkeypatch):
    for make in (datasets.TinyShakespeare, datasets.Names):
        with pytest.raises(RuntimeError, match=r"download=True, or put .*VEEM_DATA"):
            make()
    folder = nowhere / "mine" / "text"
    folder.mkdir(parents=True)
    play = "First Citizen:\nBefore we proceed any further, hear me speak.\n\n" * 10
    (folder / "tinyshakespeare.txt").write_text(play)
    (folder / "names.txt").write_text("emma\nolivia\r\nava\n")
    monkeypatch.setenv("VEEM_DATA", str(nowhere / "mine"))
    train, test = (datasets.TinyShakespeare(8, train=part) for part in (True, False))
    assert train.text + test.text == play and len(test.text) == len(play) // 10
    assert train.alphabet.characters == test.alphabet.characters
    x, y = train[3]
    assert (
        train.alphabet.decode(x) == "st Citiz"
        and train.alphabet.decode(y) == "t Citize"
    )
    names = datasets.Names()
    assert list(names) == ["emma", "olivia", "ava"] and names[-1] == "ava"
    numbers = names.alphabet.encode(f".{names[2]}.")
    assert numbers.tolist() == [0, 1, 7, 1, 0]
    assert list(datasets.Names(folder, len)) == [4, 6, 3] and len(names) == 3


@pytest.mark.parametrize("data", [b"abc\xff\xfe", b"\x80" * 100, b"caf\xc3"])
def test_a_text_that_is_none(tmp_path, data):
    (tmp_path / "names.txt").write_bytes(data)
    with pytest.raises(ValueError, match=r"names.txt: not a text in UTF-8: byte \d"):
        datasets.Names(tmp_path)


def test_lines(tmp_path):
    (tmp_path / "x").write_text("one\n\ntwo", encoding="utf-8")
    assert list(datasets.Lines(tmp_path / "x")) == ["one", "", "two"]
    assert list(datasets.Lines(tmp_path / "x", str.upper)) == ["ONE", "", "TWO"]


def test_real_texts():
    if not os.environ.get("VEEM_DATA"):
        pytest.skip("VEEM_DATA names no folder with the real files")
    play, names = datasets.TinyShakespeare(), datasets.Names()
    assert len(play.alphabet) == 65 and len(play.numbers) == 1_003_854
    assert len(names) == 32033 and names[0] == "emma" and len(names.alphabet) == 27


# ---- Fashion-MNIST ------------------------------------------------------------------


def idx(array):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def test_fashion_mnist(nowhere, monkeypatch):
    with pytest.raises(RuntimeError, match=r"FashionMNIST: not found.*fashion-mnist"):
        datasets.FashionMNIST()
    folder = nowhere / "root" / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    images = np.arange(3 * 784, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
    labels = np.array([9, 0, 5], np.uint8)
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(labels))
    data = datasets.FashionMNIST(nowhere / "root", train=False)
    assert np.array_equal(data.data.numpy(), images) and data.targets.tolist() == [
        9,
        0,
        5,
    ]
    assert data.classes[data[0][1]] == "Ankle boot" and len(data.classes) == 10
    assert repr(data) == "FashionMNIST: 3 test images of 28 x 28"
    x, _ = data.tensors()
    np.testing.assert_allclose(
        x.numpy(), (images[:, None] / 255 - 0.2860) / 0.3530, rtol=1e-5, atol=1e-6
    )


# ---- what is downloaded -------------------------------------------------------------


@pytest.mark.parametrize(
    "published",
    [
        datasets.MNIST.published,
        datasets.FashionMNIST.published,
        datasets.CIFAR10.published,
        datasets.CIFAR100.published,
        text_module.TEXTS,
    ],
    ids=lambda p: p.title,
)
def test_every_file_has_mirrors_and_a_checksum(published):
    assert published.urls.keys() == published.files.keys()
    for name, (size, checksum) in published.files.items():
        assert size > 1000 and len(checksum) == 64 and int(checksum, 16)
        assert all(url.startswith("http") for url in published.urls[name])
