"""Matrix products and broadcasting of any shapes, layouts and dtypes, as NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import veem

MORE = settings(max_examples=200, deadline=None)
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")


@st.composite
def laid_out(draw, shape, dtype):
    """An array of a shape and a tensor of the same numbers, which may lie with gaps,
    from an offset on, or with its dimensions in another order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(0, 9, shape)
    x = np.asarray(x if dtype == "uint8" else x - 4).astype(dtype)
    order = draw(st.permutations(range(x.ndim)))
    t = veem.tensor(x.transpose(order).copy())
    t = t.permute(*np.argsort(order).tolist()) if x.ndim else t
    if x.ndim and draw(st.booleans()):
        dim, step = draw(st.integers(0, x.ndim - 1)), draw(st.integers(1, 3))
        sizes = list(shape)
        sizes[dim] = sizes[dim] * step + 2
        room = veem.zeros(sizes, dtype=t.dtype)
        at = (slice(None),) * dim + (slice(2, None, step),)
        view = room[at].narrow(dim, 0, shape[dim])
        t = view.copy_(t)
    return x, t


@st.composite
def thinned(draw, shape):
    """A shape that broadcasts to this one."""
    shape = [n if draw(st.booleans()) else 1 for n in shape]
    return shape[draw(st.integers(0, len(shape))) :]


@st.composite
def together(draw, n):
    """n operands that broadcast together, of one dtype."""
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    dtype = draw(st.sampled_from((*INTEGERS, "float32", "float64")))
    return [draw(laid_out(draw(thinned(shape)), dtype)) for _ in range(n)]


@st.composite
def factors(draw):
    """Operands of matmul: vectors, matrices, or batches of them that broadcast."""
    m, k, n = (draw(st.sampled_from((0, 1, 2, 3, 7, 17, 33))) for _ in range(3))
    batch = draw(st.lists(st.integers(0, 3), max_size=2))
    dtype = draw(st.sampled_from((*INTEGERS, "float32", "float64")))
    a = [k] if draw(st.integers(0, 4)) == 0 else [*draw(thinned(batch)), m, k]
    b = [k] if draw(st.integers(0, 4)) == 0 else [*draw(thinned(batch)), k, n]
    return draw(laid_out(a, dtype)), draw(laid_out(b, dtype))


def same(ours, theirs):
    theirs = np.asarray(theirs)
    assert tuple(ours.shape) == theirs.shape
    assert ours.dtype.name == theirs.dtype.name
    np.testing.assert_array_equal(ours.numpy(), theirs)  # of small whole numbers: exact


@given(operands=together(2))
@MORE
def test_two_operands(operands):
    (x, a), (y, b) = operands
    same(a + b, x + y)
    same(a * b, x * y)
    same(a - b, x - y)
    same(veem.maximum(a, b), np.maximum(x, y))
    same(a < b, x < y)


@given(operands=together(3))
@MORE
def test_three_operands(operands):
    (x, a), (y, b), (z, c) = operands
    same(veem.where(a > b, b, c), np.where(x > y, y, z))
    same(veem.addcmul(a, b, c), x + y * z)


@given(operands=together(2))
@MORE
def test_in_place(operands):
    """The target keeps its shape: what does not broadcast to it is refused."""
    (x, a), (y, b) = operands
    fits = np.broadcast_shapes(x.shape, y.shape) == x.shape
    if fits:
        same(a.add_(b), x + y)
        return
    with pytest.raises(RuntimeError, match="shape"):
        a.add_(b)


@given(operands=together(2))
@MORE
def test_gradients_have_the_shapes_of_their_operands(operands):
    (x, a), (y, b) = operands
    a, b = (t.double().requires_grad_() for t in (a, b))
    (a * b).sum().backward()
    ones = np.ones(np.broadcast_shapes(x.shape, y.shape))

    def back(g, shape):  # summed over what was broadcast
        g = g.sum(tuple(range(g.ndim - len(shape))))
        thin = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
        return g.sum(thin, keepdims=True)

    same(a.grad, back(ones * y.astype(np.float64), x.shape))
    same(b.grad, back(ones * x.astype(np.float64), y.shape))


@given(operands=factors())
@MORE
def test_products(operands):
    (x, a), (y, b) = operands
    same(a @ b, x @ y)


@given(operands=factors())
@settings(max_examples=60, deadline=None)
def test_products_of_halves_are_sums_of_float32(operands):
    (x, a), (y, b) = operands
    exact = x.astype(np.float64) @ y.astype(np.float64)  # all of them are float16s
    ours = a.half() @ b.half()
    np.testing.assert_array_equal(ours.numpy(), exact.astype(np.float16))
