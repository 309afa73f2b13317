"""Reading files out of tar archives, good and bad."""

import gzip
import os
import tarfile

import numpy as np
import pytest
from data_files import archive, bounded

from veem.datasets.tar import read_members


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
