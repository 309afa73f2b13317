"""Files of PyTorch before 1.6: pickles, one after the other, then the storages' bytes.

The pickles are a magic number, a version, facts about the writer, the object, and the
keys of the storages in the order in which their bytes follow, each after its length.
"""

import struct
import sys

from veem.storage import UntypedStorage

from .archive import fill
from .machine import Machine
from .rebuild import StorageKind, TypedStorage
from .words import brief, need

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001


class Bounded:
    """A file that is never asked for more than it has."""

    def __init__(self, file):
        self.file, self.tell, self.seek = file, file.tell, file.seek
        start = file.tell()
        self.end = file.seek(0, 2)
        file.seek(start)

    def left(self):
        return self.end - self.tell()

    def read(self, count=-1):
        return self.file.read(self.left() if count < 0 else min(count, self.left()))

    def readline(self):
        return self.file.readline(self.left())

    def readinto(self, memory):
        data = self.read(len(memory))
        memory[: len(data)] = data
        return len(data)


def load(file, restore, new_unpickler):
    """new_unpickler(file, persistent_load): what reads the pickle of the object."""
    file = Bounded(file)
    _check_head(file)
    storages = _Storages(file.left(), restore)
    result = new_unpickler(file, storages.load).load()
    keys = Machine(file).load()
    need(isinstance(keys, list), "no list of storages:", keys)
    for key in keys:
        storages.fill(key, file)
    need(storages.all_filled(), "the file has not all storages that it refers to")
    return result


def _check_head(file):
    start = file.tell()
    is_tar = file.read(262).endswith(b"ustar")
    file.seek(start)
    if is_tar:
        raise RuntimeError(
            "a tar file of PyTorch before 0.1.10; load it with a PyTorch of that time "
            "and save it again"
        )
    try:
        magic = Machine(file).load()
    except Exception:
        magic = None
    if magic != _MAGIC:
        raise RuntimeError("not a file of veem.save or torch.save, or a truncated one")
    version = Machine(file).load()
    if version != _VERSION:
        raise RuntimeError(f"invalid protocol version: {brief(version)}")
    facts = Machine(file).load()
    need(isinstance(facts, dict), "no facts about the writer:", facts)
    if not facts.get("little_endian", True) == (sys.byteorder == "little"):
        raise RuntimeError("the file was written on a machine of other byte order")


class _Storages:
    """Storages that the object refers to, made before their bytes are read."""

    def __init__(self, room, restore):
        self.room, self.restore = room, restore
        self.made: dict = {}  # key -> the bytes on the CPU, the storage, its dtype
        self.views: dict = {}
        self.filled: set = set()

    def load(self, saved):
        need(isinstance(saved, tuple) and len(saved) > 1, "unknown reference:", saved)
        if saved[0] == "module":  # a class, with its source
            return saved[1]
        need(saved[0] == "storage" and len(saved) == 6, "unknown storage:", saved)
        _, kind, key, location, count, view = saved
        need(isinstance(kind, StorageKind) and kind.dtype, "unknown storage:", saved)
        need(type(count) is int and count >= 0, "unknown storage:", saved)
        named = isinstance(key, str) and isinstance(location, str)
        need(named, "unknown storage:", saved)
        need(view is None, "views of storages, as PyTorch before 0.4 had them")
        if key not in self.made:
            self.room -= count * kind.dtype.itemsize
            need(self.room >= 0, f"storage {key} is longer than the file")
            here = UntypedStorage(count * kind.dtype.itemsize)
            self.made[key] = here, self.restore(here, location), kind.dtype
        here, placed, dtype = self.made[key]
        need(dtype is kind.dtype, f"storage {key} has two dtypes")
        return TypedStorage(placed, dtype)

    def fill(self, key, file):
        need(isinstance(key, str) and key in self.made, "unknown storage:", key)
        here, placed, dtype = self.made[key]
        (count,) = struct.unpack("<q", file.read(8))
        right = count * dtype.itemsize == here.nbytes()
        need(right, f"storage {key:.40} has another number of elements:", count)
        fill(memoryview(here._bytes.numpy()), file)
        if placed is not here:
            placed.copy_(here)
        self.filled.add(key)

    def all_filled(self):
        return self.filled == self.made.keys()
