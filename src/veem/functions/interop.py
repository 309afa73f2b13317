"""Doors to NumPy: arrays that share a tensor's memory, and ufuncs of tensors."""

import operator

import numpy as np

from veem import _core
from veem.from_data import from_numpy
from veem.functions.registry import method
from veem.tensor import Tensor

Tensor.__array_priority__ = 1000  # for what asks no __array_ufunc__

# What NumPy's numbers call for their operators.
_OPERATORS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "power": operator.pow,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "left_shift": operator.lshift,
    "right_shift": operator.rshift,
}
_COMPARISONS = {
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}
_OPERATORS |= _COMPARISONS


@method
def numpy(self, *, force=False):
    """A NumPy array that shares the tensor's memory (CPU only).

    force: detach it, copy it to the CPU, or give bfloat16 as float32, where needed.
    """
    if force:
        exact = self.float() if self.dtype is _core.bfloat16 else self
        return _core.to_numpy(exact.detach().cpu())
    if self.dtype is _core.bfloat16:
        raise TypeError(
            "numpy: NumPy has no bfloat16; use x.float().numpy(), which is exact"
        )
    if self.requires_grad:
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use "
            "tensor.detach().numpy() instead."
        )
    if self._device_name != "cpu":
        raise TypeError(
            f"can't convert {self._device_name} device type tensor to numpy. Use "
            "Tensor.cpu() to copy the tensor to host memory first."
        )
    return _core.to_numpy(self)


@method
def tolist(self):
    """The elements as (nested) Python numbers."""
    return self.numpy(force=True).tolist()


@method
def __array__(self, dtype=None, copy=None):
    array = self.numpy()
    if dtype is None or array.dtype == dtype:
        return array.copy() if copy else array
    if copy is False:
        raise ValueError(
            f"__array__: a {array.dtype} tensor as {np.dtype(dtype)} needs a copy; let "
            "copy=None"
        )
    return array.astype(dtype)


@method
def __array_wrap__(self, array, context=None, return_scalar=False):
    """The result of a function of NumPy as a tensor, for those that ask."""
    array = np.asarray(array)
    return from_numpy(array.copy() if min(array.strides, default=0) < 0 else array)


@method
def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
    """np.sin(x), array + x, np.add(x, array): computed by NumPy, given as a tensor.

    Gradients are not known to NumPy, so x must not require them. A number of NumPy's
    and a tensor are a matter of veem's: np.float64(2) * x is 2.0 * x.
    """
    name = ufunc.__name__
    if out is not None and any(isinstance(x, _core.Tensor) for x in out):
        raise TypeError(f"np.{name}: out= must be arrays, not tensors")
    if method == "at" and isinstance(inputs[0], _core.Tensor):
        raise TypeError(f"np.{name}.at: first operand must be array")
    if name in _OPERATORS and method == "__call__" and out is None and not options:
        operands = [x.item() if isinstance(x, np.generic) else x for x in inputs]
        if any(isinstance(x, np.generic) for x in inputs) and _plain(operands):
            return _OPERATORS[name](*operands)

    def array(x):
        return x.numpy(force=name in _COMPARISONS) if isinstance(x, Tensor) else x

    options = {key: array(x) for key, x in options.items()}
    if out is not None:
        options["out"] = out
    result = getattr(ufunc, method)(*map(array, inputs), **options)
    if out is not None or result is None:
        return result
    if isinstance(result, tuple):
        return tuple(map(self.__array_wrap__, result))
    return self.__array_wrap__(result)


def _plain(operands):
    return all(isinstance(x, (Tensor, bool, int, float)) for x in operands)
