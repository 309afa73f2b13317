"""The gradient rules of windows over planes: convolution, pooling, folding, resampling.

In the manner of ops.py. Each family is closed: its gradients are among its ops.
"""

from veem import _core
from veem.rules import define as op

ops = _core.ops


def _over_places(g, _, _x, _w, _b, *_how):
    """The gradient of a bias."""
    return g.sum((0, *range(2, g.ndim)))


convolution = op(
    "convolution",
    lambda g, _, _x, w, _b, *how: ops.conv_transpose(g, w, None, _x.shape[2:], *how),
    lambda g, _, x, _w, _b, *how: ops.conv_backward_weight(g, x, _w.shape, *how),
    _over_places,
)
conv_transpose = op(
    "conv_transpose",
    lambda g, _, _x, w, _b, _size, *how: ops.convolution(g, w, None, *how),
    lambda g, _, x, _w, _b, _size, *how: ops.conv_backward_weight(x, g, _w.shape, *how),
    _over_places,
)
conv_backward_weight = op(
    "conv_backward_weight",
    lambda g, _, _g1, x, _shape, *how: ops.convolution(x, g, None, *how),
    lambda g, _, g1, _x, _shape, *how: ops.conv_transpose(
        g1, g, None, _x.shape[2:], *how
    ),
)

# ---- pooling -------------------------------------------------------------------------

max_pool = op(
    "max_pool",
    lambda g, out, _x, *how: ops.max_pool_backward(g[0], out[1], _x.shape, *how[:-1]),
)
adaptive_max_pool = op(
    "adaptive_max_pool",
    lambda g, out, _x, _size: ops.max_pool_backward(
        g[0], out[1], _x.shape, (), (), (), ()
    ),
)


def _pooled(g, _, _g1, index, _shape, *_how):
    """What max_pool took, taken from g."""
    rows = index.shape[:2]
    taken = ops.gather(g.reshape(*rows, -1), 2, index.reshape(*rows, -1))
    return taken.reshape(index.shape)


max_pool_backward = op("max_pool_backward", _pooled, None)
avg_pool = op(
    "avg_pool", lambda g, _, _x, *how: ops.avg_pool_backward(g, _x.shape, *how)
)
avg_pool_backward = op(
    "avg_pool_backward", lambda g, _, _g1, _shape, *how: ops.avg_pool(g, *how)
)
adaptive_avg_pool = op(
    "adaptive_avg_pool",
    lambda g, _, _x, _size: ops.adaptive_avg_pool_backward(g, _x.shape),
)
adaptive_avg_pool_backward = op(
    "adaptive_avg_pool_backward",
    lambda g, _, _g1, _shape: ops.adaptive_avg_pool(g, _g1.shape[2:]),
)

# ---- windows themselves, and resampling ----------------------------------------------

unfold_windows = op(
    "unfold_windows",
    lambda g, _, _x, *how: ops.fold_windows(g, _x.shape[2:], *how),
)
fold_windows = op(
    "fold_windows", lambda g, _, _x, _size, *how: ops.unfold_windows(g, *how)
)
resample = op(
    "resample",
    lambda g, _, _x, dim, _size, first, index, weight, *back: ops.resample(
        g, dim, _x.shape[dim], *back, first, index, weight
    ),
)
