"""Result dtypes, or exceptions, of elementwise ops for every pair of operands."""

import itertools
import warnings

import pytest

import veem

torch = pytest.importorskip("torch")

LIBS = (veem, torch)
DTYPES = [
    name
    for name in """bool uint8 int8 int16 int32 int64 float16 bfloat16 float32
    float64""".split()
    if isinstance(getattr(veem, name, None), veem.dtype)
]
UNARY = """neg abs sign sgn square reciprocal sqrt rsqrt exp exp2 expm1 log log1p log2
log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc erfinv lgamma
digamma sinc logit sigmoid relu floor ceil round trunc frac isnan isinf isfinite signbit
isposinf isneginf isreal logical_not bitwise_not positive deg2rad rad2deg nan_to_num
special.entr special.ndtr""".split()
BINARY = """add sub mul div true_divide floor_divide remainder fmod pow atan2 hypot
copysign logaddexp logaddexp2 xlogy gcd lcm maximum minimum fmax fmin eq ne lt le gt
ge logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
bitwise_left_shift bitwise_right_shift float_power special.xlog1py special.zeta rsub
nextafter""".split()
# These take tensors alone in PyTorch; here a number is as good.
TENSORS_ONLY = """atan2 hypot logaddexp logaddexp2 gcd lcm maximum minimum fmax fmin
logical_and logical_or logical_xor nextafter""".split()
# PyTorch squares bools to int64 and raises one to True.
BOOLS = {"square", "pow"}


# It has no zeta of 16-bit floats, and here nextafter has none.
HALVES = {"special.zeta", "nextafter"}


def dtypes_for(name):
    lacking = {"bool"} if name in BOOLS else set()
    lacking |= {"float16", "bfloat16"} if name in HALVES else set()
    return [d for d in DTYPES if d not in lacking]


def find(lib, name):
    for part in name.split("."):
        lib = getattr(lib, part)
    return lib


def outcome(lib, name, *args):
    """The dtype of a result by name, or the exception that came instead."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(find(lib, name)(*args).dtype).split(".")[-1]
    except Exception as error:
        return type(error)


def agree(ours, theirs):
    if isinstance(ours, str) or isinstance(theirs, str):
        return ours == theirs
    return issubclass(ours, theirs) or issubclass(theirs, ours)


def tensor(lib, dtype, dims):
    return lib.ones((2,) * dims, dtype=getattr(lib, dtype))


@pytest.mark.parametrize("name", UNARY)
def test_one_operand(name):
    for dtype in dtypes_for(name):
        results = [outcome(lib, name, tensor(lib, dtype, 1)) for lib in LIBS]
        assert agree(*results), (dtype, *results)


@pytest.mark.parametrize("name", BINARY)
def test_two_tensors(name):
    """With and without dimensions: those without take part as numbers do."""
    for a, b in itertools.product(dtypes_for(name), repeat=2):
        for dims in ((1, 1), (1, 0), (0, 1), (0, 0)):
            results = [
                outcome(lib, name, *(tensor(lib, *t) for t in zip((a, b), dims)))
                for lib in LIBS
            ]
            assert agree(*results), (a, b, dims, *results)


@pytest.mark.parametrize("name", [n for n in BINARY if n not in TENSORS_ONLY])
@pytest.mark.parametrize("number", [True, 2, 2.5])
def test_tensor_and_number(name, number):
    for dtype, dims in itertools.product(dtypes_for(name), (0, 1)):
        results = [outcome(lib, name, tensor(lib, dtype, dims), number) for lib in LIBS]
        assert agree(*results), (dtype, dims, *results)
