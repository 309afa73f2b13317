"""Making tensors that are filled: with ones, a range, whatever was in memory."""

import builtins
import math
import numbers
import warnings

import numpy as np

from veem import _core
from veem.device import name_of
from veem.from_data import as_tensor, from_numpy, tensor  # noqa: F401
from veem.layout import check_format, check_layout


def _finish(x, requires_grad):
    return x.requires_grad_() if requires_grad else x


def _shape(sizes):
    """zeros(2, 3) and zeros((2, 3)) are the same."""
    if len(sizes) == 1 and not isinstance(sizes[0], numbers.Integral):
        return tuple(sizes[0])
    return sizes


def _float_or(dtype):
    return _core.get_default_dtype() if dtype is None else dtype


def resized(name, out, shape):
    """out, which has got another shape if it had not this one."""
    if out.shape != shape:
        if out.numel():
            warnings.warn(
                f"{name}: an output with one or more elements was resized from shape "
                f"{list(out.shape)} to {list(shape)}",
                stacklevel=4,
            )
        out.data = out.new_empty(shape)
    return out


def _new(
    op,
    sizes,
    size=None,
    out=None,
    dtype=None,
    device=None,
    layout=None,
    pin_memory=False,
):
    """Memory for new numbers: of `out` where that is given, which takes the shape.

    The options of all functions below. pin_memory has nothing to pin, and changes
    nothing.
    """
    check_layout(op, layout)
    shape = _shape(sizes if size is None else (size,))
    if out is None:
        return _core.empty(shape, _float_or(dtype), name_of(device))
    if dtype not in (None, out.dtype):
        raise RuntimeError(
            f"{op}: dtype {dtype} does not match dtype of out parameter ({out.dtype})"
        )
    return resized(op, out, shape)


def empty(*sizes, requires_grad=False, memory_format=None, **options):
    """A tensor whose elements are whatever was in memory: empty(2, 3), empty((2, 3)).

    options, here and below: size, dtype, device, out, layout, pin_memory.
    """
    check_format("empty", memory_format)
    return _finish(_new("empty", sizes, **options), requires_grad)


def full(size, fill_value, *, dtype=None, out=None, requires_grad=False, **options):
    """A tensor of one value; its type decides the dtype where none is given."""
    if dtype is None and out is None:
        kinds = {bool: _core.bool, int: _core.int64}
        dtype = kinds.get(type(fill_value), _core.get_default_dtype())
    x = _new("full", (size,), dtype=dtype, out=out, **options).fill_(fill_value)
    return _finish(x, requires_grad)


def zeros(*sizes, requires_grad=False, **options):
    """A tensor of zeros: zeros(2, 3) or zeros((2, 3))."""
    return _finish(_new("zeros", sizes, **options).fill_(0), requires_grad)


def ones(*sizes, requires_grad=False, **options):
    """A tensor of ones: ones(2, 3) or ones((2, 3))."""
    return _finish(_new("ones", sizes, **options).fill_(1), requires_grad)


def _like(x, dtype=None, device=None, layout=None, memory_format=None):
    """Uninitialised, with x's shape and order in memory; without x's gaps."""
    check_layout("like", layout)
    check_format("like", memory_format)
    dtype = dtype or x.dtype
    if device is not None and name_of(device) != x._device_name:
        return _core.empty(x.shape, dtype, name_of(device))
    return _core.ops.empty_like(x, dtype)


def empty_like(input, *, requires_grad=False, **kwargs):
    """An uninitialised tensor of the input's shape, dtype and device.

    They, zeros_like and the others, take dtype, device, layout and memory_format.
    """
    return _finish(_like(input, **kwargs), requires_grad)


def zeros_like(input, *, requires_grad=False, **kwargs):
    """Zeros of the input's shape, dtype and device."""
    return _finish(_like(input, **kwargs).fill_(0), requires_grad)


def ones_like(input, *, requires_grad=False, **kwargs):
    """Ones of the input's shape, dtype and device."""
    return _finish(_like(input, **kwargs).fill_(1), requires_grad)


def full_like(input, fill_value, *, requires_grad=False, **kwargs):
    """One value in the input's shape, dtype and device."""
    return _finish(_like(input, **kwargs).fill_(fill_value), requires_grad)


def _number(x):
    return x.item() if isinstance(x, _core.Tensor) else x


