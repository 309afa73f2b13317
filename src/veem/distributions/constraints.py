"""Which values a parameter or a sample may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import veem
from veem import Tensor
from veem.triangular import cholesky


@dataclass(frozen=True, repr=False, eq=False)
class Constraint:
    """check(value) says of each value, event_dim dimensions being one, if it is met."""

    words: str
    check: Callable[[Tensor], Tensor]
    event_dim: int = 0
    is_discrete: bool = False

    def __repr__(self) -> str:
        return self.words


def _is_real(value: Tensor) -> Tensor:
    return value.isnan().logical_not()


def _is_whole(value: Tensor) -> Tensor:
    return (value % 1).eq(0)


real = Constraint("Real()", _is_real)
nonnegative = Constraint("GreaterThanEq(lower_bound=0.0)", lambda v: v >= 0)
unit_interval = Constraint(
    "Interval(lower_bound=0.0, upper_bound=1.0)", lambda v: (v >= 0) & (v <= 1)
)
boolean = Constraint("Boolean()", lambda v: v.eq(0) | v.eq(1), is_discrete=True)
nonnegative_integer = Constraint(
    "IntegerGreaterThan(lower_bound=0)",
    lambda v: _is_whole(v) & (v >= 0),
    is_discrete=True,
)


def less_than(high: Any) -> Constraint:
    return Constraint(f"LessThan(upper_bound={high})", lambda v: v < high)


def greater_than(low: Any) -> Constraint:
    return Constraint(f"GreaterThan(lower_bound={low})", lambda v: v > low)


def interval(low: Any, high: Any) -> Constraint:
    words = f"Interval(lower_bound={low}, upper_bound={high})"
    return Constraint(words, lambda v: (v >= low) & (v <= high))


positive = greater_than(0.0)


def integer_interval(low: int, high: int) -> Constraint:
    return Constraint(
        f"IntegerInterval(lower_bound={low}, upper_bound={high})",
        lambda v: _is_whole(v) & (v >= low) & (v <= high),
        is_discrete=True,
    )


def independent(base: Constraint, dims: int) -> Constraint:
    """`base` for all of the last `dims` dimensions together."""

    def check(value: Tensor) -> Tensor:
        met = base.check(value)
        return met.flatten(met.ndim - dims).all(-1) if dims else met

    words = f"IndependentConstraint({base}, {dims})"
    return Constraint(words, check, base.event_dim + dims, base.is_discrete)


real_vector = independent(real, 1)


def _is_simplex(value: Tensor) -> Tensor:
    return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


simplex = Constraint("Simplex()", _is_simplex, event_dim=1)


def _is_lower_cholesky(value: Tensor) -> Tensor:
    lower = value.tril().eq(value).flatten(-2).all(-1)
    return lower & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


def _is_positive_definite(value: Tensor) -> Tensor:
    symmetric = ((value - value.mT).abs() <= 1e-6).flatten(-2).all(-1)
    with veem.no_grad():
        factor = cholesky(value)
    return symmetric & _is_real(factor).flatten(-2).all(-1)


lower_cholesky = Constraint("LowerCholesky()", _is_lower_cholesky, event_dim=2)
positive_definite = Constraint("PositiveDefinite()", _is_positive_definite, event_dim=2)
