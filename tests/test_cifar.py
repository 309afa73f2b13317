"""CIFAR-10 and CIFAR-100: where they are found, what is done with bad files."""

import gzip
import hashlib
import os
import pickle
import struct

import numpy as np
import pytest
from data_files import archive, bounded

import veem
from veem import datasets
from veem.datasets import unpickle as unpickle_module
from veem.datasets.unpickle import read_pickle
from veem.utils.data import DataLoader

KINDS = {
    "CIFAR10": ("cifar-10-python.tar.gz", "cifar-10-batches-py", 10, "labels"),
    "CIFAR100": ("cifar-100-python.tar.gz", "cifar-100-python", 100, "fine_labels"),
}


# ---- pickles as Python 2 wrote them: the published files are such -------------------


def text(value):
    value = value.encode() if isinstance(value, str) else value
    if len(value) < 256:
        return b"U" + bytes([len(value)]) + value
    return b"T" + struct.pack("<i", len(value)) + value


def number(n):
    return b"K" + bytes([n]) if n < 256 else b"M" + struct.pack("<H", n)


def numbers(values):
    return b"](" + b"".join(map(number, values)) + b"e"


def matrix(array, shape=None, dtype="u1", by_columns=False):
    rows, columns = shape or array.shape
    body = array.tobytes(order="F" if by_columns else "C")
    return (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85"
        + text("b")
        + b"\x87Rq\x07(K\x01"
        + (number(rows) + number(columns) + b"\x86")
        + b"cnumpy\ndtype\n"
        + (text(dtype) + b"K\x00K\x01\x87R(K\x03" + text("|") + b"NNN")
        + b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + (b"\x88" if by_columns else b"\x89")
        + text(body)
        + b"tb"
    )


def batch(images, labels, key="labels", **options):
    parts = [
        text("batch_label") + b"q\x01" + text("a batch"),
        text(key) + numbers(labels),
        text("data") + matrix(images, **options),
        text("filenames") + b"](" + b"".join(text(f"{n}.png") for n in labels) + b"e",
    ]
    return b"\x80\x02}q\x00(" + b"".join(parts) + b"u."


def pictures(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 3072), np.uint8)


def members(kind, train, n=4):
    """Names and contents of the files of a set, and its images and labels."""
    _, _, classes, key = KINDS[kind]
    names = getattr(datasets, kind)._parts[train]
    images = [pictures(n, seed) for seed in range(len(names))]
    labels = [
        [(i * 7 + seed) % classes for i in range(n)] for seed in range(len(names))
    ]
    files = {m: batch(*both, key) for m, both in zip(names, zip(images, labels))}
    return files, np.concatenate(images), np.concatenate(labels)


def write(folder, kind, pack=gzip.compress, n=4):
    file, inner, *_ = KINDS[kind]
    folder.mkdir(parents=True, exist_ok=True)
    files = {**members(kind, True, n)[0], **members(kind, False, n)[0]}
    name = file if pack is gzip.compress else file.removesuffix(".gz")
    (folder / name).write_bytes(pack(archive(files, inner)))
    return folder / name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("train", [True, False])
def test_cifar(nowhere, monkeypatch, kind, train):
    make = getattr(datasets, kind)
    file, inner, classes, _ = KINDS[kind]
    files, images, labels = members(kind, train)
    with pytest.raises(RuntimeError, match=rf"{kind}: not found.*{file}.*VEEM_DATA"):
        make(train=train)
    write(nowhere / "mine" / make.published.folder, kind)
    monkeypatch.setenv("VEEM_DATA", str(nowhere / "mine"))
    write(nowhere / "cache" / "veem" / make.published.folder, kind, bytes, n=2)
    found = [make(train=train)]
    write(nowhere / "root", kind, bytes)
    found.append(make(nowhere / "root", train))
    (nowhere / "other" / inner).mkdir(parents=True)
    for name, data in files.items():
        (nowhere / "other" / inner / name).write_bytes(data)
    found.append(make(str(nowhere / "other"), train=train))
    for data in found:
        assert data.data.dtype == veem.uint8 and len(data.classes) == classes
        assert np.array_equal(data.data.numpy(), images.reshape(-1, 3, 32, 32))
        assert data.targets.tolist() == labels.tolist()
    monkeypatch.delenv("VEEM_DATA")
    assert len(make(train=train)) == len(images) // 2
    part = "training" if train else "test"
    assert repr(found[0]) == f"{kind}: {len(images)} {part} images of 32 x 32"


