"""Pickles as PyTorch writes them: tensors by PyTorch's names, storages left out."""

import collections
import functools
import pickle

from veem import _core
from veem.device import device as Device
from veem.storage import UntypedStorage, state_of, warn_of_hooks
from veem.tensor import Size, Tensor

from .names import STORAGE_OF, UNTYPED, location_of


class _Global:
    """A name of the reader's, written into the pickle without being imported."""

    def __init__(self, name):
        self.module, _, self.name = name.rpartition(".")

    def __call__(self):
        raise TypeError("only the reader of the pickle calls it")


_name = functools.cache(_Global)  # one object for each name, which is then written once


class _Call:
    """function(*args), made by the reader of the pickle."""

    def __init__(self, function, args):
        self.reduced = function, args

    def __reduce__(self):
        return self.reduced


class _Stored:
    """Stands for a storage, whose bytes the reader finds elsewhere."""

    def __init__(self, storage, dtype, kind, key):
        self.dtype = dtype
        where, count = location_of(storage.device), storage.nbytes() // dtype.itemsize
        self.id = "storage", _name(kind), key, where, count


def pickler(file, pickle_module, protocol):
    """A pickler of the module's, which knows tensors; .storages: those it met, in the
    order of their keys "0", "1", ..."""
    base = getattr(pickle_module, "_Pickler", getattr(pickle_module, "Pickler", None))
    if not (isinstance(base, type) and issubclass(base, pickle._Pickler)):
        raise TypeError(
            "save: pickle_module must have a Pickler written in Python, as pickle and "
            f"dill have, got {pickle_module!r}"
        )
    return type("Pickler", (_Extension, base), {})(file, protocol)


class _Extension:
    """What a pickler must do besides; save() can be extended in Python's alone."""

    def __init__(self, file, protocol):
        super().__init__(file, protocol)
        self.storages: dict[UntypedStorage, _Stored] = {}

    def persistent_id(self, obj):
        if isinstance(obj, UntypedStorage):
            obj = self._stored(obj, _core.uint8, UNTYPED)
        return obj.id if isinstance(obj, _Stored) else None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, _core.dtype):
            obj = _name(f"torch.{obj.name}")
        if not isinstance(obj, _Global):
            return super().save(obj, save_persistent_id)
        known = self.memo.get(id(obj))
        if known is not None:
            return self.write(self.get(known[0]))
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        return self.memoize(obj)

    def reducer_override(self, obj):
        if isinstance(obj, Tensor):
            return self._tensor(obj)
        if isinstance(obj, Size):
            return _name("torch.Size"), (tuple(obj),)
        if isinstance(obj, Device):
            kind = "mps" if obj.type == "metal" else obj.type
            index = () if obj.index is None else (obj.index,)
            return _name("torch.device"), (kind, *index)
        return NotImplemented

    def _tensor(self, x):
        """What rebuilds a tensor: where it lies in which storage, and what it is."""
        from veem.nn import Parameter

        warn_of_hooks(x)
        kind, state, hooks = type(x), state_of(x), collections.OrderedDict()
        stored = self._stored(UntypedStorage.of(x), x.dtype, STORAGE_OF[x.dtype.name])
        place = x.storage_offset(), tuple(x.shape), x.stride()
        flag = x.requires_grad and kind is not Parameter
        build = _name("torch._utils._rebuild_tensor_v2"), (stored, *place, flag, hooks)
        if kind is Parameter:
            args = _Call(*build), x.requires_grad, hooks
            if not state:
                return _name("torch._utils._rebuild_parameter"), args
            return _name("torch._utils._rebuild_parameter_with_state"), (*args, state)
        if kind is Tensor and not state:
            return build
        cls = _name("torch.Tensor") if kind is Tensor else kind
        return _name("torch._tensor._rebuild_from_type_v2"), (
            build[0],
            cls,
            build[1],
            state,
        )

    def _stored(self, storage, dtype, kind):
        known = self.storages.get(storage)
        if known is None:
            known = _Stored(storage, dtype, kind, str(len(self.storages)))
            self.storages[storage] = known
        elif known.dtype is not dtype:
            raise RuntimeError(
                "save: cannot save multiple tensors or storages that view the same "
                f"data as different types, as {known.dtype} and as {dtype}; save a "
                "clone() of one"
            )
        return known
