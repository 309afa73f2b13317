"""Covariances of variables, and integrals by trapezoids."""

from veem import _core, ops
from veem.functions.registry import function, names

# ---- covariance ----------------------------------------------------------------------


def _check_weights(name, weights, n, whole):
    if weights.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got "
            f"{weights.ndim}"
        )
    kind = weights.dtype.is_floating_point
    if kind == whole or weights.dtype == _core.bool:
        raise RuntimeError(
            f"cov(): expected {name} to have "
            f"{'integral' if whole else 'floating point'} dtype but got "
            f"{weights.dtype.name}"
        )
    if weights.numel() != n:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are "
            f"observations, {n}, but got {weights.numel()}"
        )
    if weights.numel() and bool((weights < 0).any()):
        raise RuntimeError(f"cov(): {name} cannot be negative")


@function
def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariances (variables, variables) of input (variables, observations).

    Over n - correction. fweights: how often each observation counts, integers.
    aweights: how much it weighs. One variable, so also a 1-d input, gives a number.
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions, got {input.ndim}"
        )
    if input.dtype == _core.bool:
        raise RuntimeError(
            "cov(): bool dtype is not supported for input; use x.float()"
        )
    x = input.reshape(1, -1) if input.ndim < 2 else input
    n, weight = x.shape[1], None
    for name, w, whole in (("fweights", fweights, True), ("aweights", aweights, False)):
        if w is not None:
            _check_weights(name, w, n, whole)
            weight = w.reshape(-1) if weight is None else weight * w.reshape(-1)
    x = x if x.dtype.is_floating_point else x.to(_core.get_default_dtype())
    if weight is None:
        mean, total = x.sum(1, keepdim=True) / n, n
    else:
        total = weight.sum()
        mean = (x * weight).sum(1, keepdim=True) / total
    norm = total
    if weight is not None and aweights is not None and correction:
        norm = total - correction * (weight * aweights.reshape(-1)).sum() / total
    else:
        norm = total - correction
    norm = norm.clamp(min=0) if weight is not None else max(norm, 0)
    x = x - mean
    out = x @ (x if weight is None else x * weight).T / norm
    return out.reshape(()) if out.numel() == 1 else out


@function
def corrcoef(input):
    """The covariances over the standard deviations, between -1 and 1."""
    out = cov(input)
    if out.ndim == 0:
        return out / out
    deviation = ops.sqrt(ops.diagonal(out, 0, 0, 1))
    return (out / deviation.unsqueeze(1) / deviation).clamp(-1, 1)


# ---- trapezoids ----------------------------------------------------------------------


def _trapezoids(name, y, x, dx, dim):
    """The areas between neighbours along dim."""
    if y.ndim == 0:
        raise IndexError(
            f"{name}: the tensor has no dimensions, dim was given as {dim}"
        )
    if y.dtype == _core.bool or (x is not None and x.dtype == _core.bool):
        raise RuntimeError(f"{name}: bool is not supported; convert it, e.g. y.float()")
    dim = y._wrap(dim)
    n = y.shape[dim]
    if n == 0:
        return y.sum(dim, keepdim=True) * 0.5
    if x is not None:
        along = x._wrap(dim - y.ndim) if x.ndim > 1 else 0
        if x.shape[along] != n:
            raise RuntimeError(
                f"{name}: There must be one `x` value for each sample point: {n} along "
                f"dim {dim}, got x of shape {list(x.shape)}"
            )
        dx = x.narrow(along, 1, n - 1) - x.narrow(along, 0, n - 1)
        if x.ndim == 1:
            dx = dx.reshape([n - 1 if d == dim else 1 for d in range(y.ndim)])
    return (y.narrow(dim, 1, n - 1) + y.narrow(dim, 0, n - 1)) * dx * 0.5


@function
def trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integral along dim of samples y at the places x, or dx apart."""
    return _trapezoids("trapezoid", y, x, dx, dim).sum(dim)


@function
def cumulative_trapezoid(y, x=None, *, dx=1, dim=-1):
    """Likewise, up to every sample but the first."""
    return ops.cumsum(_trapezoids("cumulative_trapezoid", y, x, dx, dim), dim, False)


names["trapz"] = trapezoid
