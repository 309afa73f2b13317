"""Probability distributions: samples, densities, entropies and divergences.

normal = Normal(loc, scale)
x = normal.rsample()                            # gradients flow to loc and scale
loss = -normal.log_prob(x).mean() + kl_divergence(normal, Normal(0.0, 1.0)).mean()
"""

from . import constraints
from .continuous import Exponential, Laplace, Normal, Uniform
from .discrete import Bernoulli, Categorical
from .distribution import Distribution
from .gamma import Beta, Gamma
from .kl import kl_divergence, register_kl
from .vectors import Independent, MultivariateNormal

__all__ = [
    "Bernoulli",
    "Beta",
    "Categorical",
    "Distribution",
    "Exponential",
    "Gamma",
    "Independent",
    "Laplace",
    "MultivariateNormal",
    "Normal",
    "Uniform",
    "constraints",
    "kl_divergence",
    "register_kl",
]
