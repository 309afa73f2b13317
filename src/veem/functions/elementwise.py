"""Elementwise functions. Inputs broadcast together; dtypes are promoted.

Each has a twin that works in place, x.exp_(), and as a function takes out=.
"""

import math

from veem import _core, ops
from veem.autograd.names import recorded_as
from veem.functions.registry import alias, export, function, names
from veem.functions.twins import elementwise, prepares, with_out
from veem.tensor import Tensor

# Nothing to say about their arguments: the ops serve as they are.
UNARY = """neg abs sign square reciprocal sqrt rsqrt exp exp2 expm1 log log1p log2
log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc erfinv lgamma
digamma sinc sigmoid relu floor ceil trunc frac isnan isinf isfinite signbit logical_not
bitwise_not""".split()
BINARY = """floor_divide remainder fmod pow atan2 hypot copysign heaviside
logaddexp logaddexp2 xlogy gcd lcm maximum minimum fmax fmin eq ne lt le gt ge
logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
bitwise_left_shift bitwise_right_shift""".split()
export(*UNARY, *BINARY)

# In-place twins are methods; those of one operand are functions too.
for _name in UNARY + BINARY:
    setattr(Tensor, _name + "_", getattr(_core.ops, _name + "_"))
names.update({f"{_name}_": getattr(_core.ops, f"{_name}_") for _name in UNARY})

# ---- arithmetic ----------------------------------------------------------------------


def _scaled(op, other, alpha):
    """alpha * other, where that is allowed."""
    if type(alpha) is int and alpha == 1:
        return other
    dtype = other.dtype if isinstance(other, Tensor) else None
    if isinstance(alpha, bool) and dtype not in (_core.bool, None):
        raise RuntimeError(f"{op}: boolean alpha only supported for Boolean results")
    if isinstance(alpha, float) and dtype and not dtype.is_floating_point:
        raise RuntimeError(
            f"{op}: for integral input tensors, argument alpha must not be a floating "
            "point number"
        )
    return other * alpha


@prepares
def add(input, other, *, alpha=1):
    """input + alpha * other."""
    return "add", input, _scaled("add", other, alpha)


@prepares
def sub(input, other, *, alpha=1):
    """input - alpha * other."""
    return "sub", input, _scaled("sub", other, alpha)


@function
def rsub(input, other, *, alpha=1):
    """other - alpha * input."""
    return ops.sub(other, _scaled("rsub", input, alpha))


@prepares
def mul(input, other):
    """input * other."""
    return "mul", input, other


_QUOTIENTS = {None: "div", "floor": "floor_divide", "trunc": "trunc_divide"}


@prepares
def div(input, other, *, rounding_mode=None):
    """input / other; a rounding_mode of "floor" or "trunc" rounds the quotient."""
    if rounding_mode not in _QUOTIENTS:
        raise RuntimeError(
            "div: expected rounding_mode to be one of None, 'trunc' or 'floor', got "
            f"{rounding_mode!r}"
        )
    return _QUOTIENTS[rounding_mode], input, other


@function
def positive(input):
    """input itself."""
    if input.dtype == _core.bool:
        raise RuntimeError(
            "positive: the `+` operator, on a bool tensor is not supported"
        )
    return input


@elementwise
def float_power(input, exponent):
    """input ** exponent in float64."""
    wide = lambda x: x.double() if isinstance(x, Tensor) else x
    return ops.pow(wide(input), wide(exponent))


@elementwise
@recorded_as("Ldexp")
def ldexp(input, other):
    """input * 2 ** other."""
    return ops.mul(input, ops.pow(2.0, other))


@elementwise
@recorded_as("Deg2Rad")
def deg2rad(input):
    """Degrees as radians."""
    return ops.mul(input, math.pi / 180)


@elementwise
@recorded_as("Rad2Deg")
def rad2deg(input):
    """Radians as degrees."""
    return ops.mul(input, 180 / math.pi)


@prepares
def nextafter(input, other):
    """The next float from input towards other; float32 and float64."""
    if _core.result_type(input, other).itemsize == 2:
        raise NotImplementedError("nextafter: not implemented for 16-bit floats")
    return "nextafter", input, other


def square(input, *, out=None):
    """input * input; of bool an int64."""
    x = input.long() if input.dtype == _core.bool else input
    return ops.square(x) if out is None else ops.square(x, out=out)


