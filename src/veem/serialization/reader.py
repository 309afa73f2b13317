"""Reading a file's object: which unpickler, and where its storages come from."""

import io
import sys

from . import legacy, safe
from .archive import MAGIC, Reader
from .machine import Machine
from .rebuild import StorageKind, TypedStorage
from .words import need


def read(file, restore, pickle_module, mapped, options):
    """The object in a binary file; pickle_module: None for the safe machine."""

    def unpickler(source, persistent_load):
        if pickle_module is None:
            return Machine(source, persistent_load)
        return _unpickler(pickle_module, source, persistent_load, options)

    start = file.tell()
    magic = file.read(len(MAGIC))
    file.seek(start)
    if magic == MAGIC:
        return _read_archive(Reader(file, mapped), restore, unpickler)
    if mapped:
        raise RuntimeError(
            "mmap=True is for files in zip format; load it without, and save it again"
        )
    return legacy.load(file, restore, unpickler)


def _read_archive(archive, restore, unpickler):
    if "constants.pkl" in archive:
        raise RuntimeError(
            "a TorchScript archive, which holds a program; save the model's "
            "state_dict() with torch.save instead"
        )
    storages = {}

    def persistent_load(saved):
        need(isinstance(saved, tuple) and len(saved) == 5, "unknown reference:", saved)
        tag, kind, key, location, count = saved
        need(tag == "storage" and isinstance(kind, StorageKind), "unknown:", saved)
        named = isinstance(key, str) and isinstance(location, str)
        need(named and type(count) is int, "unknown storage:", saved)
        itemsize = 1 if kind.dtype is None else kind.dtype.itemsize
        held = archive.size(f"data/{key}")
        need(
            held // itemsize == count,
            f"storage {key:.40} has {held} bytes, which should be elements:",
            count,
        )
        if key not in storages:
            storage = archive.storage(f"data/{key}", itemsize)
            storages[key] = restore(storage, location), itemsize
        storage, known = storages[key]
        need(known == itemsize, f"storage {key} has two dtypes")
        return storage if kind.dtype is None else TypedStorage(storage, kind.dtype)

    return unpickler(io.BytesIO(archive.read("data.pkl")), persistent_load).load()


def _unpickler(pickle_module, source, persistent_load, options):
    """The module's unpickler, which runs code, with PyTorch's names for tensors."""

    class Unpickler(pickle_module.Unpickler):
        def find_class(self, module, name):
            full = safe.full_name(module, name)
            if full in safe.ALLOWED and full.startswith("torch."):
                return safe.ALLOWED[full]
            if not type(sys.modules.get("torch")).__module__.startswith("veem."):
                safe.check_known(full)  # else torch is a name of veem's here
            return super().find_class(module, name)

    Unpickler.persistent_load = staticmethod(persistent_load)
    return Unpickler(source, **options)
