"""arange and its kin, and padding, beside PyTorch: values, dtypes, kinds of error."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

import veem  # noqa: E402

DTYPES = (None, "float32", "float64", "int64", "int32", "uint8")
NUMBERS = (-3.5, 0, 1, 2.1, 7)


def outcome(lib, name, args, dtype):
    options = {} if dtype is None else {"dtype": getattr(lib, dtype)}
    try:
        x = getattr(lib, name)(*args, **options)
    except Exception as error:
        return type(error).__name__
    return str(x.dtype).split(".")[-1], x.numpy()


def same(ours, theirs):
    if isinstance(ours, str) or isinstance(theirs, str):
        return isinstance(ours, str) and ours == theirs
    close = np.allclose if theirs[1].dtype.kind == "f" else np.array_equal
    equal = ours[1].shape == theirs[1].shape and close(ours[1], theirs[1])
    return ours[0] == theirs[0] and equal


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "third"),
    [("arange", (1, 2, -1, 0.7)), ("linspace", (0, 1, 5, -1)), ("logspace", (0, 1, 3))],
)
def test_ranges(name, third, dtype):
    for args in itertools.product(NUMBERS, NUMBERS, third):
        if name == "logspace" and dtype == "uint8":
            continue  # which overflows, each in its own way
        ours, theirs = (outcome(lib, name, args, dtype) for lib in (veem, torch))
        if dtype == "uint8" and min(args[:2]) < 0:
            continue
        assert same(ours, theirs), (args, ours, theirs)


@pytest.mark.parametrize("args", [(3,), (2, 3), (0,), (3, 0), (-1,), (2, -1)])
def test_eye(args):
    for dtype in DTYPES:
        assert same(*(outcome(lib, "eye", args, dtype) for lib in (veem, torch)))


def padded(lib, x, pad, mode):
    try:
        return lib.nn.functional.pad(lib.tensor(x), pad, mode=mode).numpy()
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("ndim", [1, 2, 3, 4, 5])
def test_padding(mode, ndim):
    rng = np.random.default_rng(ndim)
    for _ in range(40):
        x = rng.normal(size=rng.integers(2, 5, ndim)).astype("float32")
        # In PyTorch circular ones that crop and add more than is left read memory that
        # nobody has written.
        least = 0 if mode == "circular" else -1
        pad = rng.integers(least, 4, 2 * rng.integers(1, 4)).tolist()
        ours, theirs = (padded(lib, x, pad, mode) for lib in (veem, torch))
        if isinstance(theirs, str):
            assert isinstance(ours, str) and ours == theirs, (x.shape, pad, theirs)
        else:
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{x.shape} {pad}")
