"""Tensors in safetensors files, by the package of that name (pip install safetensors).

Such a file holds named tensors and nothing else. The functions are those of
`safetensors.torch`, for veem's tensors; `safetensors.safe_open` reads the metadata.
"""

import contextlib
import math
import mmap
import os
import struct

import numpy as np

from veem import _core
from veem.device import name_of
from veem.serialization.atomic import replacing
from veem.storage import UntypedStorage
from veem.tensor import Tensor

DTYPES = {
    "F64": _core.float64,
    "F32": _core.float32,
    "F16": _core.float16,
    "BF16": _core.bfloat16,
    "I64": _core.int64,
    "I32": _core.int32,
    "I16": _core.int16,
    "I8": _core.int8,
    "U8": _core.uint8,
    "BOOL": _core.bool,
}


def save_file(tensors, filename, metadata=None):
    """Writes a dict {name: tensor} to a file, which appears as a whole or not at all.

    metadata: a dict of strings, kept beside the tensors. The format has neither strides
    nor storages: ValueError for a tensor that is not contiguous, RuntimeError for
    tensors that share memory.
    """
    with _package("save_file", filename) as package:
        specs, _kept = _specs("save_file", tensors, package)
        with replacing(filename, "save_file") as name:
            package.serialize_file(specs, name, metadata=metadata)


def save(tensors, metadata=None):
    """The same as bytes."""
    with _package("save", "the tensors") as package:
        specs, _kept = _specs("save", tensors, package)
        return bytes(package.serialize(specs, metadata=metadata))


def load_file(filename, device="cpu"):
    """The dict {name: tensor} in a file.

    On the CPU the file is mapped into memory: what is used is read when it is used, and
    changes of the tensors stay out of it. Raises safetensors.SafetensorError where the
    file is damaged.
    """
    with _package("load_file", filename) as package:
        # The package checks that the tensors fill the file, one after the other.
        with package.safe_open(os.fspath(filename), framework="np") as file:
            slices = {name: file.get_slice(name) for name in file.offset_keys()}
            facts = {n: (s.get_dtype(), s.get_shape()) for n, s in slices.items()}
    with open(filename, "rb") as file:
        (header,) = struct.unpack("<Q", file.read(8))
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    tensors, begin = {}, 8 + header
    for name, (code, shape) in facts.items():
        dtype = _dtype(code, f"load_file: {filename}: {name}")
        size = math.prod(shape) * dtype.itemsize
        data = np.frombuffer(memory, np.uint8, size, begin)
        tensors[name] = _tensor(data, dtype, shape).to(name_of(device))
        begin += size
    return tensors


def load(data):
    """The dict {name: tensor} in bytes that save() gave."""
    with _package("load", "the data") as package:
        parts = package.deserialize(data)
    tensors = {}
    for name, part in parts:
        dtype = _dtype(part["dtype"], f"load: {name}")
        memory = np.frombuffer(bytearray(part["data"]), np.uint8)
        tensors[name] = _tensor(memory, dtype, part["shape"])
    return tensors


@contextlib.contextmanager
def _package(op, name):
    """The package; its errors name the function and the file."""
    try:
        import safetensors
    except ImportError:
        raise ImportError(
            f"{op}: files of this kind need a package: pip install 'veem[safetensors]'"
        ) from None
    try:
        yield safetensors
    except safetensors.SafetensorError as error:
        raise type(error)(f"{op}: {name}: {error}") from error


def _dtype(code, what):
    if code not in DTYPES:
        raise TypeError(f"{what} has the dtype {code}, which veem has not")
    return DTYPES[code]


def _tensor(data, dtype, shape):
    if data.ctypes.data % dtype.itemsize:  # after a header of odd length
        data = data.copy()
    whole = UntypedStorage.of(_core.from_numpy(data))
    strides = [math.prod(shape[i + 1 :]) or 1 for i in range(len(shape))]
    return whole.view(dtype, shape, strides)


def _specs(op, tensors, package):
    """What the package wants to know of each tensor, and what must live until then."""
    _check(op, tensors)
    kept = {name: x.detach().cpu() for name, x in tensors.items()}
    specs = {
        name: package.TensorSpec(
            dtype=x.dtype.name,
            shape=list(x.shape),
            data_ptr=x.data_ptr(),
            data_len=x.nbytes,
        )
        for name, x in kept.items()
    }
    return specs, kept


def _check(op, tensors):
    if not isinstance(tensors, dict):
        raise ValueError(f"{op}: expected a dict of tensors, got a {type(tensors)}")
    for name, x in tensors.items():
        if not isinstance(x, Tensor):
            raise ValueError(f"{op}: {name!r} should be a tensor, it is a {type(x)}")
    spans = sorted(
        (*_span(x), x._device_name, name) for name, x in tensors.items() if x.nbytes
    )
    for (_, end, place, name), (begin, _, other, second) in zip(spans, spans[1:]):
        if place == other and begin < end:
            raise RuntimeError(
                f"{op}: {name!r} and {second!r} share memory, which the format does "
                "not know: they would be apart when loaded; save one, or a clone()"
            )
    for name, x in tensors.items():
        if not x.is_contiguous():
            raise ValueError(
                f"{op}: {name!r} is not contiguous (strides {x.stride()}), which the "
                "format does not know; save .contiguous() of it"
            )


def _span(x):
    """The memory from a tensor's first element to its last."""
    last = sum((n - 1) * step for n, step in zip(x.shape, x.stride()))
    return x.data_ptr(), x.data_ptr() + (last + 1) * x.itemsize
