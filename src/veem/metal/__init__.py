"""The device "metal": Apple's GPUs, or software that runs and checks their kernels.

    saxpy = veem.metal.kernel('''
        #include <metal_stdlib>
        using namespace metal;
        kernel void saxpy(device const float* x [[buffer(0)]],
                          device float* y       [[buffer(1)]],
                          constant float& a     [[buffer(2)]],
                          uint i [[thread_position_in_grid]]) {
          y[i] += a * x[i];
        }''')
    saxpy(1000, 256, x, y, 2.0)  # 1000 threads in groups of 256

Where is_simulated(), every access of a kernel is checked: simulator() has the options.
"""

import contextlib

from veem import _core
from veem.random import stream_of

_metal = getattr(_core, "metal", None)  # absent where veem was built without Metal

MISSING = (
    "not in this build of veem. On a Mac, install it again; elsewhere `make simulator` "
    "or VEEM_METAL=SIMULATED pip install . build the simulator"
)


def is_available():
    """Is there a device "metal", real or simulated?"""
    return "metal" in _core.devices()


def is_simulated():
    """Is it software on this computer's processor?"""
    return bool(_metal and _metal.simulated)


def device_name():
    """What the GPU calls itself; says "simulated" where it is."""
    return _need().device_name()


def synchronize():
    """Waits for all work; faults of kernels are raised here at the latest."""
    _core.synchronize("metal")


# ---- random numbers: the stream that this device draws from --------------------------


def manual_seed(seed):
    """Starts the stream that belongs to `seed`; veem.manual_seed does it everywhere."""
    stream_of("metal").manual_seed(int(seed))


def seed():
    """Starts a stream that nobody can foretell; returns its seed."""
    return stream_of("metal").seed()


def initial_seed():
    """The seed that the stream was started with."""
    return stream_of("metal").initial_seed()


def get_rng_state():
    """The state of the stream: a uint8 tensor of seed and place, 8 bytes each."""
    return stream_of("metal").get_state()


def set_rng_state(new_state):
    """Goes on from a state that get_rng_state gave."""
    stream_of("metal").set_state(new_state)


class Event:
    """A place in the order of all work, like torch.mps.Event.

    start, end = (veem.metal.Event(enable_timing=True) for _ in range(2))
    start.record()
    y = x @ w
    end.record()
    start.elapsed_time(end)  # milliseconds on the GPU's clock
    """

    def __init__(self, enable_timing=False):
        self._event = _need().Event()
        self._timed = enable_timing

    def record(self):
        """From here on it stands behind all work so far, which the GPU now begins."""
        self._event.record()

    def synchronize(self):
        """Waits for the work before it; faults of that work are raised here."""
        self._event.synchronize()

    def query(self):
        """Is the work before it done?"""
        return self._event.query()

    def elapsed_time(self, end):
        """Milliseconds from this event to that one; waits for both."""
        if not (self._timed and end._timed):
            raise RuntimeError(
                "metal.Event: elapsed_time needs two events with enable_timing=True"
            )
        return 1e3 * (end._event.seconds() - self._event.seconds())


# ---- memory, under the names of torch.cuda and torch.mps -----------------------------


def memory_allocated():
    """Bytes in use by tensors."""
    return _core.memory_stats("metal")["live"]


current_allocated_memory = memory_allocated


def max_memory_allocated():
    """The most that memory_allocated() ever was."""
    return _core.memory_stats("metal")["peak"]


def memory_reserved():
    """Bytes in use and bytes kept for reuse."""
    stats = _core.memory_stats("metal")
    return stats["live"] + stats["cached"]


def reset_peak_memory_stats():
    """From here on, max_memory_allocated() counts anew."""
    _core.reset_peak("metal")


def empty_cache():
    """Gives memory kept for reuse back."""
    _core.empty_cache("metal")


# ---- kernels that a user writes ------------------------------------------------------


class kernel:
    """A compiled kernel in Metal Shading Language: call it with grid, group, arguments.

    `name` may be left out where the source has one kernel. `constants` gives values to
    [[function_constant(i)]], by index or by name.
    """

    def __init__(self, source, name=None, constants=None):
        metal = _need()
        if name is None:
            names = metal.kernel_names(source)
            if len(names) != 1:
                raise ValueError(
                    f"metal.kernel: which? The source has {', '.join(names) or 'none'}"
                )
            name = names[0]
        self.name = name
        self._kernel = metal.Kernel(source, name, constants or {})

    @property
    def parameters(self):
        """What it takes: name, type, index, size, threadgroup, writable of each."""
        return self._kernel.parameters

    @property
    def max_group(self):
        """How many threads a group of it can have."""
        return self._kernel.max_group

    def __call__(self, grid, group, *arguments, threadgroup=()):
        """Runs grid threads, in groups of group: numbers or tuples of up to three.

        The arguments are in the order of their [[buffer(i)]]: contiguous tensors on
        "metal", results too; numbers; or the bytes of a struct. threadgroup gives the
        bytes of each [[threadgroup(i)]] array.
        """
        grid, group = ((n,) if isinstance(n, int) else tuple(n) for n in (grid, group))
        self._kernel.run(grid, group, *arguments, threadgroup=threadgroup)

    def __repr__(self):
        takes = ", ".join(f"{p['type']} {p['name']}" for p in self.parameters)
        return f"<metal kernel {self.name}({takes})>"


def kernel_names(source):
    """The names of the kernels in a source."""
    return _need().kernel_names(source)


# ---- the simulator -------------------------------------------------------------------


@contextlib.contextmanager
def simulator(checks=True, order="forward", fast_math=False):
    """Inside, kernels run with these options.

    checks: bounds, races, barriers and uninitialised memory; slower by a factor of ten.
    order: of the threads, "forward", "reverse", or the seed of a shuffle.
    fast_math: rounds as a GPU may in its fast mode.
    """
    if not is_simulated():
        raise RuntimeError("metal.simulator: this device is not simulated")
    synchronize()
    before = _metal.options()
    _metal.set_options(checks, order, fast_math)
    try:
        yield
        synchronize()
    finally:
        _metal.set_options(**before)


def _need():
    if not _metal:
        raise RuntimeError(f"metal: {MISSING}")
    return _metal
