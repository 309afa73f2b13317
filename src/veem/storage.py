"""Storages: memory, of which each tensor shows a part."""

import copy
import warnings
import weakref

from veem import _core, ops
from veem.device import name_of, of_name

_known: weakref.WeakValueDictionary = weakref.WeakValueDictionary()  # by their place


class UntypedStorage:
    """The memory of tensors, as bytes: x.untyped_storage().

    All views of a tensor have one storage, and get the same object as long as somebody
    holds it: so pickles and deep copies know what belongs together.

    UntypedStorage(size) has `size` bytes of its own, which may hold anything.
    """

    __slots__ = ("__weakref__", "_bytes")

    def __init__(self, size=0, *, device=None):
        self._bytes = _core.empty((size,), _core.uint8, name_of(device))
        _known[_place(self._bytes)] = self

    @classmethod
    def of(cls, x):
        """The storage of a tensor."""
        none = ops.view_as(_core.as_strided(x, (0,), (1,), 0), _core.uint8)
        whole = _core.whole_storage(none)
        found = _known.get(_place(whole))
        if found is None:
            found = _known[_place(whole)] = cls.__new__(cls)
            found._bytes = whole
        return found

    def view(self, dtype, size, stride, offset=0):
        """A tensor that shows a part of this memory; offset and stride in elements."""
        count = self.nbytes() // dtype.itemsize
        flat = _core.as_strided(self._bytes, (count * dtype.itemsize,), (1,), 0)
        flat = ops.view_as(flat, dtype)
        return _core.as_strided(flat, tuple(size), tuple(stride), offset)

    def nbytes(self):
        return self._bytes.numel()

    size = __len__ = nbytes

    def element_size(self):
        return 1

    def data_ptr(self):
        return self._bytes.data_ptr()

    @property
    def device(self):
        return of_name(self._bytes._device_name)

    def __getitem__(self, i):
        return self._bytes[i].item()

    def __setitem__(self, i, byte):
        self._bytes[i] = byte

    def tolist(self):
        return self._bytes.tolist()

    def fill_(self, byte):
        self._bytes.fill_(byte)
        return self

    def copy_(self, other):
        self._bytes.copy_(other._bytes)
        return self

    def clone(self):
        return UntypedStorage.of(self._bytes.clone())

    def to(self, device):
        """This storage, or a copy of it on another device."""
        return UntypedStorage.of(self._bytes.to(name_of(device)))

    def cpu(self):
        return self.to("cpu")

    def cuda(self, device=None):
        index = device if isinstance(device, int) else None
        return self.to("cuda" if index is None else f"cuda:{index}")

    def __repr__(self):
        return f"veem.UntypedStorage({self.nbytes()} bytes on {self.device})"

    def __deepcopy__(self, memo):
        return memo.setdefault(id(self), self.clone())

    def __reduce__(self):
        data = self._bytes.numpy(force=True).tobytes()
        return _from_bytes, (data, self._bytes._device_name)


def _place(whole):
    return whole._device_name, whole.data_ptr(), whole.numel()


def _from_bytes(data, device):
    storage = UntypedStorage(len(data))
    memoryview(storage._bytes.numpy())[:] = data
    return storage.to(device)


# ---- copies and pickles of tensors --------------------------------------------------


def reduced(x):
    """How to rebuild a tensor, as copy and pickle ask for it: views of one memory stay
    that; history is left behind."""
    warn_of_hooks(x)
    storage = UntypedStorage.of(x)
    place = x.dtype, x.shape, x.stride(), x.storage_offset()
    return rebuild, (type(x), storage, *place, x.requires_grad, state_of(x))


def rebuild(cls, storage, dtype, size, stride, offset, requires_grad, state):
    x = storage.view(dtype, size, stride, offset)
    x = cls._make_subclass(cls, x, requires_grad)
    x.__dict__.update(state)
    return x


def state_of(x):
    """What a program has set on a tensor: x.tag = 1."""
    return {k: v for k, v in x.__dict__.items() if k != "retains_grad"}


def warn_of_hooks(x):
    """Hooks are functions of a program: they are left behind too."""
    if x.grad_fn is None and x._hooks is not None and x._hooks["gradient"]:
        warnings.warn(
            "a tensor's backward hooks are not saved or copied with it", stacklevel=4
        )


def deepcopied(x, memo):
    """A deep copy of a leaf: its memory, gradient and attributes too, not its hooks."""
    if not x.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support "
            "the deepcopy protocol at the moment; use detach() first"
        )
    if id(x) not in memo:
        storage = copy.deepcopy(UntypedStorage.of(x), memo)
        place = x.dtype, x.shape, x.stride(), x.storage_offset()
        out = rebuild(type(x), storage, *place, x.requires_grad, {})
        memo[id(x)] = out
        out.__dict__.update(copy.deepcopy(state_of(x), memo))
        if x.grad is not None:
            out.grad = copy.deepcopy(x.grad, memo)
    return memo[id(x)]
