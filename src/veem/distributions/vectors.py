"""Distributions of vectors: MultivariateNormal, and Independent ones together."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import veem
from veem import Size, Tensor
from veem.triangular import cholesky, log_diagonal, solve_lower, squared_distance

from . import constraints
from .distribution import Distribution, lazy, standard_normal


class MultivariateNormal(Distribution):
    """Normal vectors of mean loc (..., n) and a covariance (..., n, n).

    One of covariance_matrix, precision_matrix (its inverse) and scale_tril (the lower
    triangle L, L Lᵀ being the covariance) is given; scale_tril is the fastest.
    """

    arg_constraints: ClassVar = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        matrices = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        given = {name: m for name, m in matrices.items() if m is not None}
        if len(given) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril "
                "may be specified."
            )
        ((name, matrix),) = given.items()
        if matrix.ndim < 2:
            raise ValueError(
                f"{name} must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        batch = veem.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand((*batch, -1))
        self.__dict__[name] = matrix.expand((*batch, -1, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args)

    @lazy
    def _tril(self) -> Tensor:
        """scale_tril, which is printed where it is given."""
        if "scale_tril" in self.__dict__:
            return self.scale_tril
        if "covariance_matrix" in self.__dict__:
            return cholesky(self.covariance_matrix)
        # The inverse of the upper triangle U with Uᵀ' U = precision, by flips.
        upper = cholesky(self.precision_matrix.flip((-2, -1))).flip((-2, -1)).mT
        return solve_lower(upper, self._eye())

    @lazy
    def scale_tril(self) -> Tensor:
        return self._tril

    @lazy
    def covariance_matrix(self) -> Tensor:
        return self._tril @ self._tril.mT

    @lazy
    def precision_matrix(self) -> Tensor:
        inverse = solve_lower(self._tril, self._eye())
        return inverse.mT @ inverse

    def _eye(self) -> Tensor:
        n = self.loc.shape[-1]
        return veem.eye(n, dtype=self.loc.dtype, device=self.loc.device)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self._tril.square().sum(-1)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        eps = standard_normal(self.loc, self._extended_shape(sample_shape))
        return self.loc + (self._tril @ eps.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = squared_distance(self._tril, value - self.loc)
        constant = self.event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + distance) - log_diagonal(self._tril)

    def entropy(self) -> Tensor:
        constant = 0.5 * self.event_shape[0] * (1 + math.log(2 * math.pi))
        return constant + log_diagonal(self._tril)


class Independent(Distribution):
    """A distribution whose last batch dimensions count as one event."""

    def __init__(
        self,
        base_distribution: Distribution,
        reinterpreted_batch_ndims: int,
        validate_args: bool | None = None,
    ) -> None:
        ndim = len(base_distribution.batch_shape)
        if reinterpreted_batch_ndims > ndim:
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= "
                "len(base_distribution.batch_shape), actual "
                f"{reinterpreted_batch_ndims} vs {ndim}"
            )
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        cut = ndim - reinterpreted_batch_ndims
        shape = base_distribution.batch_shape + base_distribution.event_shape
        super().__init__(shape[:cut], shape[cut:], validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_enumerate_support and not (
            self.reinterpreted_batch_ndims
        )

    @property
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        dims = self.reinterpreted_batch_ndims
        return constraints.independent(self.base_dist.support, dims)

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return sum_last(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return sum_last(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        if self.reinterpreted_batch_ndims > 0:
            raise NotImplementedError(
                "Enumeration over cartesian product is not implemented"
            )
        return self.base_dist.enumerate_support(expand)

    def expand(self, batch_shape: Any) -> Independent:
        dims = self.reinterpreted_batch_ndims
        event = self.event_shape[:dims]
        base = self.base_dist.expand(Size(batch_shape) + event)
        return Independent(base, dims, validate_args=self._validate_args)

    def __repr__(self) -> str:
        return f"Independent({self.base_dist}, {self.reinterpreted_batch_ndims})"


def sum_last(x: Tensor, dims: int) -> Tensor:
    """Summed over the last `dims` dimensions."""
    return x.sum(tuple(range(-dims, 0))) if dims else x
