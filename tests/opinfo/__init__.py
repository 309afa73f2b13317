"""One row of facts per op; every test of values, layouts, gradients and errors runs
over them. A row says how to make inputs, what NumPy gives for them, what is refused.

To add an op, add a row to the file of its family here, and to ROWS there.
"""

from dataclasses import dataclass, field

import numpy as np

import veem

FLOATS = ("float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
NUMBERS = FLOATS + INTEGERS
ANY = (*NUMBERS, "bool")

# The 16-bit floats, and the error that rounding to them makes at most, relatively.
HALVES = {"float16": 2.0**-11, "bfloat16": 2.0**-8}

SHAPES = ((), (1,), (5,), (3, 4), (2, 1, 3), (0,), (2, 0, 3))


@dataclass
class Sample:
    """Arguments of one call; NumPy arrays among them become tensors."""

    args: tuple
    kwargs: dict = field(default_factory=dict)


@dataclass
class Wrong:
    """A call that must raise `error` with a message that matches `match`.

    peer: what PyTorch raises, where that is another type on purpose.
    """

    args: tuple
    error: type
    match: str
    kwargs: dict = field(default_factory=dict)
    peer: type = None


@dataclass
class OpInfo:
    """What the tests know about an op.

    call: the veem function; by default the one of that name. reference: the same in
    NumPy, given the arrays as float64 (or as they are, for integers). samples(rng,
    dtype): a list of Sample. order: how many times it is differentiable (2 checks the
    second derivatives, 0 none). diff: which arguments get gradients (default: all float
    arrays). tolerance: relative, for float32. halves: how many times the rounding error
    of a 16-bit float its results may have, which takes them where it takes float32;
    None where it does not. torch: the peer's function, by default
    the one of that name in torch; None where it has none. devices: those that it runs
    on, by default all. peer_error: how exact PyTorch is in float64. expands: whether it
    takes a first argument of equal rows.
    """

    name: str
    reference: object
    samples: object
    dtypes: tuple = FLOATS
    order: int = 2
    diff: tuple = None
    wrong: tuple = ()
    tolerance: float = 2e-6
    call: object = None
    halves: float = 2.0
    torch: object = "same"
    peer_error: float = 1e-10
    gradient_samples: object = None
    devices: tuple = None
    expands: bool = True

    def __post_init__(self):
        if self.call is None:  # methods that are no functions too
            self.call = getattr(veem, self.name, None) or getattr(
                veem.Tensor, self.name
            )
        self.gradient_samples = self.gradient_samples or self.samples

    def __repr__(self):
        return self.name

    def all_dtypes(self):
        """The names of the dtypes that it takes."""
        halves = self.halves and "float32" in self.dtypes
        return (*self.dtypes, *HALVES) if halves else self.dtypes

    def samples_of(self, dtype, seed=7):
        """Samples of any dtype; those of 16-bit floats are float32's, rounded."""
        rng = np.random.default_rng(seed)
        if dtype not in HALVES:
            return self.samples(rng, dtype)
        samples = self.samples(rng, "float32")
        return [Sample(rounded(s.args, dtype), s.kwargs) for s in samples]


class Rounded(np.ndarray):
    """float32 numbers that a 16-bit dtype holds, to become a tensor of that dtype."""

    half = None


def rounded(args, dtype):
    """The float arrays among the arguments (also inside lists) as Rounded."""

    def convert(a):
        if isinstance(a, list):
            return [convert(x) for x in a]
        if not isinstance(a, np.ndarray) or a.dtype.kind != "f":
            return a
        half = veem.tensor(a, dtype=getattr(veem, dtype))
        out = half.numpy(force=True).astype("float32").view(Rounded)
        out.half = dtype
        return out

    return tuple(convert(a) for a in args)


def tensor_of(lib, array):
    """An array as a tensor of veem or PyTorch; Rounded ones in their 16-bit dtype."""
    x = lib.tensor(np.asarray(array))
    half = getattr(array, "half", None)
    return x.to(getattr(lib, half)) if half else x


def values(rng, shape, dtype, low=-3.0, high=3.0, avoid=()):
    """Random numbers of a dtype in [low, high], away from the points in `avoid`."""
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype in INTEGERS:
        low = max(low, 0) if dtype == "uint8" else low
        return np.asarray(rng.integers(int(low), int(high) + 1, shape)).astype(dtype)
    x = np.asarray(rng.uniform(low, high, shape))
    for point in avoid:
        x = np.where(np.abs(x - point) < 0.05, point + 0.1, x)
    return x.astype(dtype)


def tensors(args, device="cpu"):
    """The arguments with arrays (also inside lists) as tensors."""
    return tuple(
        tensor_of(veem, a).to(device)
        if isinstance(a, np.ndarray)
        else list(tensors(a, device))
        if isinstance(a, list) and any(isinstance(x, np.ndarray) for x in a)
        else a
        for a in args
    )


def _rows():
    import importlib
    import pathlib

    rows = []
    for path in sorted(pathlib.Path(__file__).parent.glob("[a-z]*.py")):
        rows += importlib.import_module(f"opinfo.{path.stem}").ROWS
    return rows


def all_rows():
    """Every row of every family."""
    if not _cache:
        _cache.extend(_rows())
    return _cache


_cache = []
