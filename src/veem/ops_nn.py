"""The gradient rules of what layers are made of, in the manner of ops.py.

A fused gradient is an op too: ``plain`` states it in other ops.
"""

from veem import _core, creation
from veem.rules import define as op

ops = _core.ops
amax, cast, exp = ops.amax, ops.cast, ops.exp
mean, rsqrt, sum, unsqueeze = ops.mean, ops.rsqrt, ops.sum, ops.unsqueeze

# ---- softmax -------------------------------------------------------------------------

softmax = op("softmax", lambda g, out, _x, dim: softmax_backward(g, out, dim))
softmax_backward = op(
    "softmax_backward", plain=lambda g, out, dim: (g - (g * out).sum(dim, True)) * out
)
log_softmax = op(
    "log_softmax", lambda g, out, _x, dim: log_softmax_backward(g, out, dim)
)
log_softmax_backward = op(
    "log_softmax_backward",
    plain=lambda g, out, dim: g - exp(out) * g.sum(dim, True),
)

# ---- normalisation -------------------------------------------------------------------


def _layer_norm_grads(g, out, x, shape, w, _bias, eps):
    dx, dw, db = layer_norm_backward(g[0], x, w, out[1], out[2], shape, eps)
    return dx, None, dw, db, None


def _plain_layer_norm_backward(g, x, w, _mean, _rstd, shape, eps):
    dims = tuple(range(-len(shape), 0))
    lead = tuple(range(x.ndim - len(shape)))
    average = lambda t: mean(t, dims, True, None)
    total = lambda t: sum(t, lead, False, None) if lead else t
    apart = x - average(x)
    rstd = rsqrt(average(apart * apart) + eps)
    xhat = apart * rstd
    gw = g if w is None else g * w
    dx = rstd * (gw - average(gw) - xhat * average(gw * xhat))
    return dx, total(g * xhat), total(g)


layer_norm = op("layer_norm", joint=_layer_norm_grads)
layer_norm_backward = op("layer_norm_backward", plain=_plain_layer_norm_backward)


def _channel_norm_grads(g, out, x, w, _bias, groups, eps):
    dx, dw, db = channel_norm_backward(g[0], x, w, out[1], out[2], groups, eps)
    return dx, dw, db, None, None


def _plain_channel_norm_backward(g, x, w, _mean, _var, groups, eps):
    n, channels = x.shape[:2]
    by_channel = (n, channels, x.numel() // (n * channels))
    # Rows of the statistics, and the dimensions over which they are taken.
    rows, dims = ((n, groups, -1), (2,)) if groups else (by_channel, (0, 2))
    average = lambda t: mean(t, dims, True, None)
    total = lambda t: sum(t.reshape(by_channel), (0, 2), False, None)
    g = g.reshape(by_channel)
    gw = (g if w is None else g * w.reshape(1, -1, 1)).reshape(rows)
    g, apart = g.reshape(rows), x.reshape(rows)
    apart = apart - average(apart)
    rstd = rsqrt(average(apart * apart) + eps)
    xhat = apart * rstd
    dx = rstd * (gw - average(gw) - xhat * average(gw * xhat))
    return dx.reshape(x.shape), total(g * xhat), total(g)


channel_norm = op("channel_norm", joint=_channel_norm_grads)
channel_norm_backward = op("channel_norm_backward", plain=_plain_channel_norm_backward)


def _plain_channel_norm_given(x, mean, var, w, bias, eps):
    scale = rsqrt(var + eps)
    scale = scale if w is None else scale * w
    shift = -mean * scale if bias is None else bias - mean * scale
    along = (-1,) + (1,) * (x.ndim - 2)
    return ops.addcmul(shift.reshape(along), x, scale.reshape(along), 1)


channel_norm_given = op("channel_norm_given", plain=_plain_channel_norm_given)

# ---- cross entropy -------------------------------------------------------------------


def _cross_entropy_grad(g, out, x, target, ignore, smoothing, reduction):
    dx = cross_entropy_backward(g[0], x, target, out[1], ignore, smoothing, reduction)
    return dx, None, None, None, None


def _plain_cross_entropy_backward(g, x, target, _lse, ignore, smoothing, reduction):
    p = exp(x - amax(x, (1,), True).detach())
    p = p / sum(p, (1,), True, None)
    classes = creation.arange(x.shape[1], device=x.device)
    hit = cast(unsqueeze(target, 1) == classes, x.dtype)
    kept = cast(unsqueeze(target, 1) != ignore, x.dtype)
    dx = (p - (1 - smoothing) * hit - smoothing / x.shape[1]) * kept
    if reduction == "none":
        return dx * unsqueeze(g, 1)
    return dx * (g / sum(kept, None, False, None) if reduction == "mean" else g)


cross_entropy = op("cross_entropy", joint=_cross_entropy_grad)
cross_entropy_backward = op(
    "cross_entropy_backward", plain=_plain_cross_entropy_backward
)
