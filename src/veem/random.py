"""Random numbers. On the CPU the same seed gives PyTorch's numbers.

Every device has one stream, from which all is drawn there unless another generator is
passed: `default_generator` is the CPU's. What has been drawn before decides what comes
next. The stream of other devices is Philox's, the same on all of them.
"""

import contextlib

from veem import _core, ops
from veem.creation import _finish, _float_or, _shape, empty_like
from veem.device import name_of, of_name
from veem.functions.registry import function
from veem.functions.twins import store
from veem.layout import check_layout
from veem.tensor import Tensor

Generator = _core.Generator
Generator.__module__ = "veem"
Generator.device = property(lambda self: of_name(self._device_name))
default_generator = Generator()
_streams = {"cpu": default_generator}  # by the core's name of a device, when first used
_last_seed = None  # that manual_seed got, for the streams still to come


def stream_of(device):
    """The generator from which a device draws, by the core's name for it."""
    if device not in _streams:
        _streams[device] = Generator(device)
        if _last_seed is not None:
            _streams[device].manual_seed(_last_seed)
    return _streams[device]


# ---- the stream ---------------------------------------------------------------------


def manual_seed(seed):
    """Starts, on every device, the stream that belongs to `seed`; returns the CPU's.

    seed: an integer from -2**63 to 2**64 - 1; negative ones count from 2**64.
    """
    global _last_seed
    default_generator.manual_seed(int(seed))
    _last_seed = int(seed)
    for generator in _streams.values():
        generator.manual_seed(_last_seed)
    return default_generator


def seed():
    """Starts streams that nobody can foretell; returns the seed that repeats them."""
    chosen = default_generator.seed()
    manual_seed(chosen)
    return chosen


def initial_seed():
    """The seed that the CPU's stream was started with."""
    return default_generator.initial_seed()


def get_rng_state():
    """The state of the CPU's stream: a uint8 tensor, as PyTorch lays it out."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Goes on from a state that get_rng_state gave, here or in PyTorch."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True):
    """Within it numbers may be drawn that the rest of the program does not notice."""
    states = {g: g.get_state() for g in _streams.values()}
    try:
        yield
    finally:
        if enabled:
            for generator, state in states.items():
                generator.set_state(state)


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
    place = name_of(device)
    out = ops.randperm(n, dtype or _core.int64, generator or stream_of(place))
    return _finish(out.to(place), requires_grad)


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


def normal(mean=0.0, std=1.0, size=None, *, generator=None, out=None, **kwargs):
    """Normal numbers: one for each element of mean or std, or `size` of them.

    size takes dtype, device, layout and requires_grad. No gradient flows to mean, std.
    """
    drawn = _normal(mean, std, size, generator, **kwargs)
    return drawn if out is None else store("normal", drawn, out)


def _normal(
    mean,
    std,
    size,
    generator,
    dtype=None,
    device=None,
    layout=None,
    requires_grad=False,
):
    tensors = [x.detach() for x in (mean, std) if isinstance(x, Tensor)]
    check_layout("normal", layout)
    if size is None and isinstance(std, (tuple, list)):  # normal(mean, size)
        std, size = 1.0, std
    if size is not None:
        out = _new((size,), dtype, device).normal_(mean, std, generator=generator)
        return _finish(out, requires_grad)
    if not tensors:
        raise TypeError(
            "normal: of two numbers it cannot know how many to draw; add size"
        )
    spread = std.detach() if isinstance(std, Tensor) else None
    mean = mean.detach() if isinstance(mean, Tensor) else mean
    if spread is not None and ops.lt(spread, 0).any().item():
        raise RuntimeError("normal: expects all elements of std >= 0.0")
    shape = (tensors[0] + tensors[-1]).shape  # broadcast
    out = _core.empty(shape, tensors[0].dtype, tensors[0]._device_name)
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
    return ops.multinomial(input, num_samples, replacement, _from(generator, input))
