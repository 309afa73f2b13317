"""MNIST and Digits: where files come from, and what is done with bad ones."""

import gzip
import hashlib
import http.server
import os
import struct
import threading
import tracemalloc

import numpy as np
import pytest

import veem
from veem import datasets
from veem.datasets import download as downloads
from veem.datasets import mnist as mnist_module
from veem.datasets.files import on_mirrors
from veem.datasets.idx import read_idx

NAMES = list(mnist_module.DIGITS)


def idx(array, shape=None, kind=8):
    """The bytes of an IDX file, with a header that may lie."""
    shape = array.shape if shape is None else shape
    sizes = struct.pack(f">{len(shape)}I", *shape)
    return bytes([0, 0, kind, len(shape)]) + sizes + array.tobytes()


def images(n):
    return np.arange(n * 784, dtype=np.uint32).astype(np.uint8).reshape(n, 28, 28)


def labels(n):
    return (np.arange(n) % 10).astype(np.uint8)


def write_set(folder, n=12, pack=gzip.compress, suffix=".gz"):
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        data = images(n) if "images" in name else labels(n)
        (folder / name).with_suffix(suffix).write_bytes(pack(idx(data)))
    return folder


# ---- where files are looked for -----------------------------------------------------


def test_folder_of_veem_data(nowhere, monkeypatch):
    write_set(nowhere / "mine" / "mnist", n=7)
    write_set(nowhere / "cache" / "veem" / "mnist", n=3)
    assert len(datasets.MNIST()) == 3
    monkeypatch.setenv("VEEM_DATA", str(nowhere / "mine"))
    data = datasets.MNIST()
    assert data.data.shape == (7, 28, 28) and data.data.dtype == veem.uint8
    assert data.targets.dtype == veem.int64 and data.targets.tolist() == list(range(7))
    assert np.array_equal(data.data.numpy(), images(7))


def test_a_root_comes_first_and_files_may_be_unzipped(nowhere, monkeypatch):
    write_set(nowhere / "mine" / "mnist", n=7)
    monkeypatch.setenv("VEEM_DATA", str(nowhere / "mine"))
    folder = nowhere / "root" / "MNIST" / "raw"
    write_set(folder, n=5, pack=lambda b: b, suffix="")
    assert len(datasets.MNIST(nowhere / "root")) == 5
    assert len(datasets.MNIST(str(nowhere / "root"), train=False)) == 5
    assert len(datasets.MNIST(nowhere / "no such root")) == 7


def test_nothing_found_says_what_to_do(nowhere):
    with pytest.raises(RuntimeError, match=r"download=True.*VEEM_DATA.*Digits"):
        datasets.MNIST()


def test_samples_and_transforms(nowhere):
    write_set(nowhere / "cache" / "veem" / "mnist", n=4)
    image, label = datasets.MNIST()[3]
    assert image.shape == (28, 28) and label == 3 and isinstance(label, int)
    data = datasets.MNIST(transform=lambda x: x.float(), target_transform=str)
    assert data[2][0].dtype == veem.float32 and data[2][1] == "2"
    assert repr(data) == "MNIST: 4 training images of 28 x 28"


def test_normalised_tensors(nowhere):
    write_set(nowhere / "cache" / "veem" / "mnist", n=4)
    x, y = datasets.MNIST().tensors()
    expected = (images(4)[:, None] / 255.0 - 0.1307) / 0.3081
    assert x.shape == (4, 1, 28, 28) and x.dtype == veem.float32
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert y.dtype == veem.int64


# ---- bad files ----------------------------------------------------------------------

