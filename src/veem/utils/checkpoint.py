"""checkpoint: memory for time. What a function computes is not kept, but made again.

Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
"""

import contextlib
import functools

import veem
from veem import Tensor, autograd
from veem.generator import fork_rng, streams

__all__ = ["checkpoint", "checkpoint_sequential"]


def checkpoint(
    function,
    *args,
    use_reentrant=None,
    context_fn=None,
    determinism_check="default",
    debug=False,
    early_stop=True,
    preserve_rng_state=True,
    **kwargs,
):
    """function(*args, **kwargs), whose inner values are computed again in backward.

    Gradients are the same, also of parameters that the function does not get as its
    arguments; RuntimeError where it uses other tensors that were computed before it.
    With preserve_rng_state the second time draws the numbers of the first. The other
    options choose among PyTorch's ways to do that; veem has one.
    """
    if context_fn is not None:
        raise NotImplementedError("checkpoint: context_fn is not there; leave it out")
    call = functools.partial(function, **kwargs)
    if not veem.is_grad_enabled():
        return call(*args)
    states = [(g, g.get_state()) for g in streams()] if preserve_rng_state else []
    given = [x for x in args if _recorded(x)]
    before = (veem.zeros(0, requires_grad=True) + 0).grad_fn.number
    result = call(*args)
    many = isinstance(result, (tuple, list))
    outputs = result if many else [result]
    leaves = _leaves(filter(_recorded, outputs), given, before)
    if not given and not leaves:
        return result
    plain = tuple(x.detach() if isinstance(x, Tensor) else x for x in outputs)
    made = _Again.apply((call, args, states), plain, *given, *leaves)
    return type(result)(made) if many else made[0]


def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """The modules of a Sequential one after the other, in segments; checkpoints of all
    segments but the last."""
    functions = list(functions)
    size = len(functions) // segments
    if not size:
        raise ValueError(
            f"checkpoint_sequential: {segments} segments of {len(functions)} functions"
        )

    def run(part, x):
        for f in part:
            x = f(x)
        return x

    for start in range(0, size * (segments - 1), size):
        part = functions[start : start + size]
        input = checkpoint(functools.partial(run, part), input, **kwargs)
    return run(functions[size * (segments - 1) :], input)


def _recorded(x):
    return isinstance(x, Tensor) and x.requires_grad


def _edge(x):
    return (x if x.grad_fn is None else x.grad_fn, x.output_nr)


def _leaves(outputs, given, before):
    """The leaves that outputs were made of since node `before`, but for `given`."""
    ends = {(id(target), nr) for target, nr in map(_edge, given)}
    edges, seen, leaves = list(map(_edge, outputs)), set(), []
    while edges:
        target, nr = edges.pop()
        if (id(target), nr) in ends or id(target) in seen:
            continue
        if isinstance(target, Tensor):
            leaves.append(target)
        elif target.number <= before:
            raise RuntimeError(
                "checkpoint: the function uses a tensor that was computed before, and "
                "that is not among its arguments; make it one"
            )
        else:
            edges += filter(None, target.edges)
        seen.add(id(target))
    return leaves


class _Again(autograd.Function):
    """The outputs of a call, which is made again when their gradients have come."""

    @staticmethod
    def forward(ctx, call, outputs, *inputs):
        ctx.call = call
        ctx.save_for_backward(*inputs)
        return outputs

    @staticmethod
    def backward(ctx, *grads):
        function, args, states = ctx.call
        create_graph = veem.is_grad_enabled()
        inputs = list(ctx.saved_tensors)
        args = list(args)
        places = [i for i, x in enumerate(args) if _recorded(x)]
        if not create_graph:  # apart from the graph, with its hooks
            for k, i in enumerate(places):
                args[i] = inputs[k] = inputs[k].detach().requires_grad_()
        with veem.enable_grad(), _going_on_from(states):
            outputs = function(*args)
        outputs = outputs if isinstance(outputs, (tuple, list)) else [outputs]
        pairs = [p for p in zip(outputs, grads) if _recorded(p[0]) and p[1] is not None]
        with _without_hooks(inputs):
            found = autograd.grad(
                [out for out, _ in pairs],
                inputs,
                [g for _, g in pairs],
                create_graph=create_graph,
                allow_unused=True,
            )
        return None, None, *found


@contextlib.contextmanager
def _going_on_from(states):
    """Draws numbers from these states of streams, unnoticed by the rest."""
    with fork_rng(enabled=bool(states)):
        for generator, state in states:
            generator.set_state(state)
        yield


@contextlib.contextmanager
def _without_hooks(leaves):
    """Hooks run when the gradients arrive, not when they are made."""
    hooks = [x._hooks for x in leaves]
    for x in leaves:
        x._hooks = None
    try:
        yield
    finally:
        for x, kept in zip(leaves, hooks):
            x._hooks = kept
