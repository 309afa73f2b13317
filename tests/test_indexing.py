"""x[index] and x[index] = value: against NumPy, with gradients, and the errors."""

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


# ---- what an index may be ------------------------------------------------------------


def test_views_and_copies():
    x = veem.zeros(2, 3)
    for view in (
        x[0],
        x[:, 1:],
        x[None],
        x[..., 0],
        x[veem.tensor(1)],
        x[np.int64(1)],
        x[()],
    ):
        assert view._base is x
    for copy in (x[[0]], x[veem.tensor([0])], x[x > 2], x[True]):
        assert copy._base is None


def test_lists_arrays_and_integers_of_every_kind():
    x = veem.arange(12).view(3, 4)
    expected = [[8, 9, 10, 11], [0, 1, 2, 3]]
    for rows in (
        [2, 0],
        (np.array([2, 0])),
        np.array([2, 0], np.int32),
        veem.tensor([2, 0]),
        veem.tensor([2, 0], dtype=veem.int32),
        range(2, -1, -2),
    ):
        assert x[rows].tolist() == expected
    assert x[(2, 0),].tolist() == expected
    assert x[[True, False, True]].tolist() == x[::2].tolist()
    assert x[np.array([True, False, True])].tolist() == x[::2].tolist()
    assert x[[]].shape == (0, 4)
    assert x[:, [-1], None].shape == (3, 1, 1)
    assert x[veem.tensor(2), [1, 3]].tolist() == [9, 11]
    assert x[2:, 1].item() == 9
    assert x[veem.tensor(True)].shape == (1, 3, 4)


def test_separated_index_tensors_come_first():
    x = veem.zeros(2, 3, 4, 5)
    i, j = veem.tensor([[0], [1]]), veem.tensor([0, 1, 1])
    assert x[i, j].shape == (2, 3, 4, 5)
    assert x[:, i, j].shape == (2, 2, 3, 5)
    assert x[i, :, j].shape == (2, 3, 3, 5)
    assert x[i, None, j].shape == (2, 3, 1, 4, 5)
    assert x[0, :, j].shape == (3, 3, 5)  # a number is no index tensor


def test_uint8_is_a_mask_with_a_warning():
    x = veem.arange(3)
    with pytest.warns(UserWarning, match="uint8"):
        assert x[veem.tensor([1, 0, 1], dtype=veem.uint8)].tolist() == [0, 2]


def test_short_lists_of_sequences_are_tuples_with_a_warning():
    x = veem.arange(6).view(2, 3)
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert x[[[0, 1], [1, 2]]].tolist() == [1, 5]


