"""torch.compile: veem runs ops one by one, with the results that were asked for."""

from veem import nn


class OptimizedModule(nn.Module):
    """What torch.compile makes of a module: that module, named _orig_mod in it."""

    def __init__(self, module):
        super().__init__()
        self._orig_mod = module
        self.training = module.training

    def forward(self, *args, **kwargs):
        return self._orig_mod(*args, **kwargs)

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("_orig_mod"), name)


def compile(
    model=None,
    *,
    fullgraph=False,
    dynamic=None,
    backend="inductor",
    mode=None,
    options=None,
    disable=False,
):
    """The function, or the module as an OptimizedModule; also a decorator."""
    if model is None:
        return lambda function: compile(function, disable=disable)
    if isinstance(model, nn.Module) and not disable:
        return OptimizedModule(model)
    return model


def disable(fn=None, recursive=True, **_):
    """A decorator that changes nothing."""
    return (lambda function: function) if fn is None else fn


def is_compiling():
    """False: nothing is compiled."""
    return False


def reset():
    """Nothing was kept."""
