"""save and load: PyTorch's file format, both ways.

A file is a zip archive: ``data.pkl`` pickles the object with its tensors' storages left
out, ``data/0``, ``data/1``, ... hold the storages' bytes. Loading never runs code from
a file: only the names in an allow-list are looked up.
"""

import collections
import contextlib
import io
import os
import pickle
import tempfile
import zipfile

import numpy as np

from veem import _core
from veem.device import name_of
from veem.tensor import Size, Tensor

# PyTorch's names for storages by dtype.
STORAGES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
STORAGE_OF = {dtype: name for name, dtype in STORAGES.items()}


class _Global:
    """A name of the reader's, written into the pickle without being imported."""

    def __init__(self, module, name):
        self.module, self.name = module, name

    def __call__(self):
        raise TypeError("only the reader of the pickle calls it")


class _Call:
    """function(*args), made by the reader of the pickle."""

    def __init__(self, function, *args):
        self.reduced = (function, args)

    def __reduce__(self):
        return self.reduced


def _bytes(x):
    """A contiguous tensor's memory as a NumPy array, which has no bfloat16."""
    array = _core.bitcast(x, _core.int16) if x.dtype is _core.bfloat16 else x
    return array.numpy().view(np.uint8)


class _Stored:
    """Stands for a storage, whose bytes go into the archive."""

    def __init__(self, key, whole):
        self.key, self.whole = key, whole
        kind = _Global("torch", STORAGE_OF[whole.dtype.name])
        self.id = ("storage", kind, key, "cpu", whole.numel())


class _Pickler(pickle._Pickler):  # the one in Python, whose save() can be extended
    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages = {}  # address, dtype -> _Stored: tied weights are written once

    def persistent_id(self, obj):
        return obj.id if isinstance(obj, _Stored) else None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, _Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
            return
        if isinstance(obj, _core.dtype):
            return self.save(_Global("torch", obj.name))
        if isinstance(obj, Size):
            obj = _Call(_Global("torch", "Size"), tuple(obj))
        elif isinstance(obj, Tensor):
            obj = self._tensor(obj)
        super().save(obj, save_persistent_id)

    def _tensor(self, x):
        """What rebuilds a tensor: where it lies in which storage."""
        local = x.detach().cpu()
        whole = _core.whole_storage(local)
        key = (whole.data_ptr(), whole.dtype)
        if key not in self.storages:
            self.storages[key] = _Stored(str(len(self.storages)), whole)
        place = (self.storages[key], local.storage_offset(), tuple(local.shape))
        hooks = collections.OrderedDict()
        build = _Global("torch._utils", "_rebuild_tensor_v2")
        flag = x.requires_grad and not type(x).__name__ == "Parameter"
        call = _Call(build, *place, local.stride(), flag, hooks)
        if type(x).__name__ != "Parameter":
            return call
        return _Call(
            _Global("torch._utils", "_rebuild_parameter"), call, x.requires_grad, hooks
        )


def save(obj, f):
    """Writes an object (a tensor, a state_dict, anything that pickles) to a file.

    f: a path or a file object. A path is written under another name, synced, renamed:
    whatever happens, the old file or the new one is there.
    """
    data = io.BytesIO()
    pickler = _Pickler(data)
    pickler.dump(obj)
    with _writing(f) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", data.getvalue())
        archive.writestr("archive/byteorder", "little")
        for stored in pickler.storages.values():
            entry = f"archive/data/{stored.key}"
            archive.writestr(entry, memoryview(_bytes(stored.whole)))
        archive.writestr("archive/version", "3\n")


@contextlib.contextmanager
def _writing(f):
    if hasattr(f, "write"):
        yield f
        return
    path = os.fspath(f)
    handle, temporary = tempfile.mkstemp(
        dir=os.path.dirname(path) or ".", prefix=os.path.basename(path) + "."
    )
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(
            temporary, 0o666 & ~umask
        )  # as open() makes files, not as mkstemp does
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _rebuild_tensor(
    storage, offset, size, stride, requires_grad, hooks=None, meta=None
):
    x = _core.as_strided(storage, tuple(size), tuple(stride), offset)
    return x.requires_grad_(requires_grad)


