"""Module: a piece of a network. It owns parameters, buffers and other modules.

A Module is four small ideas: named tensors and modules that it owns (here), the tree
that these make (tree.py), functions called around forward and backward (hooks.py), and
the saving and loading of the tensors (state_dict.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import veem

from .hooks import Hookable, call_with_hooks
from .parameter import Buffer, Parameter
from .state_dict import Stateful
from .tree import Tree

Self = TypeVar("Self", bound="Module")


class Module(Tree, Hookable, Stateful):
    """The base class of layers and networks.

    Assign parameters and modules to attributes in __init__, after super().__init__(),
    and write forward():

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(784, 10)

            def forward(self, x):
                return self.fc(x.flatten(1))
    """

    training: bool
    _version = 1  # of the state_dict's format; see _load_from_state_dict

    def __init__(self) -> None:
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent_buffers_set=set(),
            _forward_pre_hooks=OrderedDict(),
            _forward_hooks=OrderedDict(),
            _backward_pre_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(),
            _state_dict_pre_hooks=OrderedDict(),
            _state_dict_hooks=OrderedDict(),
            _load_state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_post_hooks=OrderedDict(),
        )

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        name = type(self).__name__
        raise NotImplementedError(
            f'Module [{name}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.has_hooks():
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # --- registering: each kind of member lives in a dict of its own -----------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter; None keeps the name, as for a layer without a bias."""
        _check_name(self, "parameter", name, "_parameters")
        if not (param is None or isinstance(param, Parameter)):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' "
                "(veem.nn.Parameter or None required)"
            )
        self._parameters[name] = param

    def register_buffer(
        self, name: str, tensor: veem.Tensor | None, persistent: bool = True
    ) -> None:
        """Adds a tensor that is state but not trained; saved only if `persistent`."""
        _check_name(self, "buffer", name, "_buffers")
        if not (tensor is None or isinstance(tensor, veem.Tensor)):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                "(veem Tensor or None required)"
            )
        self._buffers[name] = tensor
        unsaved = self._non_persistent_buffers_set
        (unsaved.discard if persistent else unsaved.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child module under a name."""
        if not (module is None or isinstance(module, Module)):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        _check_name(self, "module", name, "_modules")
        self._modules[name] = module

    register_module = add_module

    def __setattr__(self, name: str, value: Any) -> None:
        for home, cls, what in _members:
            members: Any = self.__dict__.get(home)
            known = members is not None and name in members
            # A plain tensor is a buffer only where the name is one already.
            counts = cls is not veem.Tensor or isinstance(value, Buffer)
            if isinstance(value, cls) and (known or counts):
                if members is None:
                    kind = what.split()[-1]
                    raise AttributeError(
                        f"cannot assign {kind} before Module.__init__() call"
                    )
                if not known:
                    _forget(self, name)
                if cls is Parameter:
                    self.register_parameter(name, value)
                elif isinstance(value, Buffer):
                    self.register_buffer(name, value, value.persistent)  # type: ignore
                else:
                    members[name] = value
                return
            if known:
                if value is not None:
                    raise TypeError(
                        f"cannot assign '{typename(value)}' as {what} '{name}' "
                        f"({typename(cls)} or None expected)"
                    )
                members[name] = None
                return
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        here = self.__dict__
        for home in "_parameters", "_buffers", "_modules":
            if home in here and name in here[home]:
                return here[home][name]
        raise AttributeError(
            f"'{type(self).__name__}' object has no attribute '{name}'"
        )

    def __delattr__(self, name: str) -> None:
        if any(name in self.__dict__.get(home, ()) for home, _, _ in _members):
            _forget(self, name)
        else:
            super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__}
        names.update(self._parameters, self._buffers, self._modules)
        return sorted(name for name in names if not name[0].isdigit())

    # --- changing the whole tree -------------------------------------------------

    def apply(self: Self, fn: Callable[[Module], None]) -> Self:
        """fn(module) for every module below this one, then for this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Tells layers such as Dropout that they are in training."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: Self) -> Self:
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        for param in self.parameters():
            if set_to_none:
                param.grad = None
            elif param.grad is not None:
                param.grad.detach_().zero_()

    def _apply(self: Self, fn: Callable, recurse: bool = True) -> Self:
        """Replaces the data of every parameter, gradient and buffer by fn(tensor)."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        with veem.no_grad():
            for param in self._parameters.values():
                if param is not None:
                    grad = param.grad
                    param.grad = None
                    param.data = fn(param.data)
                    param.grad = None if grad is None else fn(grad)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(
        self: Self,
        *args: Any,
        device: Any = None,
        dtype: Any = None,
        non_blocking: bool = False,
    ) -> Self:
        """to(device), to(dtype), to(device, dtype) or to(tensor): moves every tensor.

        Only floating point tensors change their dtype.
        """
        for arg in args:
            if isinstance(arg, veem.Tensor):
                device, dtype = arg.device, arg.dtype
            elif isinstance(arg, veem.dtype):
                dtype = arg
            elif arg is not None and not isinstance(arg, bool):  # bool: non_blocking
                device = arg
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                "nn.Module.to only accepts floating point dtypes, but got desired "
                f"dtype={dtype}"
            )

        def move(t):
            new = dtype if dtype is not None and t.is_floating_point() else t.dtype
            return t.to(t.device if device is None else device, new)

        return self._apply(move)

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Moves every tensor without its values: they are to be loaded or filled."""
        return self._apply(lambda t: veem.empty_like(t, device=device), recurse)

    def share_memory(self: Self) -> Self:
        """Moves every tensor to where other processes see it: Tensor.share_memory_."""
        return self._apply(lambda t: t.share_memory_())

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the module already runs as it is."""

    def cpu(self: Self) -> Self:
        return self.to("cpu")

    def cuda(self: Self, device: Any = None) -> Self:
        return self.to("cuda" if device is None else device)

    def type(self: Self, dst_type: Any) -> Self:
        """Casts every tensor, those of integers too."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self: Self) -> Self:
        return self.to(dtype=veem.float32)

    def double(self: Self) -> Self:
        return self.to(dtype=veem.float64)

    def half(self: Self) -> Self:
        return self.to(dtype=veem.float16)

    def bfloat16(self: Self) -> Self:
        return self.to(dtype=veem.bfloat16)

    # --- printing ----------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between a layer's brackets; layers override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        if not self._modules:
            return f"{self._get_name()}({_block(extra) if chr(10) in extra else extra})"
        lines = [extra] if extra else []
        for name, child in self._modules.items():
            lines.append(f"({name}): {child!r}")
        return f"{self._get_name()}({_block(chr(10).join(lines))})"


def _block(text: str) -> str:
    return "\n  " + text.replace("\n", "\n  ") + "\n"


# Where a module keeps each kind of member: __setattr__ tries them in this order.
_members: tuple[tuple[str, Any, str], ...] = (
    ("_parameters", Parameter, "parameter"),
    ("_modules", Module, "child module"),
    ("_buffers", veem.Tensor, "buffer"),
)


def typename(value: Any) -> str:
    """The name of a value's type for messages: "int", "veem.FloatTensor"."""
    if isinstance(value, veem.Tensor):
        return value.type()
    cls = value if isinstance(value, type) else type(value)
    where = "" if cls.__module__ == "builtins" else f"{cls.__module__}."
    return where + cls.__name__


def _check_name(module: Module, kind: str, name: str, home: str) -> None:
    if home not in module.__dict__:
        raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if hasattr(module, name) and name not in module.__dict__[home]:
        raise KeyError(f"attribute '{name}' already exists")


def _forget(module: Module, name: str) -> None:
    module.__dict__.pop(name, None)
    for home, _, _ in _members:
        module.__dict__[home].pop(name, None)
    module._non_persistent_buffers_set.discard(name)
