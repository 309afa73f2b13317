"""Attaching gradient rules to the core's ops."""

import inspect

from veem import _core


def define(name, *rules, joint=None, plain=None):
    """Gives the op `name` its gradient rules and returns it.

    rules: one for each argument, or None where no gradient flows. joint: instead, one
    rule that returns the gradients of all arguments. plain: for a fused op, the same
    written in other ops; it runs in the op's place when the call is recorded, so its
    derivatives of every order follow.
    """
    op = getattr(_core.ops, name)
    if joint is not None:
        op.rules, op.saves = joint, (_mask(joint),)
    elif plain is not None:
        op.rules, op.saves, op.plain = (), (), plain
    else:
        op.rules, op.saves = rules, tuple(r and _mask(r) for r in rules)
    return op


def not_differentiable(*names):
    """The ops of these names, whose outputs have no gradient."""
    for name in names:
        getattr(_core.ops, name).rules = ()
    return [getattr(_core.ops, name) for name in names]


def undefined(name, count):
    """Rules for `count` arguments, through which backward cannot go."""

    def rule(_g, _out, *_args):
        raise RuntimeError(f"derivative for {name} is not implemented")

    rule.__name__ = "undefined"
    return [rule] * count


def inplace():
    """Gives every in-place twin (add_) the rules of its op (add)."""
    for name, op in vars(_core.ops).items():
        twin = getattr(_core.ops, name + "_", None)
        if twin is not None and twin.kind == "inplace":
            twin.rules, twin.saves = op.rules, op.saves


def _mask(rule):
    """What a rule reads: bit 0 the output, bit i + 1 the op's argument i."""
    code, mask = rule.__code__, 0  # inspect.signature says the same, ten times slower
    takes_rest = bool(code.co_flags & inspect.CO_VARARGS)
    for bit, name in enumerate(code.co_varnames[1 : code.co_argcount + takes_rest]):
        if not name.startswith("_"):
            rest = bit + 1 == code.co_argcount
            mask |= (1 << 63) - (1 << bit) if rest else 1 << bit
    return mask