@pytest.mark.parametrize(
    ("shape", "index", "error", "match"),
    [
        ((3,), 3, IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        (
            (2, 3),
            (0, -4),
            IndexError,
            "index -4 is out of bounds for dimension 1 with size 3",
        ),
        (
            (2, 3),
            [0, 2],
            IndexError,
            "index 2 is out of bounds for dimension 0 with size 2",
        ),
        (
            (2, 3),
            (0, [0, 5]),
            IndexError,
            "index 5 is out of bounds for dimension 1 with size 3",
        ),
        (
            (0, 3),
            [0],
            IndexError,
            "index 0 is out of bounds for dimension 0 with size 0",
        ),
        ((2, 3), (0, 0, 0), IndexError, "too many indices for tensor of dimension 2"),
        ((), 0, IndexError, "too many indices for tensor of dimension 0"),
        ((3,), ([0], [1]), IndexError, "too many indices for tensor of dimension 1"),
        ((3,), slice(None, None, -1), ValueError, "step must be greater than zero"),
        ((3,), slice(None, None, 0), ValueError, "zero"),
        ((3,), 1.0, IndexError, "only integers, slices"),
        ((3,), "a", TypeError, "only integers, slices"),
        ((3,), [0.5], IndexError, "long, int, byte or bool"),
        (
            (2, 3),
            [True],
            IndexError,
            r"mask \[1\] at index 0 does not match .* \[2, 3\] at index 0",
        ),
        (
            (3, 3),
            ([0, 1], [0, 1, 2]),
            IndexError,
            r"broadcast together with shapes \[2\], \[3\]",
        ),
    ],
)
def test_errors(shape, index, error, match):
    x = veem.zeros(shape)
    with pytest.raises(error, match=match):
        x[index]
    with pytest.raises(error, match=match):
        x[index] = 1.0
    assert not x.any()  # nothing was written


def test_assignment_errors():
    x = veem.zeros(2, 3)
    with pytest.raises(TypeError, match="can't assign a list"):
        x[0] = [1, 2, 3]
    with pytest.raises(TypeError, match="deleting"):
        del x[0]
    with pytest.raises(RuntimeError, match="shape"):
        x[0] = veem.zeros(2)
    with pytest.raises(
        RuntimeError, match=r"value tensor of shape \[2\] cannot be broadcast"
    ):
        x[[0, 1]] = veem.zeros(2)
    with pytest.raises(RuntimeError, match="dtypes match"):
        x[[0, 1]] = veem.zeros(3, dtype=veem.int64)
    with pytest.raises(RuntimeError, match="single memory location"):
        veem.zeros(3).expand(2, 3)[[0]] = veem.ones(3)
    with pytest.raises(RuntimeError, match="without overflow"):
        veem.zeros(2, dtype=veem.uint8)[0] = 300


# ---- assignment ----------------------------------------------------------------------


def test_assignment_broadcasts_casts_and_reads_before_it_writes():
    x = veem.arange(6).view(2, 3)
    x[0] = veem.tensor([1.7, 2.2, 3.9])
    x[:, 1] = veem.ones(1, 1, 2, dtype=veem.int64)
    assert x.tolist() == [[1, 1, 3], [3, 1, 5]]
    y = veem.arange(5)
    y[1:] = y[:-1]
    assert y.tolist() == [0, 0, 1, 2, 3]
    y[veem.tensor([4, 3, 2, 1, 0])] = y
    assert y.tolist() == [3, 2, 1, 0, 0]
    z = veem.arange(4).view(2, 2)
    z[:] = z.t()
    assert z.tolist() == [[0, 2], [1, 3]]


def test_masks_take_one_value_or_one_for_each():
    x = veem.arange(6.0).view(2, 3)
    x[x > 3] = 0.0
    x[x == 0] = veem.tensor([7.0, 8.0, 9.0])
    x[veem.tensor([True, False])] = veem.tensor([1.0, 2.0, 3.0])
    assert x.tolist() == [[1, 2, 3], [3, 8, 9]]
    x[:, veem.tensor([True, False, False])] = -1.0
    assert x[:, 0].tolist() == [-1, -1]


def test_assignment_is_recorded():
    x = veem.arange(6.0).view(2, 3).requires_grad_()
    v = veem.tensor([10.0, 20.0], requires_grad=True)
    y = x * 2
    y[0, 1:] = v
    y[1, [0, 2]] = v * 3
    y[y == 4] = 5.0
    (y * veem.arange(6.0).view(2, 3)).sum().backward()
    assert x.grad.tolist() == [[0, 0, 0], [0, 8, 0]]
    assert v.grad.tolist() == [1 + 9, 2 + 15]


def test_a_leaf_and_a_changed_index_are_refused():
    x = veem.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        x[0] = 1.0
    with pytest.raises(RuntimeError, match="leaf"):
        x[[0]] = 1.0
    i = veem.tensor([0, 1])
    y = x[i]
    i[0] = 2
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_duplicates_are_summed_in_backward():
    x = veem.zeros(3, requires_grad=True)
    x[[0, 0, 2]].sum().backward()
    assert x.grad.tolist() == [2, 0, 1]


@pytest.mark.parametrize("threads", [1, 2])
def test_sums_do_not_depend_on_threads(threads):
    rng = np.random.default_rng(0)
    ids, g = rng.integers(0, 50, 4000), rng.normal(size=(4000, 200)).astype(np.float32)
    expected = np.zeros((50, 200), np.float32)
    np.add.at(expected, ids, g)
    before = veem.get_num_threads()
    try:
        veem.set_num_threads(threads)
        out = veem.zeros(50, 200).index_add_(0, veem.tensor(ids), veem.tensor(g))
    finally:
        veem.set_num_threads(before)
    np.testing.assert_array_equal(out.numpy(), expected)
