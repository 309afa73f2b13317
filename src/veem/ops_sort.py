"""The gradient rules of running results and of sorting, in the manner of ops.py."""

from veem import _core
from veem.rules import define as op
from veem.rules import not_differentiable

ops = _core.ops
any, cat, exp, log, permute = ops.any, ops.cat, ops.exp, ops.log, ops.permute
scatter_, scatter_add_, slice = ops.scatter_, ops.scatter_add_, ops.slice
transpose, where = ops.transpose, ops.where

# ---- running results -----------------------------------------------------------------


def shifted(x, by, fill):
    """Moved along the last dimension, towards its end if by > 0; `fill` comes in."""
    n = x.shape[-1]
    come = x.new_full((*x.shape[:-1], min(abs(by), n)), fill)
    if by > 0:
        return cat(-1, come, slice(x, -1, 0, max(n - by, 0), 1))
    return cat(-1, slice(x, -1, min(-by, n), n, 1), come)


def _cumsum(g, _, _x, dim, reverse):
    return cumsum(g, dim, not reverse)


def _cumprod(g, out, x, dim, reverse):
    if x.ndim == 0:
        return g
    if not any(x == 0, None, False).item():
        return cumsum(g * out, dim, not reverse) / x
    # dx[k] = x[0] ... x[k - 1] * s[k], where s[k] = g[k] + x[k + 1] * s[k + 1]
    g, out, x = (transpose(t, dim, -1) for t in (g, out, x))
    ahead, back = (1, -1) if reverse else (-1, 1)
    factor, by = shifted(x, ahead, 1.0), 1
    while by < x.shape[-1]:
        g = g + factor * shifted(g, ahead * by, 0.0)
        factor = factor * shifted(factor, ahead * by, 1.0)
        by *= 2
    return transpose(shifted(out, back, 1.0) * g, dim, -1)


def _logcumsumexp(g, out, x, dim, reverse):
    """exp(x[k]) * sum(g[i] * exp(-out[i]) for i >= k), without overflow."""
    least = -1e38 if g.dtype == _core.float32 else -1e300

    def part(g):  # where it is positive
        log_g = where(g > 0, log(where(g > 0, g, 1.0)), least)
        return exp(logcumsumexp(log_g - out, dim, not reverse) + x)

    return part(g) - part(-g)


def _pick_last(g, out, _x, dim):
    g, at = g[0], out[1]
    return scatter_add_(g.new_zeros(_x.shape), dim, at, g) if _x.ndim else g


cumsum = op("cumsum", _cumsum)
cumprod = op("cumprod", _cumprod)
logcumsumexp = op("logcumsumexp", _logcumsumexp)
cummax = op("cummax", _pick_last)
cummin = op("cummin", _pick_last)

# ---- sorting -------------------------------------------------------------------------


def _sort(g, out, _x, dim, _descending, _first, _count):
    return scatter_(g[0].new_zeros(_x.shape), dim, out[1], g[0]) if _x.ndim else g[0]


sort = op("sort", _sort)
(searchsorted,) = not_differentiable("searchsorted")
