"""Reductions, running results and sorts of any shape, layout and dtype, as NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import veem

DTYPES = ("float32", "float64", "int64", "int32", "uint8", "int8", "int16", "bool")
ODD = (0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, 1.0, -1.0)
MORE = settings(max_examples=150, deadline=None)


@st.composite
def arrays(draw, dtypes=DTYPES, most=4, least=0, special=True):
    """A NumPy array and a veem tensor of the same numbers, often many equal ones.

    Its memory may be permuted, stepped through or expanded.
    """
    shape = draw(st.lists(st.integers(0, 5), min_size=least, max_size=most))
    if shape and draw(st.booleans()):
        shape[-1] *= draw(st.integers(1, 90))
    dtype = draw(st.sampled_from(dtypes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(0, draw(st.sampled_from((2, 9, 200))), shape)
    x = np.asarray(x if dtype == "uint8" else x - x.max(initial=0) // 2).astype(dtype)
    if special and x.dtype.kind == "f" and draw(st.booleans()):
        x = np.where(rng.random(shape) < 0.3, rng.choice(ODD, shape), x).astype(dtype)
    t = veem.tensor(x.copy())
    order = draw(st.permutations(range(len(shape))))
    x, t = x.transpose(order), t.permute(*order) if order else t
    if shape and draw(st.booleans()):
        dim, step = draw(st.integers(0, len(shape) - 1)), draw(st.integers(1, 3))
        at = (slice(None),) * dim + (slice(draw(st.integers(0, 2)), None, step),)
        x, t = x[at], t[at]
    if len(shape) < most and draw(st.booleans()):
        x = np.broadcast_to(x, (2, *x.shape))
        t = t.expand(2, *t.shape)
    return x, t


@st.composite
def with_dim(draw, **how):
    x, t = draw(arrays(least=1, **how))
    return x, t, draw(st.integers(-x.ndim, x.ndim - 1))


def same(ours, theirs, eps=0.0):
    theirs = np.asarray(theirs)
    assert tuple(ours.shape) == theirs.shape
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=eps, atol=eps)


def wide(x):
    return x.astype(np.int64 if x.dtype.kind in "biu" else np.float64)


@given(data=st.data())
@MORE
def test_sums_over_any_dims(data):
    x, t = data.draw(arrays(special=False))
    dims = tuple(data.draw(st.sets(st.integers(0, x.ndim - 1)))) if x.ndim else ()
    keep = data.draw(st.booleans())
    axis = dims or None
    eps = 1e-4 if x.dtype == np.float32 else 1e-12
    same(t.sum(axis, keep), wide(x).sum(axis, keepdims=keep), eps)
    same(t.count_nonzero(axis), np.asarray(x != 0).sum(axis))
    same(t.any(axis, keep), x.any(axis, keepdims=keep))
    same(t.all(axis, keep), x.all(axis, keepdims=keep))
    if x.dtype.kind == "f" and x.size:
        same(t.mean(axis, keep), wide(x).mean(axis, keepdims=keep), eps)
        same(t.var(axis, correction=0), wide(x).var(axis), eps * 1e3)
        size = np.sqrt((wide(x) ** 2).sum(axis, keepdims=keep))
        same(t.norm(dim=axis, keepdim=keep), size, eps)


@given(data=st.data())
@MORE
def test_extremes_over_any_dims(data):
    x, t = data.draw(arrays())
    dims = tuple(data.draw(st.sets(st.integers(0, x.ndim - 1)))) if x.ndim else ()
    if x.size == 0:
        return
    with np.errstate(all="ignore"):
        same(t.amax(dims), x.max(dims or None))
        same(t.amin(dims), x.min(dims or None))


@given(with_dim())
@MORE
def test_one_extreme_and_its_index(given):
    x, t, dim = given
    if x.shape[dim] == 0:
        return
    for f, extreme, index in (("max", np.max, np.argmax), ("min", np.min, np.argmin)):
        found = getattr(t, f)(dim)
        same(found.values, extreme(x, dim))
        same(found.indices, index(x, dim))


@given(with_dim(), st.booleans())
@MORE
def test_sort_is_stable(given, descending):
    x, t, dim = given
    rows = np.flip(x, dim) if descending else x
    at = np.argsort(rows, dim, kind="stable")
    if descending:
        at = x.shape[dim] - 1 - np.flip(at, dim)
    values, indices = t.sort(dim, descending)
    same(indices, at)
    expected = np.take_along_axis(x, at, dim)
    same(values, expected)
    assert (np.signbit(values.numpy()) == np.signbit(expected)).all()  # of -0 too


@given(st.data(), with_dim(dtypes=DTYPES[:-1]))
@MORE
def test_topk_and_kthvalue_are_parts_of_the_sort(data, given):
    x, t, dim = given
    largest = data.draw(st.booleans())
    k = data.draw(st.integers(0, x.shape[dim]))
    ours, whole = t.topk(k, dim, largest), t.sort(dim, largest)
    same(ours.values, whole.values.narrow(dim, 0, k).numpy())
    same(ours.indices, whole.indices.narrow(dim, 0, k).numpy())
    if k:
        ours, whole = t.kthvalue(k, dim), t.sort(dim)
        same(ours.values, whole.values.select(dim, k - 1).numpy())
        same(ours.indices, whole.indices.select(dim, k - 1).numpy())


@given(with_dim())
@MORE
def test_running_results(given):
    x, t, dim = given
    with np.errstate(all="ignore"):
        eps = 1e-4 if x.dtype == np.float32 else 1e-12
        same(t.cumsum(dim), np.cumsum(wide(x), dim), eps)
        assert t.cumsum(dim).dtype == (t.dtype if x.dtype.kind == "f" else veem.int64)
        same(t.cummax(dim).values, np.maximum.accumulate(x, dim))
        same(t.cummin(dim).values, np.minimum.accumulate(x, dim))
    taken = np.take_along_axis(x, t.cummax(dim).indices.numpy(), dim)
    same(t.cummax(dim).values, taken)


@given(arrays())
@MORE
def test_distinct_elements(given):
    x, t = given
    ours = t.unique(return_inverse=True, return_counts=True)
    theirs = np.unique(x, False, True, True, equal_nan=False)
    same(ours[0], theirs[0])
    same(ours[0][ours[1]], x)  # which of several NaN is which is open
    same(ours[2], theirs[2])


@given(arrays(least=1, most=1, special=False), arrays(special=False), st.booleans())
@MORE
def test_search(sequence, values, right):
    x, v = np.sort(sequence[0]), values[0]
    if "bool" in (x.dtype, v.dtype):
        return
    side = "right" if right else "left"
    ours = veem.searchsorted(veem.tensor(x), values[1], right=right)
    same(ours, np.searchsorted(wide(x), wide(v), side))
    same(veem.isin(values[1], sequence[1]), np.isin(wide(v), wide(x)))


@given(
    arrays(dtypes=("uint8", "int16", "int32", "int64"), least=1, most=1),
    st.integers(0, 9),
)
@MORE
def test_bincount(given, minlength):
    x, t = given
    if x.size and x.min() < 0:
        return
    same(t.bincount(minlength=minlength), np.bincount(x, minlength=minlength))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint8"])
@pytest.mark.parametrize("n", [300, 5000, 70_000, 600_000])
def test_long_rows(n, dtype):
    """Each way of sorting, by how many there are and how many are wanted."""
    x = np.random.default_rng(n).normal(0, 60, n)
    x = np.where(np.arange(n) % 997 == 5, np.nan, x) if dtype[0] == "f" else abs(x)
    x = x.astype(dtype)
    t, order = veem.tensor(x), np.argsort(x, kind="stable")
    same(t.sort()[1], order)
    same(t.topk(20, largest=False)[1], order[:20])
    for k in (2, n // 2, n):
        same(t.kthvalue(k)[1], order[k - 1])
    backwards = n - 1 - np.argsort(x[::-1], kind="stable")[::-1]
    same(t.sort(descending=True)[1], backwards)
    same(t.topk(20)[1], backwards[:20])