GOOD = idx(images(5))
ONE = np.zeros(1, np.uint8)
BAD_IDX = {
    "empty": (b"", "not an IDX file"),
    "no IDX": (b"<html>not found</html>", "not an IDX file"),
    "cut in the header": (GOOD[:10], "cut within its header"),
    "cut in the data": (GOOD[:-1], r"promises 3920 bytes.*only 3919"),
    "no data": (GOOD[:16], "only 0"),
    "one byte too many": (GOOD + b"\0", "there are more"),
    "labels for images": (idx(labels(5)), "in 3 dimensions"),
    "floats": (idx(images(5), kind=13), "type 13"),
    "other size": (idx(images(4), (1, 56, 56)), r"\[56, 56\]"),
    "huge count": (idx(ONE, (2**32 - 1, 28, 28)), "up to 60000"),
    "huge image": (idx(ONE, (1, 2**32 - 1, 2**32 - 1)), "expected up to"),
    "promises 47 MB": (idx(ONE, (60000, 28, 28)), "only 1"),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("case", BAD_IDX)
def test_bad_idx_is_refused_without_taking_memory(tmp_path, case, pack):
    data, message = BAD_IDX[case]
    path = tmp_path / "file"
    path.write_bytes(pack(data))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as error:
            read_idx(path, (28, 28), 60000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in str(error.value)
    assert peak < 2 << 20


def test_good_idx(tmp_path):
    for pack in (bytes, gzip.compress):
        (tmp_path / "file").write_bytes(pack(GOOD))
        read = read_idx(tmp_path / "file", (28, 28), 60000)
        assert np.array_equal(read, images(5)) and read.flags.writeable


def test_a_bomb_is_not_expanded(tmp_path):
    bomb = gzip.compress(GOOD + bytes(300 << 20), compresslevel=1)
    assert len(bomb) < 4 << 20
    (tmp_path / "bomb.gz").write_bytes(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="there are more"):
            read_idx(tmp_path / "bomb.gz", (28, 28), 60000)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def damaged(position, value=None):
    data = bytearray(gzip.compress(GOOD))
    data[position] = data[position] ^ 0xFF if value is None else value
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(GOOD)[:-9],
        gzip.compress(GOOD)[:20],
        gzip.compress(GOOD)[:2],
        damaged(-1),
        damaged(-6),
        damaged(40),
        damaged(2, 99),
        b"\x1f\x8b" + bytes(100),
    ],
)
def test_damaged_gzip(tmp_path, data):
    (tmp_path / "x.gz").write_bytes(data)
    with pytest.raises(ValueError, match=r"x\.gz"):
        read_idx(tmp_path / "x.gz", (28, 28), 60000)


def test_random_damage_never_passes_unseen(tmp_path):
    rng = np.random.default_rng(0)
    path, whole = tmp_path / "x.gz", gzip.compress(GOOD, mtime=0)
    for _ in range(200):
        data = bytearray(whole)
        # Behind the ten bytes of gzip's own header, whose date nobody checks.
        data[rng.integers(10, len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(data))
        with pytest.raises(ValueError, match=r"x\.gz"):
            read_idx(path, (28, 28), 60000)


def test_random_headers_and_lengths(tmp_path):
    rng = np.random.default_rng(1)
    path = tmp_path / "x"
    for i in range(300):
        data = bytearray(GOOD)
        data[rng.integers(16)] = rng.integers(256)
        path.write_bytes(data[: rng.integers(len(data)) if i % 3 == 0 else None])
        try:
            assert np.array_equal(read_idx(path, (28, 28), 60000), images(5))
        except ValueError as error:
            assert str(path) in str(error)


def test_images_and_labels_must_belong_together(nowhere):
    folder = write_set(nowhere / "cache" / "veem" / "mnist", n=4)
    path = folder / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx(labels(5))))
    with pytest.raises(ValueError, match=r"4 images and .* 5 labels"):
        datasets.MNIST()
    path.write_bytes(gzip.compress(idx(labels(4) + 8)))
    with pytest.raises(ValueError, match="label 11 is none of the 10"):
        datasets.MNIST()


# ---- downloads ----------------------------------------------------------------------


class Server:
    """A mirror on this machine that can break off, lie, or not know what Range is."""

    def __init__(self, files, ranges=True, cut=None, status=None):
        self.requests, outer = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                wanted = self.headers.get("Range")
                outer.requests.append((self.path[1:], wanted))
                data = files.get(self.path[1:])
                if status or data is None:
                    return self.send_error(status or 404)
                start = int(wanted[6:-1]) if wanted and ranges else 0
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                self.wfile.write(data[start : None if start else cut])

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serve(monkeypatch):
    started = []
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)

    def start(*args, **kwargs):
        started.append(Server(*args, **kwargs))
        return started[-1]

    yield start
    for server in started:
        server.close()


DATA = bytes(range(256)) * 1000
SUM = hashlib.sha256(DATA).hexdigest()


def fetch(folder, *mirrors):
    urls = [f"{mirror.url}f" for mirror in mirrors]
    return downloads.download("f", urls, folder, len(DATA), SUM)


def test_download(tmp_path, serve, capfd):
    path = fetch(tmp_path / "new", serve({"f": DATA}))
    assert path == tmp_path / "new" / "f" and path.read_bytes() == DATA
    assert os.listdir(tmp_path / "new") == ["f"]
    assert "100" in capfd.readouterr().err


