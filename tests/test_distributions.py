"""Distributions: draws have the moments that are stated, densities add up to 1."""

import math

import numpy as np
import pytest

import veem
from veem.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    Exponential,
    Gamma,
    Independent,
    Laplace,
    MultivariateNormal,
    Normal,
    Uniform,
    kl_divergence,
)

DEVICES = veem._core.devices()


def made(device):
    t = lambda *values: veem.tensor(values, device=device)
    root = veem.tensor([[1.0, 0.0], [0.5, 2.0]], device=device)
    return {
        "Normal": Normal(t(0.5, -1.0), t(1.0, 0.3)),
        "Uniform": Uniform(t(0.5, -1.0), t(1.0, 0.3)),
        "Exponential": Exponential(t(0.5, 2.0)),
        "Laplace": Laplace(t(0.5, -1.0), t(1.0, 0.3)),
        "Gamma": Gamma(t(0.4, 3.0), t(1.0, 2.0)),
        "Beta": Beta(t(0.4, 3.0), t(1.0, 2.0)),
        "Bernoulli": Bernoulli(t(0.1, 0.7)),
        "MultivariateNormal": MultivariateNormal(t(1.0, 2.0), scale_tril=root),
        "Independent": Independent(Normal(t(0.5, -1.0), t(1.0, 0.3)), 1),
    }


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", made("cpu"))
def test_draws_have_the_stated_moments(name, device):
    veem.manual_seed(1)
    d = made(device)[name]
    x = d.sample((20_000,))
    assert x._device_name == device
    np.testing.assert_allclose(x.mean(0).tolist(), d.mean.tolist(), atol=0.05)
    np.testing.assert_allclose(x.var(0).tolist(), d.variance.tolist(), rtol=0.1)
    mean = -d.log_prob(x).mean(0)
    np.testing.assert_allclose(mean.tolist(), d.entropy().tolist(), atol=0.05)


@pytest.mark.parametrize("device", DEVICES)
def test_classes_come_as_often_as_they_should(device):
    veem.manual_seed(2)
    d = Categorical(veem.tensor([[1.0, 2.0, 1.0], [0.0, 1.0, 3.0]], device=device))
    x = d.sample((8_000,))
    for i in range(3):
        share = (x == i).float().mean(0)
        np.testing.assert_allclose(share.tolist(), d.probs[:, i].tolist(), atol=0.03)
    assert d.entropy().tolist()[0] == pytest.approx(1.5 * math.log(2))


@pytest.mark.parametrize("name", ["Normal", "Uniform", "Exponential", "Laplace"])
def test_densities_are_the_slopes_of_the_cdf_and_add_up_to_one(name):
    d = made("cpu")[name]
    x = veem.linspace(-12, 24, 40_001, dtype=veem.float64).unsqueeze(1)
    d._validate_args = False  # outside the support the density is another matter
    low = d.support.check(x)
    density = d.log_prob(x).exp() * low
    total = (density.sum(0) * (36 / 40_000)).tolist()
    np.testing.assert_allclose(total, [1, 1], atol=2e-3)
    a, b = veem.tensor([0.55, -0.9]), veem.tensor([0.56, -0.89])
    slope = (d.cdf(b) - d.cdf(a)) / 0.01
    at = d.log_prob((a + b) / 2).exp()
    np.testing.assert_allclose(slope[:1].tolist(), at[:1].tolist(), rtol=1e-2)


def test_divergence_is_the_mean_difference_of_log_probabilities():
    veem.manual_seed(3)
    root = veem.tensor([[1.0, 0.0], [0.5, 2.0]])
    p = MultivariateNormal(veem.zeros(2), scale_tril=root)
    q = MultivariateNormal(veem.ones(2), veem.tensor([[2.0, 0.5], [0.5, 3.0]]))
    x = p.sample((40_000,))
    mean = (p.log_prob(x) - q.log_prob(x)).mean()
    assert kl_divergence(p, q).item() == pytest.approx(mean.item(), abs=0.03)
    assert kl_divergence(p, p).item() == pytest.approx(0, abs=1e-6)


def test_gradients_of_a_policy():
    logits = veem.zeros(3, requires_grad=True)
    d = Categorical(logits=logits)
    d.log_prob(veem.tensor(1)).backward()
    np.testing.assert_allclose(logits.grad.tolist(), [-1 / 3, 2 / 3, -1 / 3], rtol=1e-6)


def test_refused_parameters_name_the_constraint():
    with pytest.raises(ValueError, match=r"parameter scale .* GreaterThan"):
        Normal(0.0, -1.0)
    with pytest.raises(ValueError, match="within the support"):
        Bernoulli(0.5).log_prob(veem.tensor(0.5))
