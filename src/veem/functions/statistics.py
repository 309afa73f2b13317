"""Variances, log-sum-exp and p-norms over all elements, one dimension or several."""

import math
import warnings

from veem import ops
from veem.autograd.names import recorded_as
from veem.functions.reduce import _dims
from veem.functions.registry import in_float32, names
from veem.functions.twins import along

# ---- variance ------------------------------------------------------------------------


def root(x, p=2):
    """x ** (1 / p), whose gradient at 0 is 0, as PyTorch has it for norms."""
    zero = x == 0
    filled = ops.where(zero, 1.0, x)
    return ops.where(zero, 0.0, ops.sqrt(filled) if p == 2 else filled ** (1 / p))


def _moments(name, input, dim, unbiased, keepdim, correction):
    """(variance, mean), in two passes: the mean, then the squares of what is apart."""
    if not input.dtype.is_floating_point:
        raise RuntimeError(
            f"{name}: std and var only support floating point dtypes, got "
            f"{input.dtype.name}; convert it first, e.g. x.float()"
        )
    if isinstance(dim, bool):  # var(x, unbiased)
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    dims = _dims(dim)
    mean = ops.mean(input, dims, True, None)
    total = ops.sum(ops.square(input - mean), dims, keepdim, None)
    n = input.numel() // max(mean.numel(), 1) if mean.numel() else 1
    if n <= correction:
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0: {n} elements for each variance, "
            f"and a correction of {correction}",
            stacklevel=3,
        )
    mean = mean if keepdim else mean.reshape(total.shape)
    return total / max(n - correction, 0), mean


@along
@in_float32
@recorded_as("Var")
def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The sum of squared distances from the mean, over n - correction (1 if None)."""
    return _moments("var", input, dim, unbiased, keepdim, correction)[0]


@along
@in_float32
@recorded_as("Std")
def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The square root of the variance."""
    return root(_moments("std", input, dim, unbiased, keepdim, correction)[0])


@in_float32
@recorded_as("VarMean")
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(variance, mean)."""
    return _moments("var_mean", input, dim, unbiased, keepdim, correction)


@in_float32
@recorded_as("StdMean")
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(standard deviation, mean)."""
    v, mean = _moments("std_mean", input, dim, unbiased, keepdim, correction)
    return root(v), mean


# ---- log-sum-exp ---------------------------------------------------------------------


@along
@in_float32
@recorded_as("Logsumexp")
def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(x))), without overflow. Integers become floats."""
    dims = _dims(dim)
    if not input.dtype.is_floating_point:
        input = input.float()
    if input.numel() == 0:  # which has no largest element
        return ops.log(ops.sum(ops.exp(input), dims, keepdim, None))
    peak = ops.amax(input.detach(), dims, True)
    peak = ops.where(ops.isfinite(peak), peak, 0.0)
    total = ops.sum(ops.exp(input - peak), dims, keepdim, None)
    return ops.log(total) + (peak if keepdim else peak.reshape(total.shape))


# ---- p-norms -------------------------------------------------------------------------


def _check_norm(input, p, dims, dtype):
    op = "linalg.vector_norm"
    if not input.dtype.is_floating_point:
        raise RuntimeError(
            f"{op}: Expected a floating point tensor as input, got {input.dtype.name}; "
            "convert it first, e.g. x.float()"
        )
    if dtype is not None and not dtype.is_floating_point:
        raise RuntimeError(f"{op}: dtype should be floating point, got {dtype.name}")
    if dtype is not None and dtype.itemsize < input.dtype.itemsize:
        raise RuntimeError(
            f"{op}: the dtype of the input ({input.dtype.name}) should be convertible "
            f"without narrowing to the specified dtype ({dtype.name})"
        )
    reduced = range(input.ndim) if not dims else [input._wrap(d) for d in dims]
    if (p < 0 or p == math.inf) and any(input.shape[d] == 0 for d in reduced):
        raise RuntimeError(
            f"{op} cannot compute the {p} norm on an empty tensor because the "
            f"operation does not have an identity; the shape is {list(input.shape)}"
        )


@in_float32
@recorded_as("LinalgVectorNorm")
def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """sum(|x| ** ord) ** (1 / ord): any number; inf is max |x|, -inf min, 0 counts.

    Over all elements, one dim or several; dtype: what to convert to first.
    """
    dims = _dims(dim) if x.ndim else None
    _check_norm(x, ord, dims, dtype)
    x = x if dtype is None else x.to(dtype)
    if ord == 2:
        return root(ops.sum(ops.square(x), dims, keepdim, None))
    if ord == 0:
        ones = ops.where(x == 0, 0.0, ops.sign(x) ** 0)
        return ops.sum(ones, dims, keepdim, None)
    size = ops.abs(x)
    if ord == 1:
        return ops.sum(size, dims, keepdim, None)
    if ord in (math.inf, -math.inf):
        return (ops.amax if ord > 0 else ops.amin)(size, dims, keepdim)
    if ord < 1:  # whose gradient at 0 is taken as 0
        zero, at_zero = size == 0, 0.0 if ord > 0 else math.inf
        powers = ops.where(zero, at_zero, ops.where(zero, 1.0, size) ** ord)
    else:
        powers = size**ord
    return root(ops.sum(powers, dims, keepdim, None), ord)


@along
@recorded_as("LinalgVectorNorm")
def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The p-norm of the elements as of a vector: "fro" is 2. See vector_norm.

    "nuc": the sum of the singular values of matrices.
    """
    if p == "nuc":
        from veem.linalg import matrix_norm

        return matrix_norm(input, p, (-2, -1) if dim is None else dim, keepdim)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(
            f"norm: order {p!r} is not supported; take 'fro' or a number"
        )
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


@along
@recorded_as("Dist")
def dist(input, other, p=2):
    """The p-norm of input - other."""
    return vector_norm(input - other, p)


@along
@recorded_as("Renorm")
def renorm(input, p, dim, maxnorm):
    """Each slice of dim whose p-norm is above maxnorm is scaled down to it."""
    if p <= 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported, got p={p}")
    if input.ndim < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions"
        )
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    dim = input._wrap(dim)
    others = tuple(d for d in range(input.ndim) if d != dim)
    size = vector_norm(input, p, others, True)
    return input * ops.where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)


names.update(var_mean=var_mean, std_mean=std_mean)
