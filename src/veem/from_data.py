"""Making tensors from data: numbers, nested lists, arrays, buffers."""

import builtins
import warnings

import numpy as np

from veem import _core
from veem.device import name_of

_NUMBERS = {builtins.bool, int, float}
_NUMPY_NAMES = {
    getattr(_core, name).name: getattr(_core, name)
    for name in "bool uint8 int8 int16 int32 int64 float16 float32 float64".split()
}


# ---- copies --------------------------------------------------------------------------


def tensor(data, *, dtype=None, device=None, requires_grad=False):
    """A new tensor with a copy of `data`: numbers, nested lists, NumPy arrays, tensors.

    Python floats become the default dtype, ints int64, bools bool; arrays, numbers of
    NumPy and tensors keep theirs.
    """
    if isinstance(data, _core.Tensor):
        out = data.detach().clone()
    elif _is_array(data):
        array = np.asarray(data)
        native = array.dtype.newbyteorder("=")
        out = _core.from_numpy(np.array(array, dtype=native, order="C", ndmin=0))
    else:
        kinds = set()
        values = _leaves(data, kinds)
        inferred = _infer(kinds)
        dtype = inferred if dtype is None else _core.promote_types(dtype, dtype)
        out = _core.from_numpy(_values(values, inferred, dtype))
    return _finish(out.to(device=device, dtype=dtype), requires_grad)


def _finish(x, requires_grad):
    return x.requires_grad_() if requires_grad else x


def _is_array(data):
    return hasattr(data, "__array__") and not isinstance(data, type)


def _leaves(data, kinds):
    """The data as nested lists of numbers; adds what they are to `kinds`."""
    if isinstance(data, (list, tuple)):
        types = set(map(type, data))
        if types <= _NUMBERS:  # most of what is long
            kinds |= types
            return data
        return [_leaves(x, kinds) for x in data]
    if isinstance(data, _core.Tensor):
        kinds.add(data.dtype)
        if data.numel() != 1:
            raise ValueError(
                "tensor: only one element tensors can be converted to Python scalars; "
                "use veem.stack for a list of tensors"
            )
        return data.item()
    if _is_array(data):
        array = np.asarray(data)
        if array.dtype.name not in _NUMPY_NAMES:
            _core.from_numpy(array[..., None])  # says what is wrong
        kinds.add(_NUMPY_NAMES[array.dtype.name])
        return array
    if isinstance(data, memoryview):
        return _leaves(data.tolist(), kinds)
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        if not isinstance(data, (str, bytes, dict)):
            return _leaves(list(data), kinds)
    kinds.add(type(data))
    return data


def _infer(kinds):
    """The dtype that all kinds of numbers fit in."""
    known = {builtins.bool: _core.bool, int: _core.int64}
    known[float] = _core.get_default_dtype()
    found = None
    for kind in kinds:
        dtype = kind if isinstance(kind, _core.dtype) else known.get(kind)
        if dtype is None and issubclass(kind, (str, bytes, complex)):
            raise TypeError(f"tensor: invalid data type '{kind.__name__}'")
        if dtype is None:
            raise RuntimeError(f"tensor: could not infer dtype of {kind.__name__}")
        found = dtype if found is None else _core.promote_types(found, dtype)
    return _core.get_default_dtype() if found is None else found


def _values(values, inferred, dtype):
    """An array in the widest dtype of its kind, of numbers that fit in `dtype`."""
    wide = "float64" if inferred.is_floating_point else "int64"
    if dtype.is_floating_point:
        wide = "float64"
    elif inferred is dtype is _core.bool:
        wide = "bool"
    try:
        array = np.array(values, dtype=wide)
    except OverflowError as error:
        if wide == "float64":
            raise
        raise ValueError("tensor: an int does not fit in 64 bits") from error
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"tensor: expected a nested sequence with equal lengths: {error}"
        ) from None
    if not (dtype.is_floating_point or dtype is _core.bool or wide == dtype.name):
        _check_range(array, dtype)
    return array


def _check_range(array, dtype):
    """A number that wraps around is an error; but for uint8, -1 may mean 255."""
    limits = np.iinfo(dtype.name)
    least = limits.min or -limits.max
    if not np.all((array >= least) & (array < float(limits.max) + 1)):
        raise RuntimeError(
            f"tensor: value cannot be converted to type {dtype.name} without overflow"
        )


# ---- sharing memory ------------------------------------------------------------------


