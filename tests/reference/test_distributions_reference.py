"""Distributions beside PyTorch: samples of one seed, densities, divergences, words."""

import pytest

torch = pytest.importorskip("torch")

from side_by_side import same  # noqa: E402


def given(lib, *values):
    return [lib.tensor(v, dtype=lib.float64) for v in values]


def spd(lib):
    a = lib.tensor([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.0]])
    return a.double()


def tril(lib):
    return lib.tensor([[1.0, 0.0], [0.5, 2.0]]).double()


MAKE = {
    "normal": lambda L: L.distributions.Normal(*given(L, [0.5, -1.0], [1.0, 0.3])),
    "normal numbers": lambda L: L.distributions.Normal(1, 2.5),
    "normal mixed": lambda L: L.distributions.Normal(
        L.zeros(2, 1).double(), L.ones(3).double() * 2
    ),
    "uniform": lambda L: L.distributions.Uniform(*given(L, [0.5, -1.0], [1.0, 0.3])),
    "exponential": lambda L: L.distributions.Exponential(*given(L, [0.5, 2.0])),
    "laplace": lambda L: L.distributions.Laplace(*given(L, [0.5, -1.0], [1.0, 0.3])),
    "gamma": lambda L: L.distributions.Gamma(*given(L, [0.5, 2.0], [1.0, 3.0])),
    "beta": lambda L: L.distributions.Beta(*given(L, [0.5, 2.0], [1.5, 3.0])),
    "bernoulli": lambda L: L.distributions.Bernoulli(*given(L, [0.0, 0.5, 0.7, 1.0])),
    "bernoulli logits": lambda L: L.distributions.Bernoulli(
        logits=L.tensor([-1.0, 0.0, 3.0])
    ),
    "categorical": lambda L: L.distributions.Categorical(
        L.tensor([[1.0, 2.0, 0.0], [3.0, 3.0, 3.0]])
    ),
    "categorical logits": lambda L: L.distributions.Categorical(
        logits=L.tensor([1.0, -2.0, 0.5, 3.0])
    ),
    "multivariate": lambda L: L.distributions.MultivariateNormal(
        *given(L, [1.0, 2.0, 3.0]), spd(L)
    ),
    "multivariate precision": lambda L: L.distributions.MultivariateNormal(
        *given(L, [1.0, 2.0, 3.0]), precision_matrix=spd(L)
    ),
    "multivariate tril": lambda L: L.distributions.MultivariateNormal(
        L.arange(6.0).double().view(3, 2), scale_tril=tril(L)
    ),
    "independent": lambda L: L.distributions.Independent(
        L.distributions.Normal(L.arange(6.0).view(2, 3), L.ones(3)), 1
    ),
}


def values(lib, d):
    with lib.no_grad():
        return d.sample((4,))


ASK = {
    "repr": lambda L, d: [d, d.batch_shape, d.event_shape, d.has_rsample],
    "moments": lambda L, d: [d.mean, d.variance, d.stddev],
    "mode": lambda L, d: d.mode,
    "sample": lambda L, d: [d.sample(), d.sample((3,)), d.sample((20, 2))],
    "rsample": lambda L, d: d.rsample((3,)),
    "log_prob": lambda L, d: d.log_prob(values(L, d)),
    "entropy": lambda L, d: [d.entropy(), d.perplexity()],
    "cdf": lambda L, d: d.cdf(values(L, d)),
    "icdf": lambda L, d: d.icdf(L.full_like(values(L, d), 0.3)),
    "support": lambda L, d: d.support,
    "values": lambda L, d: [d.enumerate_support(), d.enumerate_support(expand=False)],
    "expand": lambda L, d: [
        e := d.expand((5, *d.batch_shape)),
        e.sample(),
        e.log_prob(values(L, e)),
    ],
    "wrong shape": lambda L, d: d.log_prob(L.ones(7, 5)),
    "no tensor": lambda L, d: d.log_prob(0.5),
    "outside": lambda L, d: d.log_prob(values(L, d) * 0 + float("nan")),
}
# Draws of Gamma and Beta come from another order of random numbers, without gradients.
DRAWS = ("sample", "rsample", "log_prob", "cdf", "expand")
LEFT_OUT = {(make, ask) for make in ("gamma", "beta") for ask in DRAWS}
LEFT_OUT |= {("gamma", "repr"), ("gamma", "no tensor")}
LEFT_OUT |= {("beta", "repr"), ("beta", "mode"), ("beta", "outside")}
CASES = [(make, ask) for make in MAKE for ask in ASK if (make, ask) not in LEFT_OUT]


@pytest.mark.parametrize(("make", "ask"), CASES)
def test_distribution(make, ask):
    same(lambda lib: ASK[ask](lib, MAKE[make](lib)))


