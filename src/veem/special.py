"""Special functions, under the names of PyTorch's module of this name."""

import math

from veem import ops
from veem.autograd.names import recorded_as
from veem.functions.registry import names
from veem.functions.twins import with_out

digamma = psi = names["digamma"]
erf, erfc, erfinv = names["erf"], names["erfc"], names["erfinv"]
exp2, expm1, log1p = names["exp2"], names["expm1"], names["log1p"]
expit, gammaln, logit = names["sigmoid"], names["lgamma"], names["logit"]
round, sinc, xlogy = names["round"], names["sinc"], names["xlogy"]
xlog1py, zeta = ops.xlog1py, ops.zeta
softmax, log_softmax = names["softmax"], names["log_softmax"]
polygamma, multigammaln = names["polygamma"], names["mvlgamma"]


@with_out
@recorded_as("SpecialEntr")
def entr(input):
    """-x log(x), the entropy's term: 0 at 0, -infinity below."""
    return ops.where(input < 0, -math.inf, -ops.xlogy(input, input))


@with_out
def ndtr(input):
    """The probability that a standard normal variable lies below x."""
    return 0.5 * ops.erfc(input * -math.sqrt(0.5))
