"""PyTorch's container: a zip archive of plain records below one folder.

Each record begins at a multiple of 64 bytes, so that a file mapped into memory can be
used where it lies.
"""

import contextlib
import mmap
import struct
import sys
import zipfile

import numpy as np

from veem import _core
from veem.storage import UntypedStorage

ALIGNMENT = 64
MAGIC = b"PK\x03\x04"
_HEADER = 30  # bytes of a record's header, before its name
_CHUNK = 1 << 20


class Writer(contextlib.AbstractContextManager):
    """Writes records, one after the other: writer.add("data.pkl", pickled)."""

    def __init__(self, file, root="archive"):
        self.zip = zipfile.ZipFile(_From(file), "w", zipfile.ZIP_STORED)
        self.root = root

    def __exit__(self, kind, *error):
        if kind is not None:
            self.zip.fp = None  # which keeps it from ending the half as if it were all
        self.zip.close()

    def add(self, name, data):
        """data: bytes, or what can be seen as such."""
        data = memoryview(data)
        entry = zipfile.ZipInfo(f"{self.root}/{name}")  # dated 1980: same in, same out
        large = data.nbytes * 1.05 > zipfile.ZIP64_LIMIT
        entry.extra = self._padding(_HEADER + len(entry.filename) + 20 * large)
        with self.zip.open(entry, "w", force_zip64=large) as record:
            record.write(data)
        entry.extra = b""  # the table of contents needs none

    def _padding(self, header):
        """A field of a header that is skipped, and ends where the data may begin."""
        used = self.zip.fp.tell() + header + 4
        return struct.pack("<HH", 0x4246, -used % ALIGNMENT) + bytes(-used % ALIGNMENT)


class _From:
    """A file to write, as if it began where it stands now."""

    def __init__(self, file):
        self.file = file
        self.flush = getattr(file, "flush", lambda: None)
        with contextlib.suppress(AttributeError, OSError):
            start = file.tell()
            if file.seekable():
                self.tell = lambda: file.tell() - start
                self.seek = lambda offset: file.seek(start + offset)

    def write(self, data):
        """All of it, where the file takes a part at a time, as those of open(...,
        buffering=0) do."""
        rest = memoryview(data)
        while rest:
            count = self.file.write(rest)
            rest = rest[len(rest) if count is None else count :]
        return len(data)


class Reader:
    """Reads records, after it has checked that the archive holds what they claim.

    No more is ever read than the file is long: records that lie over each other, or
    are compressed, are refused. RuntimeError says what is wrong.
    """

    def __init__(self, file, mapped=False):
        start = file.tell()
        self.left = file.seek(0, 2) - start  # bytes that records may still take
        file.seek(start)
        self.file = file
        self.zip = _opened(file)
        entries = self.zip.infolist()
        if not entries or min(e.header_offset for e in entries) != start:
            raise RuntimeError("the archive does not begin where the file does")
        if len(entries) != len(self.zip.NameToInfo):
            raise RuntimeError("the archive has records of the same name")
        self.root = _root(self.zip)
        self.memory = _mapping(file) if mapped else None
        self.byteorder = self._byteorder()

    def __contains__(self, name):
        return f"{self.root}/{name}" in self.zip.NameToInfo

    def read(self, name):
        with self.zip.open(self._entry(name)) as record:
            return record.read()

    def storage(self, name, itemsize):
        """A record as a storage of the CPU; itemsize: bytes per element."""
        entry = self._entry(name)
        swapped = self.byteorder != sys.byteorder and itemsize > 1
        if self.memory is not None and not swapped:
            begin = self._begin(entry)
            if begin % itemsize == 0:
                part = np.frombuffer(self.memory, np.uint8, entry.file_size, begin)
                return UntypedStorage.of(_core.from_numpy(part))
        storage = UntypedStorage(entry.file_size)
        data = storage._bytes.numpy()
        with self.zip.open(entry) as record:
            fill(memoryview(data), record)
        if swapped:
            whole = data[: len(data) // itemsize * itemsize]
            whole.view(f"u{itemsize}").byteswap(inplace=True)
        return storage

    def size(self, name):
        return self._find(name).file_size

    def _find(self, name):
        if name not in self:
            raise RuntimeError(f"the archive has no record {name:.80}")
        return self.zip.getinfo(f"{self.root}/{name}")

    def _entry(self, name):
        entry = self._find(name)
        plain = entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1
        if not plain or entry.compress_size != entry.file_size:
            raise RuntimeError(f"record {name} is compressed or encrypted")
        self.left -= entry.file_size
        if self.left < 0:
            raise RuntimeError(f"records overlap: there is no room for {name}")
        return entry

    def _begin(self, entry):
        """Where a record's data lies in the file."""
        self.file.seek(entry.header_offset)
        header = self.file.read(_HEADER)
        if len(header) == _HEADER and header.startswith(MAGIC):
            name, extra = struct.unpack("<HH", header[26:])
            begin = entry.header_offset + _HEADER + name + extra
            if begin + entry.file_size <= len(self.memory):
                return begin
        raise RuntimeError(f"record {entry.filename:.80} has no sound header")

    def _byteorder(self):
        order = self.read("byteorder") if "byteorder" in self else b"little"
        if order not in (b"little", b"big"):
            raise RuntimeError(f"unknown byte order {order[:20]!r}")
        return order.decode()


def _opened(file):
    """What zipfile raises for damage varies with Python's version."""
    try:
        return zipfile.ZipFile(file)
    except Exception as error:
        raise RuntimeError(f"no sound zip archive: {error}") from error


def fill(memory, file):
    """Reads as many bytes as the memory has."""
    for start in range(0, len(memory), _CHUNK):
        part = memory[start : start + _CHUNK]
        data = file.read(len(part))
        if len(data) != len(part):
            raise RuntimeError("the data ends too early")
        part[:] = data


def _mapping(file):
    """The file's pages in memory; what is written to them stays in this process."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _root(archive):
    """The folder of all records, which programs may name as they like."""
    for name in archive.namelist():
        root, slash, rest = name.partition("/")
        if slash and rest == "data.pkl":
            return root
    raise RuntimeError("the archive has no data.pkl: it is no file of veem.save")
