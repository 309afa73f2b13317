"""The twins of a function: in place (x.exp_()), and with out= (veem.exp(x, out=y))."""

import functools

from veem import _core, ops
from veem.creation import resized
from veem.functions.registry import names
from veem.tensor import Tensor


def elementwise(f):
    """Makes f a function that also takes out=, a method, and the method f_ in place."""
    setattr(Tensor, f.__name__, f)
    setattr(Tensor, f.__name__ + "_", inplace_twin(f))
    names[f.__name__] = with_out(f)
    return f


def prepares(f):
    """Likewise for f that gives (the name of an elementwise op, *its arguments)."""

    @functools.wraps(f)
    def call(*args, out=None, **kwargs):
        name, *given = f(*args, **kwargs)
        op = getattr(ops, name)
        return op(*given) if out is None else op(*given, out=out)

    @functools.wraps(f)
    def twin(*args, **kwargs):
        name, *given = f(*args, **kwargs)
        return getattr(_core.ops, name + "_")(*given)

    twin.__name__ += "_"
    names[f.__name__] = call
    setattr(Tensor, f.__name__, call)
    setattr(Tensor, twin.__name__, twin)
    return call


NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def along(f):
    """Makes f, which works along dim, a function that also takes out=, and a method.

    Both know NumPy's names, axis and keepdims.
    """

    @functools.wraps(f)
    def call(*args, **kwargs):
        for theirs in NUMPY_NAMES.keys() & kwargs.keys() if kwargs else ():
            kwargs[NUMPY_NAMES[theirs]] = kwargs.pop(theirs)
        return f(*args, **kwargs)

    setattr(Tensor, f.__name__, call)
    names[f.__name__] = with_out(call)
    return call


# ---- out= and in place ---------------------------------------------------------------


def with_out(f):
    """f, which writes its result into the tensor out, if one is given."""

    @functools.wraps(f)
    def call(*args, out=None, **kwargs):
        if out is None:
            return f(*args, **kwargs)
        _check_unrecorded(f.__name__, (*args, *kwargs.values(), out))
        return store(f.__name__, f(*args, **kwargs), out)

    return call


def inplace_twin(f):
    """f_, which writes f's result over its first argument."""

    @functools.wraps(f)
    def twin(self, *args, **kwargs):
        # Gradient rules may need the old values, which the copy keeps.
        recorded = self.requires_grad and _core.is_grad_enabled()
        result = f(self.clone() if recorded else self, *args, **kwargs)
        _check_cast(twin.__name__, result, self)
        if result.shape != self.shape:
            raise RuntimeError(
                f"{twin.__name__}: output with shape {list(self.shape)} doesn't match "
                f"the broadcast shape {list(result.shape)}"
            )
        return self.copy_(result)

    twin.__name__ = f.__name__ + "_"
    return twin


def store(name, result, out):
    """Copies what a function gave into out, which takes its shape."""
    if isinstance(result, tuple):
        stored = [store(name, r, o) for r, o in zip(result, out)]
        return type(result)(*stored) if hasattr(result, "_fields") else tuple(stored)
    _check_cast(name, result, out)
    return resized(name, out, result.shape).copy_(result)


def _check_cast(name, result, out):
    rank = lambda t: 2 if t.is_floating_point else int(t != _core.bool)
    if rank(result.dtype) > rank(out.dtype):
        raise RuntimeError(
            f"{name}: result type {result.dtype.name} can't be cast to the desired "
            f"output type {out.dtype.name}"
        )


def _check_unrecorded(name, args):
    each = [x for a in args for x in (a if isinstance(a, (list, tuple)) else [a])]
    if _core.is_grad_enabled() and any(
        getattr(x, "requires_grad", False) for x in each
    ):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic "
            "differentiation, but one of the arguments requires grad"
        )


# ---- native ops called with keywords -------------------------------------------------

_OPERANDS = {"pow": ("input", "exponent")}


def _call_with_keywords(op, args, kwargs):
    """veem.exp(input=x), veem.maximum(x, other=y), veem.exp(x, out=y)."""
    out, name = kwargs.pop("out", None), op.__name__
    for operand in _OPERANDS.get(name.rstrip("_"), ("input", "other"))[len(args) :]:
        if operand in kwargs:
            args = (*args, kwargs.pop(operand))
    if kwargs or (out is not None and op.kind != "plain"):
        raise TypeError(
            f"{name}() got an unexpected keyword argument {next(iter(kwargs), 'out')!r}"
        )
    if out is None:
        return op(*args)
    _check_unrecorded(name, (*args, out))
    if hasattr(_core.ops, name + "_") and all(
        a.shape == out.shape for a in args if isinstance(a, Tensor)
    ):
        return ops.into(out, op, *args)  # an elementwise op needs no copy
    return store(name, op(*args), out)


_core.register_keywords(_call_with_keywords)
