"""Parameters and buffers: the tensors that a Module owns. An optimizer changes the
parameters."""

import veem
from veem import multiprocessing
from veem.printing import tensor_text


class Parameter(veem.Tensor):
    """A leaf tensor that requires grad; a Module registers it when it is assigned.

    Shares the memory of `data`. Raises RuntimeError for a dtype that cannot have
    gradients while `requires_grad` is true.
    """

    def __new__(cls, data=None, requires_grad=True):
        data = veem.empty(0) if data is None else data
        return veem.Tensor._make_subclass(cls, data.detach(), requires_grad)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]

    def __repr__(self, *, tensor_contents=None):
        plain = type(self) is Parameter
        name = "tensor" if plain else type(self).__name__
        text = tensor_text(self, name, tensor_contents)
        return "Parameter containing:\n" + (text if plain else f"Parameter({text})")


multiprocessing.register(Parameter)


class _Marked(type):
    def __instancecheck__(cls, instance):
        return getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_Marked):
    """Buffer(data) is a tensor that a Module registers as a buffer when it is assigned;
    saved with the module if `persistent`. It is a plain tensor, but for a mark."""

    def __new__(cls, data=None, *, persistent=True):
        data = veem.empty(0) if data is None else data
        tensor = data.detach().requires_grad_(data.requires_grad)
        tensor._is_buffer, tensor.persistent = True, persistent
        return tensor
