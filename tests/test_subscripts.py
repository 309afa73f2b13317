"""What x[index] takes and refuses, and what x[index] = value does."""

import numpy as np
import pytest

import veem

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
