"""Running results along a dimension: sums, products, extremes; and differences."""

from veem import ops, return_types
from veem.functions.twins import along
from veem.tensor import Tensor


def _cast(input, dtype):
    return input if dtype is None else input.to(dtype)


@along
def cumsum(input, dim, *, dtype=None):
    """out[i] = input[0] + ... + input[i] along dim; of integers and bools an int64."""
    return _cast(ops.cumsum(_cast(input, dtype), dim, False), dtype)


@along
def cumprod(input, dim, *, dtype=None):
    """out[i] = input[0] * ... * input[i] along dim; of integers and bools an int64."""
    return _cast(ops.cumprod(_cast(input, dtype), dim, False), dtype)


@along
def logcumsumexp(input, dim):
    """out[i] = log(exp(input[0]) + ... + exp(input[i])) along dim, without overflow."""
    return ops.logcumsumexp(input, dim, False)


@along
def cummax(input, dim):
    """(values, indices) of the largest element so far; of equals the last."""
    return return_types.cummax(*ops.cummax(input, dim))


@along
def cummin(input, dim):
    """(values, indices) of the smallest element so far; of equals the last."""
    return return_types.cummin(*ops.cummin(input, dim))


def _difference(x, dim):
    after, before = (
        x.narrow(dim, 1, x.shape[dim] - 1),
        x.narrow(dim, 0, x.shape[dim] - 1),
    )
    return ops.logical_xor(after, before) if x.dtype.name == "bool" else after - before


@along
def diff(input, n=1, dim=-1, prepend=None, append=None):
    """input[i + 1] - input[i] along dim, n times over; of bools, whether they differ.

    prepend, append: tensors put before and behind the input first.
    """
    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"diff: order must be non-negative but got {n}")
    dim = input._wrap(dim)
    parts = [x for x in (prepend, input, append) if x is not None]
    if any(x.ndim != input.ndim for x in parts):
        raise RuntimeError(
            "diff expects prepend or append to be the same dimension as input"
        )
    if n == 0:
        return ops.clone(input)
    out = ops.cat(dim, *parts) if len(parts) > 1 else input
    for _ in range(min(n, out.shape[dim])):
        out = _difference(out, dim)
    return out


Tensor.cumsum_ = lambda self, dim, *, dtype=None: self.copy_(cumsum(self, dim))
Tensor.cumprod_ = lambda self, dim, *, dtype=None: self.copy_(cumprod(self, dim))
