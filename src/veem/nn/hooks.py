"""Hooks: functions that a Module calls around its forward and its backward."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import veem
from veem.autograd.engine import RemovableHandle


class Hook(NamedTuple):
    call: Callable
    with_kwargs: bool = False
    always: bool = False


def register(hooks: OrderedDict, hook: Any, prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks, hook)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


class Hookable:
    """The part of Module that registers hooks; `__call__` runs them."""

    _forward_pre_hooks: OrderedDict
    _forward_hooks: OrderedDict
    _backward_pre_hooks: OrderedDict
    _backward_hooks: OrderedDict

    def has_hooks(self) -> bool:
        """Does anyone look on when this module runs?"""
        return bool(
            self._forward_pre_hooks
            or self._forward_hooks
            or self._backward_pre_hooks
            or self._backward_hooks
        )

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """hook(module, args) runs before forward; it may return new arguments.

        With `with_kwargs`: hook(module, args, kwargs) -> None or (args, kwargs).
        """
        return register(self._forward_pre_hooks, Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """hook(module, args, output) runs after forward; it may return a new output.

        With `with_kwargs`: hook(module, args, kwargs, output). With `always_call` it
        also runs when forward raises (its output is None then).
        """
        entry = Hook(hook, with_kwargs, always_call)
        return register(self._forward_hooks, entry, prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable, prepend: bool = False
    ) -> RemovableHandle:
        """hook(module, grad_output) runs before the module's backward; it may return
        a new grad_output."""
        return register(self._backward_pre_hooks, Hook(hook), prepend)

    def register_full_backward_hook(
        self, hook: Callable, prepend: bool = False
    ) -> RemovableHandle:
        """hook(module, grad_input, grad_output) runs when the gradients of the
        module's inputs are known; it may return a new grad_input."""
        return register(self._backward_hooks, Hook(hook), prepend)


def call_with_hooks(module: Any, args: tuple, kwargs: dict) -> Any:
    """module.forward(*args, **kwargs) with every hook of the module around it."""
    waiting = [h for h in module._forward_hooks.values() if h.always]
    try:
        args, kwargs = _before(module, args, kwargs)
        backward = _Backward(module) if _watches_backward(module) else None
        if backward:
            args = backward.watch_inputs(args)
        output = module.forward(*args, **kwargs)
        for hook in tuple(module._forward_hooks.values()):
            waiting = [h for h in waiting if h is not hook]
            given = (args, kwargs, output) if hook.with_kwargs else (args, output)
            new = hook.call(module, *given)
            output = output if new is None else new
        return backward.watch_outputs(output) if backward else output
    except Exception:
        for hook in waiting:
            given = (args, kwargs, None) if hook.with_kwargs else (args, None)
            hook.call(module, *given)
        raise


def _before(module: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    for hook in tuple(module._forward_pre_hooks.values()):
        if not hook.with_kwargs:
            new = hook.call(module, args)
            args = args if new is None else _as_tuple(new)
            continue
        new = hook.call(module, args, kwargs)
        if new is None:
            continue
        if not (isinstance(new, tuple) and len(new) == 2):
            raise RuntimeError(
                "forward pre-hook must return None or a tuple of "
                f"(new_args, new_kwargs), but got {new}."
            )
        args, kwargs = new
    return args, kwargs


def _as_tuple(value: Any) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _watches_backward(module: Any) -> bool:
    return bool(module._backward_hooks or module._backward_pre_hooks)


class _Boundary(veem.autograd.Function):
    """The identity; in backward `look` sees the gradients and may replace them."""

    @staticmethod
    def forward(ctx, look, *tensors):
        ctx.look = look
        return tensors

    @staticmethod
    def backward(ctx, *grads):
        return None, *ctx.look(grads)


class _Backward:
    """Runs a module's backward hooks for one call of the module.

    A boundary is drawn around the inputs and another around the outputs. Gradients
    cross that of the outputs first, and are kept until they cross that of the inputs.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.inputs_watched = False
        self.grad_output: tuple = ()

    def watch_inputs(self, args: tuple) -> tuple:
        self.count = len(args)
        args, self.inputs_watched = _watch(args, self._at_inputs)
        return args

    def watch_outputs(self, output: Any) -> Any:
        outputs, _ = _watch(_as_tuple(output), self._at_outputs)
        return outputs if isinstance(output, tuple) else outputs[0]

    def _at_outputs(self, grads: tuple) -> tuple:
        for hook in tuple(self.module._backward_pre_hooks.values()):
            new = hook.call(self.module, grads)
            grads = grads if new is None else _same_length(new, grads, "grad_output")
        self.grad_output = grads
        if not self.inputs_watched:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect "
                "to module outputs since no inputs require gradients.",
                stacklevel=2,
            )
            self._run_hooks((None,) * self.count)
        return grads

    def _at_inputs(self, grads: tuple) -> tuple:
        return self._run_hooks(grads)

    def _run_hooks(self, grads: tuple) -> tuple:
        for hook in tuple(self.module._backward_hooks.values()):
            new = hook.call(self.module, grads, self.grad_output)
            if new is None:
                continue
            new = _same_length(new, grads, "grad_input")
            if not self.inputs_watched and any(g is not None for g in new):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should "
                    "always return None or None for all gradients."
                )
            grads = new
        return grads


def _watch(values: tuple, look: Callable) -> tuple[tuple, bool]:
    """`values` with its tensors passed through a boundary, and whether there is one.

    `look` sees one gradient for each value, None where there cannot be one.
    """
    at = [i for i, v in enumerate(values) if _is_recorded(v)]
    if not at:
        return values, False

    def look_at_all(grads):
        row = dict(zip(at, grads))
        seen = look(tuple(row.get(i) for i in range(len(values))))
        return tuple(seen[i] for i in at)

    passed = _as_tuple(_Boundary.apply(look_at_all, *(values[i] for i in at)))
    row = dict(zip(at, passed))
    return tuple(row.get(i, v) for i, v in enumerate(values)), True


def _is_recorded(value: Any) -> bool:
    is_tensor = isinstance(value, veem.Tensor)
    return is_tensor and value.requires_grad and veem.is_grad_enabled()


def _same_length(new: Any, old: tuple, what: str) -> tuple:
    new = _as_tuple(new)
    if len(new) != len(old):
        raise RuntimeError(
            f"Backward hook returned an invalid number of {what}, "
            f"got {len(new)}, but expected {len(old)}"
        )
    return new
