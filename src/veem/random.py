"""Random numbers: fills in place, and new tensors. What draws is in generator.py."""

import math

from veem import _core, autograd, ops
from veem.autograd.names import recorded_as
from veem.creation import _finish, _new, _number, empty_like, resized
from veem.functions.arranging import broadcast_tensors
from veem.functions.registry import function
from veem.functions.twins import store
from veem.generator import (
    Generator,
    default_generator,
    fork_rng,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
    stream_of,
)
from veem.tensor import Tensor

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

# ---- fills --------------------------------------------------------------------------


def _from(generator, x):
    return generator or stream_of(x._device_name)


def _uniform_(self, from_=0.0, to=1.0, *, generator=None):
    """Fills with numbers from [from, to), all equally likely."""
    return ops.uniform_(self, from_, to, _from(generator, self))


def _normal_(self, mean=0.0, std=1.0, *, generator=None):
    """Fills with numbers of the normal distribution."""
    return ops.normal_(self, mean, std, _from(generator, self))


def _exponential_(self, lambd=1.0, *, generator=None):
    """Fills with waiting times for events of rate lambd."""
    return ops.exponential_(self, lambd, _from(generator, self))


def _bernoulli_(self, p=0.5, *, generator=None):
    """Fills with 1 with probability p, else 0; p is a number or a tensor."""
    return ops.bernoulli_(self, p, _from(generator, self))


def _random_(self, *bounds, generator=None, **named):
    """Fills with whole numbers: random_(to), random_(from, to), or all that it holds.

    Without bounds: from 0 to the largest number of an integer dtype, or to the largest
    up to which a float dtype has every whole number. random_(from, None) ends there.
    """
    from_, to = (0, *bounds) if len(bounds) == 1 else bounds or (None, None)
    from_, to = named.get("from", from_), named.get("to", to)
    from_ = 0 if from_ is None and to is not None else from_
    return ops.random_(self, from_, to, _from(generator, self))