def test_percent_without_tqdm(tmp_path, serve, capfd, monkeypatch):
    monkeypatch.setattr(downloads.importlib.util, "find_spec", lambda name: None)
    fetch(tmp_path, serve({"f": DATA}))
    assert "f: 100 %" in capfd.readouterr().err


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_goes_on(tmp_path, serve, ranges):
    (tmp_path / "f.part").write_bytes(DATA[:1000])
    server = serve({"f": DATA}, ranges=ranges)
    assert fetch(tmp_path, server).read_bytes() == DATA
    assert server.requests == [("f", "bytes=1000-")]


def test_the_next_mirror_takes_over_where_one_broke_off(tmp_path, serve):
    first, second = serve({"f": DATA}, cut=5000), serve({"f": DATA})
    assert fetch(tmp_path, first, second).read_bytes() == DATA
    assert second.requests == [("f", "bytes=5000-")]


def test_wrong_contents_are_thrown_away(tmp_path, serve):
    first, second = serve({"f": DATA[::-1]}), serve({"f": DATA})
    assert fetch(tmp_path, first, second).read_bytes() == DATA
    assert second.requests == [("f", None)]


def test_every_reason_is_named(tmp_path, serve):
    closed = serve({})
    closed.close()
    mirrors = [serve({}), serve({}, status=503), serve({"f": DATA[::-1]}), closed]
    with pytest.raises(RuntimeError, match=r"404.*503.*checksum.*refused"):
        fetch(tmp_path, *mirrors)
    assert os.listdir(tmp_path) == []


def test_a_server_that_never_stops(tmp_path, serve):
    server = serve({"f": DATA + bytes(50 << 20)})
    assert fetch(tmp_path, server).read_bytes() == DATA


def test_mnist_downloads_into_the_cache(nowhere, serve, monkeypatch):
    source = write_set(nowhere / "source", n=6)
    files = {name: (source / name).read_bytes() for name in NAMES}
    known = {n: (len(b), hashlib.sha256(b).hexdigest()) for n, b in files.items()}
    server = serve(files)
    mirrors = on_mirrors([serve({}).url, server.url], NAMES)
    monkeypatch.setattr(datasets.MNIST.published, "files", known)
    monkeypatch.setattr(datasets.MNIST.published, "urls", mirrors)
    assert len(datasets.MNIST(download=True)) == 6
    assert len(datasets.MNIST(download=True)) == 6  # from the cache
    assert len(server.requests) == 2
    assert len(datasets.MNIST(nowhere / "root", train=False, download=True)) == 6
    assert (nowhere / "root" / "MNIST" / "raw" / NAMES[2]).is_file()


def test_handwriting_without_data_or_network(nowhere, serve, monkeypatch):
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    nobody = on_mirrors([serve({}).url], NAMES)
    monkeypatch.setattr(datasets.MNIST.published, "urls", nobody)
    assert [len(d) for d in datasets.handwriting()] == [1437, 360]
    folder = write_set(nowhere / "cache" / "veem" / "mnist", n=6)
    assert [d.name for d in datasets.handwriting()] == ["MNIST", "MNIST"]
    (folder / NAMES[2]).unlink()  # never one of each
    assert [d.name for d in datasets.handwriting()] == ["Digits", "Digits"]


# ---- the real things ----------------------------------------------------------------


def test_digits():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    train, test = datasets.Digits(), datasets.Digits(train=False)
    assert train.data.shape == (1437, 8, 8) and test.data.shape == (360, 8, 8)
    assert train.data.dtype == veem.uint8 and train.data.numpy().max() == 255
    assert np.bincount(train.targets.numpy()).min() > 100
    x, _ = train.tensors()
    assert abs(x.numpy().mean()) < 1e-3 and abs(x.numpy().std() - 1) < 1e-3
    assert repr(test) == "Digits: 360 test images of 8 x 8"


def test_real_mnist():
    if not os.environ.get("VEEM_DATA"):
        pytest.skip("VEEM_DATA names no folder with the real files")
    train, test = datasets.MNIST(), datasets.MNIST(train=False)
    assert 1000 <= len(train) <= 60000 and len(test) == 10000
    assert test.targets.tolist()[:10] == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    x, _ = train.tensors()
    assert abs(x.numpy().mean()) < 0.02 and abs(x.numpy().std() - 1) < 0.02
