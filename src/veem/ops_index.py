"""The gradient rules of indexing, in the manner of ops.py.

Reading at an index and writing there are each other's gradients.
"""

import builtins

from veem import _core
from veem.rules import define as op
from veem.rules import not_differentiable

clone, where = _core.ops.clone, _core.ops.where


def _same(g, _out, *_args):
    return g


def _at_least(ndim, x):
    """With dimensions of size 1 in front: an assigned value may have had them."""
    return x if x.ndim >= ndim else x.reshape((1,) * (ndim - x.ndim) + tuple(x.shape))


# ---- views: numbers, slices, None, ... -----------------------------------------------


def _along(ndim, dim, item):
    """x[:, :, item] with item at dim."""
    return (builtins.slice(None),) * (dim % ndim) + (item,)


def _slice(g, _, _x, dim, start, stop, step):
    item = builtins.slice(start, stop, step)
    return getitem_backward(g, _x.shape, _along(_x.ndim, dim, item))


def _select(g, _, _x, dim, i):
    return getitem_backward(g, _x.shape, _along(_x.ndim, dim, i))


getitem = op("getitem", lambda g, _, _x, i: getitem_backward(g, _x.shape, i))
getitem_backward = op("getitem_backward", lambda g, _, _g, _shape, i: getitem(g, i))
setitem_ = op(
    "setitem_",
    lambda g, _, _x, i, _value: setitem_(clone(g), i, 0),
    None,
    lambda g, _, _x, i, _value: _at_least(_value.ndim, getitem(g, i)),
)
slice = op("slice", _slice)
select = op("select", _select)
diagonal = op("diagonal", lambda g, _, _x, *at: diagonal_backward(g, _x.shape, *at))
diagonal_backward = op(
    "diagonal_backward", lambda g, _, _g, _shape, *at: diagonal(g, *at)
)

# ---- index tensors -------------------------------------------------------------------
# The tensors within an index are named again after it: so changes of them are seen.


def _kept(g, _, _x, i, _value, accumulate, *ids):
    return g if accumulate else index_put_(clone(g), i, 0, False, *ids)


index = op(
    "index",
    lambda g, _, _x, i, *ids: index_put_(g.new_zeros(_x.shape), i, g, True, *ids),
)
index_put_ = op(
    "index_put_",
    _kept,
    None,
    lambda g, _, _x, i, _value, _add, *ids: _at_least(_value.ndim, index(g, i, *ids)),
)
masked_fill_ = op(
    "masked_fill_",
    lambda g, _, _x, mask, _value: where(mask, 0.0, g),
    None,
    lambda g, _, _x, mask, _value: where(mask, g, 0.0),
)
(nonzero,) = not_differentiable("nonzero")

# ---- indices along one dimension -----------------------------------------------------


def _source(g, _, _x, dim, i, _src):
    """What scatter read of its source: perhaps only the first corner."""
    g = gather(g, dim, i)
    corner = tuple(builtins.slice(n) for n in g.shape)
    return g if g.shape == _src.shape else getitem_backward(g, _src.shape, corner)


gather = op(
    "gather", lambda g, _, _x, dim, i: scatter_add_(g.new_zeros(_x.shape), dim, i, g)
)
scatter_ = op(
    "scatter_",
    lambda g, _, _x, dim, i, _src: scatter_(clone(g), dim, i, 0),
    None,
    None,
    _source,
)
scatter_add_ = op("scatter_add_", _same, None, None, _source)
index_select = op(
    "index_select",
    lambda g, _, _x, dim, i: index_add_(g.new_zeros(_x.shape), dim, i, g),
)
index_add_ = op(
    "index_add_",
    _same,
    None,
    None,
    lambda g, _, _x, dim, i, _src: index_select(g, dim, i).reshape(_src.shape),
)


def embedding(ids, weight, padding_idx):
    """The rows of weight (n, d) that ids (*) name: (*, d).

    Row padding_idx is taken without its history, so no gradient reaches it.
    """
    rows = index_select(weight, 0, ids.reshape(-1))
    if padding_idx is not None:
        padding = (ids == padding_idx).reshape(-1, 1)
        rows = where(padding, rows.detach(), rows)
    return rows.reshape(tuple(ids.shape) + tuple(weight.shape[1:]))
