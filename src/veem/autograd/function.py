"""Function: ops with a gradient of their own, written in Python."""

import functools

from veem import _core
from veem.autograd.engine import Node, changed_at
from veem.autograd.grad_mode import no_grad
from veem.autograd.names import name_of


class FunctionNode(Node):
    """The node of a Function's call; it is also the ``ctx`` of forward and backward."""

    __slots__ = ("__dict__",)

    def save_for_backward(self, *tensors):
        """Keeps tensors (or None) for backward, as ctx.saved_tensors."""
        self.to_save = tensors

    @property
    def saved_tensors(self):
        if self.inputs is None:
            raise RuntimeError(
                f"{self.name()}: trying to backward through the graph a second time, "
                "but its saved tensors have been freed; use retain_graph=True"
            )
        return tuple(self._unpack(*entry) for entry in self.saved)

    def _unpack(self, tensor, version, output_nr):
        if tensor is None:
            return None
        if tensor._version != version:
            raise RuntimeError(
                "one of the variables needed for gradient computation has been "
                f"modified by an inplace operation: {self.name()} saved a "
                f"tensor of shape {list(tensor.shape)} at version {version}, "
                f"now {tensor._version}{changed_at(self, tensor)}"
            )
        if output_nr is None:
            return tensor
        out = tensor.detach()
        out._set_history(self, output_nr)
        return out

    def mark_non_differentiable(self, *tensors):
        """Outputs that get no gradient."""
        self.non_differentiable = tensors

    def mark_dirty(self, *tensors):
        """Inputs that forward has changed in place."""
        for t in tensors:
            if t.requires_grad and t.is_leaf and any(self.needs_input_grad):
                raise RuntimeError(
                    f"{self.name()}: a leaf Variable that requires grad is being used "
                    "in an in-place operation"
                )
            t._bump_version()
        self.dirty = tensors

    def set_materialize_grads(self, value):
        """False: backward gets None, not zeros, for outputs that got no gradient."""
        self.materialize = value

    def name(self):
        own = self.op.__name__ + "Backward"
        return own if getattr(self, "label", None) is None else name_of(self)

    def backward(self, g, create_graph):
        grads = list(g)
        if self.materialize:
            grads = [
                x.new_zeros(x.shape) if gi is None and x is not None else gi
                for gi, x in zip(grads, self.out)
            ]
        result = self.op.backward(self, *grads)
        result = list(result) if isinstance(result, (tuple, list)) else [result]
        if len(result) < len(self.edges) or any(
            g is not None for g in result[len(self.edges) :]
        ):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients "
                f"(expected {len(self.edges)}, got {len(result)})"
            )
        return result[: len(self.edges)]

    def release(self):
        self.saved = ()
        self.inputs = None


def once_differentiable(backward):
    """For a Function's backward that cannot be differentiated itself."""

    @functools.wraps(backward)
    def wrapped(ctx, *grads):
        with no_grad():
            result = backward(ctx, *grads)
        again = any(isinstance(g, _core.Tensor) and g.requires_grad for g in grads)
        if not (again and _core.is_grad_enabled()):
            return result
        results = result if isinstance(result, tuple) else (result,)
        results = _Stop.apply(*(r if r is None else _as_leaf(r) for r in results))
        return results if isinstance(result, tuple) else results[0]

    return wrapped


def _as_leaf(x):
    return x.detach().requires_grad_()


def _edge(x):
    if not (isinstance(x, _core.Tensor) and x.requires_grad):
        return None
    return (x if x.grad_fn is None else x.grad_fn, x.output_nr)


class Function:
    """Base class of custom ops.

    ``forward(ctx, *args)`` computes without recording, ``backward(ctx, *grads)``
    returns a gradient or None for each argument of forward. Call it through ``apply``.
    """

    @staticmethod
    def forward(ctx, *args):
        raise NotImplementedError("You must implement the forward function")

    @staticmethod
    def backward(ctx, *grads):
        raise NotImplementedError("You must implement backward for your Function")

    def __init__(self, *args, **kwargs):
        raise RuntimeError(
            f"{type(self).__name__} should not be instantiated: call "
            f"{type(self).__name__}.apply(...)"
        )

    @classmethod
    def apply(cls, *args):
        edges = tuple(_edge(x) for x in args)
        ctx = FunctionNode(cls, args, edges, None, None)
        ctx.to_save, ctx.non_differentiable, ctx.dirty = (), (), ()
        ctx.materialize = True
        ctx.needs_input_grad = tuple(e is not None for e in edges)
        recorded = _core.is_grad_enabled() and any(ctx.needs_input_grad)
        with no_grad():
            if hasattr(cls, "setup_context"):
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args)
        outputs = result if isinstance(result, tuple) else (result,)
        if not recorded:
            return result
        outputs = tuple(cls._own(out, args, ctx) for out in outputs)
        cls._record(ctx, args, outputs, result)
        return outputs if isinstance(result, tuple) else outputs[0]

    @staticmethod
    def _own(out, args, ctx):
        """An input that forward returns unchanged becomes a view, not to be changed."""
        is_input = any(out is a for a in args) and not any(out is d for d in ctx.dirty)
        if not (is_input and isinstance(out, _core.Tensor)):
            return out
        with no_grad():
            return _core.ops.view(out, out.shape)

    @classmethod
    def _record(cls, ctx, args, outputs, result):
        is_tensor = lambda x: isinstance(x, _core.Tensor)
        skip = {id(t) for t in ctx.non_differentiable}
        has_gradient = lambda x: (
            is_tensor(x) and id(x) not in skip and x.dtype.is_floating_point
        )
        of_output = {id(x): nr for nr, x in enumerate(outputs) if has_gradient(x)}
        ctx.saved = tuple(
            (None, 0, None)
            if t is None
            else (t.detach(), t._version, of_output[id(t)])
            if id(t) in of_output
            else (t, t._version, None)
            for t in ctx.to_save
        )
        ctx.to_save = ()
        # Only shapes of inputs and outputs are kept: no cycle through the outputs.
        ctx.inputs = tuple(_core.hollow(x) if is_tensor(x) else None for x in args)
        ctx.out = tuple(_core.hollow(x) if is_tensor(x) else None for x in outputs)
        for nr, out in enumerate(outputs):
            if has_gradient(out):
                out._set_history(ctx, nr)
                if any(out is d for d in ctx.dirty):
                    out._rebase()  # where it is a view, its base has changed too
        ctx.non_differentiable = ctx.dirty = ()


class _Stop(Function):
    """The identity, through which no second derivative goes."""

    @staticmethod
    def forward(ctx, *tensors):
        return tensors

    @staticmethod
    def backward(ctx, *grads):
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with "
            "@once_differentiable"
        )
