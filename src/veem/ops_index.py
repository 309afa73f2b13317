"""The gradient rules of indexing, in the manner of ops.py.

Reading at an index and writing there are each other's gradients.
"""

import builtins

from veem import _core, creation
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

# ---- windows on memory: an element may be seen through several of them ---------------


def _extent(size, stride, offset):
    """The number of the last element of memory that a view shows, and one."""
    return offset + sum((n - 1) * s for n, s in zip(size, stride)) + 1


def _overlaps(size, stride):
    reach = 0
    for s, n in sorted((s, n) for n, s in zip(size, stride) if n > 1):
        if s <= reach:
            return True
        reach += (n - 1) * s
    return False


def _as_strided(g, _, _x, size, stride, offset):
    """Sums over memory what came for each of its elements, and shows x's part of it.

    Where x shows one element several times, each of these gets its share.
    """
    own, start = (tuple(_x.shape), _x.stride()), _x.storage_offset()
    if not (g.numel() and _x.numel()):
        return g.new_zeros(_x.shape)
    if offset >= start and not (_overlaps(*own) or _overlaps(size, stride)):
        zeros = g.new_zeros(_x.shape)
        return copy_slices(zeros, g, own[1], size, stride, offset - start)
    first = min(start, offset)
    end = max(_extent(*own, start), _extent(size, stride, offset))
    memory = creation.arange(end - first, device=g._device_name)
    seen = as_strided(memory, size, stride, offset - first).reshape(-1)
    out = index_add_(g.new_zeros(end - first), 0, seen, g.reshape(-1))
    if _overlaps(*own):
        mine = as_strided(memory, *own, start - first).reshape(-1)
        ones = g.new_ones(mine.shape)
        out = out / index_add_(g.new_zeros(end - first), 0, mine, ones).clamp(min=1)
    return as_strided(out, *own, start - first)


def _unfold(g, _, _x, dim, size, step):
    if _x.ndim == 0:
        return g.sum()
    dim %= _x.ndim
    rows = creation.arange(_x.shape[dim], device=g._device_name)
    order = [*range(dim + 1), _x.ndim, *range(dim + 1, _x.ndim)]
    slices = g.permute(order).reshape(
        *_x.shape[:dim], g.shape[dim] * size, *_x.shape[dim + 1 :]
    )
    rows = unfold(rows, 0, size, step).reshape(-1)
    return index_add_(g.new_zeros(_x.shape), dim, rows, slices)


as_strided = op("as_strided", _as_strided)

# What is recorded of a base when a view of it is changed: the view's new value has come
# where `at` says (the base's strides; the view's shape, strides and offset).

copy_slices = op(
    "copy_slices",
    lambda g, _, _x, _value, *at: copy_slices(g, g.new_zeros(_value.shape), *at),
    lambda g, _, _x, _value, *at: take_slices(g, *at),
)
take_slices = op(
    "take_slices",
    lambda g, _, _x, *at: copy_slices(g.new_zeros(_x.shape), g, *at),
)
unfold = op("unfold", _unfold)

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


def _corner(shape):
    return tuple(builtins.slice(n) for n in shape)


def _first_corner(src, i):
    """What scatter reads of its source: perhaps not all."""
    return src if src.shape == i.shape else getitem(src, _corner(i.shape))


def _in_first_corner(g, src):
    same = g.shape == src.shape
    return g if same else getitem_backward(g, src.shape, _corner(g.shape))


def _source(g, _, _x, dim, i, _src):
    return _in_first_corner(gather(g, dim, i), _src)


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


def _counts(hits, x, dim, i):
    """For each element of x how many of these booleans met there."""
    return scatter_add_(x.new_zeros(x.shape), dim, i, hits.to(x.dtype))


def _reduced_kept(g, out, x, dim, i, src, reduce):
    """scatter_reduce's gradient for what was there before."""
    if reduce == "sum":
        return g
    if reduce == "prod":
        whole = where(x == 0, 1.0, x)
        return g * scatter_reduce_(clone(whole), dim, i, src, reduce) / whole
    mine = x == out
    met = gather(out, dim, i) == _first_corner(src, i)
    return where(mine, g / (_counts(met, x, dim, i) + mine), 0.0)


def _reduced_source(g, out, x, dim, i, src, reduce):
    """scatter_reduce's gradient for what was scattered."""
    if reduce == "sum":
        return _source(g, None, None, dim, i, src)
    part = _first_corner(src, i)
    if reduce == "prod":
        zero = part == 0
        alone = zero & (gather(_counts(zero, x, dim, i), dim, i) == 1)
        filled = where(alone, 1.0, part)
        rest = scatter_reduce_(clone(x), dim, i, filled, reduce)
        others = gather(g * rest, dim, i)
        grad = where(alone, others, gather(g * out, dim, i) / where(zero, 1.0, part))
    else:
        met = gather(out, dim, i) == part
        share = g / (_counts(met, x, dim, i) + (x == out))
        grad = where(met, gather(share, dim, i), 0.0)
    return _in_first_corner(grad, src)


scatter_reduce_ = op(
    "scatter_reduce_", _reduced_kept, None, None, _reduced_source, None
)
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
index_copy_ = op(
    "index_copy_",
    lambda g, _, _x, dim, i, _src: index_copy_(
        clone(g), dim, i, g.new_zeros(_src.shape)
    ),
    None,
    None,
    lambda g, _, _x, dim, i, _src: index_select(g, dim, i).reshape(_src.shape),
)


def _across(i, dim, src):
    """The index of slices as one of elements, for scatter."""
    shape = [1] * src.ndim
    if src.ndim:
        shape[dim] = -1
    return i.reshape(shape).expand(src.shape)


index_reduce_ = op(
    "index_reduce_",
    lambda g, out, x, dim, i, src, reduce: _reduced_kept(
        g, out, x, dim, _across(i, dim, src), src, reduce
    ),
    None,
    None,
    lambda g, out, x, dim, i, src, reduce: _reduced_source(
        g, out, x, dim, _across(i, dim, src), src, reduce
    ),
    None,
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
