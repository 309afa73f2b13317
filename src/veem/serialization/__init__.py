"""save and load: PyTorch's file format, both ways.

A file is a zip archive: ``data.pkl`` pickles the object with its tensors' storages left
out, ``data/0``, ``data/1``, ... hold the storages' bytes. Loading runs no code of a
file's: only the names in an allow-list are looked up (see `machine`).
"""

import contextlib
import io
import os
import pickle
import sys
import warnings
import zipfile

from .archive import MAGIC, Reader, Writer
from .atomic import writing
from .machine import globals_of
from .names import restorer
from .pickler import pickler
from .reader import read
from .safe import (
    ALLOWED,
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)

DEFAULT_PROTOCOL = 2


def save(
    obj,
    f,
    pickle_module=pickle,
    pickle_protocol=DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization=True,
):
    """Writes an object (a tensor, a state_dict, anything that pickles) to a file.

    f: a path, or a file object with write(). At a path, the old file stays until the
    new one is complete and on the disk. Views of one storage share it when loaded.
    pickle_module: pickle, or one with a Pickler in Python. pickle_protocol: 2 to 5.
    """
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError(
            "save: expected 'f' to be string, path, or a file-like object with a "
            f"'write' attribute, got {f!r:.80}"
        )
    if not _use_new_zipfile_serialization:
        raise NotImplementedError("save: files are written in zip format only")
    if pickle_protocol not in range(2, 6):
        raise ValueError(f"save: pickle_protocol is 2 to 5, got {pickle_protocol!r}")
    data = io.BytesIO()
    made = pickler(data, pickle_module, pickle_protocol)
    made.dump(obj)
    with writing(f) as file, Writer(file) as archive:
        archive.add("data.pkl", data.getbuffer())
        archive.add(".format_version", b"1")
        archive.add(".storage_alignment", b"64")
        archive.add("byteorder", sys.byteorder.encode())
        for key, storage in enumerate(made.storages):
            archive.add(f"data/{key}", storage.cpu()._bytes.numpy())
        archive.add("version", b"3\n")


def load(
    f,
    map_location=None,
    pickle_module=None,
    *,
    weights_only=None,
    mmap=None,
    **pickle_load_args,
):
    """Reads what save() or torch.save() wrote.

    f: a path, or a file object with read() and seek(). map_location: where storages go,
    as a device, a dict {location: location}, or a function (storage, location) ->
    storage or None; else to where they were. weights_only: True, unless a pickle_module
    is given, allows tensors, containers, numbers, NumPy's arrays of numbers, and what
    add_safe_globals() allowed; False trusts the file, whose code runs. mmap: map a
    path's file into memory, so that what is used is read when it is used; changes of
    tensors stay out of the file.
    pickle_load_args: for the unpickler of weights_only=False. A path that ends with
    .safetensors is left to veem.safetensors.

    Raises pickle.UnpicklingError for what is not allowed or damaged, RuntimeError for
    a container that is damaged or none; never takes more memory than the file's size
    warrants.
    """
    weights_only = pickle_module is None if weights_only is None else weights_only
    if weights_only and pickle_module is not None:
        raise RuntimeError(
            "load: can not safely load weights when explicit pickle_module is specified"
        )
    is_path = isinstance(f, (str, os.PathLike))
    if is_path and os.fspath(f).endswith(".safetensors"):
        from veem.safetensors import load_file

        return load_file(f, "cpu" if map_location is None else map_location)
    if mmap and not is_path:
        raise ValueError("f must be a file path in order to use the mmap argument")
    if pickle_load_args and weights_only:
        warnings.warn(
            "load: pickle_load_args only work if weights_only=False", stacklevel=2
        )
    module = None if weights_only else pickle_module or pickle
    restore = restorer(map_location)
    with _opened(f) as file, _naming(f, weights_only):
        return read(file, restore, module, bool(mmap), pickle_load_args)


def get_unsafe_globals_in_checkpoint(f):
    """The names that a file asks for and weights_only=True would refuse."""
    with _opened(f) as file, _naming(f, True):
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError("only files in zip format can be looked into")
        file.seek(-len(MAGIC), 1)
        names = globals_of(io.BytesIO(Reader(file).read("data.pkl")))
    return sorted(names - ALLOWED.keys())


@contextlib.contextmanager
def _opened(f):
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            yield file
        return
    for name in ("read", "seek", "tell"):
        if not hasattr(f, name):
            raise AttributeError(
                f"load: '{type(f).__name__}' object has no attribute '{name}'. You can "
                "only load from a path or from a file that is seekable, such as "
                "io.BytesIO(data)"
            )
    yield f


@contextlib.contextmanager
def _naming(f, safe):
    """Errors name the file. Those of code that a file may run are left as they are."""
    name = os.fspath(f) if isinstance(f, (str, os.PathLike)) else repr(f)
    try:
        yield
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f"load: {name}: {error}") from error
    except (zipfile.BadZipFile, RuntimeError) as error:
        if not (safe or type(error) in (zipfile.BadZipFile, RuntimeError)):
            raise
        raise RuntimeError(f"load: {name}: {error}") from error
    except MemoryError:
        raise
    except Exception as error:
        if not safe:
            raise
        raise pickle.UnpicklingError(
            f"load: {name}: the file is damaged ({type(error).__name__}: {error})"
        ) from error
