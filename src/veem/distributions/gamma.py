"""Distributions of positive numbers and of shares: Gamma, Beta."""

from __future__ import annotations

from typing import Any, ClassVar

import veem
from veem import Tensor

from . import constraints
from .distribution import Distribution, broadcast_all


def _tiny(dtype: Any) -> float:
    """The least normal number."""
    return 2.0 ** {veem.float64: -1022, veem.float16: -14}.get(dtype, -126)


def standard_gamma(shape: Tensor) -> Tensor:
    """Draws of density x^(a - 1) · exp(-x) / Γ(a), for each a in `shape`.

    By rejection of transformed normal numbers, until all have been accepted (Marsaglia
    & Tsang, "A simple method for generating gamma variables", 2000). Below 1, a draw of
    a + 1 times u^(1/a). The CPU draws one after the other, as PyTorch does.
    """
    if shape.device.type == "cpu":
        return veem.random.standard_gamma(shape)
    small = shape < 1
    d = veem.where(small, shape + 1, shape) - 1 / 3
    c = (9 * d).rsqrt()
    result, waiting = veem.zeros_like(d), veem.ones_like(d) > 0
    while waiting.any():
        x, u = veem.randn_like(d), 1 - veem.rand_like(d)
        v = (1 + c * x) ** 3
        safe = veem.where(v > 0, v, 1.0)
        accepted = (v > 0) & (u.log() < 0.5 * x * x + d * (1 - safe + safe.log()))
        result = veem.where(waiting & accepted, d * safe, result)
        waiting = waiting & accepted.logical_not()
    boost = (1 - veem.rand_like(d)) ** shape.reciprocal()
    return veem.where(small, result * boost, result)


class Gamma(Distribution):
    """rateᵃ · x^(a - 1) · exp(-rate · x) / Γ(a), a being the concentration."""

    arg_constraints: ClassVar = {
        "concentration": constraints.positive,
        "rate": constraints.positive,
    }
    support = constraints.nonnegative

    def __init__(
        self, concentration: Any, rate: Any, validate_args: bool | None = None
    ) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate**2

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with veem.no_grad():
            drawn = standard_gamma(self.concentration.expand(shape)) / self.rate
            return drawn.clamp(min=_tiny(drawn.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, rate = self.concentration, self.rate
        return a.xlogy(rate) + (a - 1).xlogy(value) - rate * value - a.lgamma()

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1 - a) * a.digamma()


class Beta(Distribution):
    """x^(a - 1) · (1 - x)^(b - 1) · Γ(a + b) / (Γ(a) · Γ(b)) in [0, 1]."""

    arg_constraints: ClassVar = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval

    def __init__(
        self,
        concentration1: Any,
        concentration0: Any,
        validate_args: bool | None = None,
    ) -> None:
        both = broadcast_all(concentration1, concentration0)
        self.concentration1, self.concentration0 = both
        super().__init__(both[0].shape, validate_args=validate_args)

    @property
    def _total(self) -> Tensor:
        return self.concentration1 + self.concentration0

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / self._total

    @property
    def variance(self) -> Tensor:
        total = self._total
        return self.concentration1 * self.concentration0 / (total**2 * (total + 1))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with veem.no_grad():
            both = veem.stack([self.concentration1, self.concentration0], -1)
            wide = both.double() if both.device.type == "cpu" else both
            drawn = standard_gamma(wide.expand(*shape, 2))
            return (drawn[..., 0] / drawn.sum(-1)).to(both.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, b = self.concentration1, self.concentration0
        powers = (a - 1).xlogy(value) + (b - 1).xlogy(1 - value)
        return powers - log_beta(a, b)

    def entropy(self) -> Tensor:
        a, b, total = self.concentration1, self.concentration0, self._total
        slopes = (a - 1) * a.digamma() + (b - 1) * b.digamma()
        return log_beta(a, b) - slopes + (total - 2) * total.digamma()


def log_beta(a: Tensor, b: Tensor) -> Tensor:
    """log(Γ(a) · Γ(b) / Γ(a + b))."""
    return a.lgamma() + b.lgamma() - (a + b).lgamma()