@recorded_as("Geometric")
def _geometric_(self, p, *, generator=None):
    """Fills with the number of trials up to the first success, p being its chance."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_: expects p to be in (0, 1), but got p={p}")
    if self.dtype is _core.bool:
        raise NotImplementedError("geometric_: not implemented for 'bool', use uint8")
    trials = lambda x: (_uniforms(x, generator).log() / math.log1p(-p)).ceil()
    return _overwrite(self, trials)


@recorded_as("Cauchy")
def _cauchy_(self, median=0.0, sigma=1.0, *, generator=None):
    """Fills with numbers of the Cauchy distribution."""
    _check_continuous("cauchy_", self, RuntimeError)
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_: expects sigma > 0.0, but found sigma={sigma}")
    angle = lambda x: math.pi * (_uniforms(x, generator) - 0.5)
    return _overwrite(self, lambda x: median + sigma * angle(x).tan())


@recorded_as("LogNormal")
def _log_normal_(self, mean=1.0, std=2.0, *, generator=None):
    """Fills with numbers whose logarithms are normal, with that mean and deviation."""
    _check_continuous("log_normal_", self)
    if not std > 0.0:
        raise RuntimeError(f"log_normal_: expects std > 0.0, but found std={std}")

    def numbers(x):
        pairs = _core.empty((x.numel(), 2), _wide(x), x._device_name)
        one_by_one = pairs.select(1, 0).normal_(mean, std, generator=generator)
        out = empty_like(x, dtype=_wide(x))
        out.as_strided((x.numel(),), (1,)).copy_(one_by_one)
        return out.exp()

    return _overwrite(self, numbers)


def _check_continuous(op, x, error=NotImplementedError):
    if not x.dtype.is_floating_point:
        raise error(
            f"{op}: not implemented for '{x.dtype.name}': it fills floating-point "
            "tensors"
        )


def _wide(x):
    """In double, as PyTorch draws these, where there is one."""
    return _core.float64 if x._device_name == "cpu" else _core.float32


def _uniforms(x, generator):
    return empty_like(x, dtype=_wide(x)).uniform_(generator=generator)


def _overwrite(x, draw):
    """x with what draw(x) gives in it; no gradient passes."""
    x.zero_()
    with autograd.no_grad():
        target = x.detach().mul_(1)  # raises where elements share memory
        target.copy_(draw(target))
    return x


for _fill in (
    _uniform_,
    _normal_,
    _exponential_,
    _bernoulli_,
    _random_,
    _geometric_,
    _cauchy_,
    _log_normal_,
):
    _fill.__name__ = _fill.__name__[1:]
    setattr(Tensor, _fill.__name__, _fill)


# ---- new tensors -------------------------------------------------------------------


def rand(*sizes, generator=None, requires_grad=False, **options):
    """Numbers from [0, 1), all equally likely: rand(2, 3), rand((2, 3), out=x).

    options: dtype, device, out, layout, pin_memory.
    """
    out = _new("rand", sizes, **options).uniform_(generator=generator)
    return _finish(out, requires_grad)


def randn(*sizes, generator=None, requires_grad=False, **options):
    """Numbers of the normal distribution with mean 0 and standard deviation 1."""
    out = _new("randn", sizes, **options).normal_(generator=generator)
    return _finish(out, requires_grad)


def _bounds(op, given, low, high):
    """(high) or (low, high), each by position or by name."""
    try:
        if high is None:
            *given, high = given
        if given:
            (low,) = given
    except ValueError:
        raise TypeError(
            f"{op}: expected (high) or (low, high) before the size"
        ) from None
    return _number(low), _number(high)


def randint(
    *args,
    low=0,
    high=None,
    size=None,
    generator=None,
    dtype=None,
    out=None,
    requires_grad=False,
    **options,
):
    """Integers from [low, high): randint(high, size) or randint(low, high, size).

    int64 unless a dtype is given.
    """
    given = list(args)
    if size is None and given:
        size = given.pop()
    low, high = _bounds("randint", given, low, high)
    dtype = _core.int64 if dtype is None and out is None else dtype
    out = _new("randint", (size,), dtype=dtype, out=out, **options)
    return _finish(out.random_(low, high, generator=generator), requires_grad)


def randperm(
    n, *, generator=None, dtype=None, out=None, requires_grad=False, **options
):
    """The integers 0 to n - 1 in random order, int64 unless a dtype is given."""
    n = _number(n)
    dtype = _core.int64 if dtype is None and out is None else dtype
    target = _new("randperm", (max(n, 0),), dtype=dtype, out=out, **options)
    place = target._device_name
    drawn = ops.randperm(n, target.dtype, generator or stream_of(place))
    return _finish(target.copy_(drawn), requires_grad)


def rand_like(input, *, generator=None, requires_grad=False, **kwargs):
    """Like rand, with the shape, the dtype and the device of input."""
    out = empty_like(input, **kwargs).uniform_(generator=generator)
    return _finish(out, requires_grad)


def randn_like(input, *, generator=None, requires_grad=False, **kwargs):
    """Like randn, with the shape, the dtype and the device of input."""
    out = empty_like(input, **kwargs).normal_(generator=generator)
    return _finish(out, requires_grad)


def randint_like(
    input, *args, low=0, high=None, generator=None, requires_grad=False, **kwargs
):
    """Like randint, with the shape and the device of input: randint_like(x, high)."""
    low, high = _bounds("randint_like", args, low, high)
    out = empty_like(input, **kwargs).random_(low, high, generator=generator)
    return _finish(out, requires_grad)


def normal(mean=0.0, std=1.0, size=None, *, generator=None, out=None, **options):
    """Normal numbers: one for each element of mean or std, or `size` of them.

    size takes the options of randn. Gradients of mean and std are zero.
    """
    if size is None and isinstance(std, (tuple, list)):  # normal(mean, size)
        std, size = 1.0, std
    if size is not None:
        requires_grad = options.pop("requires_grad", False)
        drawn = _new("normal", (size,), out=out, **options)
        return _finish(drawn.normal_(mean, std, generator=generator), requires_grad)
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        raise TypeError(
            "normal: of two numbers it cannot know how many to draw; add size"
        )
    drawn = _normal_each(mean, std, generator, **options)
    return drawn if out is None else store("normal", drawn.detach(), out)


class _Drawn(autograd.Function):
    """Numbers, and where they were drawn around, to which gradients of zeros go."""

    @staticmethod
    def forward(ctx, drawn, mean, std):
        return drawn

    @staticmethod
    def backward(ctx, g):
        return None, g.new_zeros(g.shape), g.new_zeros(g.shape)


def _normal_name(_out, mean, std):
    number = isinstance(mean, Tensor) + 2 * isinstance(std, Tensor)
    return f"NormalBackward{number}"


@recorded_as(_normal_name)
def _normal_each(mean, std, generator):
    return _Drawn.apply(_draw_normal(mean, std, generator), mean, std)


def _draw_normal(mean, std, generator):
    mean, std = (x.detach() if isinstance(x, Tensor) else x for x in (mean, std))
    like = mean if isinstance(mean, Tensor) else std
    if isinstance(std, Tensor) and ops.lt(std, 0).any().item():
        raise RuntimeError("normal: expects all elements of std >= 0.0")
    shape = (like + std).shape  # broadcast
    out = _core.empty(shape, like.dtype, like._device_name)
    if not isinstance(std, Tensor):
        return out.normal_(0, std, generator=generator).add_(mean)
    return out.normal_(generator=generator).mul_(std).add_(mean)


@function
def bernoulli(input, p=None, *, generator=None, out=None):
    """1 with the probability in each element of input (or with p), else 0."""
    if out is None:
        out = _core.empty(input.shape, input.dtype, input._device_name)
    else:
        out = resized("bernoulli", out, input.shape)
    return out.bernoulli_(input if p is None else p, generator=generator)


@function
def multinomial(input, num_samples, replacement=False, *, generator=None, out=None):
    """Indices drawn with probabilities in proportion to the weights in a row of input.

    input: (categories) or (rows, categories), floating point, which need not sum to 1.
    Returns int64 (num_samples) or (rows, num_samples).
    """
    if out is not None and out.dtype != _core.int64:
        raise RuntimeError(
            f"multinomial: expects an int64 tensor as out, got {out.dtype.name}"
        )
    generator = _from(generator, input)
    drawn = ops.multinomial(input, num_samples, replacement, generator)
    return drawn if out is None else store("multinomial", drawn, out)


@recorded_as("Poisson")
def poisson(input, generator=None):
    """How many events happen of which `input`, elementwise, are to be expected.

    Floating point, on the CPU.
    """
    return _each("poisson", generator, input)


@recorded_as("Binomial")
def binomial(count, prob, generator=None):
    """How many of `count` trials succeed, each with the chance prob; elementwise.

    float32 or float64, on the CPU. Where a gradient is recorded, it is 0.
    """
    return _each("binomial", generator, *broadcast_tensors(count, prob))


def standard_gamma(shape, generator=None):
    """Numbers of density x^(a - 1) · exp(-x) / Γ(a), for each a in `shape`."""
    return _each("standard_gamma", generator, shape)


def _each(op, generator, *parameters):
    """An op that takes a row of parameters for each number, and gives doubles."""
    like = parameters[0]
    _check_continuous(op, like)
    wide = like.dtype if like.dtype.itemsize > 2 else _core.float32
    rows = ops.cat(1, *[p.to(wide).reshape(-1, 1) for p in parameters])
    drawn = getattr(ops, op)(rows, _from(generator, like))
    return drawn.reshape(like.shape).to(like.dtype)
