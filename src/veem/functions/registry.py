"""Functions that are also methods: veem.flatten(x) and x.flatten() are one thing."""

import functools

from veem import ops
from veem.tensor import Tensor

names: dict = {}  # what `import veem` offers


def function(f):
    """Makes f a function of veem and, by its name, a method of Tensor."""
    names[f.__name__] = f
    setattr(Tensor, f.__name__, f)
    return f


def method(f):
    """Makes f a method of Tensor by its name."""
    setattr(Tensor, f.__name__, f)
    return f


def plain(f):
    """Makes f a function of veem by its name."""
    names[f.__name__] = f
    return f


def export(*op_names):
    """Offers ops as they are, as functions and as methods."""
    for name in op_names:
        names[name] = getattr(ops, name)
        setattr(Tensor, name, getattr(ops, name))


def alias(new, old):
    """A second name for a function, its method and its in-place twin."""
    names[new] = names[old]
    setattr(Tensor, new, getattr(Tensor, old, names[old]))
    if hasattr(Tensor, old + "_"):
        setattr(Tensor, new + "_", getattr(Tensor, old + "_"))


def in_float32(f):
    """Computes a composite of a 16-bit float in float32, to round its results once."""

    @functools.wraps(f)
    def widened(input, *args, **kwargs):
        dtype = input.dtype
        if not dtype.is_floating_point or dtype.itemsize > 2:
            return f(input, *args, **kwargs)
        out = f(input.float(), *args, **kwargs)
        if kwargs.get("dtype") is not None:
            return out
        if isinstance(out, tuple):
            return tuple(x.to(dtype) for x in out)
        return out.to(dtype)

    return widened


def listed(given, named=None):
    """x.flip(0, 1), x.flip((0, 1)) and x.flip(dims=(0, 1)) are the same."""
    if named is not None:
        given = (named,)
    if len(given) == 1 and not hasattr(given[0], "__index__"):
        return tuple(given[0])
    return given
