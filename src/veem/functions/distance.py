"""Distances between all rows of two matrices."""

import math

from veem import ops
from veem.autograd.names import recorded_as
from veem.functions.arranging import broadcast_shapes
from veem.functions.matrices import triu_indices
from veem.functions.registry import plain
from veem.functions.statistics import root

_FEW = 25  # rows, up to which differences are taken one by one, as in PyTorch


def _euclidean(a, b):
    """|a|² - 2 a b + |b|² as one product of matrices; no difference is ever stored."""
    squares_a, squares_b = ((x * x).sum(-1, keepdim=True) for x in (a, b))
    left = ops.cat(-1, a * -2, squares_a, a.new_ones(squares_a.shape))
    right = ops.cat(-1, b, b.new_ones(squares_b.shape), squares_b)
    return root(ops.matmul(left, right.mT).clamp(min=0))


def _of_differences(a, b, p):
    apart = (a.unsqueeze(-2) - b.unsqueeze(-3)).abs()
    if p == 2:
        return root((apart * apart).sum(-1))
    if p == 0:
        return ops.sign(apart).sum(-1)
    if math.isinf(p):
        return apart.amax(-1) if apart.shape[-1] else apart.sum(-1)
    if p == 1:
        return apart.sum(-1)
    zero = apart == 0  # whose power has no gradient there for p < 1
    powers = ops.where(zero, 0.0, ops.where(zero, 1.0, apart) ** p).sum(-1)
    return root(powers, p)


@plain
@recorded_as("Cdist")
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm of every row of x1 less every row of x2: (..., m, d), (..., n, d) to
    (..., m, n).

    p = 2 with more than 25 rows is one product of matrices, less exact for points that
    are close together; compute_mode "donot_use_mm_for_euclid_dist" never takes it,
    "use_mm_for_euclid_dist" always does. The gradient of a distance of 0 is 0.
    """
    for name, x in (("X1", x1), ("X2", x2)):
        if not x.is_floating_point():
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {x.dtype.name}"
            )
        if x.ndim < 2:
            raise RuntimeError(
                f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D"
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            "cdist: X1 and X2 must have the same number of columns. X1: "
            f"{x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    modes = (
        "use_mm_for_euclid_dist_if_necessary",
        "use_mm_for_euclid_dist",
        "donot_use_mm_for_euclid_dist",
    )
    if compute_mode not in modes:
        raise ValueError(f"cdist: {compute_mode} is not a valid value for compute_mode")
    batch = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    x1, x2 = (x.expand(*batch, *x.shape[-2:]) for x in (x1, x2))
    many = max(x1.shape[-2], x2.shape[-2]) > _FEW
    if p == 2 and (compute_mode == modes[1] or (many and compute_mode == modes[0])):
        return _euclidean(x1, x2)
    return _of_differences(x1, x2, p)


@plain
def pdist(input, p=2.0):
    """The p-norm of the difference of every two rows: (n, d) to n (n - 1) / 2."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    n = input.shape[0]
    i, j = triu_indices(n, n, 1, device=input.device)
    a, b = ops.index_select(input, 0, i), ops.index_select(input, 0, j)
    return _of_differences(a.unsqueeze(-2), b.unsqueeze(-2), p).reshape(-1)
