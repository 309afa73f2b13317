"""The Kullback-Leibler divergence of two distributions: a table of formulas."""

from __future__ import annotations

import math
from collections.abc import Callable

import veem
from veem import Tensor
from veem.nn.functional import softplus
from veem.triangular import log_diagonal, solve_lower, squared_distance

from .continuous import Exponential, Laplace, Normal, Uniform
from .discrete import Bernoulli, Categorical
from .distribution import Distribution
from .gamma import Beta, Gamma, log_beta
from .vectors import Independent, MultivariateNormal, sum_last

_FORMULAS: dict[tuple[type, type], Callable] = {}


def register_kl(type_p: type, type_q: type) -> Callable:
    """A decorator: the function of (p, q) gives kl_divergence of these types."""
    for kind in type_p, type_q:
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(
                "Expected type_p and type_q to be Distribution subclasses but got "
                f"{kind}"
            )

    def register(formula: Callable) -> Callable:
        _FORMULAS[type_p, type_q] = formula
        return formula

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The mean under p of log p(x) - log q(x), of shape batch_shape.

    Raises NotImplementedError for pairs without a formula.
    """
    for kind_p in type(p).__mro__:
        for kind_q in type(q).__mro__:
            if (kind_p, kind_q) in _FORMULAS:
                return _FORMULAS[kind_p, kind_q](p, q)
    raise NotImplementedError(
        f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
        f"{type(q).__name__}; add one with register_kl"
    )


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    apart = ((p.loc - q.loc) / q.scale) ** 2
    return 0.5 * (ratio + apart - 1 - ratio.log())


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    outside = (q.low > p.low) | (q.high < p.high)
    return result.masked_fill(outside, math.inf)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + apart / q.scale + ratio * (-apart / p.scale).exp() - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    volume = b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma()
    return volume + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    a, b, c, d = (x for s in (p, q) for x in (s.concentration1, s.concentration0))
    volume = log_beta(c, d) - log_beta(a, b)
    slopes = (a - c) * a.digamma() + (b - d) * b.digamma()
    return volume + slopes + (c + d - a - b) * (a + b).digamma()


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    yes = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    no = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return _certain(yes, no, p.probs, q.probs)


def _certain(yes: Tensor, no: Tensor, p: Tensor, q: Tensor) -> Tensor:
    """yes + no, with 0 · log 0 = 0, and infinite where q excludes what p does not."""
    yes = veem.where(p == 0, 0.0, veem.where(q == 0, math.inf, yes))
    no = veem.where(p == 1, 0.0, veem.where(q == 1, math.inf, no))
    return yes + no


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    t = p.probs * (p.logits - q.logits)
    t = veem.where(q.probs == 0, math.inf, t)
    return veem.where(p.probs == 0, 0.0, t).sum(-1)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event "
            "shapes cannot be computed"
        )
    spread = solve_lower(q._tril, p._tril).square().sum((-2, -1))
    apart = squared_distance(q._tril, q.loc - p.loc)
    volume = log_diagonal(q._tril) - log_diagonal(p._tril)
    return volume + 0.5 * (spread + apart - p.event_shape[0])


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    dims = p.reinterpreted_batch_ndims
    if dims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_last(kl_divergence(p.base_dist, q.base_dist), dims)