def _rebuild_parameter(data, requires_grad, hooks=None):
    from veem.nn import Parameter

    return Parameter(data, requires_grad)


class _Kind:
    """A storage class of PyTorch's: a dtype."""

    def __init__(self, dtype):
        self.dtype = dtype


ALLOWED = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): Size,
    ("torch", "device"): name_of,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "Counter"): collections.Counter,
    ("collections", "defaultdict"): collections.defaultdict,
    ("builtins", "set"): set,
    ("builtins", "bytearray"): bytearray,
    **{("torch", name): _Kind(dtype) for name, dtype in STORAGES.items()},
    **{("torch", t): getattr(_core, t) for t in STORAGES.values()},
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive, prefix, weights_only):
        super().__init__(io.BytesIO(archive.read(f"{prefix}/data.pkl")))
        self.archive, self.prefix, self.weights_only = archive, prefix, weights_only
        self.storages = {}

    def find_class(self, module, name):
        allowed = ALLOWED.get((module.replace("__builtin__", "builtins"), name))
        if allowed is not None:
            return allowed
        if self.weights_only:
            raise pickle.UnpicklingError(
                f"load: the file asks for {module}.{name}, which weights_only=True "
                "does not allow. If you trust the file, load it with "
                "weights_only=False: it can then run any code"
            )
        return super().find_class(module, name)

    def persistent_load(self, saved):
        _kind, dtype, key, _, numel = self._checked(saved)
        if key not in self.storages:
            self.storages[key] = self._read(dtype.dtype, key, numel)
        return self.storages[key]

    def _checked(self, saved):
        if not (isinstance(saved, tuple) and len(saved) == 5 and saved[0] == "storage"):
            raise pickle.UnpicklingError(f"load: unknown persistent id {saved!r:.80}")
        if not isinstance(saved[1], _Kind) or not isinstance(saved[4], int):
            raise pickle.UnpicklingError(f"load: unknown storage {saved!r:.80}")
        return saved

    def _read(self, dtype, key, numel):
        """A storage's bytes; what is claimed must be there before memory is taken."""
        entry = self.archive.getinfo(f"{self.prefix}/data/{key}")
        dtype = getattr(_core, dtype)
        expected = numel * dtype.itemsize
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != expected:
            raise pickle.UnpicklingError(
                f"load: storage {key} should have {expected} plain bytes, the file has "
                f"{entry.file_size}"
            )
        plain = "int16" if dtype is _core.bfloat16 else dtype.name
        array = np.frombuffer(bytearray(self.archive.read(entry)), dtype=plain)
        return _core.bitcast(_core.from_numpy(array), dtype)


def load(f, map_location=None, weights_only=True):
    """Reads what save() or torch.save() wrote.

    map_location: the device for tensors, as a string or device. weights_only: allow
    tensors, containers, numbers only; other objects need False, which trusts the file.
    """
    try:
        archive = zipfile.ZipFile(f)
    except zipfile.BadZipFile:
        raise RuntimeError(
            f"load: {f} is not a zip archive: truncated, or no file of veem.save or "
            "torch.save"
        ) from None
    with archive:
        prefix = _prefix(archive)
        try:
            out = _Unpickler(archive, prefix, weights_only).load()
        except (
            zipfile.BadZipFile,
            KeyError,
            EOFError,
            IndexError,
            ValueError,
        ) as error:
            raise pickle.UnpicklingError(
                f"load: the file is damaged: {error}"
            ) from error
    return out if map_location is None else _moved(out, map_location)


def _prefix(archive):
    for entry in archive.infolist():
        if entry.filename.endswith("/data.pkl"):
            if entry.compress_type != zipfile.ZIP_STORED:
                raise pickle.UnpicklingError("load: data.pkl is compressed")
            return entry.filename[: -len("/data.pkl")]
    raise RuntimeError("load: the archive has no data.pkl: not a file of veem.save")


def _moved(obj, device):
    if isinstance(obj, Tensor):
        return obj.to(device)
    if isinstance(obj, dict):
        return type(obj)((k, _moved(v, device)) for k, v in obj.items())
    if isinstance(obj, (list, tuple)):
        return type(obj)(_moved(v, device) for v in obj)
    return obj
