"""x[index] and x[index] = value for any index: against NumPy, with gradients."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import veem
from veem.autograd import gradcheck, gradgradcheck

DEVICES = veem._core.devices()
WHOLE = slice(None)


# ---- any index, against NumPy --------------------------------------------------------


@st.composite
def indexed_shapes(draw):
    """A shape and an index for it, with NumPy arrays for index tensors and masks."""
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    common = tuple(draw(st.lists(st.integers(0, 3), max_size=2)))
    items, dim, skipped = [], 0, False
    while dim < len(shape):
        n = shape[dim]
        kinds = ["slice", "slice", "array", "array", "mask", "none", "flag", "end"]
        kinds += ["int"] * (n > 0) + ["skip"] * (not skipped)
        kind = draw(st.sampled_from(kinds))
        if kind == "end":
            break
        if kind == "int":
            items.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            bound = st.none() | st.integers(-6, 6)
            items.append(
                slice(draw(bound), draw(bound), draw(st.none() | st.integers(1, 3)))
            )
        elif kind == "array":
            sizes = [draw(st.sampled_from([1, s])) for s in common]
            sizes = sizes[draw(st.integers(0, len(sizes))) :] if n else [0]
            picks = draw(
                st.lists(
                    st.integers(-n, n - 1) if n else st.nothing(),
                    min_size=int(np.prod(sizes)),
                    max_size=int(np.prod(sizes)),
                )
            )
            items.append(np.array(picks, np.int64).reshape(sizes))
        elif kind == "mask":
            k = draw(st.integers(1, len(shape) - dim))
            size = int(np.prod(shape[dim : dim + k]))
            bits = draw(st.lists(st.booleans(), min_size=size, max_size=size))
            items.append(np.array(bits, bool).reshape(shape[dim : dim + k]))
            dim += k - 1
        elif kind == "skip":
            skipped = True
            items.append(...)
            dim += draw(st.integers(0, len(shape) - dim)) - 1
        elif kind == "none":
            items.append(None)
            dim -= 1
        else:
            items.append(draw(st.booleans()))
            dim -= 1
        dim += 1
    assume(masks_fit(shape, items))
    return shape, tuple(items)


def masks_fit(shape, items):
    """Does every mask behind an ellipsis have the shape that it meets there?"""
    if not any(i is ... for i in items):
        return True
    at = len(shape)
    for i in reversed(items):
        if i is ...:
            return True
        if is_mask(i):
            at -= i.ndim
            if at < 0 or shape[at : at + i.ndim] != i.shape:
                return False
        elif i is not None and not isinstance(i, bool):
            at -= 1


def steps(x, items):
    """The index as PyTorch reads it: numbers and slices first, then the arrays."""
    named = sum(
        i.ndim
        if is_mask(i)
        else i is not None and i is not ... and not isinstance(i, bool)
        for i in items
    )
    first, second = [], []
    for i in items:
        if i is ...:
            first += [WHOLE] * (x.ndim - named)
            second += [WHOLE] * (x.ndim - named)
        elif isinstance(i, bool):
            first.append(None)
            second.append(np.zeros(int(i), np.int64))
        elif isinstance(i, np.ndarray) and i.ndim == 0:
            first.append(int(i))
        elif isinstance(i, np.ndarray):
            first += [WHOLE] * (i.ndim if is_mask(i) else 1)
            second.append(i)
        else:
            first.append(i)
            second += [] if isinstance(i, int) else [WHOLE]
    return tuple(first), tuple(second)


def is_mask(i):
    return isinstance(i, np.ndarray) and i.dtype == bool and i.ndim > 0


def as_index(items, device):
    return tuple(
        veem.tensor(i).to(device) if isinstance(i, np.ndarray) else i for i in items
    )


def numbered(shape):
    return np.arange(1.0, 1 + np.prod(shape), dtype=np.float32).reshape(shape)


def strided(array, device):
    """The array as a tensor that lies in memory every second element, transposed."""
    x = veem.tensor(array).to(device)
    big = x.new_zeros([2 * n for n in reversed(array.shape)])
    view = big.permute(tuple(reversed(range(x.ndim))))[(slice(1, None, 2),) * x.ndim]
    return view.copy_(x)


def run(f):
    """What f gives, or IndexError."""
    try:
        return f()
    except IndexError:
        return IndexError


@pytest.mark.parametrize("device", DEVICES)
@given(case=indexed_shapes(), contiguous=st.booleans())
@settings(max_examples=400, deadline=None)
def test_getitem(case, contiguous, device):
    shape, items = case
    array = numbered(shape)
    x = veem.tensor(array).to(device) if contiguous else strided(array, device)
    first, second = steps(array, items)
    expected = run(lambda: array[first][second])
    # A GPU says that an index was bad when somebody waits for it.
    result = run(lambda: x[as_index(items, device)].cpu())
    if expected is IndexError:
        assert result is IndexError
    else:
        np.testing.assert_array_equal(result.numpy(), expected)


@pytest.mark.parametrize("device", DEVICES)
def test_beside_an_empty_index_nothing_is_out_of_range(device):
    x = veem.ones(0, 2, 0, device=device)
    none, some = veem.tensor([], dtype=veem.int64), veem.tensor([[0]])
    assert x[none.to(device), :, some.to(device)].shape == (1, 0, 2)
    x[none.to(device), :, some.to(device)] = 1.0


@pytest.mark.parametrize("device", DEVICES)
@given(
    case=indexed_shapes(),
    contiguous=st.booleans(),
    value=st.sampled_from(["one", "all", "row"]),
)
@settings(max_examples=400, deadline=None)
def test_setitem(case, contiguous, value, device):
    shape, items = case
    array = numbered(shape)
    x = veem.tensor(array).to(device) if contiguous else strided(array, device)
    first, second = steps(array, items)
    part = run(lambda: array[first][second])
    if part is IndexError:
        return
    new = np.float32(-1.0) if value == "one" else -numbered(part.shape)
    if value == "row" and part.ndim and part.shape[0]:
        new = new[:1]
    view = array[(*first, ...)]  # a view: there are no arrays in `first`
    view[second] = new
    x[as_index(items, device)] = (
        float(new) if value == "one" else veem.tensor(new).to(device)
    )
    # Of several values for one element either may stay, but ours is always the last.
    np.testing.assert_array_equal(x.cpu().numpy(), array)


@given(case=indexed_shapes())
@settings(max_examples=60, deadline=None)
def test_gradients(case):
    shape, items = case
    array = numbered(shape).astype(np.float64)
    first, second = steps(array, items)
    if run(lambda: array[first][second]) is IndexError or array.size == 0:
        return
    index = as_index(items, "cpu")
    x = veem.tensor(array, requires_grad=True)

    def put(x, v):
        y = x.clone()
        y[index] = v
        return y

    part = x.detach()[index]
    assert gradcheck(lambda x: x[index], (x,))
    assert gradgradcheck(lambda x: x[index], (x,))
    v = part.clone().requires_grad_()
    # Of several values for an element only one counts in numbers, all in theory.
    named = veem.arange(array.size).reshape(shape)[index].reshape(-1).tolist()
    if len(set(named)) == len(named):
        assert gradcheck(put, (x, v))
        assert gradgradcheck(put, (x, v))


@given(case=indexed_shapes(), accumulate=st.booleans())
@settings(max_examples=100, deadline=None)
def test_gradients_of_index_put(case, accumulate):
    """Of what was there and of what was put, read off the places that NumPy names."""
    shape, items = case
    arrays = [i for i in items if isinstance(i, np.ndarray) and i.ndim]
    if not arrays or not np.prod(shape):
        return
    numbers = np.arange(np.prod(shape)).reshape(shape)
    places = run(lambda: numbers[tuple(arrays)])
    if places is IndexError:
        return
    g = np.sqrt(1.0 + numbers)
    x = veem.tensor(numbers, dtype=veem.float64).requires_grad_()
    v = veem.tensor(-g.ravel()[places]).requires_grad_()
    out = x.index_put(as_index(arrays, "cpu"), v, accumulate)
    (out * veem.tensor(g)).sum().backward()
    kept = accumulate | np.isin(numbers, places, invert=True)
    np.testing.assert_array_equal(x.grad.numpy(), g * kept)
    np.testing.assert_array_equal(v.grad.numpy(), g.ravel()[places])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [1, 40, 9000])
def test_many_indices_into_one_dimension_meet_in_order(device, size):
    """Sums of the same bits on every device, and the last of several written."""
    rng = np.random.default_rng(size)
    at = rng.integers(-size, size, 5001)
    values = rng.standard_normal(2 * len(at)).astype(np.float32)[::2]
    expected = np.ones(size, np.float32)
    np.add.at(expected, at, values)
    table = veem.ones(size).to(device)
    index, source = veem.tensor(at).to(device), veem.tensor(values).to(device)
    table.index_put_((index,), source, accumulate=True)
    assert table.cpu().numpy().tobytes() == expected.tobytes()
    table[index] = source
    expected[at] = values
    assert table.cpu().numpy().tobytes() == expected.tobytes()
