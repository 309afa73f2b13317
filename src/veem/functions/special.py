"""Functions around gamma that take a whole number too."""

import math

from veem import ops
from veem.autograd.names import recorded_as
from veem.functions.registry import names
from veem.functions.twins import elementwise, inplace_twin, with_out
from veem.tensor import Tensor


@with_out
@recorded_as("Polygamma")
def polygamma(n, input):
    """The n-th derivative of digamma: (-1)^(n+1) n! sum of (x + k)^-(n+1), k >= 0."""
    if not isinstance(n, int) or n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support n = {n}; it takes n >= 0")
    if n == 0:
        return ops.digamma(input)
    return ops.zeta(n + 1, input) * ((-1) ** (n + 1) * math.factorial(n))


def _polygamma(self, n):
    """The n-th derivative of digamma."""
    return polygamma(n, self)


@elementwise
@recorded_as("Mvlgamma")
def mvlgamma(input, p):
    """log of the p-dimensional gamma function, for x > (p - 1) / 2."""
    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, got {p}")
    out = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        out = ops.lgamma(input - 0.5 * j) + out
    return out


names["polygamma"] = polygamma
Tensor.polygamma, Tensor.polygamma_ = _polygamma, inplace_twin(_polygamma)
