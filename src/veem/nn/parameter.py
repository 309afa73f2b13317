"""A Parameter is a tensor that a Module owns and an optimizer changes."""

import veem


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

    def __reduce_ex__(self, protocol):
        return _rebuild, (type(self), self.data, self.requires_grad)

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()


def _rebuild(cls, data, requires_grad):
    return cls(data, requires_grad)