def _warn_read_only(what):
    warnings.warn(
        f"The given {what} is not writable, and there are no read-only tensors: "
        "writing to this tensor changes what should not change. Copy it to be safe.",
        UserWarning,
        stacklevel=3,
    )


def from_numpy(array):
    """A CPU tensor that shares the memory of a NumPy array."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected np.ndarray (got {type(array).__name__})")
    if not array.flags.writeable:
        _warn_read_only("NumPy array")
    return _core.from_numpy(array)


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-d tensor that shares the memory of a buffer, such as a bytearray.

    count: how many elements; negative for all. offset: the bytes to skip. The elements
    must lie at a multiple of their size.
    """
    try:
        memory = memoryview(buffer)
    except TypeError:
        raise ValueError(
            f"frombuffer: {type(buffer).__name__} does not implement Python's buffer "
            "protocol"
        ) from None
    if not memory.contiguous:
        raise RuntimeError("frombuffer: the buffer is not contiguous; copy it first")
    bytes_, size = memory.nbytes, dtype.itemsize
    if bytes_ == 0 or count == 0:
        raise ValueError(
            f"frombuffer: both buffer length ({bytes_}) and count ({count}) must not "
            "be 0"
        )
    if not 0 <= offset < bytes_:
        raise ValueError(
            f"frombuffer: offset ({offset} bytes) must be non-negative and no greater "
            f"than buffer length ({bytes_} bytes) minus 1"
        )
    if count < 0 and (bytes_ - offset) % size:
        raise ValueError(
            f"frombuffer: buffer length ({bytes_} bytes) after offset ({offset} bytes) "
            f"must be a multiple of element size ({size})"
        )
    count = (bytes_ - offset) // size if count < 0 else count
    if offset + count * size > bytes_:
        raise ValueError(
            f"frombuffer: requested buffer length ({count} * {size} bytes) after "
            f"offset ({offset} bytes) must not be greater than actual buffer length "
            f"({bytes_} bytes)"
        )
    if memory.readonly:
        _warn_read_only("buffer")
    plain = "int16" if dtype is _core.bfloat16 else dtype.name
    array = np.frombuffer(buffer, plain, count, offset)
    if not array.flags.aligned:
        raise ValueError(
            f"frombuffer: the memory at offset {offset} is no multiple of {size}, so "
            f"its elements can't be {dtype}; copy it first"
        )
    out = _core.from_numpy(array)
    return _finish(_core.bitcast(out, dtype), requires_grad)


def as_tensor(data, dtype=None, device=None):
    """Like tensor(), but shares memory where it can."""
    if isinstance(data, np.ndarray):
        if not data.flags.writeable:
            _warn_read_only("NumPy array")
        data = _core.from_numpy(data)
    if isinstance(data, _core.Tensor):
        return data.to(device=device, dtype=dtype)
    return tensor(data, dtype=dtype, device=device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """A tensor of obj: that itself, or sharing memory with it, where it can.

    obj: a tensor, an array, what has __dlpack__, a buffer (bytes, read as elements of
    the dtype), or numbers. copy: True always copies, False raises where sharing is not
    possible. requires_grad: obj's where not given.
    """
    shared = _shared(obj, dtype)
    if shared is None:
        if copy is False:
            raise ValueError(
                f"asarray: can't alias arbitrary sequence ({type(obj).__name__}) into "
                "a tensor; let copy=None"
            )
        out = tensor(obj, dtype=dtype, device=device)
        return _finish(out, requires_grad)
    place = shared._device_name if device is None else name_of(device)
    moves = place != shared._device_name or dtype not in (None, shared.dtype)
    if copy is False and moves:
        raise ValueError(
            f"asarray: can't alias tensor of dtype '{shared.dtype.name}' on "
            f"{shared._device_name} as {(dtype or shared.dtype).name} on {place}"
        )
    out = shared.to(dtype=dtype, device=device, copy=copy or False)
    if requires_grad is None or requires_grad is out.requires_grad:
        return out
    if not requires_grad or not out.is_leaf:
        out = out.detach()
    return _finish(out, requires_grad)


def _shared(obj, dtype):
    """A tensor over the memory of obj, or None where that cannot be shared."""
    if isinstance(obj, _core.Tensor):
        return obj
    if isinstance(obj, (np.ndarray, np.generic)):
        return as_tensor(obj)
    if hasattr(obj, "__dlpack__"):
        from veem.dlpack import from_dlpack

        return from_dlpack(obj)
    try:
        memoryview(obj)
    except TypeError:
        return None
    return frombuffer(obj, dtype=dtype or _core.get_default_dtype())
