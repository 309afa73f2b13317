"""Making tensors: from data, or filled."""

import math
import numbers

import numpy as np

from veem import _core
from veem.device import name_of


def _finish(x, requires_grad):
    return x.requires_grad_() if requires_grad else x


def _shape(sizes):
    """zeros(2, 3) and zeros((2, 3)) are the same."""
    if len(sizes) == 1 and not isinstance(sizes[0], numbers.Integral):
        return tuple(sizes[0])
    return sizes


def _float_or(dtype):
    return _core.get_default_dtype() if dtype is None else dtype


def _plain_data(data):
    """Nested lists with tensors among them as numbers."""
    if isinstance(data, _core.Tensor):
        return data.tolist()
    if isinstance(data, (list, tuple)):
        return [_plain_data(x) for x in data]
    return data


def _to_array(data):
    if isinstance(data, (np.ndarray, np.generic)):
        return np.asarray(data)
    try:
        array = np.array(_plain_data(data))
    except ValueError as error:
        raise ValueError(
            f"tensor: expected a nested sequence with equal lengths: {error}"
        ) from None
    if array.dtype.kind not in "biuf":
        kind = type(data).__name__
        raise TypeError(
            f"tensor: can't make a tensor of numbers from {kind} {data!r:.60}"
        )
    if array.dtype.kind == "f" or array.size == 0:
        return array.astype(_core.get_default_dtype().name)
    return array


def tensor(data, *, dtype=None, device=None, requires_grad=False):
    """A new tensor with a copy of `data`: numbers, nested lists, NumPy arrays, tensors.

    Python floats become the default dtype, ints int64, bools bool; arrays keep theirs.
    """
    if isinstance(data, _core.Tensor):
        out = data.detach().clone()
    else:
        array = _to_array(data)
        native = array.dtype.newbyteorder("=")
        out = _core.from_numpy(np.array(array, dtype=native, order="C", ndmin=0))
    return _finish(out.to(device=device, dtype=dtype), requires_grad)


def as_tensor(data, dtype=None, device=None):
    """Like tensor(), but shares memory where it can."""
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    if isinstance(data, _core.Tensor):
        return data.to(device=device, dtype=dtype)
    return tensor(data, dtype=dtype, device=device)


def from_numpy(array):
    """A CPU tensor that shares the memory of a NumPy array."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected np.ndarray (got {type(array).__name__})")
    return _core.from_numpy(array)


def empty(*size, dtype=None, device=None, requires_grad=False):
    """A tensor whose elements are whatever was in memory."""
    x = _core.empty(_shape(size), _float_or(dtype), name_of(device))
    return _finish(x, requires_grad)


def full(size, fill_value, *, dtype=None, device=None, requires_grad=False):
    """A tensor of one value; its type decides the dtype where none is given."""
    if dtype is None:
        kinds = {bool: _core.bool, int: _core.int64}
        dtype = kinds.get(type(fill_value), _core.get_default_dtype())
    x = _core.empty(_shape((size,)), dtype, name_of(device)).fill_(fill_value)
    return _finish(x, requires_grad)


def zeros(*size, dtype=None, device=None, requires_grad=False):
    """A tensor of zeros: zeros(2, 3) or zeros((2, 3))."""
    x = _core.empty(_shape(size), _float_or(dtype), name_of(device)).fill_(0)
    return _finish(x, requires_grad)


def ones(*size, dtype=None, device=None, requires_grad=False):
    """A tensor of ones: ones(2, 3) or ones((2, 3))."""
    x = _core.empty(_shape(size), _float_or(dtype), name_of(device)).fill_(1)
    return _finish(x, requires_grad)


def _like(x, dtype, device):
    """Uninitialised, with x's shape and order in memory; without x's gaps."""
    dtype = dtype or x.dtype
    if device is not None and name_of(device) != x._device_name:
        return _core.empty(x.shape, dtype, name_of(device))
    return _core.ops.empty_like(x, dtype)


def empty_like(input, *, dtype=None, device=None, requires_grad=False):
    """An uninitialised tensor of the input's shape, dtype and device."""
    return _finish(_like(input, dtype, device), requires_grad)


def zeros_like(input, *, dtype=None, device=None, requires_grad=False):
    """Zeros of the input's shape, dtype and device."""
    return _finish(_like(input, dtype, device).fill_(0), requires_grad)


def ones_like(input, *, dtype=None, device=None, requires_grad=False):
    """Ones of the input's shape, dtype and device."""
    return _finish(_like(input, dtype, device).fill_(1), requires_grad)


def full_like(input, fill_value, *, dtype=None, device=None, requires_grad=False):
    """One value in the input's shape, dtype and device."""
    return _finish(_like(input, dtype, device).fill_(fill_value), requires_grad)


def arange(start, end=None, step=1, *, dtype=None, device=None, requires_grad=False):
    """start, start + step, ... up to but not including end; int64 for ints."""
    if end is None:
        start, end = 0, start
    if step == 0:
        raise RuntimeError("arange: step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError(
            "arange: upper bound and lower bound inconsistent with step sign: "
            f"start={start}, end={end}, step={step}"
        )
    ints = all(isinstance(v, numbers.Integral) for v in (start, end, step))
    n = -((start - end) // step) if ints else math.ceil((end - start) / step)
    if dtype is None:
        dtype = _core.int64 if ints else _core.get_default_dtype()
    wide = np.int64 if ints else np.float64
    values = (start + step * np.arange(n, dtype=wide)).astype(dtype.name)
    return tensor(values, device=device, requires_grad=requires_grad)


def linspace(start, end, steps, *, dtype=None, device=None, requires_grad=False):
    """`steps` evenly spaced values from start to end, both included."""
    if steps < 0:
        raise RuntimeError(
            f"linspace: number of steps must be non-negative, got {steps}"
        )
    values = np.linspace(float(start), float(end), steps).astype(_float_or(dtype).name)
    return tensor(values, device=device, requires_grad=requires_grad)


def eye(n, m=None, *, dtype=None, device=None, requires_grad=False):
    """The identity: ones on the diagonal of an (n, m) matrix of zeros."""
    values = np.eye(n, m, dtype=_float_or(dtype).name)
    return tensor(values, device=device, requires_grad=requires_grad)