names["square"] = Tensor.square = square


@prepares
def lerp(input, end, weight):
    """input + weight * (end - input)."""
    return "lerp", input, end, weight


@prepares
def addcmul(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 * tensor2."""
    return "addcmul", input, tensor1, tensor2, value


@prepares
def addcdiv(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 / tensor2; floating point."""
    if not _core.result_type(tensor1, tensor2).is_floating_point:
        raise RuntimeError(
            "addcdiv: integer division is not supported; use "
            "(input + value * veem.trunc(tensor1 / tensor2)).to(input.dtype), or "
            "convert the tensors to floating point first"
        )
    return "addcdiv", input, tensor1, tensor2, value


# ---- bounds, rounding, choice --------------------------------------------------------


def _bounds(input, low, high):
    """Bounds for clamp, where a missing one is the dtype's own."""
    if low is None and high is None:
        raise RuntimeError("clamp: at least one of 'min' or 'max' must not be None")
    dtype = _core.result_type(input, *(b for b in (low, high) if b is not None))
    if dtype.is_floating_point:
        least, most = -math.inf, math.inf
    else:
        bits = 8 * dtype.itemsize - dtype.is_signed
        least, most = -(1 << bits) if dtype.is_signed else 0, (1 << bits) - 1
    return least if low is None else low, most if high is None else high


@prepares
def clamp(input, min=None, max=None):
    """Limits every element to [min, max]: numbers, tensors or None."""
    return "clamp", input, *_bounds(input, min, max)


@prepares
def clamp_min(input, min):
    """The larger of input and min, a number or a tensor."""
    if _core.result_type(input, min) == _core.bool:
        return "maximum", input, min
    return "clamp", input, *_bounds(input, min, None)


@prepares
def clamp_max(input, max):
    """The smaller of input and max, a number or a tensor."""
    if _core.result_type(input, max) == _core.bool:
        return "minimum", input, max
    return "clamp", input, *_bounds(input, None, max)


@elementwise
def round(input, *, decimals=0):
    """The nearest whole number, or multiple of 10 ** -decimals; halves go to even."""
    if decimals == 0:
        return ops.round(input)
    if not input.dtype.is_floating_point:
        raise NotImplementedError(
            f"round: decimals other than 0 are not implemented for {input.dtype.name}"
        )
    scale = 10.0 ** abs(decimals)
    wide = input.float() if input.dtype.itemsize == 2 else input
    if decimals > 0:
        return (ops.round(wide * scale) / scale).to(input.dtype)
    return (ops.round(wide / scale) * scale).to(input.dtype)


@elementwise
def logit(input, eps=None):
    """log(x / (1 - x)), the inverse of sigmoid; x is clamped to [eps, 1 - eps]."""
    return ops.logit(input if eps is None else clamp(input, eps, 1 - eps))


_LARGEST = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": 3.4028234663852886e38,
    "float64": 1.7976931348623157e308,
}


@elementwise
def nan_to_num(input, nan=None, posinf=None, neginf=None):
    """NaN and infinities replaced: by 0, the largest and the smallest number."""
    if not input.dtype.is_floating_point:
        return input.clone()
    most = _LARGEST[input.dtype.name]
    return ops.nan_to_num(
        input,
        0.0 if nan is None else nan,
        most if posinf is None else posinf,
        -most if neginf is None else neginf,
    )


def where(condition, input=None, other=None):
    """input where condition is true, other elsewhere; alone, nonzero(as_tuple=True)."""
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if condition.dtype == _core.uint8:
        condition = condition.bool()
    if condition.dtype != _core.bool:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with "
            f"dtype {condition.dtype.name}; compare it first, e.g. x != 0"
        )
    return ops.where(condition, input, other)


names["where"] = with_out(where)
Tensor.where = lambda self, condition, other: where(condition, self, other)

for _new, _old in {
    "multiply": "mul", "subtract": "sub", "divide": "div",
    "negative": "neg", "absolute": "abs", "clip": "clamp", "greater": "gt",
    "less": "lt", "greater_equal": "ge", "less_equal": "le", "not_equal": "ne",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "sgn": "sign",
    "fix": "trunc",
}.items():  # fmt: skip
    alias(_new, _old)


@prepares
def true_divide(input, other):
    """input / other."""
    return "div", input, other


__all__ = list(names)
