"""The gradient rules of reductions, in the manner of ops.py."""

import builtins

from veem import _core
from veem.ops_sort import shifted
from veem.rules import define as op
from veem.rules import not_differentiable

ops = _core.ops
expand, permute = ops.expand, ops.permute
scatter_, unsqueeze = ops.scatter_, ops.unsqueeze


def _spread(g, x, dims, keepdim):
    """A reduction's result or gradient in the shape of what was reduced."""
    if not keepdim and g.ndim < x.ndim:
        dims = (dims,) if isinstance(dims, int) else dims or range(x.ndim)
        reduced = {d % x.ndim for d in dims}
        g = g.reshape([1 if i in reduced else s for i, s in enumerate(x.shape)])
    return expand(g, x.shape)


def _others(x):
    """For each element of the last dimension the product of the others."""
    left, right, by = shifted(x, 1, 1.0), shifted(x, -1, 1.0), 1
    while by < x.shape[-1]:  # now each is the product of its `by` neighbours
        left, right = left * shifted(left, by, 1.0), right * shifted(right, -by, 1.0)
        by *= 2
    return left * right


def _prod(g, out, x, dims, keepdim, _dtype):
    g = _spread(g, x, dims, keepdim)
    if x.ndim == 0:
        return g
    if not any(x == 0, None, False).item():
        return g * (_spread(out, x, dims, keepdim) / x)
    reduced = [d % x.ndim for d in dims or range(x.ndim)]
    order = (*(d for d in range(x.ndim) if d not in reduced), *reduced)
    moved = permute(x, order)
    last = (*moved.shape[: x.ndim - len(reduced)], -1)
    others = _others(moved.reshape(last)).reshape(moved.shape)
    back = tuple(order.index(d) for d in range(x.ndim))
    return g * permute(others, back)


def _share_extreme(g, out, x, dims, keepdim):
    hit = x == _spread(out, x, dims, keepdim)
    count = sum(hit, dims, True, None)
    return _spread(g, x, dims, keepdim) / count * hit  # NaN where the extreme is NaN


def _pick(g, out, _x, dim, keepdim):
    at, g = out[1], g[0]
    if not keepdim and _x.ndim:
        at, g = unsqueeze(at, dim), unsqueeze(g, dim)
    return scatter_(g.new_zeros(_x.shape), dim, at, g) if _x.ndim else g


sum = op("sum", lambda g, _, _x, dims, keepdim, _t: _spread(g, _x, dims, keepdim))
mean = op(
    "mean",
    lambda g, _, _x, dims, keepdim, _t: _spread(
        g / (_x.numel() / builtins.max(g.numel(), 1)), _x, dims, keepdim
    ),
)
prod = op("prod", _prod)
amax = op("amax", _share_extreme)
amin = op("amin", _share_extreme)
max_dim = op("max_dim", _pick)
min_dim = op("min_dim", _pick)
any, all, argmax, argmin = not_differentiable("any", "all", "argmax", "argmin")