def test_cifar_samples_and_tensors(nowhere):
    write(nowhere, "CIFAR10")
    data = datasets.CIFAR10(nowhere, False, lambda x: x.sum().item(), str)
    assert data[2] == (int(pictures(4)[2].sum()), "4")
    x, y = data.tensors()
    scaled = data.data.numpy() / 255
    expected = (scaled - np.reshape(data.mean, (3, 1, 1))) / np.reshape(
        data.std, (3, 1, 1)
    )
    assert x.dtype == veem.float32 and y.dtype == veem.int64
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-5, atol=1e-5)
    (both,) = DataLoader(datasets.CIFAR10(nowhere, False), 4)
    assert both[0].shape == (4, 3, 32, 32) and both[1].tolist() == y.tolist()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_what_this_python_pickles_is_read_too(nowhere, protocol):
    write(nowhere, "CIFAR10")
    folder = nowhere / "root" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    images = np.asfortranarray(pictures(3))
    data = {"data": images, "labels": [9, 0, 1], "filenames": ["a", "b", "c"]}
    (folder / "test_batch").write_bytes(pickle.dumps(data, protocol))
    found = datasets.CIFAR10(nowhere / "root", False)
    assert np.array_equal(found.data.numpy().reshape(3, -1), images)
    assert found.targets.tolist() == [9, 0, 1]


IMAGES = pictures(3)
BAD_BATCHES = {
    "empty": b"",
    "no pickle": b"<html>not found</html>",
    "cut": batch(IMAGES, [1, 2, 3])[:-100],
    "no end": batch(IMAGES, [1, 2, 3])[:-1],
    "a number": b"\x80\x02K\x01.",
    "a list": b"\x80\x02].",
    "no data": b"\x80\x02}.",
    "no array": b"\x80\x02}(" + text("data") + b"N" + text("labels") + b"]u.",
    "other key": batch(IMAGES, [1, 2, 3], "colours"),
    "few labels": batch(IMAGES, [1, 2]),
    "label 10": batch(IMAGES, [1, 2, 10]),
    "other width": batch(IMAGES[:, :3000], [1, 2, 3]),
    "shape of more": batch(IMAGES, [1, 2, 3], shape=(4, 3072)),
    "shape of less": batch(IMAGES, [1, 2], shape=(2, 3072)),
    "objects": batch(IMAGES, [1, 2, 3], dtype="O8"),
    "floats": batch(IMAGES, [1, 2, 3], dtype="f4"),
    "too many": batch(np.zeros((10001, 3072), np.uint8), [1] * 10001),
    "unknown memo": b"\x80\x02}q\x01h\x09.",
    "nothing to pop": b"\x80\x02u.",
    "a set": pickle.dumps({1, 2}),
    "a key that is a tuple": b"\x80\x02}K\x01\x85K\x01s.",
    "long integer": b"\x80\x02\x8b"
    + struct.pack("<i", 1 << 20)
    + bytes(1 << 20)
    + b".",
    "longer than there is": b"\x80\x02T" + struct.pack("<i", 1 << 30) + b"abc",
    "negative": b"\x80\x02T" + struct.pack("<i", -5) + b"abc",
}


@pytest.mark.parametrize("case", BAD_BATCHES)
def test_bad_batches(nowhere, case):
    path = nowhere / "cifar-10-batches-py" / "test_batch"
    path.parent.mkdir()
    path.write_bytes(BAD_BATCHES[case])
    # A file's bytes, as text and again as bytes, and little beside.
    with bounded(4 * path.stat().st_size + (1 << 20)):
        with pytest.raises(ValueError, match="test_batch"):
            datasets.CIFAR10(nowhere, False)


class Harm:
    def __init__(self, call, *args):
        self.reduced = call, args

    def __reduce__(self):
        return self.reduced


def test_no_code_of_a_pickle_runs(nowhere):
    mark = nowhere / "mark"
    for harm in (Harm(os.mkdir, str(mark)), Harm(eval, f"open({str(mark)!r}, 'w')")):
        for data in (harm, {"data": harm, "labels": [1]}, {"data": 1, "labels": harm}):
            for protocol in (2, 4):
                path = nowhere / "cifar-10-batches-py" / "test_batch"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(pickle.dumps(data, protocol))
                with pytest.raises(ValueError, match="test_batch"):
                    datasets.CIFAR10(nowhere, False)
                assert not mark.exists()


