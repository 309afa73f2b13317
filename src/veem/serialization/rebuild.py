"""What the names in PyTorch's pickles do here. They check what they are given."""

import codecs
import collections
from typing import Any, NamedTuple

from veem import _core
from veem.device import device as Device
from veem.layout import strided
from veem.nn.parameter import Parameter
from veem.storage import UntypedStorage
from veem.tensor import Size, Tensor

from . import arrays
from .names import STORAGES, UNTYPED
from .words import need


class StorageKind(NamedTuple):
    """What torch.FloatStorage and its kin say: a dtype; None for plain bytes."""

    dtype: Any


class TypedStorage(NamedTuple):
    """A storage, as a tensor's pickle refers to it."""

    storage: UntypedStorage
    dtype: Any


def _whole(*numbers):
    return all(type(n) is int for n in numbers)


def tensor(storage, offset, size, stride, requires_grad=False, _hooks=None, meta=None):
    """_rebuild_tensor_v2: the part of a storage that a tensor shows."""
    need(isinstance(storage, TypedStorage), "a tensor without a storage:", storage)
    need(not meta, "a tensor with bits that veem lacks:", meta)
    need(type(requires_grad) is bool, "requires_grad is", requires_grad)
    return _part(storage.storage, storage.dtype, offset, size, stride).requires_grad_(
        requires_grad
    )


def tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, meta=None):
    """The same for dtypes that have no class of storages."""
    need(isinstance(storage, UntypedStorage), "a tensor without a storage:", storage)
    need(isinstance(dtype, _core.dtype), "no dtype:", dtype)
    typed = TypedStorage(storage, dtype)
    return tensor(typed, offset, size, stride, requires_grad, hooks, meta)


def _part(storage, dtype, offset, size, stride):
    lists = isinstance(size, tuple) and isinstance(stride, tuple)
    need(lists and len(size) == len(stride), "sizes and strides:", size, stride)
    need(_whole(offset, *size, *stride), "no whole numbers:", offset, size, stride)
    need(min((offset, *size, *stride)) >= 0, "negative:", offset, size, stride)
    held = storage.nbytes() // dtype.itemsize
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    need(
        last < held or 0 in size,
        f"a tensor leaves its storage of {held} elements; sizes, strides, offset:",
        *(size, stride, offset),
    )
    return storage.view(dtype, size, stride, offset)


def parameter(data, requires_grad, _hooks=None):
    need(isinstance(data, Tensor), "a parameter without data:", data)
    return Parameter(data, requires_grad)


def parameter_with_state(data, requires_grad, hooks, state):
    return _with(parameter(data, requires_grad, hooks), state)


def of_type(build, cls, args, state):
    """_rebuild_from_type_v2: a tensor with attributes, or of a class of its own."""
    need(build in BUILDERS, "a tensor is not made by", build)
    need(isinstance(cls, type) and issubclass(cls, Tensor), "no class of tensors:", cls)
    made = build(*args)
    if type(made) is not cls:
        made = Tensor._make_subclass(cls, made, made.requires_grad)
    return _with(made, state)


def _with(x, state):
    need(isinstance(state, dict), "no attributes:", state)
    need(all(isinstance(name, str) for name in state), "no names of attributes")
    x.__dict__.update(state)
    return x


def size(items):
    need(isinstance(items, (tuple, list)) and _whole(*items), "no sizes:", items)
    return Size(items)


def device(kind, index=None):
    known = isinstance(kind, str) and (index is None or type(index) is int)
    need(known, "no device:", kind, index)
    place = Device(kind, index)
    return Device("metal") if place.type == "mps" else place


def layout(name):
    need(name == "torch.strided", "veem's tensors are dense, not", name)
    return strided


def encoded(text, encoding="latin1"):
    """Pickles of protocol 2 have bytes as text."""
    known = isinstance(text, str) and encoding in ("latin1", "ascii", "utf-8")
    need(known, "bytes in the encoding", encoding)
    return codecs.encode(text, encoding)


def no_bytes(*args):
    need(args == (), "bytes that are written otherwise:", args)
    return b""


def byte_array(*args):
    # bytearray(10**12) would take that much memory.
    need(args[:1] == () or isinstance(args[0], (bytes, str)), "no bytes:", args)
    return bytearray(*args)


def check_key(key):
    """Refuses keys of dicts and sets that nobody has, but that take a stack of any
    depth or an age to hash: tuples in tuples in tuples."""
    todo, seen = [key], 0
    while todo:
        seen += 1
        need(seen < 1000, "a key of more than 1000 parts")
        part = todo.pop()
        if isinstance(part, (tuple, frozenset)):
            need(len(part) < 1000, "a key of more than 1000 parts")
            todo += part


def of_keys(cls):
    """cls(keys) or cls(key and value pairs), keys checked."""

    def make(*args):
        need(len(args) < 2, "too many arguments:", len(args))
        for items in args:
            need(isinstance(items, (list, tuple, dict, set)), "no items:", items)
            if isinstance(items, (list, tuple)):  # the keys of others were checked
                for item in items:
                    check_key(item[0] if cls is collections.OrderedDict else item)
        return cls(*args)

    return make


BUILDERS = (tensor, tensor_v3, parameter, parameter_with_state)
FUNCTIONS = {
    "torch._utils._rebuild_tensor": tensor,
    "torch._utils._rebuild_tensor_v2": tensor,
    "torch._utils._rebuild_tensor_v3": tensor_v3,
    "torch._utils._rebuild_parameter": parameter,
    "torch._utils._rebuild_parameter_with_state": parameter_with_state,
    "torch._tensor._rebuild_from_type_v2": of_type,
    "torch.serialization._get_layout": layout,
    "torch.Size": size,
    "torch.device": device,
    "_codecs.encode": encoded,
    "builtins.bytearray": byte_array,
    "builtins.bytes": no_bytes,
    "builtins.complex": complex,
    "builtins.set": of_keys(set),
    "builtins.frozenset": of_keys(frozenset),
    "collections.OrderedDict": of_keys(collections.OrderedDict),
    "collections.Counter": of_keys(collections.Counter),
    **arrays.FUNCTIONS,
}
VALUES = {
    "torch.Tensor": Tensor,
    "torch.nn.parameter.Parameter": Parameter,
    UNTYPED: StorageKind(None),
    **{name: StorageKind(dtype) for name, dtype in STORAGES.items()},
    **{f"torch.{dtype.name}": dtype for dtype in STORAGES.values()},
    **arrays.VALUES,
}
ALLOWED = {**FUNCTIONS, **VALUES}
