"""Elementwise functions. Inputs broadcast together; dtypes are promoted."""

import math

from veem import _core, ops
from veem.functions.registry import alias, export, function, names
from veem.tensor import Tensor

# One operand, nothing to say: the ops serve as they are.
UNARY = """neg abs sign square reciprocal sqrt rsqrt exp exp2 expm1 log log1p log2
log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc sigmoid relu
floor ceil round trunc isnan isinf isfinite logical_not bitwise_not""".split()
BINARY = """floor_divide remainder fmod pow atan2 hypot maximum minimum eq ne lt le gt
ge logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor""".split()
export(*UNARY, *BINARY)

# In-place twins are methods only: x.exp_().
for _name in UNARY + BINARY + ["add", "sub", "mul", "div", "clamp"]:
    setattr(Tensor, _name + "_", getattr(_core.ops, _name + "_"))


def _scaled(other, alpha):
    return other if alpha == 1 else other * alpha


@function
def add(input, other, *, alpha=1):
    """input + alpha * other."""
    return ops.add(input, _scaled(other, alpha))


@function
def sub(input, other, *, alpha=1):
    """input - alpha * other."""
    return ops.sub(input, _scaled(other, alpha))


@function
def mul(input, other):
    """input * other."""
    return ops.mul(input, other)


def _rounded(quotient, mode):
    if mode is None:
        return quotient
    if mode not in ("floor", "trunc"):
        raise RuntimeError(
            "div: expected rounding_mode to be one of None, 'trunc' or 'floor', got "
            f"{mode!r}"
        )
    return ops.floor(quotient) if mode == "floor" else ops.trunc(quotient)


@function
def div(input, other, *, rounding_mode=None):
    """input / other; a rounding_mode of "floor" or "trunc" rounds the quotient."""
    return _rounded(ops.div(input, other), rounding_mode)


def add_(self, other, *, alpha=1):
    """self += alpha * other."""
    return _core.ops.add_(self, _scaled(other, alpha))


def sub_(self, other, *, alpha=1):
    """self -= alpha * other."""
    return _core.ops.sub_(self, _scaled(other, alpha))


Tensor.add_, Tensor.sub_ = add_, sub_


def _bounds(input, low, high):
    """Bounds for clamp, where a missing one is the dtype's own."""
    if low is None and high is None:
        raise RuntimeError("clamp: at least one of 'min' or 'max' must not be None")
    if input.dtype.is_floating_point:
        least, most = -math.inf, math.inf
    else:
        bits = 8 * input.dtype.itemsize - input.dtype.is_signed
        least, most = -(1 << bits) if input.dtype.is_signed else 0, (1 << bits) - 1
    return least if low is None else low, most if high is None else high


@function
def clamp(input, min=None, max=None):
    """Limits every element to [min, max]: numbers, tensors or None."""
    return ops.clamp(input, *_bounds(input, min, max))


def clamp_(self, min=None, max=None):
    """Limits every element to [min, max] in place."""
    return _core.ops.clamp_(self, *_bounds(self, min, max))


Tensor.clamp_ = Tensor.clip_ = clamp_


@function
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


Tensor.where = lambda self, condition, other: where(condition, self, other)


@function
def lerp(input, end, weight):
    """input + weight * (end - input)."""
    return ops.lerp(input, end, weight)


@function
def addcmul(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 * tensor2."""
    return ops.addcmul(input, tensor1, tensor2, value)


@function
def addcdiv(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 / tensor2."""
    return ops.addcdiv(input, tensor1, tensor2, value)


for _new, _old in {
    "multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div",
    "negative": "neg", "absolute": "abs", "clip": "clamp", "greater": "gt",
    "less": "lt", "greater_equal": "ge", "less_equal": "le", "not_equal": "ne",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
}.items():  # fmt: skip
    alias(_new, _old)

Tensor.mul_, Tensor.div_ = _core.ops.mul_, _core.ops.div_
__all__ = list(names)
