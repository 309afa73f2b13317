"""How PyTorch programs of all ages make, convert and print tensors.

The types torch.FloatTensor and so on, torch.Tensor(2, 3), x.type("torch.LongTensor"),
x.cuda(), Variable; and names of types, and reprs, that say torch instead of veem.
"""

import numbers
import warnings

import numpy as np

import veem
from veem import _core, return_types
from veem.compat import refused
from veem.compat.modules import lacking
from veem.device import show_metal_as
from veem.layout import memory_format
from veem.tensor import Size, Tensor

DTYPE_OF = {
    "Float": veem.float32,
    "Double": veem.float64,
    "Half": veem.float16,
    "BFloat16": veem.bfloat16,
    "Long": veem.int64,
    "Int": veem.int32,
    "Short": veem.int16,
    "Char": veem.int8,
    "Byte": veem.uint8,
    "Bool": veem.bool,
}
NAME_OF = {dtype: f"{name}Tensor" for name, dtype in DTYPE_OF.items()}


class TensorType:
    """torch.FloatTensor and the like: makes tensors of one dtype, and knows them."""

    def __init__(self, dtype, device="cpu"):
        self.dtype, self.is_cuda = dtype, device == "cuda"
        self.__name__ = NAME_OF[dtype]
        self.__module__ = "torch" if device == "cpu" else f"torch.{device}"

    def __call__(self, *args, device=None):
        if self.is_cuda:
            raise TypeError(
                f"type {self.__module__}.{self.__name__} not available. Torch not "
                "compiled with CUDA enabled."
            )
        return _new(self.dtype, args, device)

    def __instancecheck__(self, x):
        same = isinstance(x, Tensor) and x.dtype is self.dtype
        return same and x.is_cuda == self.is_cuda

    def __repr__(self):
        return f"<class '{self.__module__}.{self.__name__}'>"


def tensor_types(device="cpu"):
    """FloatTensor, LongTensor and so on, by name."""
    return {name: TensorType(dtype, device) for dtype, name in NAME_OF.items()}


def _new(dtype, args, device=None):
    """Tensor(2, 3) is uninitialised, Tensor([2, 3]) has these numbers."""
    if not args:
        return veem.empty(0, dtype=dtype, device=device)
    if len(args) > 1 or isinstance(args[0], (numbers.Integral, Size)):
        if not all(isinstance(n, (numbers.Integral, Size)) for n in args):
            raise TypeError(f"new(): sizes must be ints, but got {args!r:.80}")
        return veem.empty(*args, dtype=dtype, device=device)
    (data,) = args
    if isinstance(data, Tensor):
        if data.dtype is not dtype:
            raise TypeError(f"new(): expected a tensor of {dtype}, got {data.dtype}")
        return data.detach()
    if isinstance(data, (float, str, bytes)) or not hasattr(data, "__len__"):
        raise TypeError(f"new(): data must be a sequence (got {type(data).__name__})")
    if not isinstance(data, np.ndarray):  # of floats, too: LongTensor([1.5]) is [1]
        data = veem.tensor(data)
    return veem.tensor(data, dtype=dtype, device=device)


def _make(cls, *args, device=None):
    first = args[0] if args else None
    dtype = first.dtype if isinstance(first, Tensor) else veem.get_default_dtype()
    data = _new(dtype, args, device)
    return data if cls is Tensor else Tensor._make_subclass(cls, data, False)


class _AnyTensor(type):
    def __instancecheck__(cls, x):
        return isinstance(x, Tensor)


class Variable(metaclass=_AnyTensor):
    """What a tensor with gradients once was: Variable(x) is x, as another object."""

    def __new__(cls, data, requires_grad=False, volatile=None):
        if not isinstance(data, Tensor):
            kind = type(data).__name__
            raise TypeError(f"Variable data has to be a tensor, but got {kind}")
        if volatile is not None:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with "
                "torch.no_grad():` instead.",
                stacklevel=2,
            )
        return data.detach().requires_grad_(requires_grad)


# ---- methods -----------------------------------------------------------------------


def _type(self, dtype=None, non_blocking=False):
    """The type's name; or the tensor in another dtype, type or type's name."""
    place = "" if self._device_name == "cpu" else f"{self.device.type}."
    if dtype is None:
        return f"torch.{place}{NAME_OF[self.dtype]}"
    if isinstance(dtype, str):
        dtype = type_named(dtype)
    if isinstance(dtype, TensorType):
        if dtype.is_cuda:
            return self.cuda().to(dtype.dtype)
        return self.to("cpu", dtype.dtype)
    return self.to(dtype)


def type_named(text):
    """The type that "torch.FloatTensor" or "torch.cuda.LongTensor" names."""
    module, _, name = text.rpartition(".")
    kind = name.removesuffix("Tensor")
    if module not in ("torch", "torch.cuda") or name == kind or kind not in DTYPE_OF:
        raise ValueError(f"invalid type: {text!r}")
    return TensorType(DTYPE_OF[kind], "cuda" if module == "torch.cuda" else "cpu")


def _new_method(self, *args, device=None):
    return _new(self.dtype, args, device or self.device)


def _lacks(self, name):
    if name.startswith("__"):  # protocols that are asked for all the time
        raise AttributeError(f"'Tensor' object has no attribute {name!r}")
    raise AttributeError(lacking(f"torch.Tensor.{name}"))


def apply():
    """Changes veem's classes in this process to what PyTorch programs expect."""
    Tensor.__new__ = staticmethod(_make)
    Tensor.__getattr__ = _lacks
    Tensor.type, Tensor.new = _type, _new_method
    for name, reason in refused.refused_methods():
        setattr(Tensor, name.rpartition(".")[2], refused.Refused(name, reason))
    # What other packages look for in str(type(x)).
    Tensor.__module__, veem.nn.Parameter.__module__ = "torch", "torch.nn.parameter"
    show_metal_as("mps")
    _core.set_dtype_prefix("torch.")
    for cls in (Size, memory_format, return_types.Results):
        cls.__repr__ = _renamed(cls.__repr__)


def _renamed(repr_of):
    return lambda self: repr_of(self).replace("veem.", "torch.", 1)
