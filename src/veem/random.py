"""Random numbers. On the CPU the same seed gives PyTorch's numbers.

Everything draws from one stream: `default_generator`, unless another is passed. A
stream is sequential, so what has been drawn before decides what comes next.
"""

import contextlib

from veem import _core, ops
from veem.creation import _finish, _float_or, _shape, empty_like
from veem.device import name_of, of_name
from veem.functions.registry import function
from veem.tensor import Tensor

Generator = _core.Generator
Generator.__module__ = "veem"
Generator.device = property(lambda self: of_name(self._device_name))
default_generator = Generator()


# ---- the stream ---------------------------------------------------------------------


def manual_seed(seed):
    """Starts the default stream that belongs to `seed`; returns its generator.

    seed: an integer from -2**63 to 2**64 - 1; negative ones count from 2**64.
    """
    return default_generator.manual_seed(int(seed))


def seed():
    """Starts a stream that nobody can foretell; returns the seed that repeats it."""
    return default_generator.seed()


def initial_seed():
    """The seed that the default stream was started with."""
    return default_generator.initial_seed()


def get_rng_state():
    """The state of the default stream: a uint8 tensor, as PyTorch lays it out."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Goes on from a state that get_rng_state gave, here or in PyTorch."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True):
    """Within it numbers may be drawn that the rest of the program does not notice."""
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


# ---- fills --------------------------------------------------------------------------


def _uniform_(self, from_=0.0, to=1.0, *, generator=None):
    """Fills with numbers from [from, to), all equally likely."""
    return ops.uniform_(self, from_, to, generator or default_generator)


def _normal_(self, mean=0.0, std=1.0, *, generator=None):
    """Fills with numbers of the normal distribution."""
    return ops.normal_(self, mean, std, generator or default_generator)


def _exponential_(self, lambd=1.0, *, generator=None):
    """Fills with waiting times for events of rate lambd."""
    return ops.exponential_(self, lambd, generator or default_generator)


def _bernoulli_(self, p=0.5, *, generator=None):
    """Fills with 1 with probability p, else 0; p is a number or a tensor."""
    return ops.bernoulli_(self, p, generator or default_generator)


def _random_(self, *bounds, generator=None, **named):
    """Fills with whole numbers: random_(to), random_(from, to), or all that it holds.

    Without bounds: from 0 to the largest number of an integer dtype, or to the largest
    up to which a float dtype has every whole number. random_(from, None) ends there.
    """
    from_, to = (0, *bounds) if len(bounds) == 1 else bounds or (None, None)
    from_, to = named.get("from", from_), named.get("to", to)
    from_ = 0 if from_ is None and to is not None else from_
    return ops.random_(self, from_, to, generator or default_generator)


for _fill in (_uniform_, _normal_, _exponential_, _bernoulli_, _random_):
    _fill.__name__ = _fill.__name__[1:]
    setattr(Tensor, _fill.__name__, _fill)


# ---- new tensors -------------------------------------------------------------------


def _new(size, dtype, device):
    return _core.empty(_shape(size), _float_or(dtype), name_of(device))


def rand(*size, generator=None, dtype=None, device=None, requires_grad=False):
    """Numbers from [0, 1), all equally likely."""
    out = _new(size, dtype, device).uniform_(generator=generator)
    return _finish(out, requires_grad)


def randn(*size, generator=None, dtype=None, device=None, requires_grad=False):
    """Numbers of the normal distribution with mean 0 and standard deviation 1."""
    out = _new(size, dtype, device).normal_(generator=generator)
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
    return low, high


def randint(
    *args, low=0, high=None, size=None, generator=None, dtype=None, device=None
):
    """Integers from [low, high): randint(high, size) or randint(low, high, size).

    int64 unless a dtype is given.
    """
    given = list(args)
    if size is None and given:
        size = given.pop()
    low, high = _bounds("randint", given, low, high)
    out = _new((size,), dtype or _core.int64, device)
    return out.random_(low, high, generator=generator)


def randperm(n, *, generator=None, dtype=None, device=None, requires_grad=False):
    """The integers 0 to n - 1 in random order, int64 unless a dtype is given."""
    out = ops.randperm(n, dtype or _core.int64, generator or default_generator)
    return _finish(out if device is None else out.to(device), requires_grad)


def rand_like(input, *, generator=None, dtype=None, requires_grad=False):
    """Like rand, with the shape, the dtype and the device of input."""
    out = empty_like(input, dtype=dtype).uniform_(generator=generator)
    return _finish(out, requires_grad)


def randn_like(input, *, generator=None, dtype=None, requires_grad=False):
    """Like randn, with the shape, the dtype and the device of input."""
    out = empty_like(input, dtype=dtype).normal_(generator=generator)
    return _finish(out, requires_grad)


def randint_like(input, *args, low=0, high=None, generator=None, dtype=None):
    """Like randint, with the shape and the device of input: randint_like(x, high)."""
    low, high = _bounds("randint_like", args, low, high)
    return empty_like(input, dtype=dtype).random_(low, high, generator=generator)


def normal(mean, std=1.0, size=None, *, generator=None, dtype=None, device=None):
    """Normal numbers: one for each element of mean or std, or `size` of them."""
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if size is not None:
        return _new((size,), dtype, device).normal_(mean, std, generator=generator)
    if not tensors:
        raise TypeError(
            "normal: of two numbers it cannot know how many to draw; add size"
        )
    spread = std if isinstance(std, Tensor) else None
    if spread is not None and ops.lt(spread, 0).any().item():
        raise RuntimeError("normal: expects all elements of std >= 0.0")
    shape = (tensors[0] + tensors[-1]).shape  # broadcast
    out = _core.empty(shape, tensors[0].dtype, tensors[0].device.type)
    if spread is None:
        return out.normal_(0, std, generator=generator).add_(mean)
    return out.normal_(generator=generator).mul_(spread).add_(mean)


@function
def bernoulli(input, p=None, *, generator=None):
    """1 with the probability in each element of input (or with p), else 0."""
    if p is not None:
        return empty_like(input).bernoulli_(p, generator=generator)
    return empty_like(input).bernoulli_(input, generator=generator)


@function
def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Indices drawn with probabilities in proportion to the weights in a row of input.

    input: (categories) or (rows, categories), floating point, which need not sum to 1.
    Returns int64 (num_samples) or (rows, num_samples).
    """
    generator = generator or default_generator
    return ops.multinomial(input, num_samples, replacement, generator)