def _arange_length(start, end, step, whole):
    """How many; whole numbers exactly, others with a float64's care, as in PyTorch."""
    if not all(map(math.isfinite, (start, end))):
        raise RuntimeError(f"arange: unsupported range: {start} -> {end}")
    if step == 0:
        raise RuntimeError("arange: step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError(
            "arange: upper bound and lower bound inconsistent with step sign: "
            f"start={start}, end={end}, step={step}"
        )
    if not whole:
        return math.ceil((end - start) / step)
    start, end, step = int(start), int(end), int(step)
    if step == 0:
        raise ValueError("arange: step must be nonzero, also as an integer")
    return max(-((start - end) // step), 0)


def arange(start, end=None, step=1, *, dtype=None, requires_grad=False, **options):
    """start, start + step, ... up to but not including end; int64 for ints."""
    if end is None:
        start, end = 0, start
    start, end, step = map(_number, (start, end, step))
    dtype = _asked_for(dtype, **options)
    if dtype is None:
        whole = all(isinstance(v, numbers.Integral) for v in (start, end, step))
        dtype = _core.int64 if whole else _core.get_default_dtype()
    n = _arange_length(start, end, step, dtype == _core.int64)
    if not dtype.is_floating_point:
        start, step = int(start), int(step)
    wide = np.float64 if dtype.is_floating_point else np.int64
    values = start + step * np.arange(n, dtype=wide)
    return _from_values("arange", values, dtype, requires_grad, **options)


def range(start=0, end=None, step=1, *, dtype=None, requires_grad=False, **options):
    """start, start + step, ... up to end, which is included where it is met."""
    if end is None:
        start, end = 0, start
    dtype = _float_or(_asked_for(dtype, **options))
    n = _arange_length(start, end, step, False)
    n = math.floor((end - start) / step) + 1
    values = start + step * np.arange(n, dtype=np.float64)
    return _from_values("range", values, dtype, requires_grad, **options)


def _asked_for(dtype, out=None, **_):
    """The dtype that is named, or that of the tensor to fill, or None."""
    return out.dtype if dtype is None and out is not None else dtype


def _from_values(
    op,
    values,
    dtype,
    requires_grad,
    out=None,
    device=None,
    layout=None,
    pin_memory=False,
):
    check_layout(op, layout)
    x = _core.from_numpy(values)
    x = x.to(dtype=dtype, device=device if out is None else None)
    if out is not None:
        x = _new(op, x.shape, out=out, dtype=dtype).copy_(x)
    return _finish(x, requires_grad)


def _check_steps(op, start, end, steps):
    for v in (start, end):
        if isinstance(v, _core.Tensor) and v.ndim:
            raise RuntimeError(
                f"{op} only supports 0-dimensional start and end tensors, but got "
                f"shape {list(v.shape)}"
            )
    if not hasattr(steps, "__index__"):
        raise TypeError(f"{op}: steps must be an int, not {type(steps).__name__}")
    if steps < 0:
        raise RuntimeError(f"{op}: number of steps must be non-negative, got {steps}")


def _even(start, end, steps, dtype):
    """`steps` values from start to end, counted from both ends as PyTorch does."""
    start, end = _number(start), _number(end)
    if steps == 1:
        return np.array([start], np.float64)
    if not dtype.is_floating_point:
        start, end = int(start), int(end)
    i, step = np.arange(steps), (end - start) / max(steps - 1, 1)
    return np.where(i < steps // 2, start + step * i, end - step * (steps - 1 - i))


def linspace(start, end, steps, *, dtype=None, requires_grad=False, **options):
    """`steps` evenly spaced values from start to end, both included."""
    _check_steps("linspace", start, end, steps)
    dtype = _float_or(_asked_for(dtype, **options))
    values = _even(start, end, steps, dtype)
    return _from_values("linspace", values, dtype, requires_grad, **options)


def logspace(
    start, end, steps, base=10.0, *, dtype=None, requires_grad=False, **options
):
    """base to the power of `steps` evenly spaced exponents from start to end."""
    _check_steps("logspace", start, end, steps)
    dtype = _float_or(_asked_for(dtype, **options))
    values = float(base) ** _even(start, end, steps, dtype)
    return _from_values("logspace", values, dtype, requires_grad, **options)


def eye(n, m=None, *, requires_grad=False, **options):
    """The identity: ones on the diagonal of an (n, m) matrix of zeros."""
    for what, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeError(f"eye: {what} must be greater or equal to 0, got {size}")
    x = zeros(n, n if m is None else m, **options).fill_diagonal_(1)
    return _finish(x, requires_grad)


def scalar_tensor(s, *, dtype=None, device=None, requires_grad=False):
    """A number as a 0-d tensor of the default dtype."""
    return full(
        (), s, dtype=_float_or(dtype), device=device, requires_grad=requires_grad
    )


def empty_strided(size, stride, *, dtype=None, device=None, requires_grad=False):
    """Uninitialised elements, of which [i, j] lies at i stride[0] + j stride[1]."""
    if len(size) != len(stride):
        raise RuntimeError(
            f"empty_strided: mismatch in length of strides {tuple(stride)} and shape "
            f"{tuple(size)}"
        )
    span = 1 + sum((n - 1) * s for n, s in zip(size, stride)) if all(size) else 0
    memory = empty(span, dtype=dtype, device=device)
    out = _core.ops.as_strided(memory, tuple(size), tuple(stride), 0).detach()
    return _finish(out, requires_grad)


def empty_permuted(
    size, physical_layout, *, dtype=None, device=None, requires_grad=False
):
    """Uninitialised elements that lie in memory in another order of dimensions."""
    order = tuple(physical_layout)
    if sorted(order) != list(builtins.range(len(size))):
        raise RuntimeError(
            "empty_permuted: Number of dimensions in size does not match the length of "
            f"the physical_layout, or it names one twice: {tuple(size)}, {order}"
        )
    dense = empty([size[d] for d in order], dtype=dtype, device=device)
    inverse = tuple(order.index(d) for d in builtins.range(len(size)))
    return _finish(_core.ops.permute(dense, inverse).detach(), requires_grad)
