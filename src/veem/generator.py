"""Streams of random numbers. On the CPU the same seed gives PyTorch's numbers.

Every device has one stream, from which all is drawn there unless another generator is
passed: `default_generator` is the CPU's. What has been drawn before decides what comes
next. The stream of other devices is Philox's, the same on all of them.
"""

import contextlib

from veem import _core
from veem.device import device as Device
from veem.device import name_of, of_name

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


def streams():
    """The streams of all devices that numbers have been drawn on."""
    return list(_streams.values())


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
def fork_rng(devices=None, enabled=True, device_type=None):
    """Within it numbers may be drawn that the rest of the program does not notice.

    devices: where else than on the CPU, whose stream is always kept; all by default.
    device_type: of devices that are given by number, "cuda" or "metal".
    """
    if not enabled:
        yield
        return
    others = set(_core.devices()) - {"cpu"}
    kind = device_type or min(others, default="cuda")
    numbered = lambda d: Device(kind, d) if isinstance(d, int) else d
    places = _streams if devices is None else [name_of(numbered(d)) for d in devices]
    states = {g: g.get_state() for g in map(stream_of, {"cpu", *places})}
    try:
        yield
    finally:
        for generator, state in states.items():
            generator.set_state(state)
