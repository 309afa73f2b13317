"""Programs that draw random numbers, for veem and for PyTorch alike: f(module)."""


def transposed(v, rows, columns, dtype=None):
    return v.empty(columns, rows, dtype=dtype or v.float32).t()


def sliced(v, n, dtype=None):
    return v.empty(n, 3, dtype=dtype or v.float32).select(1, 1)


def after_small_normals(v):
    """The second of a pair of normals waits for the next call."""
    v.randn(3)
    return v.cat([v.randn(2), v.rand(1), v.randn(1)])


def ramp(v, *shape):
    return v.arange(shape[-1], dtype=v.float32).add(1).expand(*shape).contiguous()


STREAMS = {
    "rand": lambda v: v.rand(1000),
    "rand double": lambda v: v.rand(1000, dtype=v.float64),
    "rand shape": lambda v: v.rand(3, 4),
    "uniform_": lambda v: v.empty(700).uniform_(-0.1, 0.1),
    "uniform_ double": lambda v: v.empty(700, dtype=v.float64).uniform_(5, 7.3),
    "uniform_ transposed": lambda v: transposed(v, 3, 5).uniform_(),
    "uniform_ sliced": lambda v: sliced(v, 9).uniform_(),
    "rand_like transposed": lambda v: v.rand_like(transposed(v, 3, 5)),
    "randn 1": lambda v: v.randn(1),
    "randn 15": lambda v: v.randn(15),
    "randn 16": lambda v: v.randn(16),
    "randn 17": lambda v: v.randn(17),
    "randn 1000": lambda v: v.randn(1000),
    "randn double": lambda v: v.randn(40, dtype=v.float64),
    "randn small double": lambda v: v.randn(5, dtype=v.float64),
    "randn after randn": after_small_normals,
    "normal_": lambda v: v.empty(100).normal_(2, 0.5),
    "normal_ transposed": lambda v: transposed(v, 7, 5).normal_(1, 2),
    "normal_ sliced": lambda v: sliced(v, 40).normal_(),
    "normal of tensors": lambda v: v.normal(v.zeros(3, 1), v.ones(20)),
    "normal of a size": lambda v: v.normal(2.0, 3.0, (20,)),
    "exponential_": lambda v: v.empty(700).exponential_(1.7),
    "exponential_ double": lambda v: v.empty(9, dtype=v.float64).exponential_(),
    "bernoulli_": lambda v: v.empty(40).bernoulli_(0.3),
    "bernoulli_ int64": lambda v: v.empty(40, dtype=v.int64).bernoulli_(0.7),
    "bernoulli_ bool": lambda v: v.empty(40, dtype=v.bool).bernoulli_(),
    "bernoulli_ tensor": lambda v: v.empty(2, 20).bernoulli_(v.rand(20)),
    "bernoulli": lambda v: v.bernoulli(v.rand(40, dtype=v.float64)),
    "random_ int64": lambda v: v.empty(9, dtype=v.int64).random_(),
    "random_ int32": lambda v: v.empty(9, dtype=v.int32).random_(),
    "random_ uint8": lambda v: v.empty(9, dtype=v.uint8).random_(),
    "random_ bool": lambda v: v.empty(9, dtype=v.bool).random_(),
    "random_ float": lambda v: v.empty(9).random_(),
    "random_ double": lambda v: v.empty(9, dtype=v.float64).random_(),
    "random_ 64 bits": lambda v: v.empty(9, dtype=v.int64).random_(-(2**63), None),
    "random_ from": lambda v: v.empty(9, dtype=v.int32).random_(7, None),
    "randint": lambda v: v.randint(10, (700,)),
    "randint low": lambda v: v.randint(-5, 100, (9,)),
    "randint 32 bits": lambda v: v.randint(2**28 - 1, (9,)),
    "randint 64 bits": lambda v: v.randint(2**28, (9,)),
    "randint wide": lambda v: v.randint(-(2**40), 2**62, (9,)),
    "randperm": lambda v: v.randperm(1000),
    "randperm int32": lambda v: v.randperm(10, dtype=v.int32),
    "randperm 0": lambda v: v.randperm(0),
    "randperm 1": lambda v: v.randperm(1),
    "multinomial": lambda v: v.multinomial(ramp(v, 3, 10), 4),
    "multinomial 1": lambda v: v.multinomial(ramp(v, 3, 10), 1),
    "multinomial all": lambda v: v.multinomial(ramp(v, 700), 700),
    "multinomial again": lambda v: v.multinomial(ramp(v, 3, 10), 20, replacement=True),
    "multinomial double": lambda v: v.multinomial(ramp(v, 9).double(), 9, True),
    "multinomial half": lambda v: v.multinomial(ramp(v, 2, 9).half(), 5),
    "rand out": lambda v: v.rand(5, out=v.empty(0)),
    "uniform_ half": lambda v: v.empty(700, dtype=v.float16).uniform_(-0.3, 0.7),
    "uniform_ bfloat16": lambda v: v.empty(700, dtype=v.bfloat16).uniform_(0.1, 0.7),
    "normal_ half": lambda v: v.empty(20, dtype=v.float16).normal_(0.1, 0.37),
    "exponential_ half": lambda v: v.empty(20, dtype=v.float16).exponential_(),
    "bernoulli transposed": lambda v: v.bernoulli(transposed(v, 3, 5).fill_(0.4)),
    "geometric_": lambda v: v.empty(20).geometric_(0.1),
    "geometric_ transposed": lambda v: transposed(v, 4, 5, v.int64).geometric_(0.1),
    "cauchy_": lambda v: v.empty(20, dtype=v.float64).cauchy_(1, 2),
    "cauchy_ sliced": lambda v: sliced(v, 20).cauchy_(),
    "log_normal_": lambda v: v.empty(20).log_normal_(0.5, 0.7),
    "log_normal_ transposed": lambda v: transposed(v, 4, 5).log_normal_(),
    "poisson": lambda v: v.poisson(ramp(v, 3, 20)),
    "poisson many": lambda v: v.poisson(ramp(v, 20) * 1e5),
    "poisson transposed": lambda v: v.poisson(ramp(v, 20, 3).t()),
    "binomial": lambda v: v.binomial(ramp(v, 40), v.full((40,), 0.3)),
    "binomial many": lambda v: v.binomial(ramp(v, 20) * 1e4, v.full((20,), 0.7)),
    "gamma": lambda v: v.distributions.Gamma(ramp(v, 20) / 8, 2.0).sample((2,)),
    "beta": lambda v: v.distributions.Beta(ramp(v, 20) / 8, ramp(v, 20)).sample(),
    "gumbel": lambda v: v.nn.functional.gumbel_softmax(ramp(v, 3, 5)),
}
EXACT = (
    "rand",
    "uniform",
    "randint",
    "randperm",
    "random_",
    "bernoulli",
    "multinomial",
    "geometric",
    "poisson",
    "binomial",
)


def is_exact(name):
    """Equal to the last bit: no logarithm, sine or cosine in it."""
    return name.startswith(EXACT) and not name.startswith("randn")


def array(x):
    """A tensor of either library in NumPy, which has no bfloat16."""
    x = x.detach()
    return (x.float() if str(x.dtype).endswith("bfloat16") else x).numpy()


def tolerance(x):
    """How near normals and the like come to PyTorch's, by the tensor's dtype."""
    bits = {"bfloat16": 7, "float16": 10}.get(str(x.dtype).split(".")[-1])
    return 2.0**-bits if bits else 2e-6
