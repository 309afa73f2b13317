"""The random stream beside PyTorch's: numbers, and where it stands afterwards."""

# ruff: noqa: B023 - the programs made in a loop run before it goes on

import numpy as np
import pytest
from streams import STREAMS, array, is_exact, tolerance

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")


def vendor_stream():
    """On Intel processors PyTorch may take one word and leave the rest to MKL."""
    torch.manual_seed(0)
    torch.empty(100).bernoulli_(0.5)
    left = torch.get_rng_state()
    torch.manual_seed(0)
    torch.rand(200)
    return not torch.equal(left, torch.get_rng_state())


def same(a, b, exact):
    near = tolerance(a)
    assert str(a.dtype) == str(b.dtype).replace("torch", "veem")
    a, b = array(a), array(b)
    assert a.shape == b.shape
    if exact:
        assert np.array_equal(a, b)
    else:
        np.testing.assert_allclose(a, b, rtol=near, atol=near)


def both(program, exact, seed=0):
    """The program with either library draws the same and leaves the same state."""
    drawn = []
    for lib in (veem, torch):
        lib.manual_seed(seed)
        out = program(lib)
        drawn.append(list(out) if isinstance(out, (list, tuple)) else [out])
    for a, b in zip(*drawn):
        same(a, b, exact)
    same(veem.get_rng_state(), torch.get_rng_state(), True)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("seed", [0, 42, 2**32 + 5, -1])
def test_same_numbers(name, seed):
    if name.startswith("bernoulli_") and "tensor" not in name and vendor_stream():
        pytest.skip("PyTorch draws these with MKL on this processor")
    veem.manual_seed(seed)
    torch.manual_seed(seed)
    veem.rand(5), torch.rand(5)
    same(STREAMS[name](veem), STREAMS[name](torch), is_exact(name))
    same(veem.get_rng_state(), torch.get_rng_state(), name != "randn after randn")


def test_state_travels():
    torch.manual_seed(9)
    torch.randn(3), torch.rand(700)
    veem.set_rng_state(veem.from_numpy(torch.get_rng_state().numpy()))
    same(veem.randn(5), torch.randn(5), False)
    torch.set_rng_state(torch.from_numpy(veem.get_rng_state().numpy()))
    same(veem.rand(700), torch.rand(700), True)


LAYOUTS = {
    "contiguous": lambda v, n, t: v.empty(n, 3, dtype=t),
    "transposed": lambda v, n, t: v.empty(n, 3, dtype=t).t(),
    "sliced": lambda v, n, t: v.empty(n, 3, 2, dtype=t).select(2, 0),
    "permuted": lambda v, n, t: v.empty(2, n, 3, dtype=t).permute(2, 0, 1),
    "all": lambda v, n, t: v.empty(4, n, 5, dtype=t).narrow(2, 2, 1).permute(1, 2, 0),
    "0-d": lambda v, n, t: v.empty((), dtype=t),
}


FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
FILLS = {
    "uniform_": lambda x: x.uniform_(-0.3, 0.7),
    "normal_": lambda x: x.normal_(2, 0.37),
    "exponential_": lambda x: x.exponential_(1.5),
    "cauchy_": lambda x: x.cauchy_(1, 2),
    "log_normal_": lambda x: x.log_normal_(0.5, 0.7),
    "random_": lambda x: x.random_(),
    "random_(to)": lambda x: x.random_(100),
    "random_(from, to)": lambda x: x.random_(1, 100),
    "random_(from, None)": lambda x: x.random_(7, None),
    "geometric_": lambda x: x.geometric_(0.3),
}
CONTINUOUS = [name for name in FILLS if "(" not in name and name != "random_"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_every_fill(layout, dtype):
    names = FILLS if dtype in FLOATS else FILLS.keys() - set(CONTINUOUS[:-1])
    for name in sorted(names):
        for n in (1, 5, 16, 40):
            make = lambda v: LAYOUTS[layout](v, n, getattr(v, dtype))
            exact = name not in CONTINUOUS or name in ("uniform_", "geometric_")
            both(lambda v: FILLS[name](make(v)), exact, seed=n)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_every_sampler(layout, dtype):
    for n in (1, 5, 17):
        make = lambda v: LAYOUTS[layout](v, n, getattr(v, dtype))
        both(lambda v: v.rand_like(make(v)), True)
        both(lambda v: v.randn_like(make(v)), False)
        both(lambda v: v.randint_like(make(v), 3, 17), True)
        both(lambda v: v.bernoulli(v.rand_like(make(v))), True)
        both(lambda v: make(v).bernoulli_(v.rand_like(make(v))), True)
        both(lambda v: v.poisson(v.rand_like(make(v)) * 30), True)
        both(lambda v: v.normal(v.rand_like(make(v)), v.rand_like(make(v))), False)
        both(lambda v: v.normal(v.rand_like(make(v)), 2.5), False)
        both(lambda v: v.normal(1.5, v.rand_like(make(v))), False)
        if dtype in ("float32", "float64"):
            count = lambda v: (v.rand_like(make(v)) * 60).floor()
            both(lambda v: v.binomial(count(v), v.rand_like(make(v))), True)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("dtype", FLOATS)
def test_multinomial(dtype, replacement):
    rare = [[0.0, 1, 2, 3, 0], [1, 0, 3, 1e-6, 1]]
    for n in (1, 3):
        for shape in [(7,), (3, 7), (20, 500)]:
            like = {"dtype": dtype}
            weights = lambda v: v.rand(*shape, dtype=getattr(v, like["dtype"]))
            both(lambda v: v.multinomial(weights(v), n, replacement), True)
        weights = lambda v: v.rand(7, 3, dtype=getattr(v, dtype)).t()
        both(lambda v: v.multinomial(weights(v), n, replacement), True)
        weights = lambda v: v.tensor(rare, dtype=getattr(v, dtype))
        both(lambda v: v.multinomial(weights(v), n, replacement), True)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [0, 1, 5, 6, 17, 209])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layout(layout, n, dtype):
    veem.manual_seed(n)
    torch.manual_seed(n)
    fills = [
        (True, lambda x: x.uniform_(-1, 2)),
        (True, lambda x: x.random_(2**24)),
        (False, lambda x: x.normal_(2, 0.5)),
    ]
    for exact, fill in fills:
        a = fill(LAYOUTS[layout](veem, n, getattr(veem, dtype)))
        b = fill(LAYOUTS[layout](torch, n, getattr(torch, dtype)))
        same(a, b, exact)
    assert veem.rand(1).item() == torch.rand(1).item()


# ---- what draws within ---------------------------------------------------------------

SHAPES = [(3, 4), (20, 3), (3, 4, 5), (2, 3, 4, 5), (2, 3, 4, 5, 2)]
INITS = {
    "uniform_": lambda i, x: i.uniform_(x, -1, 2),
    "normal_": lambda i, x: i.normal_(x, 1, 2),
    "trunc_normal_": lambda i, x: i.trunc_normal_(x),
    "trunc_normal_ narrow": lambda i, x: i.trunc_normal_(x, 0, 0.02, -0.04, 0.01),
    "trunc_normal_ tail": lambda i, x: i.trunc_normal_(x, 0, 1, 1.5, 4),
    "xavier_uniform_": lambda i, x: i.xavier_uniform_(x, 1.5),
    "xavier_normal_": lambda i, x: i.xavier_normal_(x),
    "kaiming_uniform_": lambda i, x: i.kaiming_uniform_(x, nonlinearity="relu"),
    "kaiming_normal_": lambda i, x: i.kaiming_normal_(x, mode="fan_out"),
    "sparse_": lambda i, x: i.sparse_(x.reshape(x.shape[0], -1), 0.3),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", INITS)
def test_init(name, dtype):
    for shape in SHAPES:
        make = lambda v: v.empty(*shape, dtype=getattr(v, dtype))
        both(lambda v: INITS[name](v.nn.init, make(v)), False)
        both(lambda v: INITS[name](v.nn.init, make(v).transpose(0, -1)), False)


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonal(shape):
    veem.manual_seed(3), torch.manual_seed(3)
    a, b = (v.nn.init.orthogonal_(v.empty(*shape)) for v in (veem, torch))
    np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)


DROPOUTS = "dropout alpha_dropout feature_alpha_dropout dropout1d dropout2d dropout3d"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", [*DROPOUTS.split(), "rrelu", "gumbel_softmax"])
def test_stochastic_functions(name, dtype):
    if (name, dtype) == ("rrelu", "float16"):
        pytest.skip("PyTorch has no rrelu of halves on the CPU")
    options = {"rrelu": {"training": True}, "gumbel_softmax": {"tau": 0.7}}
    options = options.get(name, {"p": 0.3, "training": True})
    for shape in SHAPES:
        if name == "dropout1d" and len(shape) > 3:
            continue
        for x in (
            lambda v: -v.ones(*shape, dtype=getattr(v, dtype)),
            lambda v: (-v.ones(*shape, dtype=getattr(v, dtype))).transpose(0, -1),
        ):
            function = lambda v: getattr(v.nn.functional, name)
            both(lambda v: function(v)(x(v), **options), False)