@pytest.mark.parametrize("name", ["gamma", "beta"])
def test_density_at_given_values(name):
    def program(lib):
        x = lib.linspace(0.05, 0.95, 8, dtype=lib.float64).view(4, 2).requires_grad_()
        p = MAKE[name](lib).log_prob(x)
        p.sum().backward()
        return [p, x.grad]

    same(program)


def two(lib, name):
    """Two distributions of a kind, of parameters that require grad."""
    d = lib.distributions
    a, b, c, e = given(lib, [0.5, -1.0], [1.0, 0.3], [0.1, 0.2], [2.0, 0.7])
    for t in (a, b, c, e):
        t.requires_grad_()
    kinds = {
        "normal": (d.Normal(a, b), d.Normal(c, e)),
        "laplace": (d.Laplace(a, b), d.Laplace(c, e)),
        "uniform": (d.Uniform(a - 0, e + 1), d.Uniform(c - 2, e + 2)),
        "uniform outside": (d.Uniform(a, e + 1), d.Uniform(c, e + 0.5)),
        "exponential": (d.Exponential(b), d.Exponential(e)),
        "gamma": (d.Gamma(b, e), d.Gamma(e, b)),
        "beta": (d.Beta(b, e), d.Beta(e, b)),
        "bernoulli": (d.Bernoulli(b * 0.5), d.Bernoulli(c)),
        "bernoulli sure": (d.Bernoulli(b * 0 + 1), d.Bernoulli(c)),
        "categorical": (d.Categorical(b), d.Categorical(logits=e)),
        "categorical zero": (d.Categorical(b * 0 + c), d.Categorical(c * 0 + e)),
        "multivariate": (
            d.MultivariateNormal(a, scale_tril=tril(lib)),
            d.MultivariateNormal(c, tril(lib) @ tril(lib).T * 2),
        ),
        "independent": (
            d.Independent(d.Normal(a, b), 1),
            d.Independent(d.Normal(c, e), 1),
        ),
    }
    p, q = kinds[name]
    return p, q, (a, b, c, e)


PAIRS = [
    "normal", "laplace", "uniform", "uniform outside", "exponential", "bernoulli",
    "gamma", "beta",
    "bernoulli sure", "categorical", "categorical zero", "multivariate", "independent",
]  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_divergence(name):
    def program(lib):
        p, q, leaves = two(lib, name)
        kl = lib.distributions.kl_divergence(p, q)
        kl.sum().backward()
        return [kl, [x.grad for x in leaves]]

    same(program)


@pytest.mark.parametrize(
    "name", ["normal", "laplace", "uniform", "exponential", "multivariate"]
)
def test_gradients_of_samples_and_densities(name):
    def program(lib):
        p, _, leaves = two(lib, name)
        x = p.rsample((5,))
        (x.sum() + p.log_prob(x.detach()).sum() + p.entropy().sum()).backward()
        return [x, [t.grad for t in leaves]]

    same(program)


WRONG = {
    "scale": lambda L: L.distributions.Normal(0.0, -1.0),
    "unchecked": lambda L: L.distributions.Normal(0.0, -1.0, validate_args=False),
    "order": lambda L: L.distributions.Uniform(1.0, 0.0),
    "probs": lambda L: L.distributions.Bernoulli(1.5),
    "both": lambda L: L.distributions.Bernoulli(0.5, 0.5),
    "neither": lambda L: L.distributions.Categorical(),
    "scalar": lambda L: L.distributions.Categorical(L.tensor(1.0)),
    "not simplex": lambda L: L.distributions.Categorical(L.tensor([-1.0, 2.0])),
    "vector": lambda L: L.distributions.MultivariateNormal(L.tensor(1.0), L.eye(1)),
    "matrix": lambda L: L.distributions.MultivariateNormal(L.ones(1), L.ones(1)),
    "matrices": lambda L: L.distributions.MultivariateNormal(
        L.ones(1), L.eye(1), scale_tril=L.eye(1)
    ),
    "triangle": lambda L: L.distributions.MultivariateNormal(
        L.ones(2), scale_tril=L.ones(2, 2)
    ),
    "too many": lambda L: L.distributions.Independent(
        L.distributions.Normal(0.0, 1.0), 1
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_refusals(name):
    same(WRONG[name])


def test_pairs_without_a_formula():
    def program(lib):
        d = lib.distributions

        class Mine(d.Normal):
            pass

        @d.register_kl(Mine, d.Normal)
        def _(p, q):
            return 42

        pairs = [Mine(0.0, 1.0), d.Normal(0.0, 1.0)]
        return [d.kl_divergence(*pairs), d.kl_divergence(pairs[1], pairs[0])]

    same(program)
    for lib in (torch, __import__("veem")):
        d = lib.distributions
        with pytest.raises(NotImplementedError):
            d.kl_divergence(d.Laplace(0.0, 1.0), d.Bernoulli(0.5))
