"""What x[index] may be made of besides numbers, slices, None, ..., bools and tensors.

Those are native. Lists, NumPy's arrays and numbers, 0-d and uint8 tensors come here and
are made into them.
"""

import builtins
import warnings

import numpy as np

from veem import _core


def normalize(x, index):
    """The index as PyTorch reads it, in terms of what is native."""
    if _is_like_tuple(index):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated; "
            "use x[tuple(seq)] instead of x[seq]",
            UserWarning,
            stacklevel=2,
        )
        index = tuple(index)
    if isinstance(index, tuple):
        return tuple(_item(x, i) for i in index)
    return _item(x, index)


def _is_like_tuple(index):
    """PyTorch's rule: a short list with a sequence, a slice, None or ... in it."""
    if not isinstance(index, list) or len(index) >= 32:
        return False
    parts = (_core.Tensor, np.ndarray, list, tuple, range, str, builtins.slice)
    return any(isinstance(i, parts) or i is None or i is ... for i in index)


def _item(x, i):
    if i is None or i is ... or isinstance(i, (builtins.slice, bool)):
        return i
    if isinstance(i, np.bool_):
        return bool(i)
    if isinstance(i, (list, tuple, range, np.ndarray)):
        i = _from_array(np.asarray(i))
    if isinstance(i, _core.Tensor):
        return _tensor(i)
    if hasattr(type(i), "__index__"):
        return i.__index__()
    raise (TypeError if isinstance(i, str) else IndexError)(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte "
        f"Variables are valid indices (got {type(i).__name__})"
    )


def _from_array(a):
    if a.size == 0 or (a.dtype.kind in "iu" and a.dtype != np.uint8):
        a = a.astype(np.int64)
    return _core.from_numpy(a)


def _tensor(i):
    if i.dtype == _core.uint8:
        warnings.warn(
            "indexing with dtype veem.uint8 is now deprecated, please use a dtype "
            "veem.bool instead",
            UserWarning,
            stacklevel=5,
        )
        i = i.bool()
    if i.dtype not in (_core.bool, _core.int64, _core.int32):
        raise IndexError(
            "tensors used as indices must be long, int, byte or bool tensors, not "
            f"{i.dtype.name}"
        )
    return i if i.ndim else i.item()


_core.register_indexing(normalize)