def test_gumbel_softmax_hard():
    x = np.random.default_rng(0).standard_normal((5, 7)).astype(np.float32)

    def program(v):
        logits = v.from_numpy(x).requires_grad_()
        drawn = v.nn.functional.gumbel_softmax(logits, hard=True, dim=0)
        (drawn * v.arange(7)).sum().backward()
        return drawn, logits.grad

    both(program, False)


class Numbers:
    def __len__(self):
        return 23

    def __getitem__(self, i):
        return i


SAMPLERS = {
    "RandomSampler": {},
    "RandomSampler again": {"replacement": True, "num_samples": 70},
    "RandomSampler more": {"num_samples": 50},
    "SubsetRandomSampler": {},
    "WeightedRandomSampler": {"num_samples": 20},
    "WeightedRandomSampler once": {"num_samples": 3, "replacement": False},
}
SOURCES = {"W": [0.1, 0.5, 3, 0.2], "S": range(5, 19), "R": Numbers()}


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers(name, own):
    def program(v):
        g = v.Generator().manual_seed(5) if own else None
        cls = getattr(v.utils.data, name.split()[0])
        sampler = cls(SOURCES[name[0]], generator=g, **SAMPLERS[name])
        return v.tensor([int(i) for i in [*sampler, *sampler]])

    both(program, True)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("options", [{}, {"batch_size": 5}, {"batch_size": None}])
@pytest.mark.parametrize("shuffle", [False, True])
def test_loaders_order(shuffle, options, own):
    def program(v):
        g = v.Generator().manual_seed(5) if own else None
        data = v.utils.data
        parts = data.random_split(Numbers(), [0.7, 0.3], generator=g)
        loader = data.DataLoader(parts[0], shuffle=shuffle, generator=g, **options)
        passes = [v.as_tensor(batch).reshape(-1) for _ in range(2) for batch in loader]
        return v.cat([*passes, v.randint(1000, (1,), generator=g)])

    both(program, True)


LAYERS = {
    "Linear": (4, 5), "Conv1d": (4, 6, 3), "Conv2d": (4, 6, 3), "Conv3d": (2, 3, 2),
    "ConvTranspose2d": (4, 6, 3), "Bilinear": (3, 4, 5), "Embedding": (10, 4),
    "EmbeddingBag": (10, 4), "LSTM": (4, 5, 2), "GRU": (4, 5), "RNN": (4, 5),
    "LSTMCell": (4, 5), "GRUCell": (4, 5), "RNNCell": (4, 5), "PReLU": (),
    "MultiheadAttention": (8, 2), "Transformer": (8, 2, 1, 1, 16),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LAYERS)
def test_parameters(name):
    layer = lambda v: getattr(v.nn, name)(*LAYERS[name])
    both(lambda v: list(layer(v).parameters()), False)


DISTRIBUTIONS = {
    "Bernoulli": lambda d, x: d.Bernoulli(x),
    "Beta": lambda d, x: d.Beta(x + 0.01, x * 3 + 0.1),
    "Categorical": lambda d, x: d.Categorical(x),
    "Exponential": lambda d, x: d.Exponential(x + 0.1),
    "Gamma": lambda d, x: d.Gamma(x * 3 + 0.01, x + 0.1),
    "Independent": lambda d, x: d.Independent(d.Normal(x, x + 0.1), 1),
    "Laplace": lambda d, x: d.Laplace(x, x + 0.1),
    "MultivariateNormal": lambda d, x: d.MultivariateNormal(
        x[0], (x[0] + 0.1).diag_embed()
    ),
    "Normal": lambda d, x: d.Normal(x, x + 0.1),
    "Uniform": lambda d, x: d.Uniform(x, x + 2),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions(name, dtype):
    for shape in [(), (5,), (2, 9)]:
        x = lambda v: v.rand(3, 4, dtype=getattr(v, dtype))
        made = lambda v: DISTRIBUTIONS[name](v.distributions, x(v))
        both(lambda v: made(v).sample(shape), False)


def test_forked_and_cloned_alike():
    def program(v):
        g = v.Generator().manual_seed(7)
        first = v.randn(3, generator=g)
        twin = g.clone_state()
        with v.random.fork_rng(devices=[]):
            inside = v.rand(4)
        return (
            first,
            v.rand(5, generator=g),
            v.rand(5, generator=twin),
            inside,
            v.rand(3),
        )

    both(program, False)
    assert veem.default_generator.initial_seed() == torch.initial_seed()
