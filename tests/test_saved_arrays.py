"""NumPy's arrays in files that are loaded with weights_only=True."""

import io
import pickle

import numpy as np
import pytest

import veem


def through_a_file(value):
    file = io.BytesIO()
    veem.save(value, file)
    file.seek(0)
    return veem.load(file)


@pytest.mark.parametrize("dtype", "? i1 u2 >i4 i8 f2 f4 >f8 c8 c16".split())
def test_arrays_come_back(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    for value in (array, array.T, array[:, ::2], array[0, 0] * np.ones(()), array[:0]):
        found = through_a_file({"a": value})["a"]
        assert found.dtype == pickle.loads(pickle.dumps(value, 2)).dtype
        np.testing.assert_array_equal(found, value)
    number = through_a_file([array[1, 2]])[0]
    assert type(number) is type(array[1, 2]) and number == array[1, 2]
    same = through_a_file([array, array])
    assert same[0] is same[1]


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}], dtype=object),
        np.array(["text"]),
        np.array([b"text"]),
        np.zeros(2, dtype="i4,f8"),
        np.array(["2020-01-01"], dtype="M8[D]"),
        np.zeros(2).view(np.recarray),
    ],
    ids=lambda array: str(array.dtype),
)
def test_only_plain_numbers(array):
    with pytest.raises(pickle.UnpicklingError):
        through_a_file([array])


class Asks:
    """Pickled as a call of a function on some arguments, and perhaps a state."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


EMPTY = np.zeros(0).__reduce__()
F8 = np.dtype("f8")


@pytest.mark.parametrize(
    "asks",
    [
        Asks(*EMPTY[:2], (1, (10**9,), F8, False, b"8 bytes.")),
        Asks(*EMPTY[:2], (1, (-1,), F8, False, b"")),
        Asks(*EMPTY[:2], (1, (2**62, 2**62, 4), F8, False, b"")),
        Asks(*EMPTY[:2], (1, (True,), F8, False, b"8 bytes.")),
        Asks(*EMPTY[:2], (1, (1,), "f8", False, b"8 bytes.")),
        Asks(*EMPTY[:2], (1, (1,), F8, False, [1.0])),
        Asks(*EMPTY[:2], (1, (1,), F8)),
        Asks(EMPTY[0], (np.ndarray, (10**12,), b"b")),
        Asks(EMPTY[0], (dict, (0,), b"b")),
        Asks(np.dtype, ("O", False, True)),
        Asks(np.dtype, ("V1000000000", False, True)),
        Asks(
            np.dtype, ("f8", False, True), (3, "|", (F8, (2,)), None, None, -1, -1, 0)
        ),
        Asks(np.dtype, ("f8", False, True), (3, "<", None, None, None, 9, -1, 63)),
        Asks(np.float64(1).__reduce__()[0], (F8, b"short")),
        Asks(np.ndarray, ((10**12,),)),
    ],
)
def test_hostile_arrays(asks):
    with pytest.raises(pickle.UnpicklingError):
        through_a_file([asks])


def test_an_array_of_nothing_is_small():
    made = through_a_file([Asks(*EMPTY[:2], (1, (0, 2**40), F8, False, b""))])[0]
    assert made.shape == (0, 2**40) and made.nbytes == 0


def test_one_text_is_not_many_arrays():
    """A few bytes of a file ask for the same text again and again."""
    text = b"x" * 10**6
    many = [Asks(*EMPTY[:2], (1, (10**6,), np.dtype("u1"), False, text))]
    assert through_a_file(many)[0].nbytes == 10**6
    many = [
        Asks(*EMPTY[:2], (1, (10**6,), np.dtype("u1"), False, text)) for _ in range(9)
    ]
    with pytest.raises(pickle.UnpicklingError, match="more often"):
        through_a_file(many)
