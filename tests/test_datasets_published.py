"""FashionMNIST, CIFAR and texts: where they are found, what is done with bad files."""

import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import tracemalloc

import numpy as np
import pytest

import veem
from veem import datasets
from veem.datasets import text as text_module
from veem.datasets import unpickle as unpickle_module
from veem.datasets.tar import read_members
from veem.datasets.unpickle import read_pickle
from veem.utils.data import DataLoader

KINDS = {
    "CIFAR10": ("cifar-10-python.tar.gz", "cifar-10-batches-py", 10, "labels"),
    "CIFAR100": ("cifar-100-python.tar.gz", "cifar-100-python", 100, "fine_labels"),
}


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    monkeypatch.delenv("VEEM_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


class bounded:
    """Fails if Python takes more memory than so many bytes meanwhile."""

    def __init__(self, most):
        self.most = most

    def __enter__(self):
        tracemalloc.start()

    def __exit__(self, *error):
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < self.most, f"{peak} bytes"


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


def archive(files, folder="x", extra=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for entry in extra:
            tar.addfile(entry)
        for name, data in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


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


# ---- archives -----------------------------------------------------------------------


def entry(name, kind=tarfile.REGTYPE, size=0, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


def header(name, size):
    return entry(name, size=size).tobuf(tarfile.USTAR_FORMAT)


GOOD = archive({"a": b"first", "b": bytes(600)})


def test_members(tmp_path):
    path = tmp_path / "x.tar"
    links = [
        entry("a", tarfile.SYMTYPE, link="/etc/passwd"),
        entry("b", tarfile.LNKTYPE, link="a"),
        entry("a", tarfile.DIRTYPE),
        entry("../../a", tarfile.CHRTYPE),
    ]
    for pack in (bytes, gzip.compress):
        for extra in ([], links):
            path.write_bytes(
                pack(archive({"a": b"first", "b": bytes(600)}, "x", extra))
            )
            found = read_members(path, {"a": 5, "b": 600}, 10000)
            assert found == {"a": b"first", "b": bytes(600)}
    assert os.listdir(tmp_path) == ["x.tar"]


BAD_ARCHIVES = {
    "empty": (b"", "has no a, b"),
    "no archive": (b"<html>" * 200, "not a tar archive"),
    "short": (b"<html>", "cut within a header"),
    "cut in a file": (GOOD[:1600], "cut within b"),
    "cut in a header": (GOOD[:1200], "cut within a header"),
    "cut behind a file": (GOOD[:518], "cut"),
    "one file": (archive({"a": b""}), "has no b"),
    "a link": (archive({"a": b""}, "x", [entry("b", tarfile.SYMTYPE)]), "has no b"),
    "large file": (archive({"a": bytes(601), "b": b""}), "601 bytes, expected up to"),
    "promises": (header("a", 500), "cut within a"),
    "promises more": (header("z", 8**11 - 1), "longer than it should be"),
    "promises most": (header("a", 8**11 - 1), "longer than it should be"),
    "damaged": (GOOD[:50] + b"!" + GOOD[51:], "checksum"),
    "more behind": (GOOD + bytes(1 << 20), "more behind"),
}  # fmt: skip


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("case", BAD_ARCHIVES)
def test_bad_archives(tmp_path, case, pack):
    data, message = BAD_ARCHIVES[case]
    path = tmp_path / "x.tar"
    path.write_bytes(pack(data))
    with bounded(2 << 20), pytest.raises(ValueError, match=message) as error:
        read_members(path, {"a": 600, "b": 600}, 100_000)
    assert str(path) in str(error.value)


def test_a_gzip_bomb_in_an_archive(tmp_path):
    path = tmp_path / "bomb.tar.gz"
    for inner in (header("z", 1 << 30) + bytes(64 << 20), GOOD + bytes(64 << 20)):
        path.write_bytes(gzip.compress(inner, 1))
        with (
            bounded(2 << 20),
            pytest.raises(ValueError, match="longer than|more behind"),
        ):
            read_members(path, {"a": 600, "b": 600}, 1 << 20)


def test_random_damage_to_an_archive(tmp_path):
    rng = np.random.default_rng(0)
    path, whole = tmp_path / "x.tgz", gzip.compress(GOOD, mtime=0)
    for _ in range(120):
        data = bytearray(whole)
        data[rng.integers(10, len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(data))
        try:  # a few bits of gzip's are for nothing
            found = read_members(path, {"a": 600, "b": 600}, 100_000)
            assert found == {"a": b"first", "b": bytes(600)}
        except ValueError as error:
            assert "x.tgz" in str(error)
        path.write_bytes(whole[: rng.integers(len(whole))])
        with pytest.raises(ValueError, match=r"x\.tgz"):
            read_members(path, {"a": 600, "b": 600}, 100_000)


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