STEPS = 50_000  # a tenth of what is allowed, to be quick
NAME = b"\x8c\x40" + b"a" * 64
BOMBS = {
    "a memo's number": b"\x80\x02K\x01r\xff\xff\xff\x7f" * 2 + b".",
    "empty dicts": b"\x80\x02" + b"}" * STEPS + b".",
    "memos": b"\x80\x02K\x01" + b"".join(
        b"r" + struct.pack("<I", i) for i in range(STEPS)
    ) + b".",
    "tuples of tuples": b"\x80\x02K\x01" + b"q\x01h\x01\x86" * 100 + b"\x85b.",
    "tuples as keys": b"\x80\x02}K\x01" + b"q\x01h\x01\x86" * 100 + b"K\x01s.",
    "names of names": b"\x80\x04" + NAME + b"q\x01h\x01\x93" * 60 + b".",
    "lists of lists": b"\x80\x02]" + b"q\x01]h\x01ah\x01a" * 100 + b".",
    "a shape": b"\x80\x02}" + text("data") + matrix(IMAGES, shape=(3, 3072)).replace(
        b"M\x00\x0c", b"\x8a\xfe" + b"\x7f" * 254) + b"s" + text("labels") + b"]s.",
}  # fmt: skip


@pytest.mark.parametrize("case", BOMBS)
def test_pickle_bombs(nowhere, monkeypatch, case):
    monkeypatch.setattr(unpickle_module, "MOST_STEPS", STEPS)
    path = nowhere / "cifar-10-batches-py" / "test_batch"
    path.parent.mkdir()
    path.write_bytes(BOMBS[case])
    with (
        bounded(STEPS * 200 + (1 << 20)),
        pytest.raises(ValueError, match="test_batch"),
    ):
        datasets.CIFAR10(nowhere, False)


def test_random_damage_to_a_pickle(nowhere):
    """Anything but the right error would end the loop."""
    rng = np.random.default_rng(1)
    whole = batch(pictures(1), [3])
    start = whole.index(text("data"))
    path = nowhere / "cifar-10-batches-py" / "test_batch"
    path.parent.mkdir()
    for i in range(200):
        data = bytearray(whole)
        for _ in range(1 + i % 3):
            data[rng.integers(start + 400)] = rng.integers(256)
        path.write_bytes(data[: rng.integers(len(data)) if i % 4 == 0 else None])
        try:
            found = datasets.CIFAR10(nowhere, False)
        except ValueError as error:
            assert "test_batch" in str(error)
        else:
            assert found.data.shape == (len(found.targets), 3, 32, 32)


def test_random_pickles():
    rng = np.random.default_rng(2)
    codes = np.frombuffer(
        b"}](t\x85\x86\x87KMNU.qhasueR\x93b\x88\x8cc\n\x01\x02", np.uint8
    )
    for _ in range(3000):
        data = b"\x80\x02" + rng.choice(codes, rng.integers(1, 40)).tobytes() + b"."
        try:
            read_pickle(data, "file")
        except ValueError as error:
            assert str(error).startswith("file: ")


def test_downloads(nowhere, monkeypatch):
    """Without a network, by urls that are files."""
    source = write(nowhere / "source", "CIFAR10")
    size, checksum = source.stat().st_size, hashlib.sha256(source.read_bytes())
    known = {source.name: (size, checksum.hexdigest())}
    published = datasets.CIFAR10.published
    monkeypatch.setattr(published, "files", known)
    away = (nowhere / "away").as_uri()
    monkeypatch.setattr(published, "urls", {source.name: [away, source.as_uri()]})
    assert len(datasets.CIFAR10(nowhere / "root", False, download=True)) == 4
    assert os.listdir(nowhere / "root") == [source.name]
    monkeypatch.setattr(published, "urls", {source.name: [away]})
    with pytest.raises(
        RuntimeError, match="CIFAR10: .*could not be downloaded.*away.*put"
    ):
        datasets.CIFAR10(download=True)
    assert os.listdir(nowhere / "cache" / "veem" / "cifar10") == []
