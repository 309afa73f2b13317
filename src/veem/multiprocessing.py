"""Python's multiprocessing, between whose processes tensors share their memory.

A tensor on its way to another process (in the arguments of a Process, through a Queue)
moves into shared memory, and both see the same elements from then on. Such memory has
no name in any folder: the system frees it with the last process that sees it, however
that one ends. Tensors on other devices than the CPU, and empty ones, are copied.
"""

import io
import multiprocessing
import os
import pickle
import socket
import struct
from multiprocessing import reduction

from veem import _core
from veem.tensor import Tensor

globals().update(
    {name: getattr(multiprocessing, name) for name in multiprocessing.__all__}
)
__all__ = [*multiprocessing.__all__, "Segments", "receive", "register", "send"]

MOST_KEPT = 64  # segments that a receiver has and may give back
AT_ONCE = 250  # descriptors in one message; Linux takes 253


def _travels(x):
    """Whether a tensor goes through shared memory; RuntimeError where it cannot go."""
    if x.requires_grad and not x.is_leaf:
        raise RuntimeError(
            "a tensor with a history (requires_grad, and not a leaf) cannot go to "
            "another process, where autograd does not reach; send x.detach()"
        )
    return x._device_name == "cpu" and x.numel() > 0


def _tensor(kind, memory, shape, strides, offset, requires_grad):
    x = _core.as_strided(memory, shape, strides, offset)
    if kind is Tensor:
        return x.requires_grad_(requires_grad)
    return Tensor._make_subclass(kind, x, requires_grad)


# ---- by way of ForkingPickler: what Process, Queue and Pipe use ----------------------


def _reduce(x):
    if not _travels(x):
        return x.__reduce_ex__(2)
    _core.move_to_shared(x)
    descriptor = reduction.DupFd(_core.shared_descriptor(x))
    memory = (descriptor, _core.whole_storage(x).numel(), x.dtype)
    place = (tuple(x.shape), x.stride(), x.storage_offset(), x.requires_grad)
    return _rebuild, (type(x), memory, *place)


def _rebuild(kind, memory, *place):
    descriptor, numel, dtype = memory
    whole = _core.map_shared(descriptor.detach(), numel, dtype, True)
    return _tensor(kind, whole, *place)


def register(kind):
    """Has tensors of this class share their memory with other processes."""
    reduction.ForkingPickler.register(kind, _reduce)


register(Tensor)


# ---- beside the bytes of a connection: what DataLoader uses --------------------------


class Segments:
    """Shared memory for what is sent: new, or what its receiver is done with.

    Memory that is fresh from the system costs more than what is written to it.
    """

    def __init__(self):
        self._kept = []

    def take(self, numel, dtype):
        """A segment for so many elements, lent until its receiver lets go of it."""
        loans = [(_core.loan(s), s) for s in self._kept]
        for loan, s in loans:
            if loan == "free" and s.numel() == numel and s.dtype is dtype:
                break
        else:  # sizes have changed, or all are in use: let the others go
            self._kept = [s for loan, s in loans if loan == "lent"][-MOST_KEPT:]
            s = _core.empty_shared(numel, dtype)
            self._kept.append(s)
        _core.lend(s)
        return s


class _Pickler(reduction.ForkingPickler):
    """Leaves tensors out: each is copied to a segment, whose number stands for it."""

    def __init__(self, file, source):
        super().__init__(file)
        self.source, self.segments = source, []

    def persistent_id(self, x):
        if not isinstance(x, Tensor) or not _travels(x):
            return None
        data, strides = x.detach(), x.stride()
        reach = 1 + sum((n - 1) * s for n, s in zip(x.shape, strides))
        if reach > x.numel():  # with gaps, which need not travel
            data = data.contiguous()
            strides, reach = data.stride(), x.numel()
        run = _core.as_strided(data, (reach,), (1,), data.storage_offset())
        self.segments.append(self.source.take(reach, x.dtype).copy_(run))
        number = len(self.segments) - 1
        memory = (number, reach, x.dtype)
        return type(x), memory, tuple(x.shape), strides, 0, x.requires_grad


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, descriptors):
        super().__init__(file)
        self.descriptors = descriptors

    def persistent_load(self, saved):
        kind, (number, numel, dtype), *place = saved
        # Taken over before it is mapped, so that nobody closes it twice.
        descriptor, self.descriptors[number] = self.descriptors[number], None
        return _tensor(kind, _core.map_shared(descriptor, numel, dtype, False), *place)


def send(connection, message, segments=None):
    """Sends an object through a duplex Pipe; its tensors are copied to shared memory.

    segments: where from; who sends often keeps one. An object that cannot be pickled
    raises before anything has been sent.
    """
    file = io.BytesIO(bytes(4))
    file.seek(4)
    pickler = _Pickler(file, segments or Segments())
    pickler.dump(message)
    struct.pack_into("<I", file.getbuffer(), 0, len(pickler.segments))
    connection.send_bytes(file.getbuffer())
    if pickler.segments:
        with socket.socket(fileno=os.dup(connection.fileno())) as beside:
            for i in range(0, len(pickler.segments), AT_ONCE):
                part = pickler.segments[i : i + AT_ONCE]
                reduction.sendfds(beside, [_core.shared_descriptor(s) for s in part])


def receive(connection):
    """The object that send() sent; EOFError when the other side is gone."""
    data = connection.recv_bytes()
    (count,) = struct.unpack_from("<I", data)
    descriptors = _receive_descriptors(connection, count) if count else []
    try:
        return _Unpickler(io.BytesIO(memoryview(data)[4:]), descriptors).load()
    finally:
        for descriptor in descriptors:
            if descriptor is not None:
                os.close(descriptor)


def _receive_descriptors(connection, count):
    descriptors = []
    with socket.socket(fileno=os.dup(connection.fileno())) as beside:
        while len(descriptors) < count:
            wanted = min(AT_ONCE, count - len(descriptors))
            try:
                descriptors += reduction.recvfds(beside, wanted)
            except RuntimeError as error:  # the system dropped some
                for descriptor in descriptors:
                    os.close(descriptor)
                raise RuntimeError(
                    f"no room for {count} more shared tensors: too many open files; "
                    "put fewer tensors into a batch or raise the limit with `ulimit -n`"
                ) from error
    return descriptors
